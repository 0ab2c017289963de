#!/bin/bash
# Makes a copy of the installed emulator with two instructions changed, for the lab host alone; nothing installed is touched. Both flaws are in
# the code that enters a nested guest (QEMU 7.2, helper_vmrun).
#
# 1. To deliver an interrupt that the hypervisor injects into its guest, the emulator notes the vector as "exception to be raised" and delivers it at
#    once, but the note stays. When another thread of the emulator asks the virtual processor to come out of its loop before the guest leaves by itself,
#    the note is acted on: the guest gets the same interrupt once more, wherever it is, with interrupts disabled too. Then a guest's kernel waits for ever
#    for a lock that it holds itself, or meets a fault that no program caused. Seen in QEMU's deterministic mode (counts.sh), where one build of ours
#    stopped at the same instruction every time: the guest's kernel in its interrupt handler, entered anew with the interrupt flag clear, at the lock of
#    that interrupt. Without the store it comes to its end. The note is of no use there, the vector is an argument of the delivery: the store becomes a
#    no-operation of the same length.
# 2. The request to leave the guest when it enables interrupts is added to a word of flags without the lock that all others take, by an instruction that
#    other processors can come between: a timer interrupt of the hypervisor set at that moment is lost, and with it the processor's clock. Inferred
#    from the code, not caught in the act; the instruction becomes one with a lock prefix.
#
# Where the instructions are not found exactly once (another build of QEMU) the copy is what is installed, and a line says so.
# Usage: emulator.sh OUT
set -euo pipefail
out=$1
installed=$(command -v qemu-system-x86_64)
work=$(mktemp "$out.XXXXXX")
trap 'rm -f "$work"' EXIT
# 1. movzbl vector, %esi;  mov %r13d, error_code;  mov %esi, exception_index;  movl $0, exception_is_int;  movq $-1, exception_next_eip
# 2. orl $0x100, interrupt_request: as lock orb $1 of its second byte. The only such flags in the file (CPU_INTERRUPT_VIRQ).
perl -0777 -pe '
    BEGIN { $store = $flags = 0 }
    $store += s/(\x41\x0f\xb6\xf4\x44\x89\xab..\0\0)\x89\xb3..\xff\xff(?=\xc7\x83..\0\0\0\0\0\0\x48\xc7\x83..\0\0\xff\xff\xff\xff)/$1\x66\x0f\x1f\x44\0\0/sg;
    $flags += s/\x81\x8b([^\xff])(.\xff\xff)\0\x01\0\0/"\xf0\x80\x8b" . chr(1 + ord $1) . "$2\x01\x66\x90"/seg;
    END { exit($store == 1 && $flags == 1 ? 0 : 3) }' "$installed" >"$work" || {
    [ $? = 3 ]
    echo "lab: $("$installed" --version | head -n 1) is used as it is: tests/Lab/host/emulator.sh does not know this build; now and then a guest will stand still" >&2
    cp "$installed" "$work"
}
chmod 755 "$work"
mv "$work" "$out"
