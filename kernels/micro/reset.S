/* Asks the keyboard controller for a reset. */
    .text
    .globl _start
_start:
    movb $0xfe, %al
    outb %al, $0x64
1:  hlt
    jmp 1b
    .section .note.GNU-stack, "", @progbits
