#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Find out what the kernel at hand offers, by compiling.
#
# usage: probe.sh OUT DIR SYMVERS BUILT_BY COMPILER [FLAGS...]
#
# Each DIR/name.c says in its head which variants it has ("variants: 1 0"), which
# exported symbols a variant needs ("needs 1: symbol ...") and which names it asks
# for ("asks 1: name ...").  The first variant that compiles and whose symbols
# SYMVERS lists is taken and becomes "#define CXL_VFIO_NAME variant" in OUT; all of
# them together become CXL_VFIO_PROBES.
#
# A variant may fail to compile only because the kernel lacks what it asks for:
# the compiler's first error has one of its names.  Any other error stops the
# build, and so does a probe that fits in no variant.
#
# BUILT_BY is what compiled the kernel, CONFIG_CC_VERSION_TEXT.
set -u

out=$1 dir=$2 symvers=$3 built_by=$4
shift 4
tmp=$out.tmp.$$
mkdir -p "$tmp" || exit 1
trap 'rm -rf "$tmp"' EXIT

say() { echo "cxl-vfio-pci: $*" >&2; }
stop() { say "$*"; exit 1; }
first_error() { grep -m1 'error:' "$1" || head -n 1 "$1"; }

# The compiler is tried on an empty file before it is asked anything
check_compiler() { # compiler and flags
	: > "$tmp/empty.c"
	! "$@" -c -o "$tmp/empty.o" "$tmp/empty.c" 2>"$tmp/empty.log" || return 0

	case $built_by in
	*clang*)
		"$1" --version 2>/dev/null | grep -q clang ||
			stop "this kernel was compiled by clang ($built_by) and '$1' is not clang:" \
				"use make LLVM=1, with the packages clang, lld and llvm"
		;;
	esac
	command -v "$1" >/dev/null ||
		stop "the compiler '$1' is not installed: install" \
			"$(basename "$1" | sed 's/^x86_64-linux-gnu-//; s/^aarch64-linux-gnu-//')" \
			"(the kernel was compiled by $built_by)"
	stop "the compiler '$1' cannot compile for this kernel, which was compiled by" \
		"$built_by: $(first_error "$tmp/empty.log")"
}

exported() { # file variant
	# shellcheck disable=SC2013 # words, all of them
	for symbol in $(sed -n "s/^ \* needs $2: //p" "$1"); do
		awk -v s="$symbol" '$2 == s { found = 1 } END { exit !found }' "$symvers" || return 1
	done
}

# Is the first error in a log about something that the variant asks for?
asked() { # file variant log
	# shellcheck disable=SC2013 # words, all of them
	for word in $(sed -n "s/^ \* asks $2: //p" "$1"); do
		! first_error "$3" | sed 's/.*error: //' | grep -qwF -e "$word" || return 0
	done
	return 1
}

probe() { # file name; the rest is the compiler
	file=$1 name=$2
	shift 2
	# shellcheck disable=SC2013 # words, all of them
	for variant in $(sed -n 's/^ \* variants: //p' "$file"); do
		exported "$file" "$variant" || continue
		log=$tmp/$name.$variant.log
		if "$@" -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
			-Werror=int-conversion -Wno-missing-prototypes -Wno-unused \
			-DVARIANT="$variant" -DMODULE -DKBUILD_MODNAME='"probe"' \
			-DKBUILD_BASENAME='"probe"' -D__KBUILD_MODNAME=kmod_probe \
			-c -o "$tmp/$name.o" "$file" 2>"$log"; then
			echo "$variant" > "$tmp/$name.variant"
			return
		fi
		if ! asked "$file" "$variant" "$log"; then
			echo "fails for another reason than the one it asks about:" \
				"variant $variant: $(first_error "$log")" > "$tmp/$name.wrong"
			return
		fi
	done
	echo "fits in no variant" > "$tmp/$name.wrong"
}

check_compiler "$@"
[ -s "$symvers" ] || stop "the headers of this kernel have no Module.symvers: $symvers"

jobs=0
for file in "$dir"/*.c; do
	probe "$file" "$(basename "$file" .c)" "$@" &
	jobs=$((jobs + 1))
	[ $((jobs % 4)) -ne 0 ] || wait
done
wait

{
	echo "/* SPDX-License-Identifier: GPL-2.0-only */"
	echo "/* Made by probe.sh from the kernel's headers */"
} > "$tmp/out"
vector='' status=0
for file in "$dir"/*.c; do
	name=$(basename "$file" .c)
	if [ -s "$tmp/$name.variant" ]; then
		variant=$(cat "$tmp/$name.variant")
		upper=$(echo "$name" | tr '[:lower:]' '[:upper:]')
		echo "#define CXL_VFIO_$upper $variant" >> "$tmp/out"
		vector="$vector${vector:+ }$name=$variant"
	else
		say "this kernel is not supported: probe '$name' $(cat "$tmp/$name.wrong")"
		status=1
	fi
done
[ "$status" -eq 0 ] || exit 1
echo "#define CXL_VFIO_PROBES \"$vector\"" >> "$tmp/out"
echo "cxl-vfio-pci: probes: $vector"
mv "$tmp/out" "$out"
