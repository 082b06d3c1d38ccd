# SPDX-License-Identifier: GPL-2.0-only
# Errors on the link of a card of two functions: error_test.c.
# t2dev: @type3
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable
# t2dev: @igb
# memmap: 256M$0x100000000,256M$0x130000000

bdf=$(dev 1)
sibling=$(dev 2)
modprobe t2lab
modprobe cxl-vfio-pci keep_memory=1
check "the function with HDM memory binds" equal "$(bind "$bdf")" 0
check "the other function is bound to the kernel helper" equal "$(bind "$sibling" t2lab)" 0
DEVICE=$bdf tap error_test
unbind "$sibling"
unbind "$bdf"
