// SPDX-License-Identifier: GPL-2.0-only
/*
 * The port above the device.  A CXL port masks the Secondary Bus Reset by default: a hot
 * reset, and recovery from a fatal error, then end without having reset anything.  The
 * reason for the mask is that such a reset loses HDM decoders, which this driver puts
 * back.  So the port lets resets through while any device below it is bound.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "cxl_vfio.h"

/**
 * struct cxl_vfio_port - a CXL port with devices bound below it
 * @node: in the list of such ports
 * @pdev: the port, with a reference
 * @ctrl: config space offset of its Port Control Extensions
 * @masked: it masked bus resets before the first device was bound
 * @users: devices bound below it
 */
struct cxl_vfio_port {
	struct list_head node;
	struct pci_dev *pdev;
	int ctrl;
	bool masked;
	unsigned int users;
};

static DEFINE_MUTEX(ports_lock);	/* protects the list and its ports */
static LIST_HEAD(ports);

/* Set Unmask SBR or clear it; returns whether that changed the register */
static bool set_unmask(const struct cxl_vfio_port *port, bool unmask)
{
	u16 old, val;

	lockdep_assert_held(&ports_lock);
	pci_read_config_word(port->pdev, port->ctrl, &old);
	if (PCI_POSSIBLE_ERROR(old))
		return false;
	val = old & ~CXL_VFIO_DVSEC_PORT_CTRL_UNMASK_SBR;
	if (unmask)
		val |= CXL_VFIO_DVSEC_PORT_CTRL_UNMASK_SBR;
	if (val != old)
		pci_write_config_word(port->pdev, port->ctrl, val);
	return val != old;
}

static struct cxl_vfio_port *find_port(const struct pci_dev *pdev)
{
	struct cxl_vfio_port *port;

	lockdep_assert_held(&ports_lock);
	list_for_each_entry(port, &ports, node)
		if (port->pdev == pdev)
			return port;
	return NULL;
}

static struct cxl_vfio_port *add_port(struct pci_dev *pdev, int dvsec)
{
	struct cxl_vfio_port *port = kzalloc(sizeof(*port), GFP_KERNEL);

	lockdep_assert_held(&ports_lock);
	if (!port)
		return NULL;
	port->pdev = pci_dev_get(pdev);
	port->ctrl = dvsec + CXL_VFIO_DVSEC_PORT_CTRL;
	list_add(&port->node, &ports);
	return port;
}

/**
 * cxl_vfio_port_take() - have the port above let bus resets through
 * @dev: the device, at bind
 *
 * CXL r4.0 8.1.5.2: Port Control Extensions, Unmask SBR.
 *
 * Return: 0 or -ENOMEM.
 */
int cxl_vfio_port_take(struct cxl_vfio_device *dev)
{
	struct pci_dev *pdev = pci_upstream_bridge(dev->core.pdev);
	struct cxl_vfio_port *port;
	int dvsec;

	dvsec = pdev ? pci_find_dvsec_capability(pdev, CXL_VFIO_DVSEC_VENDOR_ID,
						 CXL_VFIO_DVSEC_ID_PORT) : 0;
	if (!dvsec)
		return 0;
	mutex_lock(&ports_lock);
	port = find_port(pdev) ?: add_port(pdev, dvsec);
	if (port && !port->users++) {
		port->masked = set_unmask(port, true);
		if (port->masked)
			pci_info(dev->core.pdev, "the port %s masks bus resets; it lets them through while the device is bound\n",
				 pci_name(pdev));
	}
	dev->port = port;
	mutex_unlock(&ports_lock);
	return port ? 0 : -ENOMEM;
}

/**
 * cxl_vfio_port_unmask() - before a bus reset: let it through
 * @dev: the device, bound
 *
 * A reset of the port itself, or a sleep of the system, puts the mask back, and the PCI
 * core does not restore it.
 */
void cxl_vfio_port_unmask(struct cxl_vfio_device *dev)
{
	if (!dev->port)
		return;
	mutex_lock(&ports_lock);
	set_unmask(dev->port, true);
	mutex_unlock(&ports_lock);
}

/**
 * cxl_vfio_port_release() - undo cxl_vfio_port_take()
 * @dev: the device, at unbind
 */
void cxl_vfio_port_release(struct cxl_vfio_device *dev)
{
	struct cxl_vfio_port *port = dev->port;

	if (!port)
		return;
	mutex_lock(&ports_lock);
	dev->port = NULL;
	if (!--port->users) {
		if (port->masked)
			set_unmask(port, false);
		list_del(&port->node);
		pci_dev_put(port->pdev);
		kfree(port);
	}
	mutex_unlock(&ports_lock);
}
