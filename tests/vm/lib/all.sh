# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# All of the lab, for scripts that boot machines; $here is tests/vm.

# shellcheck disable=SC2154
. "$here/lib/common.sh"
. "$here/lib/roots.sh"
. "$here/lib/layer.sh"
. "$here/lib/boot.sh"
. "$here/lib/reboot.sh"
[ "$LAB_ARCH" = amd64 ] || . "$here/lib/foreign.sh"

# Build the software device, the test programs and the packages
make_programs() {
	make -s -C "$TOP" t2dev vm-progs >&2 || die "the test programs do not build"
	mkdir -p "$BUILD"
	if [ "$LAB_ARCH" != amd64 ]; then
		make_foreign_programs || die "the test programs do not build for $LAB_ARCH"
	fi
	make_debs || die "the packages do not build"
}

# Prepare a series for booting, with an empty directory for its machine
ready_to_boot() { # series dir
	suite_of "$1" >/dev/null
	prepare "$1"
	make_programs
	mkdir -p "$BUILD/$1"
	note "installing the packages, with DKMS, for Linux $(kver_of "$1")"
	make_layer "$1" || die "the module does not install"
	rm -rf --one-file-system "$2"
	mkdir -p "$2"
	rm -f "$BUILD/$1/initramfs"
}
