#!/bin/bash
# What a guest gets from its disk and its network: with Sandbox, with QEMU's own virtio devices, and with QEMU before qemu-storage-daemon's disk.
# The same guest kernel, root, image and tap interface for all, in turn, in one run of one guest host (this machine or the lab host). Prints a line
# for each figure and round: "VMM NAME VALUE"; `make bench` compares them. Usage: speed.sh [ROUNDS]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
rounds=${1:-5}
if [ "${2:-}" != inside ]; then
    # The tap interface and its address are in a network namespace of this script's own.
    inside=(unshare --net --pid --fork --mount-proc --kill-child "$0" "$rounds" inside)
    if "$root/.ci/has-kvm.sh"; then
        exec "${inside[@]}"
    fi
    exec "$root/artifacts/lab/lab" run --cpus 2 --memory 2048 --timeout 3600 -- "${inside[@]}"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$root/tests/Lab/peer.sh"
image=$work/disk.img
guest_root=$root/artifacts/fio-root.erofs
head -c 128M /dev/urandom >"$image" # written: what is compared is the way to the page cache
ip link set lo up
ip tuntap add dev tap7 mode tap
ip addr add 192.168.77.1/24 dev tap7
ip link set tap7 up
iperf3 -s >/dev/null &
# Its guest end is fetched from here by the guest; static, so that it runs in any root.
mkdir "$work/served"
gcc -static-pie -O2 -Wall -Wextra -Werror -o "$work/served/vsock-speed" "$root/tests/Lab/stress/vsock-speed.c"
busybox httpd -p 192.168.77.1:80 -h "$work/served"
vsock_sockets=("$work"/vsock-{1,2,3})
# QEMU's counterpart is the host kernel's device.
vhost_vsock=()
[ ! -e /dev/vhost-vsock ] || vhost_vsock=(-device vhost-vsock-device,guest-cid=3)

# The same in every guest. fio's terse line: field 8 is reads in a second, 49 writes, 7 and 48 KiB in a second.
guest='
for disk in /dev/vda /dev/vdb; do [ "$(blockdev --getsize64 $disk)" = 134217728 ] && break; done
job() {
    fio --name=job --filename=$disk --direct=1 --ioengine=libaio --rw=$2 --bs=$3 --iodepth=$4 --size=128M --runtime=3 --time_based --minimal |
        busybox awk -F ";" -v field=$5 -v name=$1 "{ print \"figure\", name, \$field }"
}
job blk-read-4k-depth-1 randread 4k 1 8
job blk-read-4k-depth-32 randread 4k 32 8
job blk-write-4k-depth-1 randwrite 4k 1 49
job blk-write-4k-depth-32 randwrite 4k 32 49
job blk-read-128k read 128k 8 7
job blk-write-128k write 128k 8 48
if busybox ip link show eth0 >/dev/null 2>&1; then
    busybox ip addr show eth0 | grep -q 192.168.77.2 || { busybox ip addr add 192.168.77.2/24 dev eth0; busybox ip link set eth0 up; }
    busybox ping -q -c 3 192.168.77.1 >/dev/null
    busybox ping -q -c 200 -i 0.01 192.168.77.1 | sed -n "s,.* = [0-9.]*/\([0-9.]*\)/.*,figure net-round-trip \1,p"
    stream() { iperf3 -c 192.168.77.1 -t 3 -f k $2 | sed -n "s,.* \([0-9]*\) Kbits/sec .*receiver,figure $1 \1,p"; }
    stream net-send ""
    stream net-receive -R
    busybox wget -q -O /tmp/vsock-speed http://192.168.77.1/vsock-speed && chmod 755 /tmp/vsock-speed
    [ ! -e /dev/vsock ] || /tmp/vsock-speed call 6000 3
fi
true'

run_sandbox() {
    rm -f "${vsock_sockets[@]}"
    "$work/served/vsock-speed" unix "${vsock_sockets[@]}" &
    for _ in $(seq 100); do [ -S "${vsock_sockets[2]}" ] && break; sleep 0.1; done
    "$root/artifacts/bin/sandbox" run --kernel "$share/kernels/tuned/vmlinux" --memory 256M --rootfs "$guest_root" --disk "$image" \
        --net tap=tap7 --ip 192.168.77.2/24 --gateway 192.168.77.1 \
        --vsock "6000=${vsock_sockets[0]}" --vsock "6001=${vsock_sockets[1]}" --vsock "6002=${vsock_sockets[2]}" -- /bin/sh -c "$guest" </dev/null
}

run_qemu() {
    [ ${#vhost_vsock[@]} = 0 ] || "$work/served/vsock-speed" vsock 6000 6001 6002 &
    qemu_microvm speed tuned "$guest_root" -drive "file=$image,format=raw,if=none,id=disk" -device virtio-blk-device,drive=disk \
        -netdev tap,id=net,ifname=tap7,script=no,downscript=no,vhost=off -device virtio-net-device,netdev=net "${vhost_vsock[@]}"
}

run_storage_daemon() {
    qemu-storage-daemon --blockdev "driver=file,node-name=file,filename=$image" --blockdev driver=raw,node-name=disk,file=file \
        --export "type=vhost-user-blk,id=export,node-name=disk,writable=on,addr.type=unix,addr.path=$work/socket" &
    local daemon=$!
    for _ in $(seq 300); do [ -S "$work/socket" ] && break; sleep 0.1; done
    qemu_microvm speed tuned "$guest_root" -object memory-backend-memfd,id=memory,size=256M,share=on -machine memory-backend=memory \
        -chardev "socket,id=daemon,path=$work/socket" -device vhost-user-blk,chardev=daemon
    kill $daemon
    wait $daemon || true
    rm -f "$work/socket"
}

# With nothing to do. Sets "init": milliseconds from the command line to the guest's first process; with Sandbox until it has called, which is later.
start_sandbox() {
    "$root/artifacts/bin/sandbox" run --timing --kernel "$share/kernels/tuned/vmlinux" --memory 256M -- /bin/true </dev/null 2>"$work/timing" || { cat "$work/timing" >&2; return 1; }
    init=$(at "agent connected")
}
start_qemu() { time_qemu start tuned; }

make_initrd speed tuned "$guest"
make_initrd start tuned /bin/true
for round in $(seq 0 "$rounds"); do
    # The first round is not counted: it fills the caches.
    for vmm in sandbox qemu; do
        init='' begin=$(now)
        "start_$vmm"
        end=$(now)
        [ "$round" = 0 ] || [ -z "$init" ] || echo "$vmm init $init"
        [ "$round" = 0 ] || echo "$vmm start $((end - begin))"
    done
    for vmm in sandbox qemu storage_daemon; do
        [ "$round" != 0 ] || continue
        "run_$vmm" 2>"$work/errors" >"$work/said" || { tail -n 20 "$work/said" "$work/errors" >&2; exit 1; }
        tr -d '\r' <"$work/said" | sed -n "s/.*figure \([a-z0-9-]* [0-9.]*\)$/$vmm \1/p"
    done
done
