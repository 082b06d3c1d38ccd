#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks the sources without running them: style.sh [SERIES...]

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
. tests/vm/lib/common.sh

lab() { tests/vm/lab.sh "$@"; }

# The UAPI headers together with this machine's kernel headers
uapi() {
	local flags=(-Wall -Wextra -Werror -fsyntax-only -Iinclude/uapi)

	gcc -std=c11 "${flags[@]}" tests/uapi/layout.c &&
		g++ -std=c++11 "${flags[@]}" -x c++ tests/uapi/layout.c
}

# checkpatch --strict on whole files
checkpatch() { # types-to-ignore file...
	local ignore=$1

	shift
	silent "$source/scripts/checkpatch.pl" --no-tree --strict --quiet --no-summary --terse \
		--show-types --max-line-length=100 --ignore "$ignore" -f "$@"
}

spdx() {
	local file missing=()

	while read -r file; do
		[ -f "$file" ] || continue
		head -n 5 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' ||
			missing+=("$file")
	done < <(git ls-files | grep -vE '^LICENSES/|^debian/(source/format|changelog|copyright|.*\.docs)$')
	[ ${#missing[@]} -eq 0 ] || { printf '%s\n' "${missing[@]}"; return 1; }
}

pictures() {
	local source sum

	for source in docs/*.dot; do
		sum=$(sha256sum < "$source" | cut -c1-64)
		grep -q "sha256 $sum" "${source%.dot}.svg" || { echo "$source: run make docs"; return 1; }
	done
	awk -f docs/refusals.awk tests/vm/refusals.txt | diff -u docs/refusals.md -
}

scripts() { git grep -lE '^#!/bin/(ba)?sh|shellcheck shell=' -- . ':!tests/style.sh'; }

need_packages git shellcheck gcc g++ perl libc6-dev
series_list=("$@")
# shellcheck disable=SC2206 # one series a word
[ $# -gt 0 ] || series_list=($ALL_KERNELS)
lab prepare "${series_list[@]}" || exit 1
source=$(lab source)
for series in "${series_list[@]}"; do
	mkdir -p "$BUILD/$series"
	lab build "$series" W=1 -j2 > "$BUILD/$series/style.log" 2>&1
	result $? "Linux $(lab kver "$series"): the module builds with W=1 and no warning" \
		< "$BUILD/$series/style.log"
done
check "sparse finds nothing on Linux $NEWEST" lab build "$NEWEST" C=2 -j2
check "kernel-doc finds no gap in the driver" silent "$source/scripts/kernel-doc" -none -Wall \
	src/*.[ch] src/compat/*.[ch] include/uapi/linux/*.h
mapfile -t files < <(git ls-files 'src/*.[ch]' 'include/*.h')
# compat macros that are empty on some kernels do not use their arguments; trace.h has the
# layout of TRACE_EVENT()
driver=(); for f in "${files[@]}"; do case $f in src/trace.h|src/names.h) ;; *) driver+=("$f") ;; esac; done
check "checkpatch --strict finds nothing in the driver" checkpatch MACRO_ARG_UNUSED "${driver[@]}"
check "checkpatch --strict finds nothing in the tracepoints" checkpatch \
	COMPLEX_MACRO,MULTISTATEMENT_MACRO_USE_DO_WHILE,MACRO_ARG_REUSE,PARENTHESIS_ALIGNMENT,TRAILING_SEMICOLON \
	src/trace.h src/names.h
mapfile -t files < <(git ls-files 'tests/*.[ch]')
# Checks for macros, types and string functions of the kernel do not apply to user space
userspace=BIT_MACRO,ARRAY_SIZE,PREFER_DEFINED_ATTRIBUTE_MACRO,PREFER_KERNEL_TYPES,STRCPY
userspace+=,ENOSYS,USE_NEGATIVE_ERRNO,VOLATILE,SPLIT_STRING,CAMELCASE,BRACES,NEW_TYPEDEFS,EMBEDDED_FUNCTION_NAME,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE
check "checkpatch --strict finds nothing in the tests" checkpatch "$userspace" "${files[@]}"
mapfile -t files < <(git ls-files 'tools/*.[ch]' 'docs/*.c')
# Messages of the tool are not broken over lines
check "checkpatch --strict finds nothing in the tool" checkpatch "$userspace,LONG_LINE_STRING" "${files[@]}"
check "the UAPI headers compile in C and C++ with the distribution's headers" uapi
mapfile -t files < <(scripts)
check "shellcheck finds nothing in the scripts" shellcheck -x -P SCRIPTDIR -e SC1091 tests/style.sh "${files[@]}"
check "every file names its licence" spdx
check "pictures and tables match their sources" pictures
finish
