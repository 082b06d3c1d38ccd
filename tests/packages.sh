#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the packages in the lab's Debian 13 root: packages.sh deb|rpm.  They go to
# build/deb or build/rpm, and have to pass lintian or rpmlint.

set -uo pipefail
here=$(dirname "$0")/vm
. "$here/lib/all.sh"

kind=${1:-deb}
out=$TOP/build/$kind
prepare 7.3
rm -rf "$out"
mkdir -p "$out" "$BUILD/7.3"
# shellcheck disable=SC2016 # the root's shell
case $kind in
deb)
	script='
	set -e
	mkdir /tmp/cxl-vfio-pci
	cd /src
	tar -c --exclude=./build --exclude=./.git --exclude="*.o" --exclude="*.ko" . | tar -x -C /tmp/cxl-vfio-pci
	cd /tmp/cxl-vfio-pci
	dpkg-buildpackage -b -d -us -uc > /tmp/build.log 2>&1 || { tail -n 40 /tmp/build.log; exit 1; }
	cp /tmp/*.deb /tmp/*.changes /packages/
	# There is no mail address of the project yet
	lintian --allow-root --suppress-tags bogus-mail-host --fail-on error,warning /tmp/*.changes
	'
	;;
rpm)
	script='
	set -e
	v=$(sed -n "s/^PACKAGE_VERSION=\"\(.*\)\"/\1/p" /src/dkms.conf)
	mkdir -p /tmp/top/SOURCES /tmp/cxl-vfio-pci-$v
	cd /src
	tar -c --exclude=./build --exclude=./.git --exclude="*.o" --exclude="*.ko" . | tar -x -C /tmp/cxl-vfio-pci-$v
	tar -C /tmp -czf /tmp/top/SOURCES/cxl-vfio-pci-$v.tar.gz cxl-vfio-pci-$v
	rpmbuild -bb --nodeps --define "_topdir /tmp/top" --define "pkg_version $v" \
		/src/rpm/cxl-vfio-pci.spec > /tmp/build.log 2>&1 || { tail -n 40 /tmp/build.log; exit 1; }
	cp /tmp/top/RPMS/*/*.rpm /packages/
	rpmlint --config /src/rpm/rpmlint.toml /packages/*.rpm
	'
	;;
*) die "deb or rpm, not '$kind'" ;;
esac
layer=$(mktemp -d "${TMPDIR:-/tmp}/cxl-vfio-lab.XXXXXX")
in_layer "$(root_of 7.3)" "$layer" "$TOP=/src" "$out=/packages" -- bash -c "$script" </dev/null
status=$?
rm -rf --one-file-system "$layer"
ls "$out"
exit $status
