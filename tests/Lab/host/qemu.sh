#!/bin/bash
# Becomes the lab host's emulator (emulator.sh says how it differs from the installed one). A copy outside of /usr/bin has to be told where
# Debian's packages keep its firmware and its parts.
root=$(cd "$(dirname "$0")/../../.." && pwd)
export QEMU_MODULE_DIR=/usr/lib/x86_64-linux-gnu/qemu
exec "$root/artifacts/lab/emulator" -L /usr/share/qemu -L /usr/share/seabios "$@"
