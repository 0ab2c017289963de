#!/bin/bash
# Takes Debian's own cloud kernel, compiled by nobody here: vmlinuz untouched, the ELF vmlinux inside it, and the modules that
# sandbox-init loads. Nothing is installed: /boot and the package database stay as they are.
. "$(dirname "$0")/common.sh"

# What a guest needs before its root is mounted: the transport, its devices, the two root file systems and the overlay.
# Behind a colon: the device that only some guests have; a second word in the line of modules/order then.
modules=(virtio_mmio virtio_blk virtio_rng vmw_vsock_virtio_transport erofs ext4 overlay virtio_net:net virtio_balloon:balloon virtiofs:fs)

need dpkg-deb=dpkg modprobe=kmod xz=xz-utils zstd=zstd lz4=lz4
package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
[ -n "$package" ] || fail "apt knows no package linux-image-cloud-amd64 (apt-get update)"
version=$(candidate "$package")
out=$share_dir/kernels/debian
key=$({ cat "$kernels_dir/debian.sh" "$kernels_dir/unpack-bzimage.sh"; echo "$package $version"; } | sha256sum | cut -c1-16)

if [ "$(cat "$out/.key" 2>/dev/null)" = "$key" ]; then
    step "up to date: Linux $(cat "$out/version")"
    exit 0
fi

step "getting $package $version"
deb=$(fetch_deb "$package" "$version")
work=$(mktemp -d "${TMPDIR:-/tmp}/sandbox-kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/package" "$work/out/modules"
dpkg-deb -x "$deb" "$work/package"
release=$(basename "$work"/package/boot/vmlinuz-*)
release=${release#vmlinuz-}

step "unpacking vmlinux"
cp "$work/package/boot/vmlinuz-$release" "$work/out/vmlinuz"
"$kernels_dir/unpack-bzimage.sh" "$work/out/vmlinuz" "$work/out/vmlinux"

step "gathering modules: ${modules[*]}"
# The package leaves this to its installation script.
PATH=$PATH:/usr/sbin:/sbin depmod -b "$work/package" "$release"
for module in "${modules[@]}"; do
    device=
    case $module in *:*) device=${module#*:} ;; esac
    PATH=$PATH:/usr/sbin:/sbin modprobe -d "$work/package" -S "$release" --show-depends "${module%%:*}" >"$work/depends" \
        || fail "module $module is not in $package"
    awk -v device="$device" '{ print $0, device }' "$work/depends"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2, $3 }' >"$work/list"
# Bytes as Debian signed them (they carry no debug information): the kernel's check of their signature holds.
while read -r file device; do
    name=$(basename "$file")
    name=${name%%.ko*}.ko
    case $file in
        *.xz) xz -dc "$file" >"$work/out/modules/$name" ;;
        *.zst) zstd -dcq "$file" >"$work/out/modules/$name" ;;
        *) cp "$file" "$work/out/modules/$name" ;;
    esac
    echo "$name${device:+ $device}" >>"$work/out/modules/order"
done <"$work/list"

echo "$release" >"$work/out/version"
echo "$key" >"$work/out/.key"
mkdir -p "$share_dir/kernels"
new=$(mktemp -d "$share_dir/kernels/.debian.XXXXXX")
cp -r "$work"/out/. "$new/"
chmod -R u=rwX,go=rX "$new"
replace_dir "$new" "$out"
step "ready: Linux $release, $(du -h "$out/vmlinux" | cut -f1) vmlinux, $(wc -l <"$out/modules/order") modules in $out"
