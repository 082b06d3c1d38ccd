# SPDX-License-Identifier: GPL-2.0-only
# Accesses of all kinds through resets of mixed kinds, 1,000 with make check-full, half
# of them with struct pages: stress.c.

bdf=$(dev)
rounds=100
! full || rounds=500
modprobe cxl-vfio-pci struct_pages=off
check "binding works" equal "$(bind "$bdf")" 0
check "the device keeps its decoders: $rounds rounds" stress "$bdf" $rounds
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci struct_pages=on
check "binding works with struct pages" equal "$(bind "$bdf")" 0
t2ctl "$bdf" --lose=flr,cxl
check "the device loses its decoders: $rounds rounds" stress "$bdf" $rounds
t2ctl "$bdf" restore
unbind "$bdf"
