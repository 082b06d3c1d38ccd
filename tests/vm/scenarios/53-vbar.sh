# SPDX-License-Identifier: GPL-2.0-only
# The virtual BAR: for memory whose size is a power of two, and for another size, with
# struct pages.  vbar_test.c has the expectations.
# t2dev: --decoders=4 --decoder=0,base=5G,size=2G --decoder=1,base=7G,size=256M,committed=1 --decoder=2,base=0x1d0000000,size=512M,committed=1
# t2dev: --decoder=0,base=8G,size=64G
# memmap: 3G$5G,64G$8G
# mem: 72G

bdf=$(dev)
vbar() { cat "$PCI/devices/$bdf/cxl_vfio/vbar"; }
modprobe t2lab
modprobe cxl-vfio-pci keep_memory=1
check "the device binds" equal "$(bind "$bdf")" 0
check "the virtual BAR takes the free slot 4" equal "$(vbar)" 4
let_clear "$bdf"
DEVICE=$bdf BAR=4 SIZE=2048 LABEL="2 GiB" tap vbar_test
unbind "$bdf"
modprobe -r cxl-vfio-pci

t2ctl "$bdf" --decoder=0,base=5G,size=768M
modprobe cxl-vfio-pci keep_memory=1 struct_pages=on
log_mark
check "a device with 768 MiB binds" equal "$(bind "$bdf")" 0
check "the virtual BAR of 768 MiB is rounded up to 1 GiB" logged "$bdf: virtual BAR 4: 768 MiB of device memory in 1024 MiB"
let_clear "$bdf"
DEVICE=$bdf BAR=4 SIZE=768 LABEL="768 MiB" tap vbar_test
unbind "$bdf"
t2ctl "$bdf" restore

modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci vbar=off
check "vbar=off: the device binds" equal "$(bind "$bdf")" 0
check "vbar=off: sysfs shows no virtual BAR" equal "$(vbar)" none
check "vbar=off: BAR 4 is empty, as in the device" sh -c "vfio_info $bdf | grep -q '^region 4 size 0 '"
unbind "$bdf"
