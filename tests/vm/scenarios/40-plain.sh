# SPDX-License-Identifier: GPL-2.0-only
# A function without HDM memory behaves as under vfio-pci.

nic=$(lspci -Dn -d 8086:10d3 | awk '{print $1}')
bdf=$(dev)

# Flags, regions and interrupts that VFIO reports to a VMM
facts() { vfio_info "$1"; }

[ -z "$(driver_of "$nic")" ] || unbind "$nic"
check "vfio-pci binds the network card" equal "$(bind "$nic" vfio-pci)" 0
stock=$(facts "$nic")
log_mark
check "this driver binds the network card" equal "$(bind "$nic")" 0
check "one log line says that the network card is assigned as a plain function" \
	equal "$(log_since | grep "$OURS $nic" | sed 's/.*0: //')" \
	"no CXL Device DVSEC, assigned as a plain PCI function"
check "a VMM sees the network card as under vfio-pci" equal "$(facts "$nic")" "$stock"
unbind "$nic"

t2ctl "$bdf" --misbehave=no-mem-capable
log_mark
check "a CXL device without Mem_Capable binds" equal "$(bind "$bdf")" 0
check "the log says that Mem_Capable is clear" logged "$bdf: CXL Device DVSEC: Mem_Capable is clear"
check "a VMM sees no HDM region of a device without Mem_Capable" sh -c "! vfio_info $bdf | grep -q '^region 9'"
unbind "$bdf"
t2ctl "$bdf" restore

modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci "disable_cxl=0000:00:1f.7,$bdf"
log_mark
check "disable_cxl=ADDRESS: the device binds" equal "$(bind "$bdf")" 0
check "disable_cxl=ADDRESS: the log says that the device is assigned as a plain function" logged "$bdf: named in disable_cxl, assigned as a plain PCI function"
check "disable_cxl=ADDRESS: a VMM sees no HDM region" sh -c "! vfio_info $bdf | grep -q '^region 9'"
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci disable_cxl=all
check "disable_cxl=all: the device binds" equal "$(bind "$bdf")" 0
check "disable_cxl=all: a VMM sees no HDM region" sh -c "! vfio_info $bdf | grep -q '^region 9'"
unbind "$bdf"
modprobe -r cxl-vfio-pci
log_mark
check "disable_cxl=0d:00.0: modprobe fails without the PCI domain" sh -c '! modprobe cxl-vfio-pci disable_cxl=0d:00.0 2>&1'
check "disable_cxl=0d:00.0: the log says what is expected" logged "disable_cxl=0d:00.0: expected 'all' or addresses"
