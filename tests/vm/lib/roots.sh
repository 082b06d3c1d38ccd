# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The lab's root file systems: one for each Debian release, with the kernels of its
# series, their headers and DKMS.  That of trixie has QEMU as well.

. "$TOP/tests/vm/lib/built-kernel.sh"

# Packages of a root, besides the base system and the kernels
packages_of() {
	local common="ca-certificates gcc make dkms kmod pciutils busybox-static procps"

	case $1 in
	bookworm) echo "$common" ;;
	trixie)
		echo "$common sparse dwarves cxl driverctl ovmf"
		echo "libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients libvirt-daemon-log"
		echo "acpica-tools debhelper dh-dkms lintian rpm rpmlint man-db"
		echo "libkmod-dev libpci-dev libjson-c-dev libcmocka-dev bash-completion"
		;;
	esac
}

# Packages that come from backports
backports_of() {
	case $1 in
	trixie) echo "qemu-system-x86" ;;
	esac
}

# The kernel series that a Debian release has as packages
series_of() { # suite
	local series

	for series in $ALL_SERIES; do
		[ "$(suite_of "$series")" != "$1" ] || series_has "$series" built || echo "$series"
	done
}

# The same, for machines of this machine's architecture
native_series_of() { # suite
	[ "$LAB_ARCH" != amd64 ] || series_of "$1"
}

# The mirrors that this machine's own apt uses
# shellcheck disable=SC2016 # apt's own syntax
mirrors() {
	apt-get indextargets --format '$(SITE)' 2>/dev/null | sort -u
}

write_sources() { # suite root
	local main security

	main=$(mirrors | grep -E '/debian/?$' | head -1)
	security=$(mirrors | grep -E '/debian-security/?$' | head -1)
	: "${main:=http://deb.debian.org/debian}" "${security:=$main-security}"
	{
		echo "deb $main $1 main"
		echo "deb $main $1-updates main"
		echo "deb $security $1-security main"
		[ -z "$(backports_of "$1")" ] || echo "deb $main $1-backports main"
	} > "$2/etc/apt/sources.list"
	# Take proxies and the like from this machine's apt
	apt-config dump Acquire 2>/dev/null |
		grep -E '^Acquire::(http|https|ftp|Check-|Retries)' \
		> "$2/etc/apt/apt.conf.d/50lab" || true
	echo 'Apt::Install-Recommends "false";' >> "$2/etc/apt/apt.conf.d/50lab"
}

# Keep documentation, services and initramfs out of a root
slim() { # root
	mkdir -p "$1/etc/dpkg/dpkg.cfg.d" "$1/lab"
	printf 'path-exclude=/usr/share/%s/*\n' doc man locale info \
		> "$1/etc/dpkg/dpkg.cfg.d/lab"
	printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"
	chmod 755 "$1/usr/sbin/policy-rc.d"
}

in_suite() { # suite command...
	local suite=$1

	shift
	in_root "$CACHE/roots/$suite" -- "$@"
}

# The newest version of a series that apt has headers of, as in uname -r; of 6.1-old the
# oldest
newest_kver() { # suite series
	local series=${2%%-*} flavour='[0-9]-amd64' pick='tail'

	[[ $2 != *-rt ]] || flavour='-rt-amd64'
	[[ $2 != *-old ]] || pick='head'
	in_suite "$1" apt-cache search --names-only \
		"^linux-headers-${series//./\\.}\\.[0-9].*-amd64\$" | awk '{print $1}' |
		sed 's/^linux-headers-//' | grep -E -e "$flavour\$" | sort -V | $pick -n 1
}

# The packages of a kernel.  Debian publishes the unsigned image before the signed one.
kernel_packages() { # suite kver
	local p found=""

	for p in "linux-binary-unsigned-$2" "linux-image-$2"; do
		if in_suite "$1" apt-cache show "$p" >/dev/null 2>&1; then
			found=$p
			break
		fi
	done
	[ -n "$found" ] || return 1
	echo "$found linux-headers-$2"
	in_suite "$1" apt-cache show "linux-modules-$2" >/dev/null 2>&1 &&
		echo "linux-modules-$2"
	return 0
}

install_kernels() { # suite
	local series kver list packages=() release=""

	[ -z "$(backports_of "$1")" ] || release=$1-backports
	for series in $(native_series_of "$1"); do
		kver=$(newest_kver "$1" "$series")
		[ -n "$kver" ] || die "apt has no headers of kernel series $series in $1"
		list=$(kernel_packages "$1" "$kver") ||
			die "apt has no image of kernel $kver in $1"
		# shellcheck disable=SC2206 # one package a word
		packages+=($list)
		echo "$kver" > "$CACHE/roots/$1/lab/kver-$series.new"
	done
	[ ${#packages[@]} -gt 0 ] || return 0
	in_suite "$1" apt-get -qq install -y ${release:+-t "$release"} "${packages[@]}" \
		>/dev/null </dev/null || die "cannot install ${packages[*]}"
	for series in $(native_series_of "$1"); do
		mv "$CACHE/roots/$1/lab/kver-$series.new" "$CACHE/roots/$1/lab/kver-$series"
	done
}

# Checksum of everything that a root is made from; another checksum, another root
root_key() { # suite
	{
		packages_of "$1"
		backports_of "$1"
		declare -f write_sources slim install_packages
	} | sha256sum | cut -c1-16
}

install_packages() { # suite
	local root=$CACHE/roots/$1

	# shellcheck disable=SC2046,SC2015 # one package a word; either may fail
	in_suite "$1" apt-get -qq install -y $(packages_of "$1") >/dev/null </dev/null &&
		if [ -n "$(backports_of "$1")" ]; then
			in_suite "$1" apt-get -qq install -y -t "$1-backports" \
				$(backports_of "$1") >/dev/null </dev/null
		fi || die "cannot install packages in $root"
}

# Make a root from nothing; lab/ready is written last
make_root() { # suite
	local root=$CACHE/roots/$1

	note "making the $1 root file system (once)"
	rm -rf --one-file-system "$root"
	mkdir -p "$root"
	debootstrap --variant=minbase "$1" "$root" \
		"$(mirrors | grep -E '/debian/?$' | head -1)" > "$root.log" 2>&1 ||
		die "debootstrap of $1 failed, see $root.log"
	slim "$root"
	write_sources "$1" "$root"
	in_suite "$1" apt-get -qq update || die "cannot read the package lists of $1"
	install_packages "$1"
	install_kernels "$1"
	in_suite "$1" apt-get clean
	root_key "$1" > "$root/lab/ready"
}

# Update a root to the newest kernels; without network it stays as it is
update_root() { # suite
	local root=$CACHE/roots/$1 series

	if ! in_suite "$1" apt-get -qq -o APT::Update::Error-Mode=any update >/dev/null 2>&1; then
		note "cannot read the package lists of $1, using the kernels in the cache"
		return
	fi
	for series in $(native_series_of "$1"); do
		[ "$(newest_kver "$1" "$series")" = "$(cat "$root/lab/kver-$series" 2>/dev/null)" ] &&
			continue
		note "installing a newer kernel of series $series"
		rm "$root/lab/ready"
		install_kernels "$1"
		in_suite "$1" apt-get clean
		root_key "$1" > "$root/lab/ready"
		return
	done
}

prepare_suite() { # suite
	local root=$CACHE/roots/$1

	mkdir -p "$CACHE/roots"
	exec 9> "$CACHE/roots/$1.lock"
	flock 9
	if [ "$(cat "$root/lab/ready" 2>/dev/null)" != "$(root_key "$1")" ]; then
		make_root "$1"
	elif [ -z "${LAB_OFFLINE:-}" ]; then
		update_root "$1"
	fi
	exec 9>&-
}

# checkpatch and the selftest harness, from Debian's linux-source-6.12.  The tarball
# stays for tests/kunit.sh, which builds User Mode Linux from it.
prepare_source() {
	local dir=$CACHE/linux-source tar name

	[ -e "$dir/ready" ] && return
	note "taking checkpatch and the selftest harness from linux-source-6.12 (once)"
	rm -rf "$dir.tmp" "$dir"
	mkdir -p "$dir.tmp/deb"
	in_root "$CACHE/roots/trixie" "$dir.tmp=/lab/source" -- sh -c \
		'cd /lab/source && apt-get -qq download linux-source-6.12 2>/dev/null' ||
		die "cannot get linux-source-6.12"
	dpkg-deb -x "$dir.tmp"/linux-source-6.12_*.deb "$dir.tmp/deb"
	rm "$dir.tmp"/*.deb
	tar=$(echo "$dir.tmp"/deb/usr/src/linux-source-6.12.tar.*)
	name=linux-source-6.12
	tar -C "$dir.tmp" -xf "$tar" --strip-components=1 \
		$name/scripts/checkpatch.pl $name/scripts/const_structs.checkpatch \
		$name/scripts/spelling.txt $name/scripts/kernel-doc \
		$name/tools/testing/selftests/kselftest.h \
		$name/tools/testing/selftests/kselftest_harness.h
	mv "$tar" "$dir.tmp/"
	rm -rf "$dir.tmp/deb"
	touch "$dir.tmp/ready"
	mv "$dir.tmp" "$dir"
}

# Make or update the roots of these series, and that of the newest, which has QEMU
prepare() { # series...
	local suite

	need_packages debootstrap debian-archive-keyring gcc libc6-dev make xz-utils zstd cpio \
		rsync
	for suite in $( (suite_of "$NEWEST"; for s in "$@"; do suite_of "$s"; done) | sort -u); do
		prepare_suite "$suite"
		[ "$LAB_ARCH" = amd64 ] || prepare_foreign_suite "$suite"
	done
	for s in "$@"; do
		! series_has "$s" built || prepare_built_kernel "$s"
	done
	prepare_source
}

root_of() { # series
	local root

	root=$CACHE/roots/$(suite_of "$1")
	[ "$LAB_ARCH" = amd64 ] || root+=-$LAB_ARCH
	echo "$root"
}

# The root that programs run in on this machine, among them QEMU
host_root() { echo "$CACHE/roots/$(suite_of "$NEWEST")"; }

# The directories that make up the root of a series, the uppermost first
lowers_of() { # series
	! series_has "$1" built || built_tree "$1"
	root_of "$1"
}

# The same, as the option lowerdir of overlayfs takes them
lowerdir_of() { lowers_of "$1" | paste -sd :; }

# The path on this machine of the first of these files that the root of a series has
find_in_root() { # series file...
	local series=$1 lower file

	shift
	for file in "$@"; do
		while read -r lower; do
			[ -e "$lower/$file" ] && { echo "$lower/$file"; return; }
		done < <(lowers_of "$series")
	done
	return 1
}

kver_of() { cat "$(find_in_root "$1" "lab/kver-$1")"; }
