# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Compiling the module against one kernel's headers, in the root with the compilers.

# What the module is made of, and how it is compiled here
sources_key() {
	{
		cat Kbuild dkms.conf
		find src include -type f \( -name '*.[ch]' -o -name '*.sh' \) -print0 | sort -z |
			xargs -0 sha256sum
		declare -f compile
	} | sha256sum | cut -c1-16
}

# What was warned of; that another pahole made the kernel is no matter here, and what
# prepared sources export is judged apart
warnings() { # log
	grep -vE 'pahole version differs|modpost: .* undefined!|modpost: suppressed' "$1" | grep -E 'warning:|error:|WARNING|ERROR'
}

# compile OUT DIRS KDIR [MAKE-ARGUMENTS...]: build a copy with W=1; OUT gets log, and
# the module's vector of probes in probes.  Succeeds if nothing was warned of.
compile() {
	local out=$1 dirs=$2 kdir=$3

	shift 3
	mkdir -p "$out"
	rm -f "$out"/{log,probes,undefined}
	# shellcheck disable=SC2016 # the root's shell
	in_tools "$out" "$dirs" -- bash -c '
		rm -rf /tmp/m && mkdir /tmp/m && cd /tmp/m || exit
		tar -C /src --exclude="*.o" --exclude=".*.cmd" --exclude=generated.h \
			-c Kbuild dkms.conf include src | tar -x
		make -j2 -C "$1" M=/tmp/m W=1 "${@:2}" modules > /out/log 2>&1
		status=$?
		sed -n "s/^cxl-vfio-pci: probes: //p" /out/log > /out/probes
		[ ! -e cxl-vfio-pci.ko ] || nm -u cxl-vfio-pci.ko | sed "s/^ *U //" > /out/undefined
		exit $status' compile "$kdir" "$@" &&
		! warnings "$out/log"
}

# Is a kernel compiled by a compiler of testing's?
needs_newer() { [[ $1 == *+deb14-* || $1 != *+deb* && $1 != 6.1.* ]]; } # kver

# Make's arguments for an architecture and the compiler of Debian's kernels of a series
make_arguments() { # architecture kver
	local cc=gcc-14

	[[ $2 != 6.1.* && $2 != *+deb12-* ]] || cc=gcc-12
	! needs_newer "$2" || cc=gcc-16
	if [ "$1" = arm64 ]; then
		echo "ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-$cc"
	else
		echo "CC=$cc"
	fi
}

# Directories that packages of a kernel are unpacked in
directories_for() { # architecture kver version depends...
	packages_for "$@" | while read -r package arch version; do
		unpacked "$package" "$version" "$arch"
	done
	! needs_newer "$2" || echo "$TOOLS-testing/upper"
}
