// SPDX-License-Identifier: GPL-2.0-only
/* What parameters ask of a device: CXL.cache off, and room for a virtual BAR */
#include "device.h"
#include "../../src/params.h"
#include "../../src/terms.h"

static struct cxl_vfio_params params;
const struct cxl_vfio_params *const cxl_vfio_params = &params;

static struct cxl_vfio_found found;
static bool ats;

bool pci_ats_supported(struct pci_dev *pdev)
{
	assert_ptr_equal(pdev, &unit.pdev);
	return ats;
}

static int setup(void **state)
{
	unit_setup(state);
	for (unsigned int bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		put32(PCI_BASE_ADDRESS_0 + 4 * bar, 0);
	memset(unit.pdev.resource, 0, sizeof(unit.pdev.resource));
	params = (struct cxl_vfio_params){ .cache = CACHE_OFF };
	found = (struct cxl_vfio_found){
		.dvsec = DVSEC, .dvsec_ctrl = CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE,
	};
	put16(DVSEC + CXL_VFIO_DVSEC_LOCK, 0);
	ats = false;
	return 0;
}

static void lock(void)
{
	put16(DVSEC + CXL_VFIO_DVSEC_LOCK, CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK);
}

static void cache_is_to_be_turned_off(void **state)
{
	assert_int_equal(cxl_vfio_check_cache(&unit.pdev, &found), 1);
	assert_nothing_logged();
	assert_nothing_written();
}

static void cache_is_left_alone_with_keep(void **state)
{
	params.cache = CACHE_KEEP;
	ats = true;
	lock();
	assert_int_equal(cxl_vfio_check_cache(&unit.pdev, &found), 0);
}

static void cache_that_is_off_needs_nothing(void **state)
{
	found.dvsec_ctrl = ~CXL_VFIO_DVSEC_CTRL_CACHE_ENABLE;
	lock();
	assert_int_equal(cxl_vfio_check_cache(&unit.pdev, &found), 0);
	ats = true;
	assert_int_equal(cxl_vfio_check_cache(&unit.pdev, &found), -EPERM);
	assert_logged("may turn on ATS");
}

static void cache_that_is_locked_is_refused(void **state)
{
	lock();
	assert_int_equal(cxl_vfio_check_cache(&unit.pdev, &found), -EACCES);
	assert_logged("Cache_Enable cannot be turned off, CONFIG_LOCK is set");
	/* Other bits of the register are no lock */
	put16(DVSEC + CXL_VFIO_DVSEC_LOCK, (u16)~CXL_VFIO_DVSEC_LOCK_CONFIG_LOCK);
	assert_int_equal(cxl_vfio_check_cache(&unit.pdev, &found), 1);
}

static void one_free_pair_of_bars_is_enough(void **state)
{
	for (unsigned int free = 0; free <= PCI_STD_NUM_BARS; free += 2) {
		setup(state);
		for (unsigned int bar = 0; bar < PCI_STD_NUM_BARS; bar += 2)
			if (bar != free)
				put32(PCI_BASE_ADDRESS_0 + 4 * bar, 0xc0000000);
		assert_int_equal(cxl_vfio_free_pair(&unit.pdev),
				 free < PCI_STD_NUM_BARS ? free : VBAR_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(cache_is_to_be_turned_off, setup),
		cmocka_unit_test_setup(cache_is_left_alone_with_keep, setup),
		cmocka_unit_test_setup(cache_that_is_off_needs_nothing, setup),
		cmocka_unit_test_setup(cache_that_is_locked_is_refused, setup),
		cmocka_unit_test_setup(one_free_pair_of_bars_is_enough, setup),
	};

	return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}
