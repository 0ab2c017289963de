#!/bin/busybox sh
# First process of the lab host. Puts the build machine's files, read-only with a throwaway layer on top, where they are on
# the build machine; then serves commands until the agent ends. As PID 1 it also reaps what commands leave behind.
B=/bin/busybox
$B mount -t proc none /proc
$B mount -t sysfs none /sys
$B mount -t devtmpfs none /dev
while read -r module; do
    case $module in
        # Emulated clocks are often measured a little wrong, and without a scalable TSC KVM would then arm no guest timer at all.
        kvm.ko) parameter=tsc_tolerance_ppm=100000 ;;
        *) parameter= ;;
    esac
    $B insmod "/modules/$module" $parameter || echo "lab: cannot load $module"
done </modules/order

for word in $($B cat /proc/cmdline); do
    case $word in lab.agent=*) agent=${word#*=} ;; esac
done
$B mount -t virtiofs -o ro host /host || { echo "lab: no share"; $B poweroff -f; }
$B mount -t tmpfs -o mode=755,size=75% none /upper
$B mkdir /upper/files /upper/work
$B mount -t overlay -o lowerdir=/host,upperdir=/upper/files,workdir=/upper/work none /root || { echo "lab: no overlay"; $B poweroff -f; }

$B mount -t proc none /root/proc
$B mount -t sysfs none /root/sys
$B mount -t devtmpfs none /root/dev
$B mkdir -p /root/dev/pts /root/dev/shm
$B mount -t devpts -o ptmxmode=666 none /root/dev/pts
$B mount -t tmpfs -o mode=1777 none /root/dev/shm
# A checkout may lie in one of these two: then the throwaway layer has to do, or it would be hidden.
case $agent in /tmp/*) ;; *) $B mount -t tmpfs -o mode=1777 none /root/tmp ;; esac
case $agent in /run/*) ;; *) $B mount -t tmpfs -o mode=755 none /root/run ;; esac
$B mount -t cgroup2 none /root/sys/fs/cgroup
$B mount -t securityfs none /root/sys/kernel/security 2>/dev/null
$B ip link set lo up
$B hostname lab
$B ln -sf /proc/self/fd /root/dev/fd
for number in 0:stdin 1:stdout 2:stderr; do $B ln -sf "/proc/self/fd/${number%%:*}" "/root/dev/${number#*:}"; done

for port in /sys/class/virtio-ports/*; do
    [ "$($B cat "$port/name")" = lab ] && line=/dev/${port##*/}
done
# As switch_root does: the files become the root of this mount namespace. After a plain chroot the kernel would refuse user namespaces.
cd /root && $B mount --move . / && $B chroot . "$agent" agent "$line"
echo "lab: agent ended with $?"
$B poweroff -f
