#!/bin/bash
# Makes a small root image with fio, the ext4 tools and iperf3 for tests of disks and networks, once: artifacts/fio-root.erofs, a link into the cache.
# The programs are this machine's own, with the libraries that they load. Usage: fio-root.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sandbox
PATH=$PATH:/usr/sbin:/sbin
programs=(/bin/busybox "$(command -v fio)" "$(command -v mke2fs)" "$(command -v e2fsck)" "$(command -v iperf3)")
built=$cache/fio-root-$(cat "$0" "${programs[@]}" | sha256sum | cut -c1-16).erofs
mkdir -p "$cache" "$root/artifacts"

if [ ! -e "$built" ]; then
    work=$(mktemp -d "$cache/.fio-root.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work"/root/{bin,dev,proc,sys,tmp,mnt,etc,run}
    cp -L "${programs[@]}" "$work/root/bin/"
    for name in sh cat ls sleep mount umount dd cmp sync seq touch rm mkdir echo grep sed sha256sum stat blockdev; do
        ln -sf busybox "$work/root/bin/$name"
    done
    for program in "${programs[@]:1}"; do
        ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
            mkdir -p "$work/root$(dirname "$library")"
            cp -L "$library" "$work/root$library"
        done
    done
    mkfs.erofs --quiet "$work/image" "$work/root" >/dev/null
    mv "$work/image" "$built"
    note=built
fi
ln -sfn "$built" "$root/artifacts/fio-root.erofs"
echo "${note:-up to date}: $(du -Lh "$built" | cut -f1)"
