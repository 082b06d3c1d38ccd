# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by the scripts of the lab: paths, messages, packages, root file systems.

# shellcheck disable=SC2034 # for the scripts that read this
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck disable=SC2034
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/cxl-vfio-pci
. "$TOP/tests/vm/lib/series.sh"
# shellcheck disable=SC2034
BUILD=$TOP/build/vm
[ "$LAB_ARCH" = amd64 ] || BUILD=$TOP/build/vm-$LAB_ARCH
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

note() { echo "lab: $*" >&2; }
die() { echo "lab: $*" >&2; exit 1; }

# The Debian release whose packages have a kernel series
suite_of() { # series
	local suite

	suite=$(series_field "$1" 2)
	[ -n "$suite" ] || die "no kernel series '$1', there are: $ALL_KERNELS"
	echo "$suite"
}

# Install those of the packages that are missing.  With INSTALL=no in the environment, or
# without root, only print them.
need_packages() { # package...
	local missing=() p

	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' ||
			missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] && return
	[ "${INSTALL:-yes}" != no ] || die "INSTALL=no: please install ${missing[*]}"
	[ "$(id -u)" -eq 0 ] || die "run as root, or install ${missing[*]}"
	note "installing ${missing[*]}"
	apt-get -qq update >&2 || true
	apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
		"${missing[@]}" >/dev/null </dev/null || die "cannot install ${missing[*]}"
}

# in_root DIR [BIND=/inside...] -- COMMAND...: run a command in a root file system.  Its
# mounts are private to the command and end with it.
# shellcheck disable=SC2016 # the script's own variables
in_root() {
	unshare --mount --propagation private bash -c '
		set -e
		root=$1; shift
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t sysfs sysfs "$root/sys"
		while [ "$1" != -- ]; do
			mkdir -p "$root${1#*=}"
			mount --bind "${1%%=*}" "$root${1#*=}"
			shift
		done
		shift
		exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive INITRD=No "$@"
	' in_root "$@"
}
