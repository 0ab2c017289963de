#!/bin/bash
# Linux's own drivers under load, for a while: fio that verifies what it writes with four jobs, iperf3 in both directions, a dozen streams,
# thousands of connections and thousands of refused ones over vsock, the entropy source and the balloon, all at once; then each driver taken from its device and
# given back under its traffic, again and again. Prints a line for each; 0 when nothing was wrong. Runs where guests run (this machine or the lab
# host). Usage: stress.sh [SECONDS [ROUNDS]]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:-180} rounds=${2:-20}
if [ "${3:-}" != inside ]; then
    # The tap interface and its address are in a network namespace of this script's own.
    inside=(unshare --net --pid --fork --mount-proc --kill-child "$0" "$seconds" "$rounds" inside)
    if "$root/.ci/has-kvm.sh"; then
        exec "${inside[@]}"
    fi
    exec "$root/artifacts/lab/lab" run --cpus 2 --memory 2048 --timeout 3600 -- "${inside[@]}"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What the machine itself runs these with: static, since it goes into the guest by its standard input.
gcc -static-pie -O1 -Wall -Wextra -Werror -o "$work/vsock" "$root/tests/Lab/stress/vsock.c"
truncate -s 64M "$work/verified" "$work/other"
ip link set lo up
ip tuntap add dev tap7 mode tap
ip addr add 192.168.77.1/24 dev tap7
ip link set tap7 up
iperf3 -s >/dev/null &
ports=() sockets=()
for port in $(seq 5000 5011); do
    sockets+=("$work/port-$port")
    ports+=(--vsock "$port=$work/port-$port")
done
"$work/vsock" serve "${sockets[@]}" &
for socket in "${sockets[@]}"; do for _ in $(seq 100); do [ -S "$socket" ] && break; sleep 0.1; done; done

guest="seconds=$seconds rounds=$rounds"'
cat >/tmp/vsock && chmod 755 /tmp/vsock
begun() { cut -d. -f1 /proc/uptime; }
end=$(($(begun) + seconds))
failed() { echo "failed: $*"; exit 1; }
busybox ip addr show eth0 | grep -q 192.168.77.2 || failed no network
dmesg -c >/dev/null # what the kernel says of its start is not asked for here

verified() {
    n=0
    while [ $(begun) -lt $end ]; do
        fio --name=verify --filename=/dev/vdb --direct=1 --ioengine=libaio --iodepth=16 --rw=randrw --bs=4k --size=16M --io_size=8M --numjobs=4 \
            --offset_increment=16M --verify=crc32c --verify_fatal=1 --group_reporting >/tmp/fio 2>&1 || { cat /tmp/fio; failed fio; }
        n=$((n + 1))
    done
    echo "fio: $n rounds of 4 jobs, 32 MiB written or read at random and verified in each, no error"
}
network() { iperf3 -c 192.168.77.1 -t $seconds -f m --bidir >/tmp/iperf 2>&1 || { cat /tmp/iperf; failed iperf3; }; sed -n "s/.*\(.X-C\].*Mbits\/sec\).*receiver/iperf3: \1 received/p" /tmp/iperf; }
entropy() {
    n=0
    while [ $(begun) -lt $end ]; do dd if=/dev/hwrng of=/dev/null bs=256 count=16 2>/dev/null || failed hwrng; n=$((n + 4)); done
    echo "rng: $n KiB read"
}
memory() {
    n=0
    while [ $(begun) -lt $end ]; do busybox head -c 24m /dev/zero >/dev/shm/filled || failed memory; rm /dev/shm/filled; n=$((n + 1)); sleep 1; done
    echo "memory: 24 MiB filled and freed $n times"
}
mkdir -p /dev/shm; mount -t tmpfs none /dev/shm
/tmp/vsock streams 5000 12 $((seconds * 40000)) & streams=$!
sleep 1
/tmp/vsock calls $seconds 5000 12 & calls=$!
/tmp/vsock storm $seconds & storm=$!
verified & verified=$!
network & network=$!
entropy & entropy=$!
memory & memory=$!
for job in $streams $calls $storm $verified $network $entropy $memory; do wait $job || failed a job; done

# A driver goes in the middle of its traffic: that is a reset of the device with requests under way.
device_of() { basename $(readlink -f $1); }
again() { # NAME DRIVER DEVICE TRAFFIC CHECK
    for round in $(seq $rounds); do
        (while :; do eval "$4"; done) >/dev/null 2>&1 & traffic=$!
        sleep 0.2
        echo $3 >/sys/bus/virtio/drivers/$2/unbind || failed $1 unbind $round
        echo $3 >/sys/bus/virtio/drivers/$2/bind || failed $1 bind $round
        kill $traffic; wait $traffic 2>/dev/null
        for try in $(seq 50); do eval "$5" >/dev/null 2>&1 && break; sleep 0.1; done
        [ $try != 50 ] || failed $1 after round $round
    done
    echo "$1: $rounds times without its driver and with it again, under its traffic"
}
again disk virtio_blk $(device_of /sys/block/vdc/device) "busybox dd if=/dev/vdc of=/dev/null bs=64k count=64" \
    "echo \$round | busybox dd of=/dev/vdc bs=512 conv=sync,fsync && busybox dd if=/dev/vdc bs=512 count=1 | grep -q \$round"
again network virtio_net $(device_of /sys/class/net/eth0/device) "busybox ping -q -c 50 -i 0.001 -s 1400 192.168.77.1" \
    "busybox ip addr show eth0 | grep -q 192.168.77.2 || busybox ip addr add 192.168.77.2/24 dev eth0; busybox ip link set eth0 up; busybox ping -q -c 1 -W 1 192.168.77.1"
again rng virtio_rng $(ls /sys/bus/virtio/drivers/virtio_rng | grep -m 1 virtio) "busybox dd if=/dev/hwrng of=/dev/null bs=256 count=16" "busybox dd if=/dev/hwrng bs=64 count=1"
again balloon virtio_balloon $(ls /sys/bus/virtio/drivers/virtio_balloon | grep -m 1 virtio) "busybox head -c 8m /dev/zero >/dev/shm/filled; rm /dev/shm/filled" "true"
dmesg | grep -iE "I/O error|call trace|hung|BUG:" | grep -v "vdc" && failed its kernel
echo done'

# What the processes hold, before and after: nothing a guest does makes them grow.
memory_of() { for pid in $(pgrep -f '^sandbox-(device|vmm)'); do [ ! -e "/proc/$pid" ] || echo "$(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -d' ' -f1,2 | tr -d ' ') $(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status") KiB"; done 2>/dev/null | sort | tr '\n' ';'; }
(
    for _ in $(seq 300); do grep -q "^vsock\|^started" "$work/said" 2>/dev/null && break; sleep 0.1; done
    echo "anonymous memory at the beginning: $(memory_of)"
    while pgrep -f '^sandbox-vmm' >/dev/null; do memory=$(memory_of); [[ $memory != *sandbox-vmm\ [0-9]* ]] || last=$memory; sleep 1; done
    echo "anonymous memory at the end: $last"
) &
watch=$!
code=0
"$root/artifacts/bin/sandbox" run --cpus 2 --memory 256M --rootfs "$root/artifacts/fio-root.erofs" --disk "$work/verified" --disk "$work/other" --balloon \
    --net tap=tap7,queues=2 --ip 192.168.77.2/24 "${ports[@]}" -- /bin/sh -c "echo started; $guest" <"$work/vsock" >"$work/said" 2>&1 || code=$?
cat "$work/said"
wait $watch
[ $code = 0 ] && grep -q '^done$' "$work/said"
