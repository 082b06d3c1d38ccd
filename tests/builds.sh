#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Compiles the module, with W=1 and no warning, against the kernels that there are and
# those that there might be: builds.sh [PATTERN...]
#
#   6.1.0-47-amd64        headers that Debian's mirror has now: of each series and
#                         release the oldest and the newest point release, all flavours,
#                         amd64 and arm64
#   config-7.3-thp-off    other configurations of Debian's kernel sources
#   stand-in-6.14         headers changed to those of a series that Debian does not have
#
# For each the probes must find what tests/builds/probes.txt says.  Without a pattern
# and without FULL=yes only some are compiled.  Headers and prepared sources stay in the
# cache; a kernel is compiled again when the driver, its headers or the way changed.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
here=tests/vm
. tests/report.sh
. tests/vm/lib/all.sh
. tests/builds/headers.sh
. tests/builds/compile.sh
. tests/builds/configs.sh
. tests/builds/stand-ins.sh

OUT=$TOP/build/builds
# Series that there is to be something of; one that the mirror lacks is named
SERIES="6.1 6.12 7.2 7.3 7.4"
# What make check compiles besides the stand-ins
SOME='6.1.0-*-amd64:first 6.1.0-*-arm64:last 6.12.*+deb12-amd64:first
	6.12.*+deb13-rt-amd64:last 7.2.*+deb14-amd64:last 7.3.*-rt-amd64:last
	7.3.*-arm64-16k:last 7.3.*-cloud-amd64:last'

patterns=("$@")

# Is a kernel to be compiled?
wanted() { # name
	local pattern

	[ ${#patterns[@]} -gt 0 ] || return 0
	for pattern in "${patterns[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

# The vector that probes.txt has for a kernel
expected_probes() { # name series version
	local glob before changes

	awk -v series="$2" '
		$1 == "probe" { for (i = 2; i <= NF; i++) if ($i == series) column = i; next }
		/^(#|except|$)/ { next }
		{ print $1 "=" (column ? $column : "?") }' tests/builds/probes.txt > "$OUT/expected"
	while read -r _ glob before changes; do
		# shellcheck disable=SC2053 # a pattern
		[[ $1 == $glob ]] || continue
		[ "$before" = - ] || dpkg --compare-versions "$3" lt "$before" || continue
		for change in $changes; do
			sed -i "s/^${change%=*}=.*/$change/" "$OUT/expected"
		done
	done < <(grep '^except ' tests/builds/probes.txt)
	paste -sd ' ' "$OUT/expected"
}

# Compile once for a name and report: build NAME SERIES VERSION DIRS KDIR ARGUMENTS...
build() {
	local name=$1 series=$2 version=$3 dir=$OUT/$1 key status=0 expected

	shift 3
	mkdir -p "$dir"
	key=$(echo "$(sources_key) $*" | sha256sum | cut -c1-16)
	if [ "$(cat "$dir/key" 2>/dev/null)" != "$key" ]; then
		rm -f "$dir/key"
		compile "$dir" "$@" > "$dir/warnings" 2>&1 || status=$?
		[ $status -ne 0 ] || status_of_imports "$name" "$dir" >> "$dir/warnings" || status=1
		[ $status -ne 0 ] || echo "$key" > "$dir/key"
	fi
	result $status "$name: builds with W=1 and no warning" \
		< <(cat "$dir/warnings"; tail -n 5 "$dir/log" 2>/dev/null)
	expected=$(expected_probes "$name" "$series" "$version")
	check "$name: the probes find what they are to find" \
		differing "$expected" "$(cat "$dir/probes" 2>/dev/null)"
}

# What differs between two vectors
differing() { # expected found
	[ "$1" != "$2" ] || return 0
	diff <(tr ' ' '\n' <<< "$1") <(tr ' ' '\n' <<< "$2") | sed -n 's/^</expected/p; s/^>/found   /p'
	return 1
}

# A configuration's module imports only what the configuration exports
status_of_imports() { # name dir
	local missing series config

	[[ $1 == config-* ]] || return 0
	series=${1#config-} series=${series%%-*} config=${1#config-*-}
	missing=$(unexported "$series" "$config" < "$2/undefined")
	[ -z "$missing" ] || { echo "imports what is not exported: $missing"; return 1; }
}

build_headers() {
	local arch kver version depends chosen=$1

	# shellcheck disable=SC2046,SC2086 # one argument a word
	while read -r arch kver version depends; do
		[ -n "$kver" ] || continue
		build "$kver" "$(sed -E 's/^([0-9]+\.[0-9]+).*/\1/' <<< "$kver")" "$version" \
			"$(directories_for "$arch" "$kver" "$version" $depends)" \
			"/usr/src/linux-headers-$kver" $(make_arguments "$arch" "$kver")
	done <<< "$chosen"
}

build_stand_ins() {
	local name arch kver version depends base

	for name in $STAND_INS; do
		wanted "stand-in-$name" || continue
		read -r arch kver version depends < <(base_of "$name" <<< "$1")
		[ -n "$kver" ] || { echo "$part: stand-in-$name: its base is not there ... skipped"; continue; }
		# shellcheck disable=SC2086 # one package a word
		base=$(directories_for "$arch" "$kver" "$version" $depends)
		if ! stand_in "$name" "$base" "$OUT/$name.overlay" > "$OUT/stand-in.log" 2>&1; then
			result 1 "stand-in-$name: the base can be changed to it" < "$OUT/stand-in.log"
			continue
		fi
		# shellcheck disable=SC2046 # one argument a word
		build "stand-in-$name" "${name%%-*}" "$version" "$OUT/$name.overlay $base" \
			"/usr/src/linux-headers-$kver" $(make_arguments "$arch" "$kver") \
			CXL_VFIO_BASE="$(sha256sum < tests/builds/stand-ins.sh | cut -c1-8)"
	done
}

build_configs() {
	local series config name status

	for series in $CONFIG_SERIES; do
		for config in $CONFIGS; do
			name=config-$series-$config
			wanted "$name" || continue
			prepare_source_of "$series" ||
				{ echo "$part: $name: the sources are not there ... skipped"; continue; }
			status=0
			prepare_config "$series" "$config" > "$OUT/prepare.log" 2>&1 || status=$?
			if [ $status -eq 2 ]; then
				echo "$part: $name: $(tail -n 1 "$OUT/prepare.log") ... skipped"
				continue
			elif [ $status -ne 0 ]; then
				result 1 "$name: can be prepared" < "$OUT/prepare.log"
				continue
			fi
			write_symvers "$series" "$config"
			# shellcheck disable=SC2046 # one argument a word
			build "$name" "$series" - "$HEADERS/configs/$series-$config" /build \
				$(config_make "$config") KBUILD_MODPOST_WARN=1 \
				CXL_VFIO_BASE="$(config_key "$series" "$config")"
		done
	done
}

# The kernels of SOME, of those chosen
some_of() { # chosen
	local entry line

	for entry in $SOME; do
		line=$(while read -r arch kver rest; do
			# shellcheck disable=SC2053 # a pattern
			[[ $kver != ${entry%:*} || $kver == *-rt-* && $entry != *-rt-* ||
				$kver == *-cloud-* && $entry != *-cloud-* ]] ||
				echo "$arch $kver $rest"
		done <<< "$1")
		case $entry in
		*:first) head -n 1 <<< "$line" ;;
		*:last) tail -n 1 <<< "$line" ;;
		esac
	done | grep . | sort -u
}

mkdir -p "$OUT" "$HEADERS"
prepare 7.3
prepare_headers
chosen=$(chosen_headers)
for series in $SERIES; do
	grep -qE "^[a-z0-9]+ ${series//./\\.}[.-]" <<< "$chosen" ||
		echo "$part: Linux $series: Debian's mirror has no headers of it ... skipped"
done
headers=$(while read -r arch kver rest; do
	! wanted "$kver" || echo "$arch $kver $rest"
done <<< "$chosen")
[ -n "${FULL:-}" ] || [ $# -gt 0 ] || headers=$(some_of "$chosen")
# shellcheck disable=SC2086 # one package a word
while read -r arch kver version depends; do
	[ -n "$kver" ] || continue
	packages_for "$arch" "$kver" "$version" $depends
done < <(echo "$headers"; for name in $STAND_INS; do
	! wanted "stand-in-$name" || base_of "$name" <<< "$chosen"
done) > "$OUT/packages"
sort -u "$OUT/packages" | fetch
build_headers "$headers"
build_stand_ins "$chosen"
if [ -n "${FULL:-}" ] || [[ "$*" == *config* ]]; then
	# The prepared trees are written to
	exec 8> "$HEADERS/configs.lock"
	flock 8
	build_configs
fi
finish
