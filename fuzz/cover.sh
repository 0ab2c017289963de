#!/bin/bash
# Lines and branches that the corpora and a fixed seed reach, per room and for every file below 90 %. Usage: fuzz/cover.sh [TARGET]
set -euo pipefail
cd "$(dirname "$0")/.."
work=artifacts/fuzz/cover
rm -rf "$work"
mkdir -p "$work"
dotnet build fuzz/Sandbox.Fuzz.Cover -c Release -p:RunAnalyzers=false -v q -nologo -clp:NoSummary
FUZZ_TARGET=${1:-} dotnet test fuzz/Sandbox.Fuzz.Cover -c Release --no-build --nologo -v q --results-directory "$work" --collect "XPlat Code Coverage" -- \
    DataCollectionRunSettings.DataCollectors.DataCollector.Configuration.Format=cobertura \
    DataCollectionRunSettings.DataCollectors.DataCollector.Configuration.Include='[Sandbox]*,[Sandbox.*]*,[sandbox*device]*,[sandbox*vmm]*,[sandbox*seccomp]*' \
    DataCollectionRunSettings.DataCollectors.DataCollector.Configuration.Exclude='[sandbox*fuzz]*,[Sandbox.Fuzz.*]*' \
    DataCollectionRunSettings.DataCollectors.DataCollector.Configuration.ExcludeAssembliesWithoutSources=None \
    >"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; exit 1; }
report=$(find "$work" -name coverage.cobertura.xml | head -n 1)
# What a guest, a peer, a file or an operator's words reach. Not: system calls themselves, the rest of the launcher, what runs in the guest, the
# start and the loop of a process.
reached='^Sandbox\.(Boot|Control|Memory|VhostUser|Virtio|Device|Seccomp)/|^Sandbox\.Vmm/(VirtioMmio|Bus|Legacy)/|^Sandbox\.Cli/(Text/|Run/RunArguments)|^Sandbox/(Agent/|Runtime/(ControlInbox|VsockConnector|TailBuffer|ConsoleText)\.cs)'
glue='/Program\.cs|Device/(DeviceLoop|ControlSocket|DeviceLog)\.cs|Filters\.g\.cs|Seccomp/FilterSource'
# One line a class and one a source line in the report: counted per file, then per folder of src/.
awk -v reachable="$reached" -v glue="$glue" '
    /<class / { match($0, /filename="[^"]*"/); file = substr($0, RSTART + 10, RLENGTH - 11); sub(/.*src\//, "", file); inLines = 0; wanted = file ~ reachable && file !~ glue }
    /<\/methods>|<methods *\/>/ { inLines = 1 }
    /<methods>/ { inLines = 0 }
    /<line / && inLines && wanted {
        match($0, /number="[0-9]*"/); key = file ":" substr($0, RSTART, RLENGTH)
        match($0, /hits="[0-9]*"/); hit = substr($0, RSTART + 6, RLENGTH - 7) + 0 > 0
        if (!(key in seen)) { seen[key] = 1; total[file]++ }
        if (hit && !(key in done)) { done[key] = 1; reached[file]++ }
        if (match($0, /\([0-9]+\/[0-9]+\)/)) { split(substr($0, RSTART + 1, RLENGTH - 2), part, "/"); branchReached[file] += part[1]; branches[file] += part[2] }
    }
    END {
        for (file in total) {
            room = file; sub(/\/.*/, "", room)
            roomTotal[room] += total[file]; roomReached[room] += reached[file]; roomBranches[room] += branches[file]; roomBranchReached[room] += branchReached[file]
            if (reached[file] < total[file] * 0.9) below[file] = sprintf("    %5.1f %% of %4d lines  %s", 100 * reached[file] / total[file], total[file], file)
        }
        for (room in roomTotal) { allTotal += roomTotal[room]; allReached += roomReached[room] }
        printf "%-20s %5.1f %% of %5d lines\n", "all of it", 100 * allReached / allTotal, allTotal
        for (room in roomTotal) printf "%-20s %5.1f %% of %5d lines, %5.1f %% of %4d branches\n", room, 100 * roomReached[room] / roomTotal[room], roomTotal[room], roomBranches[room] ? 100 * roomBranchReached[room] / roomBranches[room] : 100, roomBranches[room] | "sort"
        close("sort")
        for (file in below) print below[file] | "sort -k6"
    }' "$report"
