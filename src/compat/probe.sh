#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Find out what the kernel at hand offers, by compiling.
#
# usage: probe.sh OUT DIR SYMVERS COMPILER [FLAGS...]
#
# Each DIR/name.c says in its head which variants it has ("variants: 1 0") and
# which exported symbols a variant needs ("needs 1: symbol ...").  The first
# variant that compiles and whose symbols SYMVERS lists is taken and becomes
# "#define CXL_VFIO_NAME variant" in OUT.  If none does, the build stops.
set -u

out=$1 dir=$2 symvers=$3
shift 3
tmp=$out.tmp.$$
mkdir -p "$tmp" || exit 1
trap 'rm -rf "$tmp"' EXIT

exported() { # file variant
	# shellcheck disable=SC2013 # words, all of them
	for symbol in $(sed -n "s/^ \* needs $2: //p" "$1"); do
		awk -v s="$symbol" '$2 == s { found = 1 } END { exit !found }' "$symvers" || return 1
	done
}

probe() { # file name; the rest is the compiler
	file=$1 name=$2
	shift 2
	# shellcheck disable=SC2013 # words, all of them
	for variant in $(sed -n 's/^ \* variants: //p' "$file"); do
		exported "$file" "$variant" || continue
		if "$@" -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
			-Werror=int-conversion -Wno-missing-prototypes -Wno-unused \
			-DVARIANT="$variant" -DMODULE -DKBUILD_MODNAME='"probe"' \
			-DKBUILD_BASENAME='"probe"' -D__KBUILD_MODNAME=kmod_probe \
			-c -o "$tmp/$name.o" "$file" 2>>"$tmp/$name.log"; then
			echo "$variant" > "$tmp/$name.variant"
			return
		fi
	done
}

jobs=0
for file in "$dir"/*.c; do
	name=$(basename "$file" .c)
	probe "$file" "$name" "$@" &
	jobs=$((jobs + 1))
	[ $((jobs % 4)) -ne 0 ] || wait
done
wait

{
	echo "/* SPDX-License-Identifier: GPL-2.0-only */"
	echo "/* Made by probe.sh from the kernel's headers */"
} > "$tmp/out"
status=0
for file in "$dir"/*.c; do
	name=$(basename "$file" .c)
	upper=$(echo "$name" | tr '[:lower:]' '[:upper:]')
	if [ -s "$tmp/$name.variant" ]; then
		echo "#define CXL_VFIO_$upper $(cat "$tmp/$name.variant")" >> "$tmp/out"
	else
		echo "cxl-vfio-pci: this kernel is not supported: probe '$name' fits in no variant:" >&2
		grep -m3 'error' "$tmp/$name.log" >&2
		status=1
	fi
done
[ "$status" -eq 0 ] && mv "$tmp/out" "$out"
exit "$status"
