#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs, updates and refuses the module with real DKMS, in the lab's roots.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
. tests/vm/lib/common.sh
. tests/vm/lib/roots.sh

lab() { tests/vm/lab.sh "$@"; }
# Run a line of shell in the root of a series
inside() { lab run "$1" -- bash -c "set -e; kver=$(lab kver "$1"); cd /src; $2"; }
# For check: the line must fail with a message that matches REGEX
refused() { # series line regex
	local output status=0

	output=$(inside "$1" "$2" 2>&1) || status=$?
	[ "$status" -ne 0 ] && grep -qE "$3" <<< "$output" && return
	echo "ended with $status, expected it to say: $3"
	printf '%s\n' "$output"
	return 1
}

lab prepare || exit 1
older=$(series_of "$(suite_of "$NEWEST")" | head -n 1)
add="make -s install DESTDIR=/ >/dev/null && dkms add -q cxl-vfio-pci/\$version"
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
add=${add//\$version/$version}

check "the DKMS hook of a kernel update builds the module" \
	inside "$NEWEST" "make -s install KVER=$(lab kver "$older") && /etc/kernel/postinst.d/dkms \$kver &&
		dkms status | grep -q \"\$kver.*installed\" &&
		modinfo -k \$kver cxl-vfio-pci | grep -q '^version: *$version'"
check "make install twice leaves one module, make uninstall leaves none" \
	inside "$NEWEST" "make -s install KVER=\$kver && make -s install KVER=\$kver &&
		[ \$(dkms status cxl-vfio-pci | wc -l) = 1 ] && make -s uninstall &&
		! find /lib/modules /var/lib/dkms /usr/src -name '*cxl*vfio*' -not -path '*/linux-*' | grep ."
for series in ${ALL_KERNELS%% *} $NEWEST; do
	check "DKMS of $(suite_of "$series") refuses a kernel before 6.1 and says so" \
		refused "$series" "$add && dkms build cxl-vfio-pci/$version -k 5.10.0-1-amd64 \
			--kernelsourcedir /lib/modules/\$kver/build" 'BUILD_EXCLUSIVE'
	check "DKMS of $(suite_of "$series") refuses a kernel without vfio-pci-core and says so" \
		refused "$series" "for f in /boot/config-\$kver /lib/modules/\$kver/build/{.config,include/config/auto.conf}; do
			[ ! -e \$f ] || sed -i /CONFIG_VFIO_PCI_CORE/d \$f; done
			$add && dkms build cxl-vfio-pci/$version -k \$kver" 'BUILD_EXCLUSIVE'
done
copy="cp -r Kbuild dkms.conf src include /tmp && cd /tmp"
build="make -C /lib/modules/\$kver/build M=/tmp modules"
check "a probe that fits in no variant stops the build and is named" \
	refused "$NEWEST" "$copy && sed -i 's/^ \* asks 1: .*/ * asks 1: neither\n * asks 0: neither/' \
			src/compat/probes/vm_flags_set.c &&
		sed -i '1i #error neither' src/compat/probes/vm_flags_set.c && $build" \
	"not supported: probe 'vm_flags_set' fits in no variant"
check "a probe that fails for another reason than its own stops the build and is named" \
	refused "$NEWEST" "$copy &&
		echo '#include <linux/no_such_header.h>' >> src/compat/probes/pci_ops.c && $build" \
	"probe 'pci_ops' fails for another reason .*no_such_header.h"
check "a compiler that is missing is named, and no probe is" \
	refused "$NEWEST" "$copy && $build CC=gcc-99" "the compiler 'gcc-99' is not installed: install gcc-99"
check "gcc for a kernel that clang compiled is named, and no probe is" \
	refused "$NEWEST" "$copy && sed -i 's/^CONFIG_CC_VERSION_TEXT=.*/CONFIG_CC_VERSION_TEXT=\"clang version 19\"/' \
			/lib/modules/\$kver/build/include/config/auto.conf &&
		$build KCFLAGS=-mretpoline-external-thunk" "compiled by clang .*use make LLVM=1"
check "headers without Module.symvers are named" \
	refused "$NEWEST" "$copy && rm /lib/modules/\$kver/build/Module.symvers && $build" \
	'have no Module.symvers'
check "DKMS's log has the vector of probes, and so has the module" \
	inside "$NEWEST" "make install KVER=\$kver >/dev/null &&
		grep -h 'probes: .*cxl_type2=1 ' /var/lib/dkms/cxl-vfio-pci/*/\$kver/*/log/make.log &&
		modinfo -k \$kver -F probes cxl-vfio-pci | grep 'cxl_type2=1 '"
check "CXL_VFIO_IDS become the only vfio_pci aliases of the module" \
	inside "$NEWEST" "cp -r Kbuild dkms.conf src include /tmp && cd /tmp &&
		make -s -C /lib/modules/\$kver/build M=/tmp CXL_VFIO_IDS='1234:c712 1234:c713' modules &&
		modinfo -F alias cxl-vfio-pci.ko | sort | tr '\\n' ' ' |
		grep -x 'vfio_pci:v00001234d0000C712sv\*sd\*bc\*sc\*i\* vfio_pci:v00001234d0000C713sv\*sd\*bc\*sc\*i\* '"
finish
