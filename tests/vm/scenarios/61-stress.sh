# SPDX-License-Identifier: GPL-2.0-only
# Accesses of all kinds through 1,000 resets of mixed kinds: stress.c.

bdf=$(dev)
check "binding works" equal "$(bind "$bdf")" 0
check "the device keeps its decoders: 500 rounds" stress "$bdf" 500
t2ctl "$bdf" --lose=flr,cxl
check "the device loses its decoders: 500 rounds" stress "$bdf" 500
t2ctl "$bdf" restore
unbind "$bdf"
