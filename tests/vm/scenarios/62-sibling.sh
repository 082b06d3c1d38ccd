# SPDX-License-Identifier: GPL-2.0-only
# A card of two functions: what resets one of them resets the other.
# t2dev: @type3
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable
# memmap: 256M$0x100000000,256M$0x130000000

bdf=$(dev 1)
sibling=$(dev 2)
check "they are functions of one card" equal "${bdf%.0}" "${sibling%.1}"
t2ctl "$bdf" --lose=bus
check "the one with HDM memory is bound" equal "$(bind "$bdf")" 0
check "the other is bound" equal "$(bind "$sibling")" 0
DEVICE=$bdf SIBLING=$sibling LOSE=Y tap reset_test -t bus_above -t hot_reset_by_a_sibling
