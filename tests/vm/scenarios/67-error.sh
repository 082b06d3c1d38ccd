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
late=a_reset_by_root_after_that_of_the_link_loses_no_bars
DEVICE=$bdf tap error_test -T $late
unbind "$bdf"

# A function that is found again is the last one that recovery comes to
echo 1 > "$PCI/devices/$bdf/remove"
echo 1 > "$PCI/rescan"
check "the function binds after it was removed and found again" equal "$(bind "$bdf")" 0
DEVICE=$bdf LABEL="the other function first" tap error_test -t $late
unbind "$sibling"
unbind "$bdf"
