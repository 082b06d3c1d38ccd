# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernel headers from Debian's mirror, unpacked in the cache and not installed,
# and the root that compilers run in.

HEADERS=$CACHE/headers
TOOLS=$CACHE/build-tools

# Releases whose kernels are built for; what a release does not have is not built
RELEASES="bookworm bookworm-backports trixie trixie-backports testing unstable experimental"

# Compilers and what preparing kernel sources takes, over the trixie root; and the
# compilers of newer releases' kernels, over that
TOOL_PACKAGES="gcc-12 gcc-12-aarch64-linux-gnu gcc-14-aarch64-linux-gnu gcc-aarch64-linux-gnu
	clang lld llvm bison flex bc libelf-dev libssl-dev perl python3 patch"
# The assembler of trixie does not know all that the compiler of testing writes
NEWER_PACKAGES="gcc-16 gcc-16-aarch64-linux-gnu binutils binutils-aarch64-linux-gnu dwarves"

tools_key() { # suite packages
	echo "$* $(root_key trixie)" | sha256sum | cut -c1-16
}

# A layer with compilers over a root
prepare_tools_of() { # suite lower layer packages...
	local suite=$1 lower=$2 layer=$3 main

	shift 3
	[ "$(cat "$layer/key" 2>/dev/null)" = "$(tools_key "$suite" "$@")" ] && return
	note "installing compilers for the build matrix ($suite, once)"
	rm -rf --one-file-system "$layer"
	mkdir -p "$layer"
	main=$(mirrors | grep -E '/debian/?$' | head -1)
	# shellcheck disable=SC2016 # the root's shell
	in_layer "$lower" "$layer" -- sh -ec '
		echo "deb $1 $2 main" > /etc/apt/sources.list.d/compilers.list
		shift 2
		apt-get -qq update || true
		apt-get -qq install -y "$@" > /dev/null
		apt-get clean' sh "${main:-http://deb.debian.org/debian}" "$suite" "$@" \
		</dev/null > "$layer.log" 2>&1 ||
		die "cannot install the compilers, see $layer.log"
	tools_key "$suite" "$@" > "$layer/key"
}

prepare_tools() {
	# shellcheck disable=SC2086 # one package a word
	prepare_tools_of trixie "$(host_root)" "$TOOLS" $TOOL_PACKAGES
	# shellcheck disable=SC2086 # one package a word
	prepare_tools_of testing "$TOOLS/upper:$(host_root)" "$TOOLS-testing" \
		-t testing $NEWER_PACKAGES
}

# Run a command where the compilers are, with directories of unpacked packages
# below it, this project at /src and a directory at /out: in_tools OUT DIRS -- COMMAND...
in_tools() { # out "dir..." -- command...
	local out=$1 lower="" dir

	for dir in $2; do
		lower+=$dir:
	done
	shift 3
	in_scratch "$lower$TOOLS/upper:$(host_root)" "$TOP=/src" "$out=/out" \
		"$HEADERS=/headers" -- "$@"
}

# apt with lists of its own: of all releases and both architectures
apt_lists() { # command...
	in_tools "$HEADERS" "" -- env APT_CONFIG=/headers/apt/apt.conf "$@"
}

prepare_apt() {
	local main security release

	mkdir -p "$HEADERS/apt/state/lists/partial" "$HEADERS/apt/cache/archives/partial"
	main=$(mirrors | grep -E '/debian/?$' | head -1)
	security=$(mirrors | grep -E '/debian-security/?$' | head -1)
	: "${main:=http://deb.debian.org/debian}" "${security:=$main-security}"
	for release in $RELEASES; do
		echo "deb $main $release main"
	done > "$HEADERS/apt/sources.list"
	for release in bookworm trixie; do
		echo "deb $security $release-security main"
		echo "deb $main $release-updates main"
	done >> "$HEADERS/apt/sources.list"
	: > "$HEADERS/apt/status"
	cat > "$HEADERS/apt/apt.conf" <<-'END'
		Dir::State "/headers/apt/state";
		Dir::State::status "/headers/apt/status";
		Dir::Cache "/headers/apt/cache";
		Dir::Etc::sourcelist "/headers/apt/sources.list";
		Dir::Etc::sourceparts "/headers/apt/none";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; "arm64"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
	END
	# Lists of the last hours will do, and old ones without network
	[ -z "${LAB_OFFLINE:-}" ] || return 0
	[ -z "$(find "$HEADERS/apt/updated" -mmin -720 2>/dev/null)" ] || return 0
	if apt_lists apt-get -qq -o APT::Update::Error-Mode=any update > "$HEADERS/apt/log" 2>&1; then
		touch "$HEADERS/apt/updated"
	else
		note "no package lists to be had, using those in the cache"
	fi
}

# The packages of kernel headers and their programs on the mirror, a line each:
# PACKAGE ARCHITECTURE VERSION DEPENDS
list_packages() {
	[ ! "$HEADERS/apt/packages" -nt "$HEADERS/apt/updated" ] || return 0
	# shellcheck disable=SC2016 # apt's and awk's own
	apt_lists sh -c 'apt-get indextargets --format "\$(FILENAME)" "Created-By: Packages" |
		xargs -r -n 1 /usr/lib/apt/apt-helper cat-file' | awk '
		BEGIN { RS = ""; FS = "\n" }
		!/^Package: linux-(headers|kbuild|source)-[0-9]/ { next }
		{
			for (i = 1; i <= NF; i++) {
				split($i, kv, ": ")
				field[kv[1]] = substr($i, length(kv[1]) + 3)
			}
			gsub(/ *\([^)]*\)| *\|[^,]*/, "", field["Depends"])
			gsub(/, */, " ", field["Depends"])
			print field["Package"], field["Architecture"], field["Version"], field["Depends"]
			delete field
		}' | sort -u > "$HEADERS/apt/packages.new"
	mv "$HEADERS/apt/packages.new" "$HEADERS/apt/packages"
}

# Have compilers and the list of packages; one at a time in the cache
prepare_headers() {
	exec 8> "$HEADERS/lock"
	flock 8
	# apt's lists are read where the compilers are
	prepare_tools
	prepare_apt
	list_packages
	exec 8>&-
}

# Of each series of each Debian release and architecture, the oldest and the
# newest point release with all its flavours: ARCHITECTURE KVER VERSION DEPENDS
chosen_headers() {
	# Packages without a -common one only depend on the newest; 6.12.118+deb13-rt-amd64
	# is of series 6.12, for deb13
	awk '/ linux-headers-[^ ]*-common/ {
		kver = substr($1, 15)
		release = match(kver, /\+deb[0-9]+/) ? substr(kver, RSTART, RLENGTH) : ""
		match(kver, /^[0-9]+\.[0-9]+/)
		$1 = kver
		print substr(kver, 1, RLENGTH) release "/" $2, $0
	}' "$HEADERS/apt/packages" | sort -V | awk '
		{ group[NR] = $1; version[NR] = $4; line[NR] = $3 " " $2 substr($0, length($1 $2 $3) + 3) }
		END { for (i = 1; i <= NR; i++) print group[i], version[i], line[i] }' |
		sort -V -k 1,2 | awk '
		!($1 in oldest) { oldest[$1] = $2 }
		{ newest[$1] = $2; lines[NR] = $0 }
		END {
			for (i = 1; i <= NR; i++) {
				split(lines[i], f, " ")
				if (f[2] == oldest[f[1]] || f[2] == newest[f[1]])
					print substr(lines[i], length(f[1] f[2]) + 3)
			}
		}'
}

# Directory of an unpacked package
unpacked() { echo "$HEADERS/$1_$2_$3"; } # package version architecture

# The packages that a kernel's headers are made of: PACKAGE ARCHITECTURE VERSION
packages_for() { # architecture kver version depends...
	local p

	echo "linux-headers-$2 $1 $3"
	for p in "${@:4}"; do
		case $p in
		linux-headers-*-common*) echo "$p all $3" ;;
		# Programs, which run here; the newest will do
		linux-kbuild-*)
			awk -v p="$p" '$1 == p && $2 == "amd64" { print $1, $2, $3 }' \
				"$HEADERS/apt/packages" | sort -V | tail -n 1
			;;
		esac
	done
}

# Have packages unpacked: a line each on stdin, as packages_for() prints them
fetch() {
	local package arch version wanted=() dir deb

	while read -r package arch version; do
		[ -d "$(unpacked "$package" "$version" "$arch")" ] ||
			wanted+=("$package:${arch/all/amd64}=$version")
	done
	[ ${#wanted[@]} -gt 0 ] || return 0
	exec 7> "$HEADERS/lock"
	flock 7
	note "fetching ${#wanted[@]} packages of kernel headers"
	rm -rf "$HEADERS/new"
	mkdir -p "$HEADERS/new"
	# shellcheck disable=SC2016 # the root's shell
	apt_lists sh -c 'cd /headers/new && exec apt-get -qq download "$@"' sh "${wanted[@]}" \
		> "$HEADERS/apt/log" 2>&1 || note "not all packages could be fetched"
	for deb in "$HEADERS"/new/*.deb; do
		[ -e "$deb" ] || continue
		dir=$HEADERS/new/unpacked
		rm -rf "$dir"
		mkdir -p "$dir"
		# Nothing of /lib, which is a link in the root
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --wildcards \
			--exclude='./lib/*' --exclude='./usr/share/*' ./usr || true
		mv -T "$dir" "$(unpacked "$(dpkg-deb -f "$deb" Package)" \
			"$(dpkg-deb -f "$deb" Version)" "$(dpkg-deb -f "$deb" Architecture)")"
		rm "$deb"
	done
	exec 7>&-
}
