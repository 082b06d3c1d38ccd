# SPDX-License-Identifier: GPL-2.0-only
# A native driver in the initramfs that initramfs-tools made, and the commands against it.
# t2dev:
# t2dev: --decoder=0,base=0x110000000
# memmap: 512M$0x100000000
# smp: 2
# boots: 4
# initramfs: initramfs-tools
# full: yes
# needs: tools newest x86

. /src/tests/vm/guest/native.sh
native_boot "$(boot_number)" '>> /etc/initramfs-tools/modules; update-initramfs -u$' 'update-initramfs -u'
