#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Module of dracut, for add_dracutmodules: the initramfs binds devices to cxl-vfio-pci
check() { return 255; }

depends() { echo kernel-modules; }

installkernel() { hostonly='' instmods cxl-vfio-pci; }

install() {
	inst_multiple modprobe
	mkdir -p "${initdir:?}/usr/lib/udev/rules.d"
	/usr/share/cxl-vfio/initramfs-rules > "$initdir/usr/lib/udev/rules.d/60-cxl-vfio.rules"
}
