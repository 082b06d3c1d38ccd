# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# All of the lab, for the scripts that boot machines; $here is their directory.

# shellcheck disable=SC2154
. "$here/lib/common.sh"
. "$here/lib/roots.sh"
. "$here/lib/layer.sh"
. "$here/lib/boot.sh"

# What runs outside and inside the machine; the tool with the libraries of trixie
make_programs() {
	make -s -C "$TOP" t2dev vm-progs >&2 || die "the test programs do not build"
	in_root "$(root_of 7.3)" "$TOP=/src" -- make -s -C /src/tools O=/src/build/tools >&2 ||
		die "the tool does not build"
}

# Everything that booting a series takes, its machine's directory empty
ready_to_boot() { # series dir
	suite_of "$1" >/dev/null
	prepare "$1" 7.3
	make_programs
	mkdir -p "$BUILD/$1"
	note "installing the module with DKMS for Linux $(kver_of "$1")"
	make_layer "$1" || die "the module does not install"
	rm -rf --one-file-system "$2"
	mkdir -p "$2"
	rm -f "$BUILD/$1/initramfs"
}
