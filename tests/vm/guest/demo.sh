# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# `make demo`, step by step; ends at the first step that fails.

set -e -o pipefail
modprobe ccp 2>/dev/null || true
modprobe kvm-amd 2>/dev/null || true
bdf=$(dev)

step() { printf '\n== %s\n' "$*"; }
run() { echo "# $*"; eval "$*"; }

step "The device in lspci ($(uname -sr), a stock Debian kernel)"
run "lspci -vvv -s $bdf | grep -E '^[0-9a-f]|Region|CXL|Vendor=1e98|Kernel driver'"

step "The packages, which apt has installed, and the module, which DKMS has built"
run "dpkg-query -W 'cxl-vfio*'"
run "dkms status"
run "cxl-vfio list"

step "Bind the device by driver_override, as for any VFIO driver"
run "modprobe cxl-vfio-pci"
run "echo $OURS > $PCI/devices/$bdf/driver_override"
run "echo $bdf > $PCI/drivers_probe"
run "readlink $PCI/devices/$bdf/driver"
equal "$(driver_of "$bdf")" "$OURS"

step "The driver's log and its claim in /proc/iomem"
run "dmesg | grep $OURS"
run "grep -B1 $OURS /proc/iomem"

if [ "$(cat "$PCI/devices/$bdf/cxl_vfio/topology")" != none ]; then
	step "The device in the kernel's CXL topology"
	run "cxl list -vvv 2>/dev/null"
fi

step "A VMM's part: map device memory, share it with the device, DMA and interrupt"
run "demo $bdf"

if [ -c /dev/kvm ] && has topology; then
	step "A stock guest in stock QEMU with KVM, whose CXL stack finds the device's memory"
	. /src/tests/vm/guest/topology.sh
	run "cxl-vfio qemu --topology $bdf"
	topology_options "$bdf"
	# shellcheck disable=SC2154 # topology_options sets it
	topology_boot "${qemu[@]}" > /dev/null
	sed -n '/^guest: cxl list/,/^guest: unbound/{/^guest: /!p}' "$NESTED"/lines
	grep -E 't2cxl: (ok|FAIL|finished)' "$NESTED"/lines
	[ "$(grep -c 't2cxl: finished' "$NESTED"/lines)" = 3 ]
	grep -q 't2cxl: FAIL' "$NESTED"/lines && exit 1
elif [ -c /dev/kvm ]; then
	step "A stock guest in stock QEMU with KVM, whose driver uses the device"
	. /src/tests/vm/guest/nested.sh
	nested_boot "$bdf" kvm -cpu host
	grep -E 't2guest: (ok|FAIL|finished)|Region|CXLCap|Range1' "$NESTED"/console.log
	grep -q 't2guest: finished' "$NESTED"/console.log
	grep -q 't2guest: FAIL' "$NESTED"/console.log && exit 1
fi

step "Unbind the device"
run "echo $bdf > $PCI/devices/$bdf/driver/unbind"
run "echo > $PCI/devices/$bdf/driver_override"
[ -z "$(driver_of "$bdf")" ]
grep -q "$OURS" /proc/iomem && exit 1
echo "The device is unbound, and /proc/iomem has no claim of the driver."
