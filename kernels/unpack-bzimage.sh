#!/bin/bash
# Takes the ELF vmlinux out of an x86 bzImage, by the fields its own header gives (Linux boot protocol 2.08 and later,
# Documentation/arch/x86/boot.rst: setup_sects, header, version, payload_offset, payload_length).
# Usage: unpack-bzimage.sh BZIMAGE OUTPUT
set -euo pipefail
image=$1 output=$2
die() { printf '%s: %s\n' "$image" "$1" >&2; exit 1; }
# number BYTES OFFSET: a little-endian field of the image
number() { od -An -v -t "u$1" -j "$2" -N "$1" "$image" | tr -d ' \n'; }

[ "$(od -An -c -j $((0x202)) -N 4 "$image" | tr -d ' \n')" = HdrS ] || die "no bzImage (no HdrS at 0x202)"
[ "$(number 2 $((0x206)))" -ge $((0x208)) ] || die "boot protocol older than 2.08: its header does not say where the kernel is"
setup_sects=$(number 1 $((0x1f1)))
[ "$setup_sects" != 0 ] || setup_sects=4 # boot.rst: 0 means 4
offset=$(((setup_sects + 1) * 512 + $(number 4 $((0x248)))))
length=$(number 4 $((0x24c)))
[ $((offset + length)) -le "$(stat -c %s "$image")" ] || die "truncated: the kernel goes on after the end of the file"

magic=$(od -An -v -t x1 -j "$offset" -N 6 "$image" | tr -d ' \n')
# Every format but gzip is followed by four bytes of uncompressed length that its decompressor must not see.
case $magic in
    1f8b*) unpack=(gzip -dc) ;;
    fd377a585a00) unpack=(xz -dc) length=$((length - 4)) ;;
    28b52ffd*) unpack=(zstd -dcq) length=$((length - 4)) ;;
    02214c18*) unpack=(lz4 -dcq) length=$((length - 4)) ;;
    5d0000*) unpack=(xz --format=lzma -dc) length=$((length - 4)) ;;
    425a68*) unpack=(bzip2 -dc) length=$((length - 4)) ;;
    7f454c46*) unpack=(cat) ;;
    *) die "unknown compression (magic $magic)" ;;
esac
dd if="$image" bs=1M iflag=skip_bytes,count_bytes skip="$offset" count="$length" status=none | "${unpack[@]}" >"$output" || die "the kernel in it does not decompress (${unpack[0]})"
[ "$(od -An -v -t x1 -N 4 "$output" | tr -d ' \n')" = 7f454c46 ] || die "what decompressed is no ELF file"
