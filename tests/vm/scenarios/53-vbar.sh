# SPDX-License-Identifier: GPL-2.0-only
# Device memory as a BAR: of a power of two, and of another size, then with struct
# pages.  vbar_test.c says what it should be.
# t2dev: --decoders=4 --decoder=0,base=5G,size=2G --decoder=1,base=7G,size=256M,committed=1 --decoder=2,base=0x1d0000000,size=512M,committed=1
# t2dev: --decoder=0,base=8G,size=64G
# memmap: 3G$5G,64G$8G
# mem: 72G

bdf=$(dev)
vbar() { cat "$PCI/devices/$bdf/cxl_vfio/vbar"; }
modprobe cxl-vfio-pci keep_memory=1
check "binding works" equal "$(bind "$bdf")" 0
check "the virtual BAR is in the free slot" equal "$(vbar)" 4
let_clear "$bdf"
DEVICE=$bdf BAR=4 SIZE=2048 tap vbar_test
unbind "$bdf"
modprobe -r cxl-vfio-pci

t2ctl "$bdf" --decoder=0,base=5G,size=768M
modprobe cxl-vfio-pci keep_memory=1 struct_pages=on
log_mark
check "a device with 768 MiB is bound" equal "$(bind "$bdf")" 0
check "its BAR has more" logged "$bdf: virtual BAR 4: 768 MiB of device memory in 1024 MiB"
let_clear "$bdf"
DEVICE=$bdf BAR=4 SIZE=768 tap vbar_test
unbind "$bdf"
t2ctl "$bdf" restore

modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci vbar=off
check "vbar=off binds" equal "$(bind "$bdf")" 0
check "without it" equal "$(vbar)" none
check "BAR 4 is what the device has there" sh -c "vfio_info $bdf | grep -q '^region 4 size 0 '"
unbind "$bdf"
