/* An ELF kernel with a PVH note: entered in 32-bit protected mode with EBX at struct hvm_start_info. Prints its command line. */
    .section .note.pvh, "a", @note
    .long 4, 4, 18              /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long entry32

    .text
    .globl _start
_start:
    ud2                         /* the 64-bit entry: not the one to take */
    .code32
entry32:
    cmpl $0x336ec578, (%ebx)    /* XEN_HVM_START_MAGIC_VALUE */
    jne failed
    movl 24(%ebx), %esi         /* cmdline_paddr */
    movw $0x3f8, %dx
1:  lodsb
    testb %al, %al
    jz 2f
    outb %al, %dx
    jmp 1b
2:  movb $'\n', %al
    outb %al, %dx
    movw $0x600, %dx
    movb $0x34, %al
    outb %al, %dx
3:  hlt
    jmp 3b
failed:
    movw $0x64, %dx             /* a reset says that it went wrong */
    movb $0xfe, %al
    outb %al, %dx
    jmp 3b
    .section .note.GNU-stack, "", @progbits
