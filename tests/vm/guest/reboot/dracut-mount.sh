#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Hook of dracut for the command line, which accepts root=lab, and for mounting the root
# shellcheck disable=SC2034 # dracut's
if [ -z "$rootok" ]; then
	rootok=1
elif [ ! -d "$NEWROOT/proc" ]; then
	for module in virtio_pci 9pnet_virtio 9p overlay; do
		modprobe "$module"
	done
	. /mount-root.sh
	mount_root "$NEWROOT" || die "no root file system"
fi
