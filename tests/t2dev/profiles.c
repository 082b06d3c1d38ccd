// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices to play, each with the source that says that there are such devices.
 * Profiles are data: what a device does is the same for all of them.
 */
#include <stdio.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "device.h"

#define MEM64	(PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH)
#define MEM32	0
#define PREF32	PCI_BASE_ADDRESS_MEM_PREFETCH
#define IO	PCI_BASE_ADDRESS_SPACE_IO

#define WORDS(...)	((const uint32_t[]){ __VA_ARGS__ })
#define BODY(...)	.words = sizeof(WORDS(__VA_ARGS__)) / 4, .body = WORDS(__VA_ARGS__)
#define DVSEC1(len)	(CXL_VENDOR | (len) << 20)

/* BAR 1+2 is a window to memory as large GPUs have it; the registers are in BAR 0 */
static const struct bar_def accelerator_bars[NUM_BARS] = {
	[0] = { 16 << 20, MEM32 }, [1] = { 256 << 20, MEM64 }, [3] = { 32 << 20, MEM64 },
	[5] = { 128, IO },
};

/* A host places BAR 3+4 below 4 GiB, where its upper half reads 0 */
static const struct bar_def odd_bars[NUM_BARS] = {
	[0] = { T2DEV_ACCEL_BAR_SIZE, MEM32 }, [1] = { 1 << 20, MEM64 },
	[3] = { 256 << 10, PCI_BASE_ADDRESS_MEM_TYPE_64 },
};

static const struct bar_def full_bars[NUM_BARS] = {
	[0] = { 256 << 10, MEM64 }, [2] = { T2DEV_ACCEL_BAR_SIZE, MEM64 },
	[4] = { 1 << 20, MEM64 },
};

/* Three halves are free, and no pair */
static const struct bar_def bars_32_bit[NUM_BARS] = {
	[0] = { 256 << 10, MEM32 }, [2] = { T2DEV_ACCEL_BAR_SIZE, MEM32 },
	[4] = { 64 << 10, PREF32 },
};

/* As lspci says of the second dump; the first has the same addresses' alignments */
static const struct bar_def bars_0d93[NUM_BARS] = {
	[0] = { 1 << 20, MEM32 }, [2] = { 1 << 10, IO }, [4] = { 16 << 20, PREF32 },
};

/*
 * Those of 8 bytes have nothing behind them, as on most devices.  QEMU keeps ARI and
 * SR-IOV from its machine, and plays the port: DPC is not for the device to have.
 */
static const struct cap_def accelerator_caps[] = {
	{ 0x200, PCI_EXT_CAP_ID_ATS, 1, BODY(0x00000020) },	/* page aligned requests */
	{ 0x210, PCI_EXT_CAP_ID_PRI, 1, BODY(0x01000000, 64, 0) },	/* stopped */
	{ 0x220, PCI_EXT_CAP_ID_PASID, 1, BODY(0x00001406) },	/* 20 bits, execute, privileged */
	{ 0x230, PCI_EXT_CAP_ID_ARI, 1, BODY(0) },
	{ 0x240, PCI_EXT_CAP_ID_LTR, 1, BODY(0) },
	{ 0x250, PCI_EXT_CAP_ID_ACS, 1, BODY(0x0000004c) },	/* redirects, direct translated */
	{ 0x260, PCI_EXT_CAP_ID_REBAR, 1, BODY(0x00001000, 0x00000821) },	/* BAR 1, 256 MiB */
	{ 0x270, PCI_EXT_CAP_ID_SRIOV, 1,
	  BODY(0, 0, 0x00040004, 0, 0x00010001, 0xc7130000, 0x00000553, 1) },
	{ 0x2b0, PCI_EXT_CAP_ID_DOE, 1, BODY(0, 0, 0, 0, 0) },
	{ 0x2d0, EXT_CAP_IDE, 1, BODY(0x00000002, 0, 0, 0, 0, 0, 0) },	/* one selective stream */
	/* GPF for devices, CXL 8.1.7: phase 2 takes 3 x 1 s */
	{ 0x300, PCI_EXT_CAP_ID_DVSEC, 1, BODY(DVSEC1(0x10), 5 | 0x0603 << 16, 0x00000019) },
	{}
};

/* Non-CXL Function Map, CXL 8.1.4: function 1 has no part in CXL */
static const struct cap_def two_functions_caps[] = {
	{ 0x300, PCI_EXT_CAP_ID_DVSEC, 1, BODY(DVSEC1(0x2c), 2, 0x00000002, 0, 0, 0, 0, 0, 0, 0) },
	{}
};

static const struct header_word multi_function[] = { { 0x0c, 0x00800000 }, {} };

#define LOCKED(n, base, size) \
	" --decoder=" #n ",base=" base ",size=" size ",committed=1,locked=1"
#define NO_COMP		" --misbehave=no-locator,no-hdm-cap"
#define ZERO_SIZE	"CXL r3.2 8.2.4.20.12 and 14.13.10; Linux, support for zero-sized decoders"

static const struct profile profiles[] = {
	{
		.name = "accelerator",
		.what = "ATS, PRI, PASID, ARI, LTR, ACS, ReBAR, SR-IOV, DOE, IDE; BARs 0, 1, 3, 5",
		.source = "PCIe r6.0 7.7 to 7.9; CXL r4.0 3.1, 8.1.7; BARs of large GPUs",
		.bars = accelerator_bars,
		.comp_bar = 3,
		.accel_bar = 0,
		.caps = accelerator_caps,
	}, {
		.name = "odd-bars",
		.what = "BARs 0, 1+2 and 3+4, the last not prefetchable: no pair is free",
		.source = "PCIe r6.0 7.5.1.2.1: a 64-bit BAR may start at an odd register",
		.bars = odd_bars,
		.comp_bar = 3,
		.accel_bar = 0,
	}, {
		.name = "full-bars",
		.what = "three 64-bit BARs, no pair is free",
		.source = "PCIe r6.0 7.5.1.2.1; BARs of common GPUs",
		.bars = full_bars,
		.comp_bar = 0,
		.accel_bar = 2,
	}, {
		.name = "32-bit-bars",
		.what = "BARs 0, 2 and 4 are of 32 bits: 1, 3 and 5 are free, no pair is",
		.source = "PCIe r6.0 7.5.1.2.1; dump intel-0d93-rciep-cxl11",
		.bars = bars_32_bit,
		.comp_bar = 0,
		.accel_bar = 2,
	}, {
		.name = "locked-platform-first",
		.what = "four decoders committed and locked, all but the last of size 0",
		.source = ZERO_SIZE,
		.line = "--decoders=4" LOCKED(0, "4G", "0") LOCKED(1, "4G", "0")
			LOCKED(2, "4G", "0") LOCKED(3, "4G", "256M"),
	}, {
		.name = "locked-platform-last",
		.what = "four decoders committed and locked, all but the first of size 0",
		.source = ZERO_SIZE,
		.line = "--decoders=4" LOCKED(0, "4G", "256M") LOCKED(1, "0x110000000", "0")
			LOCKED(2, "0x110000000", "0") LOCKED(3, "0x110000000", "0"),
	}, {
		.name = "locked-platform-between",
		.what = "four decoders committed and locked, the two in between of size 0",
		.source = ZERO_SIZE,
		.line = "--decoders=4" LOCKED(0, "4G", "256M") LOCKED(1, "0x110000000", "0")
			LOCKED(2, "0x110000000", "0") LOCKED(3, "0x110000000", "256M"),
	}, {
		.name = "config-locked",
		.what = "firmware has set CONFIG_LOCK",
		.source = "CXL r4.0 8.1.3.7",
		.line = "--config-lock=1",
	}, {
		.name = "intel-0d93-early-type2-dvsec8086",
		.what = "configuration space of a card with its DVSEC under vendor 8086",
		.source = "linux-pci, April 2020 (pciutils CXL decode, v4)",
		.bars = bars_0d93,
		.comp_bar = NO_BAR,
		.accel_bar = NO_BAR,
		.dump = dump_0d93_early,
		.dump_end = dump_0d93_early_end,
	}, {
		.name = "intel-0d93-rciep-cxl11",
		.what = "configuration space of a CXL 1.1 card: no Register Locator",
		.source = "pciutils, tests/cap-dvsec-cxl, first device",
		.bars = bars_0d93,
		.comp_bar = NO_BAR,
		.accel_bar = NO_BAR,
		.dump = dump_0d93_cxl11,
		.dump_end = dump_0d93_cxl11_end,
	}, {
		.name = "rciep-ranges",
		.what = "integrated CXL 1.1 device, its memory by RANGE1, no component registers",
		.source = "dump intel-0d93-rciep-cxl11: CAPABILITY, length of the DVSEC, BARs",
		.line = "--rciep" NO_COMP " --capability=0x1e --dvsec-length=0x38 --control=6",
		.bars = bars_0d93,
		.comp_bar = NO_BAR,
		.accel_bar = 0,
	}, {
		.name = "rciep-decoders",
		.what = "integrated device with a committed decoder",
		.source = "lspci of 8086:0ddb, integrated, in pmem/ndctl#246; CXL r4.0 9.11",
		.line = "--rciep",
	}, {
		.name = "ranges-locked",
		.what = "two ranges and CONFIG_LOCK, decoders neither enabled nor committed",
		.source = "CXL r4.0 8.1.3.7, 8.2.4.20.2; Linux, emulation of decoders by ranges",
		.line = "--config-lock=1 --decoders=2 --global-control=0 --decoder=0,committed=0"
			" --decoder=1,base=0x110000000,size=256M",
	}, {
		.name = "no-locator",
		.what = "memory by RANGE1, no Register Locator",
		.source = "pciutils#183; CXL r4.0 9.11: component registers in the RCRB",
		.line = NO_COMP,
	}, {
		.name = "two-functions",
		.what = "function 0 of a card whose function 1 has no part in CXL",
		.source = "CXL r4.0 8.1.4",
		.caps = two_functions_caps,
		.header = multi_function,
	}, {
		.name = "two-functions-other",
		.what = "function 1 of that card",
		.source = "CXL r4.0 8.1.4",
		.line = "--misbehave=no-dvsec,no-locator",
		.header = multi_function,
	}, {
		.name = "memory-off",
		.what = "COMMAND is 0 until a driver enables memory space",
		.source = "bring-up notes of a SMART Modular c241: COMMAND goes from 0000 to 0002",
		.line = "--memory-off",
	}, {
		.name = "component-block-first",
		.what = "component registers at the start of their BAR",
		.source = "CXL r4.0 8.1.9: any 64 KiB of a BAR",
		.line = "--block=start",
	}, {
		.name = "component-block-middle",
		.what = "component registers in the middle of their BAR",
		.source = "CXL r4.0 8.1.9: any 64 KiB of a BAR",
		.line = "--block=middle",
	}, {
		.name = "component-block-last",
		.what = "component registers at the end of their BAR",
		.source = "CXL r4.0 8.1.9: any 64 KiB of a BAR",
		.line = "--block=end",
	},
};

#define NUM_PROFILES	(sizeof(profiles) / sizeof(profiles[0]))

const struct profile *profile_find(const char *name)
{
	for (unsigned int i = 0; i < NUM_PROFILES; i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

void profiles_help(void)
{
	puts("\nProfiles; options that come after --profile change them:");
	for (unsigned int i = 0; i < NUM_PROFILES; i++)
		printf("  %-34s %s\n  %-34s (%s)\n", profiles[i].name, profiles[i].what, "",
		       profiles[i].source);
}
