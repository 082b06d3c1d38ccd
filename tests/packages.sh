#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds and tests the packages, in the lab's Debian 13 root:
#   packages.sh deb|rpm  build in build/deb or build/rpm, run lintian or rpmlint
#   packages.sh check    do both, then install, update and remove with real apt and DKMS
# With ARCH=arm64 in the environment `deb` builds for arm64, in build/deb-arm64.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
here=tests/vm
. tests/report.sh
. tests/vm/lib/all.sh

# For scripts: a function that builds the RPM packages with a version, in TOP/RPMS
# shellcheck disable=SC2016 # the root's shell
build_rpms='build_rpms() { # version top
	local source=/tmp/cxl-vfio-pci-$1

	mkdir -p "$2/SOURCES" "$source"
	tar -C /src -c --exclude=./build --exclude=./.git --exclude="*.o" --exclude="*.ko" . | tar -x -C "$source"
	sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$1\"/" "$source/dkms.conf"
	tar -C /tmp -czf "$2/SOURCES/cxl-vfio-pci-$1.tar.gz" "cxl-vfio-pci-$1"
	rpmbuild -bb --nodeps --define "_topdir $2" --define "pkg_version $1" \
		/src/rpm/cxl-vfio-pci.spec > /tmp/build.log 2>&1 || { tail -n 40 /tmp/build.log; exit 1; }
}
	v=$(sed -n "s/^PACKAGE_VERSION=\"\(.*\)\"/\1/p" /src/dkms.conf)'

# Print the script that builds a kind of package in a throw-away root
script_of() { # kind
	case $1 in
	deb)
	cat <<-'EOF'
	mkdir /tmp/cxl-vfio-pci
	cd /src
	tar -c --exclude=./build --exclude=./.git --exclude="*.o" --exclude="*.ko" . | tar -x -C /tmp/cxl-vfio-pci
	cd /tmp/cxl-vfio-pci
	dpkg-buildpackage -a"$2" -b -d -us -uc > /tmp/build.log 2>&1 || { tail -n 40 /tmp/build.log; exit 1; }
	cp /tmp/*.deb /tmp/*.changes "/src/build/$1/"
	# There is no mail address of the project yet
	lintian --allow-root --suppress-tags bogus-mail-host --fail-on error,warning /tmp/*.changes
	EOF
		;;
	rpm)
	printf '%s\n' "$build_rpms"
	cat <<-'EOF'
	build_rpms "$v" /tmp/top
	cp /tmp/top/RPMS/*/*.rpm /src/build/rpm/
	rpmlint --config /src/rpm/rpmlint.toml /src/build/rpm/*.rpm
	EOF
		;;
	*) die "no kind of package '$1', there are deb and rpm" ;;
	esac
}

# The root that packages are built in; for arm64 with its cross compiler
builder() { if [ "$LAB_ARCH" = amd64 ]; then root_of "$NEWEST"; else foreign_tools; fi; }

build() { # kind
	local out

	out=$(packages_dir "$1")
	rm -rf "$out"
	mkdir -p "$out"
	in_scratch "$(builder)" "$TOP=/src" -- bash -ec "$(script_of "$1")" build "${out##*/}" \
		"$LAB_ARCH" && deb_key > "$out/key"
}

# Install the Debian packages in a root with the kernels of these series, run a line there
# shellcheck disable=SC2016 # the root's shell
with_kernels() { # "series..." line
	in_throwaway "$NEWEST" bash -ec "series='$1'"'
		keep=""
		for s in $series; do keep="$keep $(cat /lab/kver-$s)"; done
		for k in $(ls /lib/modules); do
			[[ " $keep " == *" $k "* ]] || rm -r "/lib/modules/$k"
		done
		set -- $keep
		apt-get -qq install -y /src/build/deb/cxl-vfio-pci-dkms_*.deb \
			/src/build/deb/cxl-vfio-tools_*_amd64.deb
		/etc/kernel/postinst.d/dkms "$1"
		modinfo -k "$1" cxl-vfio-pci > /dev/null
		'"$2"
}

# Run a line in a root with the kernel of the newest series that runs, as far as uname
# says, with dnf, and with an RPM that stands for Debian's packages in RPM's database
# shellcheck disable=SC2016 # the root's shell
as_rpm_host() { # line
	in_throwaway "$NEWEST" bash -ec 'kver=$(cat /lab/kver-'"$NEWEST"')
		for k in $(ls /lib/modules); do
			[ "$k" = "$kver" ] || rm -r "/lib/modules/$k"
		done
		mv /usr/bin/uname /usr/bin/uname.real
		printf "#!/bin/sh\n[ \"\$*\" != -r ] || { echo %s; exit; }\nexec uname.real \"\$@\"\n" "$kver" > /usr/bin/uname
		chmod 755 /usr/bin/uname
		apt-get -qq install -y dnf > /tmp/apt.log 2>&1 || { tail /tmp/apt.log; exit 1; }
		provides=$(rpm -qp --requires /src/build/rpm/*.rpm | grep -v "^rpmlib\|^config" | cut -d" " -f1 | sort -u)
		printf "%s\n" "Name: debian" "Version: 13" "Release: 1" "Summary: packages of Debian" \
			"License: none" "BuildArch: noarch" "Provides: $(echo $provides)" "%description" \
			"Packages of Debian." "%files" > /tmp/debian.spec
		rpmbuild -bb --define "_topdir /tmp/debian" /tmp/debian.spec > /tmp/debian.log 2>&1
		rpm -i /tmp/debian/RPMS/noarch/debian-13-1.noarch.rpm
		dnf="dnf -y --disablerepo=* --nogpgcheck"
		'"$build_rpms"'
		'"$1"
}

# shellcheck disable=SC2016 # the root's shell
no_file='
	! find / -xdev \( -path /src -o -path /out -o -path /proc -o -path "/tmp/*" \) -prune -o \
		-name "*cxl*vfio*" -not -path "*/cache/*" -print | grep .'
purged="
	apt-get -qq purge -y cxl-vfio-pci-dkms cxl-vfio-tools
	$no_file"

# shellcheck disable=SC2016 # the root's shell
check_packages() {
	check "the Debian packages build, and lintian finds nothing" build deb
	check "the RPM packages build, and rpmlint finds nothing" build rpm
	check "the RPM packages have the sources, the DKMS scripts and the tool" in_throwaway "$NEWEST" bash -ec '
		rpm -qlp /src/build/rpm/cxl-vfio-pci-dkms-*.rpm | grep -q "^/usr/src/cxl-vfio-pci-.*/dkms.conf$"
		rpm -qp --scripts /src/build/rpm/cxl-vfio-pci-dkms-*.rpm | grep -q "dkms build"
		rpm -qlp /src/build/rpm/cxl-vfio-tools-*.rpm | grep -q "^/usr/sbin/cxl-vfio$"'
	check "apt installs the packages, DKMS builds the module, apt purge leaves no file" with_kernels "$NEWEST" '
		/src/debian/tests/tool
		/src/debian/tests/dkms
		! command -v systemd-analyze || systemd-analyze verify --man=no /usr/lib/systemd/system/cxl-vfio@.service
		'"$purged"
	[ -n "${FULL:-}" ] && check_updates
	finish
}

# shellcheck disable=SC2016 # the root's shell
check_updates() {
	check "dnf installs and updates the RPM packages, DKMS builds the module, rpm -e leaves no file" as_rpm_host '
		$dnf install /src/build/rpm/*.rpm
		dkms status | grep "^cxl-vfio-pci/$v, $kver, .*: installed"
		[ "$(modinfo -k $kver -F version cxl-vfio-pci)" = $v ]
		cxl-vfio --version
		# The same package with another version
		build_rpms 99.0 /tmp/next
		$dnf upgrade /tmp/next/RPMS/*/*.rpm
		[ "$(rpm -q cxl-vfio-pci-dkms)" = cxl-vfio-pci-dkms-99.0-1.noarch ]
		[ "$(modinfo -k $kver -F version cxl-vfio-pci)" = 99.0 ]
		dkms status cxl-vfio-pci
		[ "$(dkms status cxl-vfio-pci | wc -l)" = 1 ]
		[ "$(ls -d /usr/src/cxl-vfio-pci-*)" = /usr/src/cxl-vfio-pci-99.0 ]
		rpm -e cxl-vfio-pci-dkms cxl-vfio-tools
		[ -z "$(dkms status cxl-vfio-pci)" ]
		'"$no_file"
	older=$(series_of "$(suite_of "$NEWEST")" | head -n 1)
	check "a kernel update ($older to $NEWEST) moves the module to the new kernel" with_kernels "$older $NEWEST" '
		/etc/kernel/postinst.d/dkms "$2"
		modinfo -k "$2" cxl-vfio-pci > /dev/null
		/etc/kernel/prerm.d/dkms "$1"
		! modinfo -k "$1" cxl-vfio-pci > /dev/null 2>&1'
	check "a package update replaces the module" with_kernels "$NEWEST" '
		dpkg-deb -R /src/build/deb/cxl-vfio-pci-dkms_*.deb /tmp/next
		mv /tmp/next/usr/src/cxl-vfio-pci-* /tmp/next/usr/src/cxl-vfio-pci-99.0
		sed -i "s/^Version: .*/Version: 99.0/" /tmp/next/DEBIAN/control
		sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"99.0\"/" /tmp/next/usr/src/cxl-vfio-pci-99.0/dkms.conf
		sed -i "s/$(cxl-vfio --version | cut -d" " -f2)/99.0/g" /tmp/next/DEBIAN/p*
		rm -f /tmp/next/DEBIAN/md5sums
		dpkg-deb -b /tmp/next /tmp/next.deb > /dev/null
		apt-get -qq install -y /tmp/next.deb
		dkms autoinstall -k "$1" > /dev/null
		dkms status | grep -q "cxl-vfio-pci/99.0"
		[ $(dkms status cxl-vfio-pci | grep -c "$1") = 1 ]
		'"$purged"
}

prepare "$NEWEST"
case ${1:-check} in
check) check_packages ;;
*) build "$1" && ls "$(packages_dir "$1")" ;;
esac
