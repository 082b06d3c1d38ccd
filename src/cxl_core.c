// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's place in the kernel's own CXL topology, on kernels that let a driver
 * of a Type-2 device join it (compat/cxl_type2.c).  `cxl list` then shows the device,
 * and the host physical range is that of the region which cxl-core assembled.
 *
 * If cxl-core fails to add the device, it unbinds the driver soon afterwards.  So
 * this file first checks what cxl-core needs: windows and host bridges in the
 * platform's CEDT, and the decoders of every port above the device.
 */
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "cedt.h"
#include "cxl_vfio.h"

enum lack {
	LACK_NOTHING,
	LACK_INTERFACE,
	LACK_CLASS,
	LACK_DECODER,
	LACK_ONE_DECODER,
	LACK_ROOT_PORT,
	LACK_PORT_REGISTERS,
	LACK_HOST_BRIDGE,
	LACK_WINDOW,
	LACK_CXL_ACPI,
	LACK_SWITCH_DECODER,
	LACK_BRIDGE_DECODER,
};

/* Requirement that is missing for a place in the topology, and its errno and log text */
static const struct {
	int err;
	const char *what;
} lacks[] = {
	[LACK_INTERFACE] = { -EOPNOTSUPP,
		"this kernel's cxl-core takes no Type-2 devices" },
	[LACK_CLASS] = { -EPERM,
		"memory expanders belong to cxl_pci" },
	[LACK_DECODER] = { -ENODATA,
		"the memory is that of the DVSEC's ranges, and of no decoder" },
	[LACK_ONE_DECODER] = { -E2BIG,
		"cxl-core takes one decoder, the first" },
	[LACK_ROOT_PORT] = { -ENOTCONN,
		"the device is not below a root port" },
	[LACK_PORT_REGISTERS] = { -ENOTCONN,
		"a port above has no component registers" },
	[LACK_HOST_BRIDGE] = { -ENOENT,
		"the platform's CEDT does not name the host bridge" },
	[LACK_WINDOW] = { -EADDRNOTAVAIL,
		"no CXL window of the platform's CEDT to this host bridge holds the range" },
	[LACK_CXL_ACPI] = { -EUNATCH,
		"the kernel has no CXL window for the range, is cxl_acpi loaded?" },
	[LACK_SWITCH_DECODER] = { -ENXIO,
		"a switch above has no HDM decoder committed to exactly this range" },
	[LACK_BRIDGE_DECODER] = { -ENXIO,
		"the host bridge has no HDM decoder committed to exactly this range" },
};

/* Is the decoder with these registers committed to @range, without interleaving? */
static bool decoder_decodes(const u32 *decoder, const struct cxl_vfio_hdm_range *range)
{
	struct cxl_vfio_hdm_range its = cxl_vfio_decoder_range(decoder, 0);
	u32 ctrl = decoder[CXL_VFIO_HDM_CTRL / 4];

	return (ctrl & CXL_VFIO_HDM_CTRL_COMMITTED) && !FIELD_GET(CXL_VFIO_HDM_CTRL_IW, ctrl) &&
	       its.base == range->base && its.size == range->size;
}

/* Is any decoder of a CXL.cache/mem area committed to @range?  CXL r4.0 8.2.4 */
static bool area_decodes(const u32 *cm, const struct cxl_vfio_hdm_range *range)
{
	unsigned int entries = FIELD_GET(CXL_VFIO_CM_CAP_HDR_ARRAY_SIZE, cm[0]);

	for (unsigned int i = 1; i <= entries; i++) {
		u32 hdm = FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_PTR, cm[i]) & ~3U;
		unsigned int count;

		if (FIELD_GET(CXL_VFIO_CM_CAP_ENTRY_ID, cm[i]) != CXL_VFIO_CM_CAP_ID_HDM)
			continue;
		count = cxl_vfio_hdm_decoder_count(cm[hdm / 4]);
		if (hdm + CXL_VFIO_HDM_DECODER(count) > CXL_VFIO_CM_SIZE)
			continue;
		for (unsigned int n = 0; n < count; n++)
			if (decoder_decodes(&cm[(hdm + CXL_VFIO_HDM_DECODER(n)) / 4], range))
				return true;
	}
	return false;
}

/* Do the registers at @block decode @range?  Returns @lack if not, or -ENOMEM */
static int port_lacks(u64 block, const struct cxl_vfio_hdm_range *range, enum lack lack)
{
	void __iomem *regs;
	int ret = -ENOMEM;
	u32 *cm;

	/* Firmware may give a wrong address, which is no lack of memory */
	if (region_intersects(block, CXL_VFIO_COMP_BLOCK_SIZE, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return lack;
	regs = ioremap(block + CXL_VFIO_CM_OFFSET, CXL_VFIO_CM_SIZE);
	cm = kzalloc(CXL_VFIO_CM_SIZE, GFP_KERNEL);
	if (regs && cm) {
		cxl_vfio_read_cm(regs, cm);
		ret = area_decodes(cm, range) ? LACK_NOTHING : lack;
	}
	kfree(cm);
	if (regs)
		iounmap(regs);
	return ret;
}

/* Check the ports between the device and its host bridge: an enum lack or -ENOMEM */
static int ports_lack(struct pci_dev *pdev, const struct cxl_vfio_hdm_range *range)
{
	for (struct pci_dev *port = pci_upstream_bridge(pdev); port;
	     port = pci_upstream_bridge(port)) {
		u64 block;
		int ret = cxl_vfio_component_block(port, &block);

		if (ret)
			return ret == -ENOMEM ? ret : LACK_PORT_REGISTERS;
		if (pci_pcie_type(port) != PCI_EXP_TYPE_UPSTREAM)
			continue;
		ret = port_lacks(block, range, LACK_SWITCH_DECODER);
		if (ret)
			return ret;
	}
	return LACK_NOTHING;
}

/* What the topology needs and the platform does not have: an enum lack or -ENOMEM */
static int cxl_vfio_find_lack(struct cxl_vfio_device *dev)
{
	const struct cxl_vfio_found *found = dev->found;
	const struct cxl_vfio_hdm_range *range = &found->range[0];
	struct pci_dev *pdev = dev->core.pdev;
	struct cxl_vfio_cedt cedt;
	int lack;

	if (!CXL_VFIO_CXL_TYPE2)
		return LACK_INTERFACE;
	if (pdev->class >> 8 == PCI_CLASS_MEMORY_CXL)
		return LACK_CLASS;
	if (found->by_ranges)
		return LACK_DECODER;
	if (found->nr_ranges != 1 || found->range[0].decoder)
		return LACK_ONE_DECODER;
	if (!pci_upstream_bridge(pdev))
		return LACK_ROOT_PORT;
	if (!cxl_vfio_cedt_read(pdev, range, &cedt) || !cedt.block)
		return LACK_HOST_BRIDGE;
	if (!cedt.exact)
		return LACK_WINDOW;
	if (region_intersects(range->base, range->size, IORESOURCE_MEM, IORES_DESC_CXL) !=
	    REGION_INTERSECTS)
		return LACK_CXL_ACPI;
	lack = ports_lack(pdev, range);
	return lack ?: port_lacks(cedt.block, range, LACK_BRIDGE_DECODER);
}

/* Note the enables that cxl-core turned on, so that they are restored after a reset */
static void note_enables(struct cxl_vfio_device *dev)
{
	u32 global = dev->found->hdm_offset + CXL_VFIO_HDM_GLOBAL_CTRL;

	dev->found->cm[global / 4] = readl(dev->cm_regs + global);
	pci_read_config_word(dev->core.pdev, dev->found->dvsec + CXL_VFIO_DVSEC_CTRL,
			     &dev->found->dvsec_ctrl);
}

static int cxl_vfio_join(struct cxl_vfio_device *dev)
{
	const struct cxl_vfio_hdm_range *ours = &dev->found->range[0];
	struct pci_dev *pdev = dev->core.pdev;
	struct range range = {};
	int ret;

	ret = pci_enable_device_mem(pdev);
	if (ret)
		return ret;
	ret = cxl_vfio_compat_cxl_join(pdev, dev->found->dvsec, ours->size, &range);
	if (!ret)
		note_enables(dev);
	pci_disable_device(pdev);
	if (ret) {
		pci_err(pdev, "cxl-core does not add the device (%d); see the log above, or bind with cxl_core=off\n",
			ret);
		return ret;
	}
	if (range.start != ours->base || range.end != cxl_vfio_range_end(ours)) {
		pci_err(pdev, "HDM decoder 0: [mem %#llx-%#llx], cxl-core's region is [mem %#llx-%#llx]; bind with cxl_core=off\n",
			ours->base, cxl_vfio_range_end(ours), range.start, range.end);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/**
 * cxl_vfio_topology_join() - join cxl-core's topology, if that is possible
 * @dev: the device, at bind, before its memory is claimed
 *
 * Return: 0, also if the device cannot join and need not; else a negative errno,
 * logged.
 */
int cxl_vfio_topology_join(struct cxl_vfio_device *dev)
{
	struct pci_dev *pdev = dev->core.pdev;
	int lack, ret;

	if (cxl_vfio_params->topology == TOPOLOGY_OFF)
		return 0;
	lack = cxl_vfio_find_lack(dev);
	if (lack < 0) {
		pci_err(pdev, "no host memory to look for the device's place in the CXL topology\n");
		return lack;
	}
	if (!lack) {
		ret = cxl_vfio_join(dev);
		dev->topology.joined = !ret;
		return ret;
	}
	if (cxl_vfio_params->topology == TOPOLOGY_REQUIRE) {
		pci_err(pdev, "cxl_core=require: %s\n", lacks[lack].what);
		return lacks[lack].err;
	}
	/* cxl_vfio_topology_watch() logs this, except on kernels without the interface */
	if (lack != LACK_INTERFACE)
		dev->topology.missing = lacks[lack].what;
	return 0;
}

/* The device or its region leaves the topology: another driver may get the memory */
static int topology_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct cxl_vfio_device *dev = container_of(nb, struct cxl_vfio_device, topology.nb);
	struct device *leaves = data;

	if (event != BUS_NOTIFY_UNBIND_DRIVER && event != BUS_NOTIFY_DEL_DEVICE)
		return NOTIFY_DONE;
	if (leaves != dev->topology.memdev && strcmp(dev_name(leaves), dev->topology.region))
		return NOTIFY_DONE;
	if (cxl_vfio_gate_set(dev, HOLD_EVICTED, true))
		pci_warn(dev->core.pdev, "%s is taken away, device memory stays closed; unbind the function, and bind it again\n",
			 dev_name(leaves));
	return NOTIFY_DONE;
}

/**
 * cxl_vfio_topology_watch() - close the gate if the device loses its place
 * @dev: the device, its memory claimed
 *
 * Registers for events of the device's memdev and region in cxl-core's topology, and
 * logs its place there, or the reason why it has none.
 *
 * Return: 0 or a negative errno.
 */
int cxl_vfio_topology_watch(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_topology *topology = &dev->topology;
	const struct resource *parent;
	int ret = -ENODEV;

	if (topology->missing)
		pci_info(dev->core.pdev, "not in the kernel's CXL topology: %s; taking the range from the device's own registers\n",
			 topology->missing);
	if (!topology->joined)
		return 0;
	parent = dev->mem[0].claim->parent;
	topology->memdev = cxl_vfio_compat_cxl_memdev(dev->core.pdev);
	if (!topology->memdev || !parent || !parent->name ||
	    strscpy(topology->region, parent->name, sizeof(topology->region)) < 0) {
		pci_err(dev->core.pdev, "cxl-core shows no memdev, or no region around the memory; bind with cxl_core=off\n");
		goto put;
	}
	topology->nb.notifier_call = topology_event;
	ret = bus_register_notifier(topology->memdev->bus, &topology->nb);
	if (ret)
		goto put;
	pci_info(dev->core.pdev, "in the kernel's CXL topology as %s, memory as %s\n",
		 dev_name(topology->memdev), topology->region);
	return 0;

put:
	put_device(topology->memdev);
	topology->memdev = NULL;
	return ret;
}

/**
 * cxl_vfio_topology_leave() - undo cxl_vfio_topology_watch()
 * @dev: the device; the driver core undoes the join itself at unbind
 */
void cxl_vfio_topology_leave(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_topology *topology = &dev->topology;

	if (!topology->memdev)
		return;
	bus_unregister_notifier(topology->memdev->bus, &topology->nb);
	put_device(topology->memdev);
	topology->memdev = NULL;
}
