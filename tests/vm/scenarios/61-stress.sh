# SPDX-License-Identifier: GPL-2.0-only
# Accesses of all kinds through resets of mixed kinds, 1,000 with make check-full:
# stress.c.

bdf=$(dev)
rounds=100
! full || rounds=500
check "binding works" equal "$(bind "$bdf")" 0
check "the device keeps its decoders: $rounds rounds" stress "$bdf" $rounds
t2ctl "$bdf" --lose=flr,cxl
check "the device loses its decoders: $rounds rounds" stress "$bdf" $rounds
t2ctl "$bdf" restore
unbind "$bdf"
