# SPDX-License-Identifier: GPL-2.0-only
# A CXL Type-2 device is bound by driver_override and unbound again.

bdf=$(dev)
# The CXL windows of a topology stay in /proc/iomem: load them before the first look
modprobe -q cxl_acpi
before=$(iomem)

log_mark
check "the device binds" equal "$(bind "$bdf")" 0
check "sysfs names this driver as the device's" equal "$(driver_of "$bdf")" "$OURS"
check "the log names the range of the decoder" \
	logged "$bdf: HDM decoder 0: \[mem 0x100000000-0x10fffffff\], 256 MiB"
grep -q 'CXL Window' /proc/iomem ||
	check "the log says that no CXL window of the platform confirms the range" \
		logged "$bdf: the platform names no CXL window to the device's host bridge"
check "/proc/iomem has the driver's claim on the range" grep -q "100000000-10fffffff : $OURS" /proc/iomem
check "rmmod is refused while a device is bound" sh -c '! rmmod cxl_vfio_pci 2>/dev/null'
check "the module stays loaded after the refused rmmod" grep -q "^$OURS " /proc/modules
unbind "$bdf"
check "unbinding releases the range" equal "$(iomem)" "$before"

rounds=0
for _ in $(seq 50); do
	[ "$(bind "$bdf")" = 0 ] || break
	unbind "$bdf"
	rounds=$((rounds + 1))
done
check "50 rounds of bind and unbind succeed" equal "$rounds" 50
check "50 rounds of bind and unbind leave /proc/iomem unchanged" equal "$(iomem)" "$before"
check "rmmod succeeds when no device is bound" rmmod cxl_vfio_pci

# CXL.cache stays as it is, or is off while the device is bound
cache() { lspci -vvs "$bdf" | sed -n 's/.*CXLCtl:\t\(Cache[-+]\).*/\1/p'; }
modprobe cxl-vfio-pci
bind "$bdf" > /dev/null
check "cxl_cache=keep: Cache_Enable stays on" equal "$(cache)" Cache+
check "cxl_cache=keep: sysfs says so" equal "$(cat "$PCI/devices/$bdf/cxl_vfio/cache")" on
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci cxl_cache=off
t2ctl "$bdf" --config-lock=1
log_mark
check "cxl_cache=off: bind fails with EACCES if CONTROL is locked" equal "$(bind "$bdf")" EACCES
check "cxl_cache=off: the log says why the bind fails" \
	logged "$bdf: cxl_cache=off: CONTROL reads 0x[0-9a-f]*, Cache_Enable cannot be turned off, CONFIG_LOCK is set"
t2ctl "$bdf" restore
t2ctl "$bdf" --lose=flr,cxl
check "cxl_cache=off: the device binds" equal "$(bind "$bdf")" 0
check "cxl_cache=off: Cache_Enable is off" equal "$(cache)" Cache-
check "cxl_cache=off: the device is reset" equal "$(vfio_reset "$bdf")" 0
check "cxl_cache=off: Cache_Enable stays off after resets" equal "$(cache)" Cache-
check "cxl_cache=off: sysfs says so" equal "$(cat "$PCI/devices/$bdf/cxl_vfio/cache")" off
unbind "$bdf"
t2ctl "$bdf" restore
modprobe -r cxl-vfio-pci
check "cxl_cache=no: modprobe fails" sh -c '! modprobe cxl-vfio-pci cxl_cache=no 2>&1'

# cxl_core=require on a machine without a CXL window
[ -z "$(grep 'CXL Window' /proc/iomem)" ] || return 0
errno=EOPNOTSUPP why="this kernel's cxl-core takes no Type-2 devices"
! has topology || errno=EADDRNOTAVAIL why="no CXL window of the platform's CEDT"
modprobe cxl-vfio-pci cxl_core=require
log_mark
check "cxl_core=require: bind fails with $errno without a CXL window" equal "$(bind "$bdf")" $errno
check "cxl_core=require: the log says why the bind fails" logged "$bdf: cxl_core=require: $why"
modprobe -r cxl-vfio-pci
log_mark
check "cxl_core=maybe: modprobe fails" sh -c '! modprobe cxl-vfio-pci cxl_core=maybe 2>&1'
check "cxl_core=maybe: the log lists the valid values" logged "cxl_core=maybe: expected auto, require or off"
