#!/bin/bash
# AFL++ on one target, with the rooms that it reaches instrumented by SharpFuzz. Usage: fuzz/afl.sh TARGET SECONDS
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1 time=$2
work=artifacts/fuzz/afl
fuzz/instrument.sh "$work/bin"
rm -rf "$work/out-$target"
dictionary=$work/$target.dict
dotnet fuzz/Sandbox.Fuzz/bin/Release/net10.0/sandbox-fuzz.dll dictionary "$target" >"$dictionary"
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1
afl-fuzz -V "$time" -t 10000 -m none $([ ! -s "$dictionary" ] || echo "-x $dictionary") -i "fuzz/corpus/$target" -o "$work/out-$target" \
    dotnet "$work/bin/sandbox-fuzz-guided.dll" "$target" >"$work/$target.log" 2>&1 || { tail -n 20 "$work/$target.log" >&2; exit 1; }
stats=$work/out-$target/default/fuzzer_stats
grep -E '^(execs_done|execs_per_sec|corpus_count|saved_crashes|saved_hangs|bitmap_cvg)' "$stats"
! grep -qE '^saved_(crashes|hangs) *: *[1-9]' "$stats"
