// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in for the driver that a device has of its own: it takes the software device as
 * soon as it is loaded, which udev does for it, and shows it as a network interface.
 */
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/pci.h>

#include "../../t2dev/t2dev_regs.h"

static int native_open(struct net_device *net)
{
	netif_carrier_on(net);
	return 0;
}

static int native_stop(struct net_device *net)
{
	netif_carrier_off(net);
	return 0;
}

static netdev_tx_t native_xmit(struct sk_buff *skb, struct net_device *net)
{
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops native_ops = {
	.ndo_open = native_open,
	.ndo_stop = native_stop,
	.ndo_start_xmit = native_xmit,
};

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct net_device *net = alloc_etherdev(0);
	int ret;

	if (!net)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (!ret) {
		SET_NETDEV_DEV(net, &pdev->dev);
		net->netdev_ops = &native_ops;
		eth_hw_addr_random(net);
		netif_carrier_off(net);
		ret = register_netdev(net);
	}
	if (ret) {
		free_netdev(net);
		return ret;
	}
	pci_set_drvdata(pdev, net);
	pci_info(pdev, "the native driver has the device\n");
	return 0;
}

static void remove(struct pci_dev *pdev)
{
	struct net_device *net = pci_get_drvdata(pdev);

	unregister_netdev(net);
	free_netdev(net);
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(T2DEV_VENDOR_ID, T2DEV_DEVICE_ID) },
	{}
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver t2native_driver = {
	.name = "t2native",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
};
module_pci_driver(t2native_driver);

MODULE_DESCRIPTION("A stand-in for the native driver of the software device");
MODULE_LICENSE("GPL");
