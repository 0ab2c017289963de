#!/bin/bash
# Runs artifacts/bin/sandbox with the given arguments: here, or in the lab host where this machine cannot virtualize.
# The exit code is sandbox's. Expects what `make build kernels` (and `make lab`) prepared.
root=$(cd "$(dirname "$0")/.." && pwd)
if "$root/.ci/has-kvm.sh"; then
    exec "$root/artifacts/bin/sandbox" "$@"
fi
echo "lab host       no hardware virtualization here: running in an emulated machine that has it" >&2
exec "$root/artifacts/lab/lab" run -- "$root/artifacts/bin/sandbox" "$@"
