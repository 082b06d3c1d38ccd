# SPDX-License-Identifier: GPL-2.0-only
# The machine itself: a stock kernel with the software device.

check "lspci lists the software device" [ -n "$(dev)" ]
check "lspci decodes the software device as a CXL device" sh -c "lspci -vvv -s $(dev) | grep -q 'CXLCap:.*Cache+ IO+ Mem+'"
check "the software device has an IOMMU group of its own" \
	equal "$(ls "$PCI/devices/$(dev)/iommu_group/devices")" "$(dev)"
