#!/bin/bash
# AFL++ on one target, with the rooms that it reaches instrumented by SharpFuzz. Usage: fuzz/afl.sh TARGET SECONDS
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1 time=$2
work=artifacts/fuzz/afl
mkdir -p "$work/tools" "$work/in"
[ -x "$work/tools/sharpfuzz" ] || dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$work/tools" >/dev/null
rm -rf "$work/bin"
dotnet build fuzz/Sandbox.Fuzz.Afl -c Release -o "$work/bin" -p:RunAnalyzers=false -v q -nologo -clp:NoSummary
for room in Sandbox.Virtio Sandbox.VhostUser Sandbox.Control Sandbox.Boot sandbox-device sandbox-vmm sandbox-seccomp Sandbox.Cli; do
    "$work/tools/sharpfuzz" "$work/bin/$room.dll" >/dev/null || echo "$room is not instrumented" >&2
done
rm -rf "$work/out-$target"
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1
afl-fuzz -V "$time" -t 10000 -m none -i "fuzz/corpus/$target" -o "$work/out-$target" dotnet "$work/bin/sandbox-fuzz-afl.dll" "$target" >"$work/$target.log" 2>&1 \
    || { tail -n 20 "$work/$target.log" >&2; exit 1; }
stats=$work/out-$target/default/fuzzer_stats
grep -E '^(execs_done|execs_per_sec|corpus_count|saved_crashes|saved_hangs|bitmap_cvg)' "$stats"
! grep -qE '^saved_(crashes|hangs) *: *[1-9]' "$stats"
