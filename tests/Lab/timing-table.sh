#!/bin/bash
# Prints how long a microVM takes with both kernels, beside QEMU's microvm machine with the same kernel, modules and root.
# All in one run of one guest host (this machine or the lab host): the figures compare with each other only.
# Usage: timing-table.sh [RUNS]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
runs=${1:-5}
share=$root/artifacts/share

if [ "${2:-}" != inside ]; then
    if "$root/.ci/has-kvm.sh"; then
        exec "$0" "$runs" inside
    fi
    # One boot of the lab host serves all; with one processor for the guests, since that is what they are given.
    exec "$root/artifacts/lab/lab" run --timeout 900 -- "$0" "$runs" inside
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
now() { echo $((${EPOCHREALTIME/./} / 1000)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# What sandbox-init does, in busybox: modules in order, the erofs root under a tmpfs overlay, the command, the end.
make_initrd() {
    local tree=$work/initrd-$1
    mkdir -p "$tree"/{bin,dev,proc,modules,lower,upper,root}
    cp /bin/busybox "$tree/bin/"
    [ ! -d "$share/kernels/$1/modules" ] || cp "$share/kernels/$1/modules"/* "$tree/modules/"
    cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
B=/bin/busybox
echo "timing: init"
$B mount -t proc none /proc
$B mount -t devtmpfs none /dev
[ ! -e /modules/order ] || while read -r module; do $B insmod "/modules/$module"; done </modules/order
$B mount -t erofs -o ro /dev/vda /lower
$B mount -t tmpfs none /upper
$B mkdir /upper/files /upper/work
$B mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work none /root
$B chroot /root /bin/true && echo "timing: true"
$B reboot -f
INIT
    chmod 755 "$tree/init"
    (cd "$tree" && find . | cpio -o -H newc --quiet) >"$work/initrd-$1.cpio"
}

# Milliseconds from the start to: the first line of init, the end of the command, the end of the process.
run_qemu() {
    local start line init= ran=
    start=$(now)
    while read -r line; do
        case $line in
            *"timing: init"*) init=$(($(now) - start)) ;;
            *"timing: true"*) ran=$(($(now) - start)) ;;
        esac
    done < <(timeout 60 qemu-system-x86_64 -M microvm,acpi=on,pcie=off,pic=off,rtc=off -accel kvm -cpu host -smp 1 -m 256 \
        -no-user-config -nodefaults -display none -no-reboot -serial stdio -kernel "$share/kernels/$1/vmlinux" -initrd "$work/initrd-$1.cpio" \
        -drive "file=$share/rootfs.erofs,format=raw,if=none,id=root,readonly=on" -device virtio-blk-device,drive=root -device virtio-rng-device \
        -append "console=ttyS0 quiet panic=-1 reboot=t no_timer_check pci=off random.trust_cpu=on" </dev/null 2>/dev/null)
    echo "${init:-0} ${ran:-0} $(($(now) - start))"
}

run_sandbox() {
    local start end
    start=$(now)
    timeout 60 "$root/artifacts/bin/sandbox" run --timing --kernel "$share/kernels/$1/vmlinux" --memory 256M -- /bin/true 2>"$work/timing" >/dev/null </dev/null || { cat "$work/timing" >&2; return 1; }
    end=$(($(now) - start))
    at() { sed -n "s/^sandbox: $1 *\([0-9]*\)[.0-9]* ms.*/\1/p" "$work/timing"; }
    echo "$(at "agent connected") $(at "command exited") $end"
}

printf '| kernel | VMM | agent or init runs | command has run | process gone |\n|---|---|---|---|---|\n'
for kernel in debian tuned; do
    make_initrd "$kernel"
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
