/* Never leaves the guest. */
    .text
    .globl _start
_start:
    movb $'s', %al
    movw $0x3f8, %dx
    outb %al, %dx
1:  pause
    jmp 1b
    .section .note.GNU-stack, "", @progbits
