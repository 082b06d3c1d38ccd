# SPDX-License-Identifier: GPL-2.0-only
# A card with two functions: a bus reset for one of them resets both.
# t2dev: @type3
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable
# t2dev: @igb
# memmap: 256M$0x100000000,256M$0x130000000

bdf=$(dev 1)
sibling=$(dev 2)
check "the two devices are functions of one card" equal "${bdf%.0}" "${sibling%.1}"
port=$(basename "$(readlink -f "$PCI/devices/$bdf/..")")
unmask() { lspci -vvs "$port" | grep -o 'UnmaskSBR[-+]'; }
t2ctl "$bdf" --lose=bus
check "the port above masks bus resets" equal "$(unmask)" UnmaskSBR-
check "the function with HDM memory binds" equal "$(bind "$bdf")" 0
check "the function without HDM memory binds" equal "$(bind "$sibling")" 0
check "the port lets bus resets through while the function is bound" equal "$(unmask)" UnmaskSBR+
DEVICE=$bdf SIBLING=$sibling LOSE=Y tap reset_test -t memory_survives_a_reset_of_the_bus -t memory_survives_a_hot_reset_of_a_sibling
unbind "$bdf"
check "the port masks bus resets again after unbinding" equal "$(unmask)" UnmaskSBR-
