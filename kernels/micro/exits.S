/* Leaves the guest as often as it can: COUNT port writes between two console bytes, then COUNT writes to an address without memory.
   Entered by its PVH note in 32-bit protected mode, which a short program in C can set up as well. */
    .ifndef COUNT               /* tests/Lab/counts.sh wants more */
    .set COUNT, 20000
    .endif
    .set MARK, 0x3f8            /* the serial port: each mark is a moment that the host sees */
    .section .note.pvh, "a", @note
    .long 4, 4, 18              /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long entry32

    .text
    .globl _start
_start:
    ud2                         /* the 64-bit entry: not the one to take */
    .code32
    .macro mark letter
    movw $MARK, %dx
    movb $\letter, %al
    outb %al, %dx
    .endm
entry32:
    mark 'p'
    movl $COUNT, %ecx
    movw $0x1234, %dx
1:  outb %al, %dx               /* a port that nobody answers */
    decl %ecx
    jnz 1b
    mark 'm'
    movl $COUNT, %ecx
    movl $0xe0000000, %esi
2:  movl %eax, (%esi)           /* an address that nobody answers */
    decl %ecx
    jnz 2b
    mark 'e'
    movw $0x600, %dx            /* power off */
    movb $0x34, %al
    outb %al, %dx
3:  hlt
    jmp 3b
    .section .note.GNU-stack, "", @progbits
