# SPDX-License-Identifier: GPL-2.0-only
# The machine itself: a stock kernel, and the software device where it belongs.

check "the software device is there" [ -n "$(dev)" ]
check "it is decoded as a CXL device" sh -c "lspci -vvv -s $(dev) | grep -q 'CXLCap:.*Cache+ IO+ Mem+'"
check "it has an IOMMU group of its own" \
	equal "$(ls "$PCI/devices/$(dev)/iommu_group/devices")" "$(dev)"
