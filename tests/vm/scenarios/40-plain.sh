# SPDX-License-Identifier: GPL-2.0-only
# A function without HDM memory is what vfio-pci makes of it.

nic=$(lspci -Dn -d 8086:10d3 | awk '{print $1}')
bdf=$(dev)

# What a VMM is told of a device: flags, regions, interrupts
facts() { vfio_info "$1"; }

[ -z "$(driver_of "$nic")" ] || unbind "$nic"
check "vfio-pci binds the network card" equal "$(bind "$nic" vfio-pci)" 0
stock=$(facts "$nic")
log_mark
check "so does this driver" equal "$(bind "$nic")" 0
check "saying that it is plain, in one line" \
	equal "$(log_since | grep "$OURS $nic" | sed 's/.*0: //')" \
	"no CXL Device DVSEC, assigned as a plain PCI function"
check "a VMM is told the same" equal "$(facts "$nic")" "$stock"
unbind "$nic"

t2ctl "$bdf" --misbehave=no-mem-capable
log_mark
check "a CXL device without Mem_Capable is bound" equal "$(bind "$bdf")" 0
check "as a plain one" logged "$bdf: CXL Device DVSEC: Mem_Capable is clear"
check "that a VMM sees no CXL of" sh -c "! vfio_info $bdf | grep -q '^region 9'"
unbind "$bdf"
t2ctl "$bdf" restore

modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci "disable_cxl=0000:00:1f.7,$bdf"
log_mark
check "disable_cxl=ADDRESS binds" equal "$(bind "$bdf")" 0
check "as a plain device" logged "$bdf: named in disable_cxl, assigned as a plain PCI function"
check "with the regions that vfio-pci has" sh -c "! vfio_info $bdf | grep -q '^region 9'"
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci disable_cxl=all
check "disable_cxl=all binds" equal "$(bind "$bdf")" 0
check "as a plain device too" sh -c "! vfio_info $bdf | grep -q '^region 9'"
unbind "$bdf"
modprobe -r cxl-vfio-pci
log_mark
check "a wrong disable_cxl is refused" sh -c '! modprobe cxl-vfio-pci disable_cxl=0d:00.0 2>&1'
check "with a line that says how it goes" logged "disable_cxl=0d:00.0: expected 'all' or addresses"
