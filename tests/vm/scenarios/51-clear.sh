# SPDX-License-Identifier: GPL-2.0-only
# Contents of HDM memory between users; the device cannot clear by itself.  With struct
# pages as well by make check-full.

bdf=$(dev)
try() { # keep pages
	modprobe cxl-vfio-pci "keep_memory=$1" "struct_pages=$2"
	check "binding works with keep_memory=$1 struct_pages=$2" equal "$(bind "$bdf")" 0
	DEVICE=$bdf KEEP=$1 tap clear_test
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
}

try N off
try Y off
! full || try N on
! full || try Y on
