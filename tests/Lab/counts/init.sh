#!/bin/busybox sh
# First process of the machine that counts: starts some microVMs, one after the other, and says how long each of them took.
B=/bin/busybox
if [ "$1" != second ]; then
    # The jail pivots: the root must be a mount of its own, which an initial RAM disk is not.
    $B mkdir /new && $B mount -t tmpfs none /new
    $B cp -a /bin /opt /modules /init /new/
    $B mkdir /new/dev /new/proc /new/sys /new/tmp
    exec $B switch_root /new /init second
fi
$B mount -t proc none /proc
$B mount -t sysfs none /sys
$B mount -t devtmpfs none /dev
$B mount -t tmpfs none /tmp
for module in $($B cat /modules/order); do
    case $module in
        # As in the lab host; and a vCPU that halts does not poll: whether that pays would depend on chance.
        kvm.ko) $B insmod /modules/$module tsc_tolerance_ppm=100000 halt_poll_ns=0 ;;
        kvm-amd.ko | irqbypass.ko) $B insmod /modules/$module ;;
    esac
done
run() {
    echo "run $*"
    /opt/bin/sandbox run --timing --rootfs /opt/root.erofs --kernel /opt/share/kernels/tuned/vmlinux --memory 128M -- "$@" 2>&1 || echo "run failed $?"
}
run /bin/true # what is in no cache yet
for start in 1 2 3 4 5; do run /bin/true; done
run /bin/reads /dev/vda 200
run /bin/reads /dev/vda 12200
# Guests without an agent, so that the run fails: one ends at once, one leaves for the VMM 200,000 times before it ends.
for guest in reset reset exits; do
    echo "micro $guest"
    /opt/bin/elapsed /opt/bin/sandbox run --rootfs /opt/root.erofs --kernel /opt/micro/$guest.elf --memory 128M -- /bin/true
done
echo "counted"
$B poweroff -f
