// SPDX-License-Identifier: GPL-2.0-only
/* The port above the device, whose mask for bus resets is off while a device is bound */
#include "device.h"
#include "../../src/cxl_vfio.h"

#define PORT		0x200
#define PORT_CTRL	(PORT + CXL_VFIO_DVSEC_PORT_CTRL)
#define UNMASK		CXL_VFIO_DVSEC_PORT_CTRL_UNMASK_SBR
#define OTHERS		0x4006		/* bits of the register that are not the driver's */

static struct pci_dev function[2];
static struct pci_dev *above;
static int references;
static struct cxl_vfio_device dev, second;

/* unit.config is the port's config space */
struct pci_dev *pci_upstream_bridge(struct pci_dev *pdev)
{
	assert_true(pdev == &function[0] || pdev == &function[1]);
	return above;
}

struct pci_dev *pci_dev_get(struct pci_dev *pdev)
{
	assert_ptr_equal(pdev, &unit.pdev);
	references++;
	return pdev;
}

void pci_dev_put(struct pci_dev *pdev)
{
	assert_ptr_equal(pdev, &unit.pdev);
	references--;
}

static int setup(void **state)
{
	unit_setup(state);
	put_cap(DOE, PCI_EXT_CAP_ID_DOE, PORT);
	put_dvsec(PORT, CXL_VFIO_DVSEC_ID_PORT, 0x28, 0);
	put16(PORT_CTRL, OTHERS);
	above = &unit.pdev;
	memset(&dev, 0, sizeof(dev));
	memset(&second, 0, sizeof(second));
	dev.core.pdev = &function[0];
	second.core.pdev = &function[1];
	return 0;
}

static int teardown(void **state)
{
	return references;
}

static void the_mask_is_off_while_a_device_is_bound(void **state)
{
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	assert_logged("the port 0000:0c:00.0 masks bus resets");
	assert_written({ PORT_CTRL, OTHERS | UNMASK });
	cxl_vfio_port_release(&dev);
	assert_written({ PORT_CTRL, OTHERS });
	assert_null(dev.port);
}

static void the_mask_returns_after_the_last_device_of_the_port(void **state)
{
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	assert_written({ PORT_CTRL, OTHERS | UNMASK });
	assert_int_equal(cxl_vfio_port_take(&second), 0);
	assert_nothing_written();
	cxl_vfio_port_release(&dev);
	assert_nothing_written();
	cxl_vfio_port_release(&second);
	assert_written({ PORT_CTRL, OTHERS });
}

static void a_mask_that_came_back_goes_before_the_next_reset(void **state)
{
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	assert_written({ PORT_CTRL, OTHERS | UNMASK });
	cxl_vfio_port_unmask(&dev);
	assert_nothing_written();
	put16(PORT_CTRL, 0);
	cxl_vfio_port_unmask(&dev);
	assert_written({ PORT_CTRL, UNMASK });
	cxl_vfio_port_release(&dev);
	assert_written({ PORT_CTRL, 0 });
	cxl_vfio_port_unmask(&dev);
	assert_nothing_written();
}

/* Which a reset of the port masks, as is the port's default */
static void a_port_that_masked_nothing_masks_nothing_after_the_unbind(void **state)
{
	put16(PORT_CTRL, UNMASK);
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	put16(PORT_CTRL, 0);
	cxl_vfio_port_unmask(&dev);
	assert_written({ PORT_CTRL, UNMASK });
	cxl_vfio_port_release(&dev);
	assert_nothing_written();
}

static void bits_that_changed_meanwhile_stay_as_they_are(void **state)
{
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	assert_written({ PORT_CTRL, OTHERS | UNMASK });
	put16(PORT_CTRL, UNMASK | 0x0008);
	cxl_vfio_port_release(&dev);
	assert_written({ PORT_CTRL, 0x0008 });
}

static void a_port_that_masks_nothing_is_left_alone(void **state)
{
	put16(PORT_CTRL, OTHERS | UNMASK);
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	cxl_vfio_port_release(&dev);
	assert_nothing_written();
	assert_nothing_logged();
}

static void a_port_that_is_no_cxl_port_is_left_alone(void **state)
{
	put16(PORT + 8, CXL_VFIO_DVSEC_ID_FLEXBUS_PORT);
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	cxl_vfio_port_release(&dev);
	assert_nothing_written();
}

static void a_device_of_the_root_complex_has_no_port(void **state)
{
	above = NULL;
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	cxl_vfio_port_release(&dev);
	assert_nothing_written();
}

static void a_port_that_goes_while_it_is_looked_at_masks_nothing(void **state)
{
	put16(PORT_CTRL, 0xffff);
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	assert_nothing_logged();
	cxl_vfio_port_release(&dev);
	assert_nothing_written();
}

static void a_port_that_is_gone_is_not_written(void **state)
{
	assert_int_equal(cxl_vfio_port_take(&dev), 0);
	assert_written({ PORT_CTRL, OTHERS | UNMASK });
	unit.gone = true;
	cxl_vfio_port_release(&dev);
	assert_nothing_written();
}

static void without_memory_nothing_is_written(void **state)
{
	unit.no_memory = true;
	assert_int_equal(cxl_vfio_port_take(&dev), -ENOMEM);
	assert_null(dev.port);
	assert_nothing_written();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(the_mask_is_off_while_a_device_is_bound),
		T(the_mask_returns_after_the_last_device_of_the_port),
		T(a_mask_that_came_back_goes_before_the_next_reset),
		T(a_port_that_masked_nothing_masks_nothing_after_the_unbind),
		T(bits_that_changed_meanwhile_stay_as_they_are),
		T(a_port_that_masks_nothing_is_left_alone),
		T(a_port_that_is_no_cxl_port_is_left_alone),
		T(a_device_of_the_root_complex_has_no_port),
		T(a_port_that_goes_while_it_is_looked_at_masks_nothing),
		T(a_port_that_is_gone_is_not_written),
		T(without_memory_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
