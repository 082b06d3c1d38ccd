# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A layer over a root file system, so that the cached root is never written.

# Mount ROOT with a writable LAYER over it at MERGED and run a command there,
# as in_root does: in_layer ROOT LAYER [BIND=/inside...] -- COMMAND...
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

in_throwaway() { # series command...
	local series=$1 layer status=0

	shift
	layer=$(mktemp -d "${TMPDIR:-/tmp}/cxl-vfio-lab.XXXXXX")
	mkdir -p "$BUILD/$series/out"
	in_layer "$(root_of "$series")" "$layer" "$TOP=/src" "$BUILD/$series/out=/out" -- "$@" \
		</dev/null || status=$?
	rm -rf --one-file-system "$layer"
	return $status
}

# What the installed module is made of
layer_key() { # series
	(
		cd "$TOP" || exit 1
		kver_of "$1"
		cat Makefile dkms.conf Kbuild tests/vm/modules/Kbuild
		find src include tests/vm/modules -type f \( -name '*.[ch]' -o -name '*.sh' \) -print0 |
			sort -z | xargs -0 sha256sum
	) | sha256sum | cut -c1-16
}

# Install the module for a series as a user would: `make install`, real DKMS; and
# the modules that tests need
make_layer() { # series
	local series=$1 dir=$BUILD/$1/layer kver

	[ "$(cat "$dir/key" 2>/dev/null)" = "$(layer_key "$series")" ] && return
	kver=$(kver_of "$series")
	rm -rf --one-file-system "$dir"
	mkdir -p "$dir"
	# shellcheck disable=SC2016 # the root's shell
	if ! in_layer "$(root_of "$series")" "$dir" "$TOP=/src" -- sh -ec '
		make -C /src install KVER="$1"
		mkdir -p /tmp/tests/vm /tmp/tests/t2dev
		cp -r /src/tests/vm/modules /tmp/tests/vm/
		cp /src/tests/t2dev/*.h /tmp/tests/t2dev/
		cp -r /src/include /tmp/
		make -C "/lib/modules/$1/build" M=/tmp/tests/vm/modules modules
		install -D -t "/lib/modules/$1/updates" /tmp/tests/vm/modules/*.ko
		depmod "$1"
		' sh "$kver" > "$BUILD/$series/dkms.log" 2>&1 </dev/null; then
		tail -n 20 "$BUILD/$series/dkms.log" >&2
		find "$dir/upper/var/lib/dkms" -name make.log -exec tail -n 30 {} \; >&2
		return 1
	fi
	layer_key "$series" > "$dir/key"
}
