# SPDX-License-Identifier: GPL-2.0-only
# A CXL Type-2 device is bound by driver_override, found out and let go again.

bdf=$(dev)
# The windows of the kernel's topology, if there is one, stay as well
modprobe -q cxl_acpi
before=$(iomem)

log_mark
check "binding works" equal "$(bind "$bdf")" 0
check "the driver's link says so" equal "$(driver_of "$bdf")" "$OURS"
check "the log names the range of the decoder" \
	logged "$bdf: HDM decoder 0: \[mem 0x100000000-0x10fffffff\], 256 MiB"
check "the range is claimed" grep -q "100000000-10fffffff : $OURS" /proc/iomem
check "unloading is refused while bound" sh -c '! rmmod cxl_vfio_pci 2>/dev/null'
check "the module is still there" grep -q "^$OURS " /proc/modules
unbind "$bdf"
check "unbinding gives the range back" equal "$(iomem)" "$before"

rounds=0
for _ in $(seq 50); do
	[ "$(bind "$bdf")" = 0 ] || break
	unbind "$bdf"
	rounds=$((rounds + 1))
done
check "50 rounds of binding and unbinding work" equal "$rounds" 50
check "and leave /proc/iomem as it was" equal "$(iomem)" "$before"
check "the module unloads when nothing is bound" rmmod cxl_vfio_pci

# A machine without topology, or a kernel that takes no Type-2 devices there
[ -z "$(grep 'CXL Window' /proc/iomem)" ] || return 0
errno=EOPNOTSUPP why="this kernel's cxl-core takes no Type-2 devices"
! has topology || errno=EADDRNOTAVAIL why="no CXL window of the platform's CEDT"
modprobe cxl-vfio-pci cxl_core=require
log_mark
check "cxl_core=require is refused" equal "$(bind "$bdf")" $errno
check "and the log says why" logged "$bdf: cxl_core=require: $why"
modprobe -r cxl-vfio-pci
log_mark
check "a wrong cxl_core is refused" sh -c '! modprobe cxl-vfio-pci cxl_core=maybe 2>&1'
check "with a line that says how it goes" logged "cxl_core=maybe: expected auto, require or off"
