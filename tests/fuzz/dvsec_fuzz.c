// SPDX-License-Identifier: GPL-2.0-only
/*
 * CXL Device DVSEC model with any device and writes of any size.  A mask for each byte
 * has the bits that a write may change.
 */
#include "device.h"
#include "../../src/dvsec.h"

/* Bits that a write can ever change, with CONFIG_LOCK clear: CXL r4.0 8.1.3 */
static const u8 writable[DVSEC_MAX_LEN] = {
	[0x0c] = 0xfd, [0x0d] = 0x5f,			/* CONTROL */
	[0x0f] = 0x40,					/* STATUS */
	[0x10] = 0x39,					/* CONTROL2 */
	[0x12] = 0x08,					/* STATUS2 */
	[0x14] = 0x01,					/* LOCK */
	[0x20] = 0xff, [0x21] = 0xff, [0x22] = 0xff, [0x23] = 0xff, [0x27] = 0xf0,
	[0x30] = 0xff, [0x31] = 0xff, [0x32] = 0xff, [0x33] = 0xff, [0x37] = 0xf0,
};

static bool frozen_by_lock(size_t at)
{
	return at == 0x0c || at == 0x0d || (at >= 0x20 && at < 0x28) || (at >= 0x30 && at < 0x38);
}

static void check_write(const u8 *was, const u8 *is, u16 len, size_t at, size_t n)
{
	bool locked = len > 0x14 && (was[0x14] & 1);

	for (size_t i = 0; i < DVSEC_MAX_LEN; i++) {
		u8 changed = was[i] ^ is[i];

		assert(!(changed & ~writable[i]));
		assert(!changed || (i >= at && i < at + n));
		assert(!changed || !locked || !frozen_by_lock(i));
		assert(i < len || !is[i]);
	}
	assert(!(~is[0x0f] & was[0x0f] & ~0x40) && !(is[0x0f] & ~was[0x0f]));
	assert(!(is[0x12] & ~was[0x12]));
	assert(!locked || (is[0x14] & 1));
	if (len >= 0x0e)
		assert(is[0x0c] & 2);
	assert(!(is[0x10] & 6));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct input in = { data, len };
	struct cxl_vfio_view view = {
		.hide_hpa = take(&in, 1) & 1,
		.guest_reset = take(&in, 1) & 1,
	};
	u16 dvsec_len = take(&in, 1), regs[DVSEC_MAX_LEN / 2], live[DVSEC_NR_LIVE], cap;
	u8 was[DVSEC_MAX_LEN + 4], is[DVSEC_MAX_LEN + 4], byte;
	struct cxl_vfio_dvsec dvsec;

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
		regs[i] = take(&in, 2);
	cxl_vfio_dvsec_init(&dvsec, regs, dvsec_len, &view, true);
	cxl_vfio_dvsec_read(&dvsec, 0, is, sizeof(is));
	for (unsigned int i = 0x20; i < 0x28 && view.hide_hpa; i++)
		assert(!is[i] && !is[i + 0x10]);
	cap = is[0x0a] | is[0x0b] << 8;
	assert(view.guest_reset || !(cap & 0x0fc0));

	while (in.len) {
		unsigned int op = take(&in, 1), at = take(&in, 1) % (DVSEC_MAX_LEN + 4), events;
		unsigned int n = 1 + op % 8;
		u8 buf[8];

		if (op & 0x80) {
			for (unsigned int i = 0; i < ARRAY_SIZE(live); i++)
				live[i] = take(&in, 2);
			cxl_vfio_dvsec_set_live(&dvsec, live);
			continue;
		}
		for (unsigned int i = 0; i < n; i++)
			buf[i] = take(&in, 1);
		cxl_vfio_dvsec_read(&dvsec, 0, was, sizeof(was));
		events = cxl_vfio_dvsec_write(&dvsec, at, buf, n);
		cxl_vfio_dvsec_read(&dvsec, 0, is, sizeof(is));
		check_write(was, is, dvsec.len, at, n);
		assert(!events || (at <= 0x10 && at + n > 0x10 && view.guest_reset));
		assert(!(events & DVSEC_EVENT_RESET) || (cap & CXL_VFIO_DVSEC_CAP_RST));
		assert(!(events & DVSEC_EVENT_WBI) || (cap & CXL_VFIO_DVSEC_CAP_WBI));
		cxl_vfio_dvsec_read(&dvsec, at, &byte, 1);
		assert(byte == is[at]);
	}
	return 0;
}
