/* Reads a register by an instruction that no version of KVM emulates. */
    .text
    .globl _start
_start:
    movl $0xe0000000, %esi
    crc32l (%rsi), %eax
1:  hlt
    jmp 1b
    .section .note.GNU-stack, "", @progbits
