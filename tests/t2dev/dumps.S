/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration spaces of real cards as lspci writes them, for profiles.c.
 */
	.section .rodata

	.globl dump_0d93_early, dump_0d93_early_end
dump_0d93_early:
	.incbin "profiles/intel-0d93-early-type2-dvsec8086.txt"
dump_0d93_early_end:
	.byte 0

	.globl dump_0d93_cxl11, dump_0d93_cxl11_end
dump_0d93_cxl11:
	.incbin "profiles/intel-0d93-rciep-cxl11.txt"
dump_0d93_cxl11_end:
	.byte 0

	.section .note.GNU-stack, "", @progbits
