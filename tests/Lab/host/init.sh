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
    case $word in lab.agent=*) agent=${word#*=} ;; lab.selinux=*) policy=${word#*=} ;; lab.root=*) disk=${word#*=} ;; esac
done
$B mount -t virtiofs -o ro host /host || { echo "lab: no share"; $B poweroff -f; }
if [ -n "$disk" ]; then
    # The variant with another root: a disk with ext4, a system with a policy of its own. The build machine's files are at /mnt, read-only.
    $B mount -t ext4 "$disk" /root || { echo "lab: no root disk"; $B poweroff -f; }
    $B cp "/host$agent" /root/usr/local/bin/lab
    agent=/usr/local/bin/lab
    $B mount --move /host /root/mnt
else
    $B mount -t tmpfs -o mode=755,size=75% none /upper
    $B mkdir /upper/files /upper/work
    $B mount -t overlay -o lowerdir=/host,upperdir=/upper/files,workdir=/upper/work none /root || { echo "lab: no overlay"; $B poweroff -f; }
fi
$B mount -t proc none /root/proc
$B mount -t sysfs none /root/sys
$B mount -t devtmpfs none /root/dev
$B mkdir -p /root/dev/pts /root/dev/shm
$B mount -t devpts -o ptmxmode=666 none /root/dev/pts
$B mount -t tmpfs -o mode=1777 none /root/dev/shm
# Empty folders of its own, wherever the checkout lies: the first folder on the way to it is kept.
fresh() { # DIRECTORY MODE
    local first=
    case $agent in $1/*) first=${agent#"$1"/} first=${first%%/*} ;; esac
    [ -n "$first" ] && { $B mkdir /kept; $B mount --bind "/root$1/$first" /kept; }
    $B mount -t tmpfs -o "mode=$2" none "/root$1"
    [ -n "$first" ] && { $B mkdir "/root$1/$first"; $B mount --move /kept "/root$1/$first"; }
}
fresh /tmp 1777
fresh /run 755
$B mount -t cgroup2 none /root/sys/fs/cgroup
$B mount -t securityfs none /root/sys/kernel/security 2>/dev/null
$B ip link set lo up
$B hostname lab
$B ln -sf /proc/self/fd /root/dev/fd
for number in 0:stdin 1:stdout 2:stderr; do $B ln -sf "/proc/self/fd/${number%%:*}" "/root/dev/${number#*:}"; done

# The variant with SELinux: a folder with appliance.policy and file_contexts. Before the agent, which leaves the kernel's domain
# by being executed.
if [ -n "$policy" ]; then
    $B mount -t selinuxfs none /root/sys/fs/selinux || { echo "lab: the kernel has no SELinux: add security=selinux"; $B poweroff -f; }
    echo 0 >/proc/sys/kernel/printk_ratelimit # or most of the denials are dropped
    # In one write: the kernel takes a policy whole.
    $B dd if="/root$policy/appliance.policy" of=/root/sys/fs/selinux/load bs=16M count=1 2>/dev/null || { echo "lab: the kernel refused the policy"; $B poweroff -f; }
    # As in file_contexts; not with setfiles, which would go through all that is below. The throwaway layer and tmpfs gave them their own.
    $B chroot /root /usr/bin/chcon system_u:object_r:host_file_t:s0 / /run && $B chroot /root /usr/bin/chcon system_u:object_r:tmp_t:s0 /tmp || echo "lab: cannot label /"
    $B chroot /root /usr/sbin/setfiles -q "$policy/file_contexts" /dev || { echo "lab: cannot label /dev"; $B poweroff -f; }
fi

if [ -n "$disk" ]; then
    # Its own policy, and its own idea of what is what.
    echo 0 >/proc/sys/kernel/printk_ratelimit
    $B chroot /root /usr/sbin/load_policy -i || { echo "lab: the kernel refused the disk's policy"; $B poweroff -f; }
    $B chroot /root /usr/sbin/restorecon -RF /dev /usr/local /tmp /run
    enter="/usr/bin/runcon unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023"
fi

for port in /sys/class/virtio-ports/*; do
    [ "$($B cat "$port/name")" = lab ] && line=/dev/${port##*/}
done
# As switch_root does: the files become the root of this mount namespace. After a plain chroot the kernel would refuse user namespaces.
cd /root && $B mount --move . / && $B chroot . $enter "$agent" agent "$line"
echo "lab: agent ended with $?"
$B poweroff -f
