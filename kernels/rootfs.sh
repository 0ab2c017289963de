#!/bin/bash
# Makes the built-in root: Debian's busybox-static and the few files that a shell and its tools look for, as an erofs image.
# The same package version gives the same bytes.
. "$(dirname "$0")/common.sh"

need dpkg-deb=dpkg mkfs.erofs=erofs-utils
version=$(candidate busybox-static)
out=$share_dir/rootfs.erofs
key=$({ cat "$kernels_dir/rootfs.sh"; echo "$version"; mkfs.erofs --version 2>/dev/null || true; } | sha256sum | cut -c1-16)

if [ -s "$out" ] && [ "$(cat "$out.key" 2>/dev/null)" = "$key" ]; then
    step "up to date: busybox $version"
    exit 0
fi

step "getting busybox-static $version"
deb=$(fetch_deb busybox-static "$version")
work=$(mktemp -d "${TMPDIR:-/tmp}/sandbox-root.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/package"
dpkg-deb -x "$deb" "$work/package"

root=$work/root
# dev, proc, sys and run are mount points of sandbox-init.
mkdir -p "$root"/{bin,dev,etc,home,mnt,proc,root,run,sys,tmp,usr,var/tmp}
chmod 1777 "$root/tmp" "$root/var/tmp"
chmod 700 "$root/root"
cp "$work/package/bin/busybox" "$root/bin/busybox"
chmod 755 "$root/bin/busybox"
"$root/bin/busybox" --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
ln -s bin "$root/sbin"
ln -s ../bin "$root/usr/bin"
ln -s ../bin "$root/usr/sbin"
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
printf 'sandbox\n' >"$root/etc/hostname"
printf '/bin/sh\n' >"$root/etc/shells"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"

step "writing the image"
# -T0, -U and the owner make it reproducible. Not compressed: it is 2 MB, and reading it costs the guest no time.
mkfs.erofs --quiet -T0 -U 5eb0c5a4-7d1f-4c1e-9a36-1d3c5f0a7e21 --all-root "$work/rootfs.erofs" "$root" >"$work/log" 2>&1 \
    || { cat "$work/log" >&2; fail "mkfs.erofs failed"; }
chmod 644 "$work/rootfs.erofs"
cp "$work/rootfs.erofs" "$out.new"
mv "$out.new" "$out"
echo "$key" >"$out.key"
step "ready: $(du -h "$out" | cut -f1) in $out"
