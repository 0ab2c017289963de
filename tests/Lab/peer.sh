# Sourced where guests run: how timing-table.sh and speed.sh start a microVM with Sandbox and one with QEMU's microvm machine, from the same kernel,
# modules and root. Needs $root (the checkout) and $work (a folder of the caller's).
share=$root/artifacts/share
now() { echo $((${EPOCHREALTIME/./} / 1000)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# What sandbox-init does, in busybox: modules in order, the erofs root under a tmpfs overlay, the script, the end.
# Usage: make_initrd NAME KERNEL SCRIPT
make_initrd() {
    local tree=$work/initrd-$1
    mkdir -p "$tree"/{bin,dev,proc,modules,lower,upper,root}
    cp /bin/busybox "$tree/bin/"
    [ ! -d "$share/kernels/$2/modules" ] || cp "$share/kernels/$2/modules"/* "$tree/modules/"
    printf '%s\n' "$3" >"$tree/script"
    cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
B=/bin/busybox
echo "timing: init"
$B mount -t proc none /proc
$B mount -t devtmpfs none /dev
[ ! -e /modules/order ] || while read -r module; do $B insmod "/modules/$module"; done </modules/order
$B mount -t erofs -o ro /dev/vda /lower 2>/dev/null || $B mount -t erofs -o ro /dev/vdb /lower # which comes first is QEMU's to say
$B mount -t tmpfs none /upper
$B mkdir /upper/files /upper/work
$B mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work none /root
$B mount --move /dev /root/dev
$B mount --move /proc /root/proc
$B chroot /root /bin/sh -c "$($B cat /script)" && echo "timing: done"
$B reboot -f
INIT
    chmod 755 "$tree/init"
    (cd "$tree" && find . | cpio -o -H newc --quiet) >"$work/initrd-$1.cpio"
}

# Milliseconds from the start to a phase, of what `sandbox run --timing` has written to $work/timing.
at() { sed -n "s/^sandbox: $1 *\([0-9]*\)[.0-9]* ms.*/\1/p" "$work/timing"; }

# Runs qemu_microvm with the built-in root and sets "init" and "ran": milliseconds from its start to the first line of init and to the end of the
# script, empty where that did not come. Fails as the emulator does. Usage: time_qemu NAME KERNEL
time_qemu() {
    local line start
    init='' ran='' start=$(now)
    while read -r line; do
        case $line in
            *"timing: init"*) init=$(($(now) - start)) ;;
            *"timing: done"*) ran=$(($(now) - start)) ;;
        esac
    done < <(qemu_microvm "$1" "$2" "$share/rootfs.erofs")
    wait $!
}

# Its console is its standard output; its devices are modern ones, as ours are (qemu-storage-daemon takes no others). Usage: qemu_microvm NAME KERNEL ROOT ARGUMENT... (NAME as make_initrd's)
qemu_microvm() {
    timeout 150 qemu-system-x86_64 -M microvm,acpi=on,pcie=off,pic=off,rtc=off -accel kvm -cpu host -smp 1 -m 256 \
        -global virtio-mmio.force-legacy=false -no-user-config -nodefaults -display none -no-reboot -serial stdio -kernel "$share/kernels/$2/vmlinux" -initrd "$work/initrd-$1.cpio" \
        -drive "file=$3,format=raw,if=none,id=root,readonly=on" -device virtio-blk-device,drive=root -device virtio-rng-device \
        -append "console=ttyS0 quiet panic=-1 reboot=t no_timer_check pci=off random.trust_cpu=on" "${@:4}" </dev/null
}
