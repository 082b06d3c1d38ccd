#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Module of dracut: what mounts the lab's root (root=lab)
# shellcheck disable=SC2154 # moddir is dracut's
check() { return 0; }

installkernel() { hostonly='' instmods virtio_pci 9pnet_virtio 9p overlay; }

install() {
	inst_multiple cp grep mkdir mount
	inst_simple /src/tests/vm/guest/mount-root.sh /mount-root.sh
	inst_hook cmdline 90 "$moddir/dracut-mount.sh"
	inst_hook mount 90 "$moddir/dracut-mount.sh"
}
