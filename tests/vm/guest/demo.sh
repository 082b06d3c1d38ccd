# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What `make demo` shows, step by step; ends at the first step that fails.

set -e -o pipefail
bdf=$(dev)

step() { printf '\n== %s\n' "$*"; }
run() { echo "# $*"; eval "$*"; }

step "The device, as the host's PCI bus shows it ($(uname -sr), a stock Debian kernel)"
run "lspci -vvv -s $bdf | grep -E '^[0-9a-f]|Region|CXL|Vendor=1e98|Kernel driver'"

step "The module, as DKMS installed it"
run "dkms status"

step "Bind it: driver_override, as for any VFIO driver"
run "modprobe cxl-vfio-pci"
run "echo $OURS > $PCI/devices/$bdf/driver_override"
run "echo $bdf > $PCI/drivers_probe"
run "readlink $PCI/devices/$bdf/driver"
equal "$(driver_of "$bdf")" "$OURS"

step "What the driver found"
run "dmesg | grep $OURS"
run "grep -B1 $OURS /proc/iomem"

if [ "$(cat "$PCI/devices/$bdf/cxl_vfio/topology")" != none ]; then
	step "In the kernel's own CXL topology"
	run "cxl list -vvv 2>/dev/null"
fi

step "A VMM's part: memory mapped, shared coherently with the device, DMA and interrupt"
run "demo $bdf"

step "Unbind"
run "echo $bdf > $PCI/devices/$bdf/driver/unbind"
run "echo > $PCI/devices/$bdf/driver_override"
[ -z "$(driver_of "$bdf")" ]
grep -q "$OURS" /proc/iomem && exit 1
echo "unbound; /proc/iomem is as it was"
