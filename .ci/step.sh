#!/bin/bash
# Runs one step of the build and prints one line with its time. What the step prints is shown only when it fails.
# Usage: step.sh NAME COMMAND...    The last line of what it printed stands in that line: what was made, or why nothing was to do.
set -u
name=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
start=${EPOCHREALTIME/./}
"$@" >"$log" 2>&1 </dev/null
code=$?
elapsed=$(((${EPOCHREALTIME/./} - start) / 100000))
time="$((elapsed / 10)).$((elapsed % 10)) s"
if [ $code != 0 ]; then
    tail -n 60 "$log" >&2
    printf '%-14s FAILED (%s)\n' "$name" "$time" >&2
    exit $code
fi
note=$(tail -n 1 "$log" | cut -c1-100)
printf '%-14s %s (%s)\n' "$name" "${note:-done}" "$time" >&2
