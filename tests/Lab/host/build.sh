#!/bin/bash
# Makes the lab host's kernel and initramfs from Debian's cloud kernel package: no compiler, nothing installed.
# The result lies in the cache under a hash of this recipe, the init script, the package and busybox.
# Usage: build.sh OUT    OUT becomes a symbolic link to the cached folder {vmlinux,initramfs.cpio}
. "$(dirname "$0")/../../../kernels/common.sh"

host_dir=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
need lz4=lz4 xz=xz-utils modprobe=kmod busybox=busybox-static cpio=cpio strip=binutils
# The flavour's metapackage names the kernel package of the day.
package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
[ -n "$package" ] || fail "apt knows no linux-image-cloud-amd64 (apt-get update)"
version=$(candidate "$package")
key=$(cat "$host_dir/build.sh" "$host_dir/init.sh" /bin/busybox <(echo "$package $version") | sha256sum | cut -c1-16)
built=$cache_dir/lab-$key

if [ ! -e "$built/initramfs.cpio" ]; then
    work=$(mktemp -d "${TMPDIR:-/tmp}/sandbox-lab.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    dpkg-deb -x "$(fetch_deb "$package" "$version")" "$work/package"
    release=$(ls "$work/package/lib/modules")
    mkdir "$work/out"

    # A bzImage would unpack itself under emulation; QEMU starts an ELF at its PVH entry.
    "$kernels_dir/unpack-bzimage.sh" "$work/package/boot/vmlinuz-$release" "$work/vmlinux"
    strip -s -o "$work/out/vmlinux" "$work/vmlinux"

    root=$work/initramfs
    mkdir -p "$root"/{bin,dev,proc,sys,modules,host,upper,root}
    cp /bin/busybox "$root/bin/"
    cp "$host_dir/init.sh" "$root/init"
    chmod 755 "$root/init"
    depmod -b "$work/package" "$release"
    # virtiofs and overlay: the host's files. virtio_console: the agent's line. kvm-amd: what the lab is for.
    # virtio_blk, ext4: another root. erofs, loop, tun: used by commands that prepare images. vhost_vsock: QEMU's guests beside ours. In the order of their dependencies, each once.
    for module in virtio_pci virtiofs virtio_console overlay kvm-amd erofs loop virtio_blk ext4 tun vhost_vsock; do
        modprobe -d "$work/package" -S "$release" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
    done | awk '!seen[$0]++' | while read -r file; do
        name=$(basename "$file"); name=${name%.xz}
        case $file in *.xz) xz -dc "$file" >"$root/modules/$name" ;; *) cp "$file" "$root/modules/$name" ;; esac
        strip -g "$root/modules/$name"
        echo "$name" >>"$root/modules/order"
    done
    (cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible -R 0:0) >"$work/out/initramfs.cpio"
    echo "$release ($package $version)" >"$work/out/version"
    chmod -R go+rX "$work/out"
    replace_dir "$work/out" "$built"
fi

mkdir -p "$(dirname "$1")"
ln -sfn "$built" "$1"
