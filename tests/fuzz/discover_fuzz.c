// SPDX-License-Identifier: GPL-2.0-only
/*
 * Discovery with any config space and BAR.  A device that it accepts must meet its
 * promises, and the models made from the device must not show the host address.
 */
#include "device.h"
#include "../../src/discover.h"

static void check_ranges(const struct cxl_vfio_found *found)
{
	assert(found->nr_ranges && found->nr_ranges <= CXL_VFIO_HDM_MAX_DECODERS);
	for (unsigned int i = 0; i < found->nr_ranges; i++) {
		const struct cxl_vfio_hdm_range *r = &found->range[i];

		assert(r->size && !((r->base | r->size) % CXL_VFIO_HDM_GRANULE));
		assert(r->base <= UINT64_MAX - (r->size - 1));
		assert(r->by_dvsec == found->by_ranges);
		assert(r->decoder < (found->by_ranges ? 2 : CXL_VFIO_HDM_MAX_DECODERS));
		for (unsigned int j = 0; j < i; j++)
			assert(r->base > found->range[j].base + (found->range[j].size - 1) ||
			       found->range[j].base > r->base + (r->size - 1));
	}
}

static void check_block(const struct cxl_vfio_found *found)
{
	const struct resource *bar = &fuzz_device.pdev.resource[found->bar];
	u32 entries = found->cm[0] >> 24;

	assert(bar->flags & IORESOURCE_MEM);
	assert(found->block_offset <= bar->size &&
	       bar->size - found->block_offset >= CXL_VFIO_COMP_BLOCK_SIZE);
	assert(!(found->hdm_offset % 4));
	assert(found->hdm_offset ? found->hdm_offset >= 4 * (entries + 1) : found->by_ranges);
}

static void check_found(const struct cxl_vfio_found *found)
{
	assert(found->dvsec >= PCI_CFG_SPACE_SIZE &&
	       found->dvsec + found->dvsec_len <= FUZZ_CFG_SIZE);
	if (cxl_vfio_has_comp(found))
		check_block(found);
	else
		assert(found->bar == CXL_VFIO_BAR_NONE && found->by_ranges &&
		       !found->hdm_offset && !found->cm[0]);
	assert(found->dvsec_ctrl & CXL_VFIO_DVSEC_CTRL_MEM_ENABLE);
	check_ranges(found);
}

static void check_view(const struct cxl_vfio_found *found)
{
	const struct cxl_vfio_view view = { .hide_hpa = true };
	static struct cxl_vfio_comp comp;
	u64 end = 0;

	memset(&comp, 0, sizeof(comp));
	cxl_vfio_comp_init(&comp, found->cm, found->hdm_offset, &view, true);
	assert(found->hdm_offset + cxl_vfio_hdm_size(&comp.hdm) <= CXL_VFIO_CM_SIZE);
	for (unsigned int n = 0; n < comp.hdm.count; n++) {
		u32 at = CXL_VFIO_CM_OFFSET + found->hdm_offset + CXL_VFIO_HDM_DECODER(n);
		u64 backed = comp.hdm.decoder[n].backed, base = backed ? end : 0;

		/* In place of the host address the sum of the sizes before */
		assert(cxl_vfio_comp_read(&comp, at, VIA_REGION) == lower_32_bits(base));
		assert(cxl_vfio_comp_read(&comp, at + 4, VIA_REGION) == upper_32_bits(base));
		end += backed;
	}
	for (u32 at = CXL_VFIO_CM_OFFSET - 8; at < 2 * CXL_VFIO_CM_OFFSET + 8; at += 4) {
		cxl_vfio_comp_write(&comp, at, ~0U, VIA_REGION);
		cxl_vfio_comp_read(&comp, at, VIA_REGION);
	}
}

/* The ranges are intact until a register changes */
static void check_ranges_intact(struct input *in, const struct cxl_vfio_found *found)
{
	assert(cxl_vfio_ranges_intact(&fuzz_device.pdev, found));
	fuzz_device_patch(in);
	cxl_vfio_ranges_intact(&fuzz_device.pdev, found);
	fuzz_device.gone = true;
	assert(!cxl_vfio_ranges_intact(&fuzz_device.pdev, found));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static struct cxl_vfio_found found;
	struct input in = { data, len };
	int ret;

	fuzz_device_init();
	memset(&found, 0, sizeof(found));
	fuzz_device_patch(&in);
	ret = cxl_vfio_discover(&fuzz_device.pdev, &found);
	assert(ret <= 0 && ret > -4096);
	if (ret || !found.is_cxl)
		return 0;
	check_found(&found);
	check_view(&found);

	if (found.by_ranges) {
		check_ranges_intact(&in, &found);
		return 0;
	}
	/* The decoders are intact until a register changes */
	pci_enable_device_mem(&fuzz_device.pdev);
	assert(cxl_vfio_decoders_intact(cxl_vfio_map_cm(&fuzz_device.pdev, &found), &found));
	fuzz_device_patch(&in);
	cxl_vfio_decoders_intact(fuzz_device.bar + found.block_offset + CXL_VFIO_CM_OFFSET, &found);
	fuzz_device.gone = true;
	assert(!cxl_vfio_decoders_intact(fuzz_device.bar + found.block_offset + CXL_VFIO_CM_OFFSET,
					 &found));
	pci_disable_device(&fuzz_device.pdev);
	return 0;
}
