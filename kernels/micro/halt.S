/* Halts for ever, interrupts off: only the host can end it. */
    .text
    .globl _start
_start:
    movb $'h', %al
    movw $0x3f8, %dx
    outb %al, %dx
1:  hlt
    jmp 1b
    .section .note.GNU-stack, "", @progbits
