# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Writable layers over the cached root file systems, which stay as they are.

# in_layer ROOT LAYER [BIND=/inside...] -- COMMAND...: as in_root, in ROOT with the
# writable LAYER over it
# shellcheck disable=SC2016 # the script's own variables
in_layer() {
	local root=$1 layer=$2

	shift 2
	mkdir -p "$layer/upper" "$layer/work" "$layer/merged"
	export -f in_root
	unshare --mount --propagation private bash -c '
		set -e
		root=$1 layer=$2; shift 2
		mount -t overlay overlay "$layer/merged" \
			-o "lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work"
		in_root "$layer/merged" "$@"
	' in_layer "$root" "$layer" "$@"
}

# The same, and what the command changed is dropped: in_scratch LOWER [BIND...] -- COMMAND...
in_scratch() {
	local lower=$1 layer status=0

	shift
	layer=$(mktemp -d "${TMPDIR:-/tmp}/cxl-vfio-lab.XXXXXX")
	in_layer "$lower" "$layer" "$@" </dev/null || status=$?
	rm -rf --one-file-system "$layer"
	return $status
}

# Run a command in the root of a series; its changes are dropped, except for /out
in_throwaway() { # series command...
	local series=$1

	shift
	mkdir -p "$BUILD/$series/out"
	in_scratch "$(lowerdir_of "$series")" "$TOP=/src" "$BUILD/$series/out=/out" -- "$@"
}

# Unpack the QEMU of a series' Debian release, once, for guests in the machine: the root has a
# newer one of backports.  Firmware and libraries are those of the root
make_release_qemu() { # series
	local dir=$BUILD/release-qemu

	[ ! -x "$dir/qemu-system-x86_64" ] || return 0
	note "unpacking the QEMU of Debian's $(suite_of "$1")"
	# shellcheck disable=SC2016 # the root's shell
	in_throwaway "$1" sh -ec '
		mkdir /tmp/debs
		cd /tmp/debs
		apt-get -qq download "qemu-system-x86/$1" "qemu-system-data/$1"
		for f in *.deb; do
			dpkg -x "$f" .
		done
		rm -rf /out/release-qemu
		cp -r usr/share/qemu /out/release-qemu
		cp usr/bin/qemu-system-x86_64 /out/release-qemu/' sh "$(suite_of "$1")" \
		> "$BUILD/$1/release-qemu.log" 2>&1 || { tail -n 20 "$BUILD/$1/release-qemu.log" >&2; return 1; }
	rm -rf "$dir"
	mv "$BUILD/$1/out/release-qemu" "$dir"
}

# Build a copy of the module in the root of a series; fails with a warning
build_module() { # series make-arguments
	local log=$BUILD/$1/out/build.log

	# shellcheck disable=SC2016 # the root's shell
	in_throwaway "$1" bash -c 'cp -r /src/Kbuild /src/dkms.conf /src/include /src/src /tmp &&
		rm -f /tmp/src/compat/generated.h && find /tmp -name "*.o" -delete &&
		make -C "/lib/modules/$1/build" M=/tmp "${@:2}" modules > /out/build.log 2>&1' \
		build "$(kver_of "$1")" "${@:2}" && ! grep -E 'warning:|error:|WARNING|ERROR' "$log" &&
		return
	tail -n 30 "$log"
	return 1
}

# Checksum of everything that the layer of a series is made from
layer_key() { # series
	(
		cd "$TOP" || exit 1
		kver_of "$1"
		! series_has "$1" built || cat "$(built_tree "$1")/lab/key"
		cat Makefile dkms.conf Kbuild tests/vm/modules/Kbuild
		find src include tests/vm/modules -type f \( -name '*.[ch]' -o -name '*.sh' \) -print0 |
			sort -z | xargs -0 sha256sum
		find debian tools -type f ! -name '*.o' -print0 | sort -z | xargs -0 sha256sum
	) | sha256sum | cut -c1-16
}

# Checksum of everything that the Debian packages are made from
deb_key() {
	(
		cd "$TOP" || exit 1
		cat Makefile dkms.conf Kbuild README.md
		find src include debian tools docs -type f ! -name '*.o' ! -name '.*.cmd' \
			! -name generated.h -print0 | sort -z | xargs -0 sha256sum
	) | sha256sum | cut -c1-16
}

# Directory of the packages of a kind, deb or rpm, for the machines' architecture
packages_dir() { # kind
	if [ "$LAB_ARCH" = amd64 ]; then echo "$TOP/build/$1"; else echo "$TOP/build/$1-$LAB_ARCH"; fi
}

# Build the Debian packages unless nothing has changed
make_debs() {
	[ "$(cat "$(packages_dir deb)/key" 2>/dev/null)" = "$(deb_key)" ] && return
	note "building the Debian packages"
	"$TOP/tests/packages.sh" deb > "$BUILD/deb.log" 2>&1 && return
	tail -n 20 "$BUILD/deb.log" >&2
	return 1
}

# The last commit of a released version
commit_of() { # version
	case $1 in
	0.1.0) echo 5e40cf1a05dd0ed98c7ba941b2b6728100199348 ;;
	*) die "no released version '$1', there is: 0.1.0" ;;
	esac
}

# Build the Debian packages of a released version, once; they are in build/vm/SERIES/out
make_release_debs() { # series version
	local dir=$BUILD/$1/out/$2

	[ "$(cat "$dir/key" 2>/dev/null)" = "$(commit_of "$2")" ] && return
	note "building the Debian packages of version $2 (once)"
	rm -rf "$dir"
	mkdir -p "$dir/cxl-vfio-pci"
	git -C "$TOP" archive "$(commit_of "$2")" | tar -x -C "$dir/cxl-vfio-pci" || return
	in_throwaway "$1" sh -ec '
		cp -r "/out/$1/cxl-vfio-pci" /tmp
		cd /tmp/cxl-vfio-pci
		dpkg-buildpackage -b -d -us -uc
		cp /tmp/*.deb "/out/$1"' sh "$2" > "$dir/build.log" 2>&1 ||
		{ tail -n 20 "$dir/build.log" >&2; return 1; }
	rm -r "$dir/cxl-vfio-pci"
	commit_of "$2" > "$dir/key"
}

# A layer over the root of a series with the packages of a released version, and with the
# modules that the tests need, from the layer of the series
make_release_layer() { # series version
	local dir=$BUILD/$1/$2 kver key

	make_release_debs "$1" "$2" || return
	kver=$(kver_of "$1")
	key="$kver $(commit_of "$2") $( (declare -f make_release_layer; cat "$TOP"/tests/vm/modules/*.[ch]) | sha256sum)"
	[ "$(cat "$dir/key" 2>/dev/null)" = "$key" ] && return
	note "installing version $2 for Linux $1"
	rm -rf --one-file-system "$dir"
	mkdir -p "$dir"
	# shellcheck disable=SC2016 # the root's shell
	if ! in_layer "$(lowerdir_of "$1")" "$dir" "$BUILD/$1/out/$2=/debs" \
		"$(dirname "$(find "$BUILD/$1/layer/upper" -name t2lab.ko -path '*/updates/*')")=/updates" -- sh -ec '
		for kernel in /lib/modules/*; do
			[ "${kernel##*/}" = "$1" ] || rm -r "$kernel"
		done
		apt-get -qq install -y /debs/cxl-vfio-pci-dkms_*.deb /debs/cxl-vfio-tools_*_amd64.deb
		/etc/kernel/postinst.d/dkms "$1"
		modinfo -k "$1" cxl-vfio-pci
		install -D -t "/lib/modules/$1/updates" /updates/*.ko
		depmod "$1"
		' sh "$kver" > "$dir.log" 2>&1 </dev/null; then
		tail -n 20 "$dir.log" >&2
		return 1
	fi
	echo "$key" > "$dir/key"
}

# Install the packages for a series as an operator would, with apt and DKMS, and the
# modules that the tests need.  The caller ran make_debs().
make_layer() { # series
	local series=$1 dir=$BUILD/$1/layer kver tools=no

	[ "$LAB_ARCH" = amd64 ] || { make_foreign_layer "$1"; return; }
	[ "$(cat "$dir/key" 2>/dev/null)" = "$(layer_key "$series")" ] && return
	kver=$(kver_of "$series")
	! series_has "$series" tools || tools=yes
	rm -rf --one-file-system "$dir"
	mkdir -p "$dir"
	# shellcheck disable=SC2016 # the root's shell
	if ! in_layer "$(lowerdir_of "$series")" "$dir" "$TOP=/src" -- sh -ec '
		# DKMS must not build for the other kernels of this root
		for kernel in /lib/modules/*; do
			[ "${kernel##*/}" = "$1" ] || rm -r "$kernel"
		done
		apt-get -qq install -y /src/build/deb/cxl-vfio-pci-dkms_*.deb
		if [ "$2" = yes ]; then
			apt-get -qq install -y /src/build/deb/cxl-vfio-tools_*_amd64.deb
		fi
		/etc/kernel/postinst.d/dkms "$1"
		modinfo -k "$1" cxl-vfio-pci
		mkdir -p /tmp/tests/vm /tmp/tests/t2dev
		cp -r /src/tests/vm/modules /tmp/tests/vm/
		cp /src/tests/t2dev/*.h /tmp/tests/t2dev/
		cp -r /src/include /tmp/
		make -C "/lib/modules/$1/build" M=/tmp/tests/vm/modules modules
		install -D -t "/lib/modules/$1/updates" /tmp/tests/vm/modules/*.ko
		depmod "$1"
		' sh "$kver" "$tools" > "$BUILD/$series/dkms.log" 2>&1 </dev/null; then
		tail -n 20 "$BUILD/$series/dkms.log" >&2
		find "$dir/upper/var/lib/dkms" -name make.log -exec tail -n 30 {} \; >&2
		return 1
	fi
	layer_key "$series" > "$dir/key"
}
