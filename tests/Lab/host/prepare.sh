#!/bin/bash
# Builds the lab host's exe and image where they are missing or older than their sources; silent when nothing is to do.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
mkdir -p "$root/artifacts/lab"
exec 9>"$root/artifacts/lab/.lock"
flock 9

# By the time of the last change of any kind: a package's files keep the date of their build.
newer() { [ ! -e "$1" ] || [ -n "$(find "${@:2}" -cnewer "$1" -type f -print -quit)" ]; }

if newer "$root/artifacts/lab/lab" "$root"/tests/Lab/{Machine,Tool}/*.cs* "$root"/tests/Directory.Build.* "$root"/Directory.*; then
    log=$(mktemp)
    dotnet publish "$root/tests/Lab/Tool" -v q -nologo >"$log" 2>&1 9>&- || { cat "$log" >&2; rm -f "$log"; exit 1; }
    rm -f "$log"
    touch "$root/artifacts/lab/lab"
fi
if newer "$root/artifacts/lab/emulator" "$root/tests/Lab/host/emulator.sh" "$(command -v qemu-system-x86_64)"; then
    "$root/tests/Lab/host/emulator.sh" "$root/artifacts/lab/emulator"
fi
if newer "$root/artifacts/lab/image/initramfs.cpio" "$root"/tests/Lab/host/{build,init}.sh; then
    "$root/tests/Lab/host/build.sh" "$root/artifacts/lab/image"
    touch "$root/artifacts/lab/image/initramfs.cpio"
fi
