# SPDX-License-Identifier: GPL-2.0-only
# Contents of HDM memory between users; the device cannot clear by itself.

bdf=$(dev)
for keep in N Y; do
	modprobe cxl-vfio-pci keep_memory=$keep
	check "binding works with keep_memory=$keep" equal "$(bind "$bdf")" 0
	DEVICE=$bdf KEEP=$keep tap clear_test
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
done
