# SPDX-License-Identifier: GPL-2.0-only
# Memory that takes a while to clear, which nobody waits for but who opens the device; at
# last the device dies meanwhile.
# t2dev: --decoders=4 --decoder=0,base=5G,size=2G --decoder=1,base=7G,size=256M,committed=1 --decoder=2,base=0x1d0000000,size=512M,committed=1
# t2dev: --decoder=0,base=8G,size=64G
# memmap: 3G$5G,64G$8G
# mem: 72G

bdf=$(dev)
clearing=$PCI/devices/$bdf/cxl_vfio/clearing
modprobe t2lab
modprobe cxl-vfio-pci
# The device cannot do it by itself
t2ctl "$bdf" --mem-clear=0
check "the device binds with 2.75 GiB to clear" equal "$(bind "$bdf")" 0
check "the bind leaves memory to be cleared in the background" [ "$(cat "$clearing")" -gt 0 ]
DEVICE=$bdf HPA=0x140000000 KEEP=N LARGE=1 tap clear_test \
	-t close_leaves_it_to_others_and_open_waits_for_them -t an_open_that_waits_can_be_killed
unbind "$bdf"

# Of three decoders the second is lost: without clearing, which is another matter
modprobe -r cxl-vfio-pci
t2ctl "$bdf" restore
modprobe cxl-vfio-pci keep_memory=1
check "the device of three decoders binds with keep_memory=1" equal "$(bind "$bdf")" 0
DEVICE=$bdf DECODERS=3 tap lose_test -v second_decoder
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci
t2ctl "$bdf" --mem-clear=0

# The device dies here, so this is the last test
check "the device binds before it dies" equal "$(bind "$bdf")" 0
t2ctl "$bdf" die
sleep 3
left=$(cat "$clearing")
sleep 3
check "a device that dies is cleared no further" equal "$(cat "$clearing")" "$left"
check "a device that dies is not all cleared" within 1 "$left" $((3 * 1024 * 1024 * 1024))
unbind "$bdf"
check "a device that died can be unbound" [ -z "$(driver_of "$bdf")" ]
