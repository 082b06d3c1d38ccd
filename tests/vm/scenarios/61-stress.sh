# SPDX-License-Identifier: GPL-2.0-only
# Accesses of all kinds (stress.c) while the device is reset in mixed ways: 200 resets,
# 1,000 with make check-full, half of them with struct pages.

bdf=$(dev)
rounds=100
! full || rounds=500
modprobe cxl-vfio-pci struct_pages=off
check "the device binds" equal "$(bind "$bdf")" 0
check "accesses survive $rounds resets of a device that keeps its decoders" stress "$bdf" $rounds
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci struct_pages=on
check "the device binds with struct pages" equal "$(bind "$bdf")" 0
t2ctl "$bdf" --lose=flr,cxl
check "accesses survive $rounds resets of a device that loses its decoders" stress "$bdf" $rounds
t2ctl "$bdf" restore
unbind "$bdf"
