# SPDX-License-Identifier: GPL-2.0-only
# The 1st, 2nd, 3rd ... allocation of bind and of unbind fails: progs/fault.c.
# needs: fault_injection
#
# Two faults of the kernel itself are kept out:
# - cxl-core leaves regions and endpoints behind when memory is short while it takes a
#   device into its topology.  So the device stays out of it.
# - vfio warns in vfio_group_release() when its vfio_create_group() fails.

. /src/tests/vm/guest/fault.sh
bdf=$(dev)
modprobe -q cxl_acpi
modprobe cxl-vfio-pci keep_memory=1 cxl_core=off
before=$(iomem)
echo "$OURS" > "$PCI/devices/$bdf/driver_override"
# ENOMEM is 12; EBUSY, 16, is from request_mem_region(), which does not say why it fails
fault_below_driver failslab
fault_but_below failslab ' vfio_device_set_group[.a-z0-9]*\t'
walk "allocation of slab memory" bind 12 16
walk "allocation of slab memory" unbind
# KASAN has a shadow page for every eight pages of a mapping, and allocates each by itself
fault_below_driver fail_page_alloc
fault_but_below fail_page_alloc ' (__)?kasan_populate_vmalloc[a-z_]*$'
walk "allocation of pages" bind 12 16
walk "allocation of pages" unbind
fault_nothing
check "the device binds afterwards" equal "$(bind "$bdf")" 0
unbind "$bdf"
check "/proc/iomem is as before" equal "$(iomem)" "$before"
