#!/bin/bash
# libFuzzer on one target, with the rooms that it reaches instrumented by SharpFuzz. Usage: fuzz/libfuzzer.sh TARGET SECONDS
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1 time=$2
work=artifacts/fuzz/libfuzzer
fuzz/instrument.sh "$work/bin"
mkdir -p "$work/corpus-$target" "$work/findings-$target"
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$work/driver" fuzz/libfuzzer/driver.c /usr/lib/llvm-14/lib/libFuzzer.a -lstdc++ -lm -lpthread
dictionary=$work/$target.dict
dotnet fuzz/Sandbox.Fuzz/bin/Release/net10.0/sandbox-fuzz.dll dictionary "$target" >"$dictionary"
"$work/driver" "$work/bin/sandbox-fuzz-guided.dll" "$target" -max_total_time="$time" -timeout=10 -rss_limit_mb=0 -print_final_stats=1 \
    $([ ! -s "$dictionary" ] || echo "-dict=$dictionary") -artifact_prefix="$work/findings-$target/" \
    "$work/corpus-$target" "fuzz/corpus/$target" >"$work/$target.log" 2>&1 || { tail -n 20 "$work/$target.log" >&2; exit 1; }
grep -E '^(stat::|Done )' "$work/$target.log"
grep -E '[[:space:]](INITED|DONE)[[:space:]]' "$work/$target.log"
