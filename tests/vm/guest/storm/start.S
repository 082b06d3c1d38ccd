/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Brings both processors to long mode, with interrupts off: the first from its PVH
 * entry, the second at 0x8000 from a copy of the trampoline.
 */
#define PAGE	4096
#define TABLES	128			/* of 512 GiB: SeaBIOS places BARs below 64 TiB */
#define CODE64	8			/* segments of the GDT */
#define CODE32	16
#define DATA	24

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad first

	.text
	.code32
	.globl first
first:					/* with the start info in %ebx */
	cli
	cld
	mov $trampoline, %esi
	mov $0x8000, %edi
	mov $trampoline_end - trampoline, %ecx
	rep movsb
	lgdt gdt_pointer
	mov $stack_first, %esp
	mov $storm, %esi
	jmp long_mode
second:
	mov $stack_second, %esp
	mov $use_memory, %esi
long_mode:				/* call the function at %esi with %ebx */
	mov $0x20, %eax			/* PAE */
	mov %eax, %cr4
	mov $root, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	or $0x100, %eax
	wrmsr
	mov $0x80000011, %eax		/* paging and protection, with caches */
	mov %eax, %cr0
	ljmp $CODE64, $1f
	.code64
1:	cld
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %ebx, %edi
	mov %esi, %esi			/* clears the upper half */
	call *%rsi
2:	hlt
	jmp 2b

	.code16
trampoline:
	cli
	lgdtl %cs:gdt_pointer - trampoline
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $CODE32, $second
gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
trampoline_end:

	.data
	.balign PAGE
root:
	.set n, 0
	.rept TABLES
	.quad tables + n * PAGE + 3	/* present, writable */
	.set n, n + 1
	.endr
	.balign PAGE
tables:
	.set n, 0
	.rept TABLES * PAGE / 8
	.quad n << 30 | 0x83		/* present, writable, 1 GiB */
	.set n, n + 1
	.endr
gdt:
	.quad 0, 0x00af9a000000ffff, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_end:

	.bss
	.balign 16
	.skip PAGE
stack_first:
	.skip PAGE
stack_second:

	.section .note.GNU-stack, "", @progbits
