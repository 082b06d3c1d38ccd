/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests ask of /dev/t2lab: a dma-buf importer, one import for each open
 * file, a look at the page tables of the process that asks, what KVM makes of a
 * page frame, words of physical memory, and the lock of a PCI function.
 */
#ifndef T2LAB_H
#define T2LAB_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct t2lab_info {
	__u64 addr;		/* of the first segment, as a device would use it */
	__u64 len;		/* of all segments */
	__u32 segments;
	__u32 let_go;		/* how often the exporter has revoked the mapping */
	__u32 mapped;
	__u32 value;		/* the dword at addr, if it is mapped */
};

#define T2LAB_ATTACH	_IOW('T', 1, int)	/* a dma-buf */
#define T2LAB_MAP		_IO('T', 2)
#define T2LAB_INFO		_IOR('T', 3, struct t2lab_info)
#define T2LAB_PIN		_IO('T', 4)

struct t2lab_page {
	__u64 va;
	__u64 pa;
	__u32 order;		/* pages as a power of two: 0, 9 or 18 on x86 */
	__u32 cache;		/* the cache bits of its entry, 0 is write-back */
};

#define T2LAB_PAGE	_IOWR('T', 6, struct t2lab_page)
#define T2LAB_STATIC	_IOW('T', 5, int)	/* attach as an importer without revocation */

struct t2lab_frame {
	__u64 pa;
	__u8 has_page;
	__u8 is_reserved;	/* PageReserved() of its page */
	__u8 is_mmio;		/* by KVM's verdict: uncached in guests on Intel */
	__u8 pad[5];
};

#define T2LAB_FRAME	_IOWR('T', 7, struct t2lab_frame)	/* kvm must be loaded */
/* Add to the dma-buf a fence that is not signalled until the file is closed */
#define T2LAB_FENCE	_IO('T', 13)
#define T2LAB_HOLD	_IOW('T', 8, __u64)	/* hold a page until the file is closed */

struct t2lab_word {
	__u64 pa;
	__u32 val;
	__u32 registers;	/* a register of a device, else memory */
};

#define T2LAB_PEEK	_IOWR('T', 9, struct t2lab_word)
#define T2LAB_POKE	_IOW('T', 10, struct t2lab_word)

struct t2lab_memset {
	__u64 pa;
	__u64 len;
	__u64 ns;		/* answer: how long the kernel's memset() took */
};

#define T2LAB_MEMSET	_IOWR('T', 12, struct t2lab_memset)

/*
 * Hold the lock of a PCI function of domain 0 until the caller gets a fatal signal,
 * so that nobody can reset it; the module's parameter "locked" says when it is held.
 */
#define T2LAB_LOCK	_IOW('T', 11, __u32)	/* bus << 8 | devfn */

#endif
