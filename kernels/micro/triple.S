/* A fault without a descriptor to handle it, nor the fault of that, nor the one of that. */
    .text
    .globl _start
_start:
    lidt no_table(%rip)
    ud2
    .data
no_table:
    .word 0
    .quad 0
    .section .note.GNU-stack, "", @progbits
