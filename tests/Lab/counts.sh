#!/bin/bash
# Counts instructions: QEMU in its deterministic mode runs one instruction a nanosecond of its own clock, so that what `sandbox --timing` says in
# there is nearly the same in every run, on every machine and under any load; `make test` holds it to tests/Lab/counts.baseline. Prints a line for each
# figure: its name and thousands of instructions of the whole emulated host, kernel and guest included. The clock of --timing has steps of 0.1 ms:
# 100 thousand.
# Usage: counts.sh        builds must be there: make build kernels tuned lab
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=artifacts/bin share=artifacts/share image=artifacts/lab/image
for needed in $bin/sandbox $share/kernels/tuned/vmlinux $image/vmlinux artifacts/lab/emulator; do
    [ -e "$needed" ] || { echo "counts: $needed is missing; make build kernels tuned lab" >&2; exit 1; }
done
bash kernels/micro.sh >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

root=$work/root
mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,etc,root}
cp /bin/busybox "$root/bin/"
ln -s busybox "$root/bin/true"
gcc -static -O1 -Wall -Wextra -Werror -o "$root/bin/reads" tests/Lab/counts/reads.c

tree=$work/tree
# PERTURB=BYTES: a file that nobody reads, to see by how much chance moves the figures.
[ -z "${PERTURB:-}" ] || { mkdir "$tree"; head -c "$PERTURB" /dev/zero >"$tree/perturb"; }
mkdir -p "$tree"/{bin,dev,proc,sys,opt/bin,opt/micro,opt/share/kernels/tuned}
cp /bin/busybox "$tree/bin/"
cp tests/Lab/counts/init.sh "$tree/init"
chmod 755 "$tree/init"
(cd "$tree" && cpio -idm --quiet './modules/*' 'modules/*') <"$image/initramfs.cpio"
cp $bin/sandbox $bin/sandbox-* "$tree/opt/bin/"
cp -L $share/kernels/tuned/vmlinux "$tree/opt/share/kernels/tuned/"
cp artifacts/micro/reset.elf "$tree/opt/micro/"
# More exits than the other users of this guest want: two whole runs are subtracted, and each may have waited for a tick of a clock more or less
# (4 million instructions).
exits=200000
gcc -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-Ttext-segment=0x200000 -Wa,--defsym,COUNT=$((exits / 2)) \
    -o "$tree/opt/micro/exits.elf" kernels/micro/exits.S
gcc -static -O1 -Wall -Wextra -Werror -o "$tree/opt/bin/elapsed" tests/Lab/counts/elapsed.c
# The same bytes every time: no times, no owner, one order.
find "$tree" -exec touch -h -d @0 {} +
mkfs.erofs -T0 --all-root -U 00000000-0000-0000-0000-000000000000 --quiet "$tree/opt/root.erofs" "$root" >/dev/null
(cd "$tree" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible -R 0:0) >"$work/initrd"

# rcu_expedited: the kernel's grace periods, which a start waits for when it makes namespaces and groups, end at once instead of at a tick of its clock
# (4 ms, 4 % of a start): how many ticks a start meets is chance, and would hide what changed.
timeout 900 tests/Lab/host/qemu.sh -M q35 -accel tcg,thread=single -icount shift=0,sleep=off -seed 1 -rtc base=2024-01-01,clock=vm \
    -cpu EPYC,+svm,+npt -smp 1 -m 1024 -nodefaults -display none -no-reboot -serial "file:$work/console" \
    -kernel $image/vmlinux -initrd "$work/initrd" \
    -append "console=ttyS0 panic=-1 quiet no_timer_check tsc=reliable mitigations=off rcupdate.rcu_expedited=1" </dev/null 2>"$work/errors" || { cat "$work/errors" >&2; exit 1; }
tr -d '\r' <"$work/console" >"$work/said"
grep -q '^counted' "$work/said" && ! grep -q '^run failed' "$work/said" || { echo "counts: the machine did not come to its end:" >&2; tail -n 30 "$work/said" >&2; exit 1; }

awk -v loader="$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')" -v kernel="$(cut -d' ' -f1 $image/version)" -v exits=$exits '
    # "sandbox: agent connected   258.7 ms ...": thousands of instructions since the start
    function at(phase) { return figure[run, phase] }
    /^run / { run++ }
    /^sandbox: .* ms / { name = $0; sub(/^sandbox: /, "", name); sub(/ +[0-9.]+ ms.*/, "", name); value = $0; sub(/ ms.*/, "", value); sub(/.* /, "", value); figure[run, name] = value * 1000 }
    /^micro / { guest = $2 }
    /^elapsed / { elapsed[guest] = $2 }
    function command(number) { return figure[number, "command exited"] - figure[number, "command started"] }
    # The least of all starts but the first: a process that waits waits for the next tick of a clock (4 ms), and which one that is a change of
    # ours moves by chance.
    function least(last, phase, since,    value, found) {
        found = 1e9
        for (run = 2; run <= last; run++) {
            value = at(phase) - (since == "" ? 0 : at(since))
            if (value < found) found = value
        }
        return found
    }
    END {
        print "machine", "qemu-" loader, "linux-" kernel
        print "start-to-first-instruction", least(8, "first instruction")
        print "boot-to-init", least(8, "agent connected", "first instruction")
        print "command-line-to-exit", least(6, "microVM gone") # runs 7 and 8 do more than start
        print "exit", (elapsed["exits"] - elapsed["reset"]) / exits / 1000
        print "block-request", (command(8) - command(7)) / 12000
    }' "$work/said"
