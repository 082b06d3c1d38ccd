# SPDX-License-Identifier: GPL-2.0-only
# A card of two functions: what resets one of them resets the other.
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable

bdf=$(dev 0)
sibling=$(dev 1)
check "they are functions of one card" equal "${bdf%.0}" "${sibling%.1}"
t2ctl "$bdf" --lose=bus
check "the one with HDM memory is bound" equal "$(bind "$bdf")" 0
check "the other is bound" equal "$(bind "$sibling")" 0
DEVICE=$bdf SIBLING=$sibling LOSE=Y tap reset_test -t bus_above -t hot_reset_by_a_sibling
