#!/bin/bash
# Serves this machine's files to the lab host over virtiofs. Usage: share.sh DIR (the socket becomes DIR/files)
# Runs in a mount namespace of its own where everything but DIR is read-only: whatever the lab host does, nothing here changes.
set -eu
if [ "${2:-}" != inside ]; then
    exec unshare --mount --propagation private "$0" "$1" inside
fi
mount --bind "$1" "$1"
mount -t tmpfs -o mode=755 none /run # the server's lock file
awk '{ print $5 }' /proc/self/mountinfo | while read -r point; do
    case $point in "$1" | /run | /proc* | /sys* | /dev*) continue ;; esac
    mount -o remount,bind,ro "$(printf '%b' "$point")" 2>/dev/null || true
done
if mkdir "/.lab-write-probe" 2>/dev/null; then
    rmdir /.lab-write-probe
    echo "share.sh: the root file system could not be made read-only" >&2
    exit 1
fi
exec /usr/lib/qemu/virtiofsd --socket-path="$1/files" -o source=/ -o sandbox=chroot -o cache=auto -o log_level=warn
