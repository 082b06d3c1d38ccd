# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# mount_root DIR, for what runs in an initramfs: the shared root read-only under a writable
# layer in memory.  A machine that boots several times has a share "state" too: what the
# boots before changed in the root comes back from there, and the layer is seen in
# DIR/lab/upper, so that main.sh can save it.
mount_root() { # dir
	options=trans=virtio,version=9p2000.L,msize=262144,cache=loose
	mkdir -p /lower /rw /state
	mount -t 9p -o "ro,$options" root /lower &&
	mount -t tmpfs tmpfs /rw &&
	mkdir /rw/upper /rw/work || return
	if grep -q 'lab[.]boot=' /proc/cmdline; then
		mount -t 9p -o "${options%,cache=*}" state /state || return
		[ ! -d /state/upper ] || cp -a /state/upper/. /rw/upper/ || return
	fi
	mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work overlay "$1" || return
	mkdir -p "$1/src"
	mount -t 9p -o "ro,$options" src "$1/src" || return
	grep -q 'lab[.]boot=' /proc/cmdline || return 0
	mkdir -p "$1/lab/upper" "$1/lab/state"
	mount --bind /rw/upper "$1/lab/upper" && mount --bind /state "$1/lab/state"
}
