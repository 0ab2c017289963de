/* Entry of the micro guests that are written in C: the 64-bit entry of the Linux boot protocol, a stack, guest_main(zero page). */
    .globl _start
    .text
_start:
    leaq stack_top(%rip), %rsp
    movq %rsi, %rdi
    call guest_main
1:  hlt
    jmp 1b

    .bss
    .balign 16
    .skip 16384
stack_top:
    .section .note.GNU-stack, "", @progbits
