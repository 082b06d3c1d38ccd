# SPDX-License-Identifier: GPL-2.0-only
# On a host without an IOMMU the tool has the errno with which vfio-pci-core refuses the
# device.  The mode without an IOMMU, which the tool heeds, is in no kernel of Debian.
# needs: tools newest x86
# cmdline: intel_iommu=off

. /src/tests/vm/guest/verdicts.sh
bdf=$(dev)
modprobe cxl-vfio-pci
setpci -s "$bdf" COMMAND=2:2
facts "$bdf" > /tmp/facts
result=$(bind "$bdf")
echo > "$PCI/devices/$bdf/driver_override"
check "no IOMMU: the tool has the errno of vfio-pci-core" \
	equal "$(fact usable) $(fact errno) $(fact reason)" "false $result no-iommu-group"
