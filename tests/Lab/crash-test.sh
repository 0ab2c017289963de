#!/bin/bash
# Runs where guests run (the lab host, or a machine with hardware virtualization): kills the process behind a guest's disk at random
# moments while fio verifies what it writes and file systems are made and checked. Prints one line of figures; 0 when the guest saw no
# error. Usage: crash-test.sh KILLS [SEED]
# A device process may be replaced 20 times in a minute (src/Sandbox/Runtime/RestartBudget.cs): the kills stay below that.
set -uo pipefail
cd "$(dirname "$0")/../.."
kills=$1
RANDOM=${2:-1}
work=$(mktemp -d)
trap 'exec 3>&-; rm -rf "$work"' EXIT
truncate -s 96M "$work/disk"
mkfifo "$work/stop"

# The guest goes on until its standard input ends. Two jobs of random reads and writes, each checked against its checksums; then a
# file system, filled, checked, and checked again.
cat >"$work/load" <<'GUEST'
exec 4<&0 </dev/null
(cat <&4 >/dev/null; touch /tmp/stop) &
round=0
while [ ! -e /tmp/stop ]; do
    fio --name=verify --filename=/dev/vdb --direct=1 --ioengine=libaio --iodepth=8 --rw=randrw --bs=4k --size=32M --io_size=16M \
        --numjobs=2 --offset_increment=32M --verify=crc32c --verify_fatal=1 --group_reporting --output-format=json >/tmp/fio 2>&1 || { cat /tmp/fio; exit 1; }
    grep -A 4 '"lat_ns"' /tmp/fio | sed -n 's/.*"max" : \([1-9][0-9]*\).*/longest \1/p'
    /bin/mke2fs -q -F -t ext4 /dev/vdb 2>&1 || exit 2
    mount -t ext4 /dev/vdb /mnt 2>&1 || exit 3
    for n in 1 2 3 4 5 6 7 8; do dd if=/dev/urandom of=/mnt/$n bs=64k count=40 2>/dev/null; sha256sum /mnt/$n >>/tmp/sums; done
    sync; umount /mnt; mount -t ext4 /dev/vdb /mnt 2>&1 || exit 4
    sha256sum -c -s /tmp/sums || exit 5
    rm /tmp/sums; umount /mnt
    /bin/e2fsck -f -n /dev/vdb >/tmp/fsck 2>&1 || { cat /tmp/fsck; exit 6; }
    round=$((round + 1))
    echo "round $round"
done
GUEST
artifacts/bin/sandbox run --verbose --memory 192M --rootfs artifacts/fio-root.erofs --disk "$work/disk" -- /bin/sh -c "$(cat "$work/load")" \
    <"$work/stop" >"$work/out" 2>"$work/err" &
sandbox=$!
exec 3>"$work/stop"
for wait in $(seq 600); do grep -q '^longest' "$work/out" && break; sleep 0.1; done

done=0 missed=0
while [ $done -lt "$kills" ] && kill -0 $sandbox 2>/dev/null; do
    sleep $((3 + RANDOM % 2)).$((RANDOM % 10))
    if pkill -KILL -o -f '^sandbox-device .disk1.'; then done=$((done + 1)); else missed=$((missed + 1)); fi
done
exec 3>&-
wait $sandbox
code=$?
complaints=$(grep -ciE 'I/O error|blk_update_request|EXT4-fs error' "$work/err")
longest=$(awk '$1 == "longest" && $2 > max { max = $2 } END { printf "%.0f", max / 1e6 }' "$work/out")
median=$(awk '$1 == "longest" { print $2 }' "$work/out" | sort -n | awk '{ v[NR] = $1 } END { printf "%.0f", v[int((NR + 1) / 2)] / 1e6 }')
echo "$done kills, $(grep -c ^round "$work/out") rounds, exit code $code, $complaints complaints of the guest's kernel; longest request: $median ms (median of rounds), $longest ms (worst)"
if [ $code != 0 ] || [ "$complaints" != 0 ] || [ $done -lt "$kills" ]; then
    tail -n 30 "$work/out" "$work/err" >&2
    exit 1
fi
