# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The kernel series that the tests run on, and what each can do.  Every test asks here
# for an ability and never for a version.  To add a series, add a row, oldest first.

# series | Debian release | largest order of a mapped page | abilities
#
# kvm_pins       KVM takes a reference on each page that it maps, so the page array of
#                device memory is not folded
# memory_errors  the kernel reports errors in memory without struct pages to drivers
# setcpuid       setcpuid= on the command line sets a CPU flag
# dvsec          vfio-pci shows DVSECs to users
# topology       cxl-core takes Type-2 devices into its topology
# bar_moves      vfio-pci-core takes mappings of BARs away even if mremap() has moved them
# tools          the Debian release has the libraries of cxl-vfio, QEMU and driverctl
# nested         the tests boot a nested guest here, which takes minutes: at least one
#                series with kvm_pins and one without
# nested_topology a nested guest finds the device in a CXL topology.  Linux ends a loop of an
#                ACPI table after 30 seconds, and the loop that looks for the device takes
#                longer on the debug kernel
# guest          a guest of this kernel is booted that finds the device in a CXL topology,
#                with FULL=yes
# hostile        a hostile user of the device is tried here, which takes minutes: all series
#                have it with FULL=yes in the environment
# extra          not run unless it is named: 7.3-rt is 7.3 with PREEMPT_RT, 6.1-old the
#                oldest 6.1 that Debian's mirror has, 7.3-16k the flavour of arm64 with
#                pages of 16 KiB, 7.3-64k one with pages of 64 KiB, which Debian has no
#                flavour with
# built          the lab builds the kernel (built-kernel.sh): 7.3-iommufd is 7.3 with iommufd
# debug          7.3-debug is 7.3 with KASAN, lockdep, kmemleak and the like, which takes
#                several times as long
# iommufd        the kernel has iommufd and the character devices of VFIO devices
# fault_injection the kernel lets chosen allocations and user copies fail
# large          the machines have the memory that a mapping of 64 GiB takes: with KASAN it
#                takes an eighth of its size
# own_dkms       the machine's root has a compiler and the kernel's headers, and the lab did not
#                install the packages there with DKMS
# x86            the machines are amd64
# no_msi         stock vfio-pci cannot set up interrupts in the machine: QEMU's virt board gives
#                virtio-iommu a reserved region for them, which the kernel does not map
#
# The last series that is not extra has the ability "newest" as well: make demo, lab and bench use it, and
# tests that one series is enough for.  The first and the last have the ability "ends",
# for tests of what differs little between neighbours.  A row can name it, and with FULL=yes
# in the environment all series have it.
SERIES_TABLE='
6.1  | bookworm |  0 | kvm_pins hostile large
6.12 | trixie   | 18 | kvm_pins dvsec bar_moves tools nested guest large
7.2  | trixie   | 18 | memory_errors dvsec bar_moves setcpuid tools guest hostile large
7.3  | trixie   | 18 | memory_errors dvsec bar_moves setcpuid topology tools nested nested_topology guest large
6.1-old | bookworm | 0 | kvm_pins extra large
7.3-rt | trixie |  0 | memory_errors dvsec bar_moves setcpuid topology tools extra large
7.3-debug | trixie | 18 | memory_errors dvsec bar_moves setcpuid topology tools nested iommufd fault_injection hostile built debug ends extra
7.3-iommufd | trixie | 18 | memory_errors dvsec bar_moves setcpuid topology tools nested nested_topology iommufd built extra large
'

# The architecture of the machines: ARCH=arm64 in the environment, or that of this machine
case ${ARCH:-$(uname -m)} in
aarch64|arm64) LAB_ARCH=arm64 ;;
*) LAB_ARCH=amd64 ;;
esac

# On arm64 there is no 6.1: its kernel has no driver for virtio-iommu, and vfio-user devices
# do not work with QEMU's SMMU
ARM64_TABLE='
6.12 | trixie   |  9 | kvm_pins dvsec bar_moves tools nested own_dkms large
7.3  | trixie   |  9 | memory_errors dvsec bar_moves topology tools nested own_dkms no_msi large
7.3-16k | trixie | 11 | memory_errors dvsec bar_moves topology tools no_msi extra large
7.3-64k | trixie | 13 | memory_errors dvsec bar_moves topology tools no_msi iommufd built extra large
'
ABILITIES=$(awk -F ' *[|] *' '{ printf " %s", $4 }' <<< "$SERIES_TABLE$ARM64_TABLE")
[ "$LAB_ARCH" = amd64 ] || SERIES_TABLE=$ARM64_TABLE

# One field of a row, nothing for a series that is not in the table
series_field() { # series number
	awk -F ' *[|] *' -v series="$1" -v n="$2" '$1 == series { print $n }' <<< "$SERIES_TABLE"
}

# shellcheck disable=SC2034 # for the scripts that read this
ALL_SERIES=$(awk 'NF { printf "%s%s", sep, $1; sep = " " }' <<< "$SERIES_TABLE")
ALL_KERNELS=$(awk 'NF && !/extra/ { printf "%s%s", sep, $1; sep = " " }' <<< "$SERIES_TABLE")
NEWEST=${ALL_KERNELS##* }
OLDEST=${ALL_KERNELS%% *}

series_has() { # series ability
	local abilities

	abilities=$(series_field "$1" 4)
	[ "$1" != "$NEWEST" ] || abilities+=" newest"
	[ "$LAB_ARCH" != amd64 ] || abilities+=" x86"
	case $1:${FULL:-} in
	"$OLDEST":*|"$NEWEST":*|*:?*) abilities+=" ends" ;;
	esac
	[ -z "${FULL:-}" ] || abilities+=" hostile"
	[[ " $abilities " == *" $2 "* ]]
}

# Is this one of the words that the table explains?
is_ability() { # word
	[[ "$ABILITIES newest ends x86 " == *" $1 "* ]]
}

# The largest order of the pages that the kernel maps device memory with
huge_order() { # series
	series_field "$1" 3
}
