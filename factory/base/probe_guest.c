/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "probe_guest.h"

/*
 * QEMU maps a 64 KiB firmware at 0xFFFF0000, where the processor starts (in real mode, at
 * 0xFFFFFFF0), and again at 0xF0000, where it is in reach of a real-mode far jump. The code lies
 * at 0xF000 in it, so the far jump to F000:F000+x puts us below 1 MiB for good.
 *
 * What the processor itself writes must not lie in the ROM: page tables (accessed bits), the IDT
 * for good measure and the stack are in RAM; the GDT's descriptors have their accessed bits set.
 *
 *	0x1000, 0x2000, 0x3000	PML4, PDPT, PD: the first 2 MiB and the local APIC, each mapped to
 *				itself. One PD serves the first GiB and the fourth.
 *	0x4000			IDT, of which only vector 0x20 (the timer) is used
 *	0x7000			stack, downwards
 *
 * The answer is computed: the sum of 1 to 1000 is 500500 = 0x7A314, whose bits 12 to 19 are 0x7A,
 * and isa-debug-exit ends QEMU with (0x7A << 1) | 1 = 245.
 */
#define CODE_OFFSET 0xF000
#define RESET_OFFSET 0xFFF0

extern const uint8_t kiln_probe_guest[], kiln_probe_guest_end[];

__asm__(".pushsection .rodata\n"
	".set rom16, 0xF000\n"		/* of the code, in segment F000 */
	".set rom32, 0xFF000\n"		/* and linear */
	"kiln_probe_guest:\n"
	".code16\n"
	"	cli\n"
	"	cld\n"
	"	ljmpw $0xF000, $(.Lreal - kiln_probe_guest + rom16)\n"
	".Lreal:\n"
	"	movw %cs, %ax\n"
	"	movw %ax, %ds\n"
	"	lgdtl (.Lgdt_register - kiln_probe_guest + rom16)\n"
	"	movl %cr0, %eax\n"
	"	orb $1, %al\n"				/* PE */
	"	movl %eax, %cr0\n"
	"	ljmpl $0x08, $(.Lprotected - kiln_probe_guest + rom32)\n"

	".code32\n"
	".Lprotected:\n"
	"	movw $0x10, %ax\n"
	"	movw %ax, %ds\n"
	"	movw %ax, %es\n"
	"	movw %ax, %ss\n"
	"	movl $0x7000, %esp\n"
	"	movl $0x1000, %edi\n"			/* clear the tables and the IDT */
	"	xorl %eax, %eax\n"
	"	movl $0x1000, %ecx\n"
	"	rep stosl\n"
	"	movl $0x2003, 0x1000\n"			/* present, writable */
	"	movl $0x3003, 0x2000\n"
	"	movl $0x3003, 0x2018\n"
	"	movl $0x0083, 0x3000\n"			/* and a page of 2 MiB */
	"	movl $0xFEE00093, 0x3FB8\n"		/* not cached */
	"	movl $(.Ltimer - kiln_probe_guest + rom32), %eax\n"
	"	movw %ax, 0x4200\n"			/* vector 0x20: offset, low */
	"	movw $0x18, 0x4202\n"			/* code segment */
	"	movw $0x8E00, 0x4204\n"			/* present interrupt gate */
	"	shrl $16, %eax\n"
	"	movw %ax, 0x4206\n"
	"	movl %cr4, %eax\n"
	"	orl $0x20, %eax\n"			/* PAE */
	"	movl %eax, %cr4\n"
	"	movl $0x1000, %eax\n"
	"	movl %eax, %cr3\n"
	"	movl $0xC0000080, %ecx\n"		/* EFER */
	"	rdmsr\n"
	"	orl $0x100, %eax\n"			/* LME */
	"	wrmsr\n"
	"	movl %cr0, %eax\n"
	"	orl $0x80000000, %eax\n"		/* PG */
	"	movl %eax, %cr0\n"
	"	ljmpl $0x18, $(.Llong_mode - kiln_probe_guest + rom32)\n"

	".code64\n"
	".Llong_mode:\n"
	"	movl $0x7000, %esp\n"
	"	lidt .Lidt_register(%rip)\n"
	"	xorl %eax, %eax\n"
	"	cpuid\n"
	"	rdtsc\n"
	"	movl $0xFEE00000, %ebx\n"		/* the local APIC: on, */
	"	movl $0x1FF, 0xF0(%rbx)\n"
	"	movl $0x0B, 0x3E0(%rbx)\n"		/* its timer undivided, */
	"	movl $0x20020, 0x320(%rbx)\n"		/* periodic with vector 0x20, */
	"	movl $3000000, 0x380(%rbx)\n"		/* about every 3 ms */
	"	xorl %r15d, %r15d\n"
	".Lwait:\n"
	"	sti\n"
	"	hlt\n"
	"	cli\n"
	"	cmpl $3, %r15d\n"
	"	jb .Lwait\n"
	"	call .Lsum\n"
	"	call .Lshift\n"
	"	outb %al, $0xF4\n"
	".Lstop:	hlt\n"
	"	jmp .Lstop\n"
	".Lsum:\n"
	"	xorl %eax, %eax\n"
	"	movl $1000, %ecx\n"
	".Ladd:	addl %ecx, %eax\n"
	"	decl %ecx\n"
	"	jnz .Ladd\n"
	"	ret\n"
	".Lshift:\n"				/* EAX by 12, as the processor says it can */
	"	movl %eax, %esi\n"
	"	xorl %eax, %eax\n"
	"	cpuid\n"
	"	cmpl $7, %eax\n"
	"	jb .Lplain\n"
	"	movl $7, %eax\n"
	"	xorl %ecx, %ecx\n"
	"	cpuid\n"
	"	testl $0x100, %ebx\n"			/* BMI2, Intel's SDM on CPUID */
	"	jz .Lplain\n"
	"	movl $12, %ecx\n"
	"	shrxl %ecx, %esi, %eax\n"
	"	ret\n"
	".Lplain:\n"
	"	movl %esi, %eax\n"
	"	shrl $12, %eax\n"
	"	ret\n"
	".Ltimer:\n"
	"	incl %r15d\n"
	"	movl $0, 0xB0(%rbx)\n"			/* end of interrupt */
	"	iretq\n"

	".balign 8\n"
	".Lgdt:	.quad 0\n"
	"	.quad 0x00CF9B000000FFFF\n"		/* 0x08: code, 32 bits */
	"	.quad 0x00CF93000000FFFF\n"		/* 0x10: data */
	"	.quad 0x00AF9B000000FFFF\n"		/* 0x18: code, 64 bits */
	".Lgdt_end:\n"
	".Lgdt_register:\n"
	"	.word .Lgdt_end - .Lgdt - 1\n"
	"	.long .Lgdt - kiln_probe_guest + rom32\n"
	".Lidt_register:\n"
	"	.word 0x20F\n"
	"	.quad 0x4000\n"
	"kiln_probe_guest_end:\n"
	".popsection\n");

void probe_guest_build(uint8_t image[static PROBE_GUEST_SIZE])
{
	/* JMP rel16, counted from the instruction behind it. */
	const uint16_t distance = (uint16_t)(CODE_OFFSET - (RESET_OFFSET + 3));
	const uint8_t reset[] = { 0xE9, (uint8_t)distance, (uint8_t)(distance >> 8) };

	memset(image, 0xF4, PROBE_GUEST_SIZE);	/* HLT: where no code is, nothing happens */
	memcpy(image + CODE_OFFSET, kiln_probe_guest,
	       (size_t)(kiln_probe_guest_end - kiln_probe_guest));
	memcpy(image + RESET_OFFSET, reset, sizeof(reset));
}
