#!/bin/bash
# Builds the tuned microVM kernel from Debian's linux-source-6.12 and tuned.config.
# The result is cached under a hash of recipe, configuration, source version and compiler; a second run only copies.
# Usage: tuned.sh [JOBS]
. "$(dirname "$0")/common.sh"

jobs=${1:-$(nproc)}
package=linux-source-6.12
version=$(candidate $package)
need gcc=gcc make=make flex=flex bison=bison bc=bc xz=xz-utils lz4=lz4 strip=binutils
key=$({ cat "$kernels_dir/tuned.sh" "$kernels_dir/tuned.config"; echo "$version"; gcc --version | head -1; ld --version | head -1; } | sha256sum | cut -c1-16)
built=$cache_dir/tuned-$key
out=$share_dir/kernels/tuned

if [ ! -e "$built/version" ]; then
    exec 9>"$cache_dir/tuned.lock"
    flock 9 # two builds at once would only halve each other
fi

if [ ! -e "$built/version" ]; then
    step "getting $package $version"
    deb=$(fetch_deb $package "$version")
    work=$(mktemp -d "${TMPDIR:-/tmp}/sandbox-kernel.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    step "unpacking the source"
    mkdir "$work/source"
    dpkg-deb --fsys-tarfile "$deb" | tar -xO ./usr/src/$package.tar.xz | tar -xJ --strip-components=1 -C "$work/source"
    cd "$work/source"
    # Nothing of this machine or moment in the image: two builds of one configuration give the same bytes.
    export KBUILD_BUILD_TIMESTAMP='@0' KBUILD_BUILD_USER=sandbox KBUILD_BUILD_HOST=sandbox KBUILD_BUILD_VERSION=1
    export KCFLAGS="-ffile-prefix-map=$work/source=." KCONFIG_ALLCONFIG="$kernels_dir/tuned.config"
    make -s allnoconfig >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; fail "the configuration failed"; }
    lost=
    while read -r line; do
        case $line in
            CONFIG_*) grep -qxF "$line" .config || lost+=" ${line%%=*}" ;;
            '# CONFIG_'*' is not set') name=${line#\# }; ! grep -q "^${name%% *}=" .config || lost+=" ${name%% *}" ;;
        esac
    done <"$kernels_dir/tuned.config"
    [ -z "$lost" ] || fail "tuned.config: did not take effect:$lost"
    step "compiling with $jobs jobs (about 10 processor-minutes)"
    make -s -j"$jobs" vmlinux bzImage >"$work/log" 2>&1 || { grep -E -B2 -A4 'error|Error' "$work/log" | head -40 >&2; fail "the build failed"; }
    new=$(mktemp -d "$cache_dir/.tuned.XXXXXX")
    strip -s -o "$new/vmlinux" vmlinux
    cp arch/x86/boot/bzImage "$new/bzImage"
    cp .config "$new/config"
    make -s kernelrelease >"$new/version"
    chmod 755 "$new"
    replace_dir "$new" "$built"
fi

mkdir -p "$share_dir/kernels"
new=$(mktemp -d "$share_dir/kernels/.tuned.XXXXXX")
cp "$built"/{vmlinux,bzImage,version} "$new/"
chmod 755 "$new"
replace_dir "$new" "$out"
step "ready: Linux $(cat "$out/version"), $(du -h "$out/vmlinux" | cut -f1) vmlinux in $out"
