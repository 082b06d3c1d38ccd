# SPDX-License-Identifier: GPL-2.0-only
# A function with SR-IOV creates virtual functions while bound, as with vfio-pci.
# t2dev: @type3
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable
# t2dev: @igb
# memmap: 256M$0x100000000,256M$0x130000000

bdf=$(lspci -Dn -d 8086:10c9 | awk '{ print $1 }')
sriov=$PCI/devices/$bdf/sriov_numvfs
functions() { lspci -Dn -d 8086:10ca | wc -l; }
drivers() {
	lspci -Dn -d 8086:10ca | while read -r vf _; do driver_of "$vf"; done | sort -u
}

log_mark
check "a function with SR-IOV binds" equal "$(bind "$bdf")" 0
check "enable_sriov=0: virtual functions are refused with ENOENT" \
	equal "$(sysfs_write "$sriov" 2)" ENOENT
check "enable_sriov=0: the log names the parameter" logged "$bdf: .*enable_sriov=1"
unbind "$bdf"
modprobe -r cxl-vfio-pci

modprobe cxl-vfio-pci enable_sriov=1
check "a function with SR-IOV binds with enable_sriov=1" equal "$(bind "$bdf")" 0
check "enable_sriov=1: two virtual functions are created" equal "$(sysfs_write "$sriov" 2)" 0
check "enable_sriov=1: there are two virtual functions" equal "$(functions)" 2
check "enable_sriov=1: this driver, and no other, has the virtual functions" equal "$(drivers)" "$OURS"
check "enable_sriov=1: the virtual functions are removed" equal "$(sysfs_write "$sriov" 0)" 0
check "enable_sriov=1: a virtual function is created once more" equal "$(sysfs_write "$sriov" 1)" 0
unbind "$bdf"
check "unbinding the function removes its virtual function" [ "$(functions)" = 0 ]
