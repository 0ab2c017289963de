#!/bin/bash
# Assembles the micro test guests into artifacts/micro/NAME.elf: a few instructions each, for tests on a /dev/kvm that can do no
# more. Skips what is newer than its sources. Usage: micro.sh
. "$(dirname "$0")/common.sh"

need gcc=gcc ld=binutils
micro_dir=$kernels_dir/micro
out=$(dirname "$share_dir")/micro
mkdir -p "$out"
# General registers only: a host that emulates ring 0 knows no SSE. Linked above 1 MiB, where a kernel may lie.
flags=(-O1 -Wall -Wextra -Werror -ffreestanding -fno-stack-protector -fno-pic -fcf-protection=none -mgeneral-regs-only -mno-red-zone
    -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,norelro -Wl,-z,max-page-size=4096 -Wl,-Ttext-segment=0x200000)
for source in "$micro_dir"/*.c "$micro_dir"/*.S; do
    name=$(basename "${source%.*}")
    target=$out/$name.elf
    [ "$name" != start ] || continue
    start=()
    [[ $source = *.S ]] || start=("$micro_dir/start.S")
    if [ -z "$(find "$micro_dir" -newer "$target" -type f 2>/dev/null || echo missing)" ] && [ -e "$target" ]; then continue; fi
    gcc "${flags[@]}" -o "$target.new" "${start[@]}" "$source"
    mv "$target.new" "$target"
done
step "ready: $(ls "$out" | wc -l) micro guests in $out"
