// SPDX-License-Identifier: GPL-2.0-only
/*
 * The UAPI headers compile with the distribution's headers, in C and in C++, and every
 * structure has the layout that VMMs were built for.
 */
#include <stddef.h>

#include <linux/cxl_vfio_pci.h>
#include <linux/cxl_vfio_regs.h>

#ifdef __cplusplus
#define CHECK(expr)	static_assert(expr, #expr)
#else
#define CHECK(expr)	_Static_assert(expr, #expr)
#endif

typedef struct cxl_vfio_device_info_cap_v2 cap_v2;
typedef struct cxl_vfio_device_info_cap_v3 cap_v3;

#define AT(cap, field, offset, size)				\
	CHECK(offsetof(cap, field) == (offset) && sizeof(((cap *)0)->field) == (size))

AT(cap_v2, header, 0, 8);
AT(cap_v2, hdm_regs_bar_index, 8, 1);
AT(cap_v2, reserved, 9, 3);
AT(cap_v2, flags, 12, 4);
AT(cap_v2, hdm_regs_offset, 16, 8);
AT(cap_v2, dpa_region_index, 24, 4);
AT(cap_v2, comp_regs_region_index, 28, 4);
CHECK(sizeof(struct cxl_vfio_device_info_cap_v2) == 32);

AT(cap_v3, header, 0, 8);
AT(cap_v3, flags, 8, 4);
AT(cap_v3, hdm_region_idx, 12, 4);
AT(cap_v3, comp_reg_region_idx, 16, 4);
AT(cap_v3, comp_reg_bar, 20, 4);
AT(cap_v3, reserved, 24, 4);
AT(cap_v3, comp_reg_offset, 32, 8);
AT(cap_v3, comp_reg_size, 40, 8);
CHECK(sizeof(struct cxl_vfio_device_info_cap_v3) == 48);

CHECK(VFIO_DEVICE_FLAGS_CXL == 1 << 9);
CHECK(VFIO_DEVICE_INFO_CAP_CXL == 6);
CHECK(CXL_VFIO_REGION_TYPE == ((__u32)VFIO_REGION_TYPE_PCI_VENDOR_TYPE | 0x1e98));
CHECK(CXL_VFIO_REGION_SUBTYPE_HDM == 1);
CHECK(CXL_VFIO_REGION_SUBTYPE_COMP_REGS == 2);

CHECK(CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(0) == 0x18);
CHECK(CXL_VFIO_DVSEC_RANGE_SIZE_LOW(0) == 0x1c);
CHECK(CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0) == 0x20);
CHECK(CXL_VFIO_DVSEC_RANGE_BASE_LOW(0) == 0x24);
CHECK(CXL_VFIO_DVSEC_RANGE_SIZE_HIGH(1) == 0x28);
CHECK(CXL_VFIO_DVSEC_RANGE_BASE_LOW(1) == 0x34);
CHECK(CXL_VFIO_RLOC_ENTRY(0) == 0x0c);
CHECK(CXL_VFIO_RLOC_ENTRY(2) == 0x1c);
CHECK(CXL_VFIO_HDM_DECODER(0) == 0x10);
CHECK(CXL_VFIO_HDM_DECODER(1) + CXL_VFIO_HDM_CTRL == 0x40);
CHECK(CXL_VFIO_HDM_DECODER(31) == 0x3f0);
CHECK(CXL_VFIO_HDM_CTRL_COMMITTED == 1 << 10);

int main(void)
{
	return 0;
}
