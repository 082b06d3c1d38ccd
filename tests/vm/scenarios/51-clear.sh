# SPDX-License-Identifier: GPL-2.0-only
# HDM memory is cleared between users unless keep_memory=Y.  make check-full repeats this
# with struct pages.

bdf=$(dev)
try() { # keep pages
	modprobe cxl-vfio-pci "keep_memory=$1" "struct_pages=$2"
	check "the device binds with keep_memory=$1 struct_pages=$2" equal "$(bind "$bdf")" 0
	DEVICE=$bdf KEEP=$1 LABEL="keep_memory=$1 struct_pages=$2" tap clear_test
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
}

try N off
try Y off
! full || try N on
! full || try Y on
