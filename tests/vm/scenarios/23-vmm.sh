# SPDX-License-Identifier: GPL-2.0-only
# VMMs that know CXL, from their start over resets and reboots of the guest to the start
# of the next one, for each VMM interface: vmm_test.c has their steps.  The device keeps
# its decoders in resets or loses them.  Firmware may have locked them, which a VMM sees
# if host addresses are shown.
# t2dev: --decoder=0,base=0x130000000
# memmap: 256M$0x130000000

bdf=$(dev)
try() { # abi hide_hpa label
	local label="vmm_abi=$1 hide_hpa=$2, $3"

	modprobe cxl-vfio-pci "vmm_abi=$1" "hide_hpa=$2" keep_memory=1
	check "$label: the device binds" equal "$(bind "$bdf")" 0
	DEVICE=$bdf HPA=0x130000000 HIDE=$2 LABEL=$label tap vmm_test -f "$1"
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
}

for abi in v2 v3; do
	try $abi Y "decoders kept"
	try $abi N "decoders kept"
	t2ctl "$bdf" --lose=flr,cxl,bus
	try $abi Y "decoders lost"
	t2ctl "$bdf" restore
done

t2ctl "$bdf" --decoder=0,base=0x130000000,locked=1
try v2 N "decoders locked by firmware"
t2ctl "$bdf" restore

# vbar=auto makes a BAR for VMMs that do not know CXL
modprobe cxl-vfio-pci vmm_abi=v2
check "vmm_abi=v2: the device binds" equal "$(bind "$bdf")" 0
check "vmm_abi=v2: there is no virtual BAR beside the memory that the VMM maps" \
	equal "$(cat "$PCI/devices/$bdf/cxl_vfio/vbar")" none
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci vmm_abi=v2 vbar=4
check "vmm_abi=v2 vbar=4: the device binds" equal "$(bind "$bdf")" 0
check "vmm_abi=v2 vbar=4: a virtual BAR that is asked for is made" \
	equal "$(cat "$PCI/devices/$bdf/cxl_vfio/vbar")" 4
unbind "$bdf"
