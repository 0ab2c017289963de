#!/bin/bash
# Prints how long a microVM takes with both kernels, beside QEMU's microvm machine with the same kernel, modules and root.
# All in one run of one guest host (this machine or the lab host): the figures compare with each other only.
# Usage: timing-table.sh [RUNS]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
runs=${1:-5}

if [ "${2:-}" != inside ]; then
    if "$root/.ci/has-kvm.sh"; then
        exec "$0" "$runs" inside
    fi
    # One boot of the lab host serves all; with one processor for the guests, since that is what they are given.
    exec "$root/artifacts/lab/lab" run --timeout 900 -- "$0" "$runs" inside
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$root/tests/Lab/peer.sh"

# Milliseconds from the start to: the first line of init, the end of the command, the end of the process.
run_qemu() {
    local start init ran
    start=$(now)
    time_qemu "$1" "$1" 2>/dev/null || true
    echo "${init:-0} ${ran:-0} $(($(now) - start))"
}

run_sandbox() {
    local start end
    start=$(now)
    timeout 60 "$root/artifacts/bin/sandbox" run --timing --kernel "$share/kernels/$1/vmlinux" --memory 256M -- /bin/true 2>"$work/timing" >/dev/null </dev/null || { cat "$work/timing" >&2; return 1; }
    end=$(($(now) - start))
    echo "$(at "agent connected") $(at "command exited") $end"
}

printf '| kernel | VMM | agent or init runs | command has run | process gone |\n|---|---|---|---|---|\n'
for kernel in debian tuned; do
    make_initrd "$kernel" "$kernel" /bin/true
    for vmm in sandbox qemu; do
        for _ in $(seq "$runs"); do "run_$vmm" "$kernel"; done >"$work/$vmm-$kernel"
        printf '| %s | %s | %s ms | %s ms | %s ms |\n' "$kernel $(cat "$share/kernels/$kernel/version")" "$vmm" \
            "$(cut -d' ' -f1 "$work/$vmm-$kernel" | median)" "$(cut -d' ' -f2 "$work/$vmm-$kernel" | median)" "$(cut -d' ' -f3 "$work/$vmm-$kernel" | median)"
    done
done
echo
for kernel in debian tuned; do
    run_sandbox "$kernel" >/dev/null
    printf 'sandbox --timing, %s:\n' "$kernel"
    cat "$work/timing"
done
printf 'medians of %s runs, 1 processor, 256 MiB, on: %s\n' "$runs" "$(uname -nrv)"
