/* SPDX-License-Identifier: GPL-2.0-only */
struct range {
	unsigned long long start;
	unsigned long long end;
};
