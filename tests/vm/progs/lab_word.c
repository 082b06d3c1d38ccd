// SPDX-License-Identifier: GPL-2.0-only
/*
 * lab_word - read or write a dword of physical memory through the kernel helper
 *
 * usage: lab_word ADDRESS [VALUE]
 */
#include <stdio.h>
#include <stdlib.h>

#include "lab.h"

int main(int argc, char **argv)
{
	uint64_t pa;

	if (argc < 2 || argc > 3) {
		fputs("usage: lab_word ADDRESS [VALUE]\n", stderr);
		return 2;
	}
	pa = strtoull(argv[1], NULL, 0);
	if (argc == 3)
		lab_poke(pa, strtoul(argv[2], NULL, 0));
	printf("%#x\n", lab_peek(pa));
	return 0;
}
