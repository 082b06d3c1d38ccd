# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernels that no distribution ships: other configurations of the sources that Debian
# packages, prepared for building modules (modules_prepare) and kept in the cache.
#
# Such a tree has no Module.symvers, which the probes read.  It gets one with what it
# would export: a symbol is in it if Kbuild has a rule in this configuration for the
# file with its EXPORT_SYMBOL() and if the line is there after the preprocessor.  What
# the finished module imports is looked up in the same way.  Symbols without a line of
# their own, which macros export, are taken from Debian's Module.symvers.

# shellcheck disable=SC2034 # for builds.sh
CONFIG_SERIES="6.12 7.3"
# shellcheck disable=SC2034 # for builds.sh
CONFIGS="thp-off rt kvm-off iommufd move-notify dma-buf-off p2pdma-off cxl-off cxl-modular
	memory-hotplug-off pm-off clang arm64-4k arm64-16k arm64-64k"

# What a configuration changes of Debian's; "minimal" is from nothing instead
fragment() { # config
	case $1 in
	thp-off) echo "TRANSPARENT_HUGEPAGE=n" ;;
	rt) echo "EXPERT=y PREEMPT_RT=y" ;;
	kvm-off) echo "KVM=n" ;;
	iommufd) echo "IOMMUFD=m VFIO_DEVICE_CDEV=y" ;;
	move-notify) echo "DMABUF_MOVE_NOTIFY=y" ;;
	dma-buf-off) echo "minimal SYNC_FILE=n DMA_SHARED_BUFFER=n" ;;
	p2pdma-off) echo "PCI_P2PDMA=n" ;;
	cxl-off) echo "CXL_BUS=n" ;;
	cxl-modular) echo "CXL_BUS=m CXL_PORT=m" ;;
	memory-hotplug-off) echo "minimal MEMORY_HOTPLUG=n MEMORY_HOTREMOVE=n ZONE_DEVICE=n PCI_P2PDMA=n" ;;
	pm-off) echo "minimal PM=n" ;;
	clang|arm64-4k) ;;
	arm64-16k) echo "ARM64_4K_PAGES=n ARM64_16K_PAGES=y" ;;
	arm64-64k) echo "ARM64_4K_PAGES=n ARM64_64K_PAGES=y" ;;
	esac
}

# Enough for vfio-pci and CXL on x86
MINIMAL="64BIT=y SMP=y MODULES=y MMU=y PCI=y PCIEPORTBUS=y PCI_MSI=y ACPI=y IOMMU_SUPPORT=y
	INTEL_IOMMU=y IRQ_REMAP=y VFIO=m VFIO_PCI=m CXL_BUS=y CXL_PCI=m CXL_ACPI=m CXL_MEM=m
	PERF_EVENTS=y SHMEM=y TMPFS=y TRANSPARENT_HUGEPAGE=y MEMORY_HOTPLUG=y
	MEMORY_HOTREMOVE=y ZONE_DEVICE=y MEMORY_FAILURE=y SYNC_FILE=y PCI_P2PDMA=y
	CXL_REGION=y DEBUG_KERNEL=y TRACEPOINTS=y"

config_arch() { # config
	case $1 in
	arm64-*) echo arm64 ;;
	*) echo amd64 ;;
	esac
}

config_make() { # config
	case $1 in
	arm64-*) echo "ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-gcc-14" ;;
	clang) echo "LLVM=1" ;;
	*) echo "CC=gcc-14" ;;
	esac
}

newest_source() { # series: VERSION
	awk -v p="linux-source-$1" '$1 == p { print $3 }' "$HEADERS/apt/packages" | sort -V |
		tail -n 1
}

source_dir() { echo "source-$1_$(newest_source "$1")"; } # series, below $HEADERS

# Unpack the sources of a series, without what neither architecture is made of
prepare_source_of() { # series
	local dir version

	dir=$HEADERS/$(source_dir "$1") version=$(newest_source "$1")
	[ -n "$version" ] || return
	[ ! -d "$dir" ] || return 0
	exec 7> "$HEADERS/lock"
	flock 7
	note "unpacking linux-source-$1 $version (once)"
	rm -rf "$HEADERS/new"
	mkdir -p "$HEADERS/new/deb" "$HEADERS/new/source"
	# shellcheck disable=SC2016 # the root's shell
	apt_lists sh -c 'cd /headers/new && exec apt-get -qq download "$1"' sh \
		"linux-source-$1=$version" > "$HEADERS/apt/log" 2>&1 || return
	dpkg-deb -x "$HEADERS"/new/*.deb "$HEADERS/new/deb"
	tar -C "$HEADERS/new/source" --strip-components=1 --wildcards \
		--exclude='*/drivers/gpu/*.[chS]' --exclude='*/drivers/net/*.[chS]' \
		--exclude='*/drivers/media/*.[chS]' --exclude='*/drivers/staging/*.[chS]' \
		--exclude='*/sound/*.[chS]' --exclude='*/Documentation/*.rst' \
		--exclude='*/tools/perf' --exclude='*/tools/testing' \
		-xf "$(echo "$HEADERS"/new/deb/usr/src/linux-source-*.tar.*)" || return
	# Where which symbol is exported
	(cd "$HEADERS/new/source" && grep -rEo --include='*.[cS]' \
		'^[^/ ]*EXPORT_(SYMBOL|STATIC_CALL)[A-Z_]*\([a-zA-Z0-9_]+' . |
		sed -E 's|^\./([^:]*):.*\((.*)|\2 \1|' | sort -u > exporters)
	mv -T "$HEADERS/new/source" "$dir"
	rm -rf "$HEADERS/new"
	exec 7>&-
}

# The configuration that Debian's newest headers of a series have
debian_config() { # series architecture
	local package arch version dir

	read -r package arch version < <(awk -v s="$1" -v a="$2" \
		'$2 == a && $1 ~ "^linux-headers-" s "\\..*\\+deb13-" a "$" { print $1, $2, $3 }' \
		"$HEADERS/apt/packages" | sort -V | tail -n 1)
	dir=$(unpacked "$package" "$version" "$arch")
	echo "$package $arch $version" | fetch
	echo "$dir/usr/src/$package/.config"
}

in_config() { # series-config command...
	local tree=$HEADERS/configs/$1

	shift
	mkdir -p "$tree/build"
	in_scratch "$TOOLS/upper:$(host_root)" "$HEADERS=/headers" "$tree/build=/build" -- "$@"
}

# What a prepared tree is made of
config_key() { # series config
	{
		source_dir "$1"
		fragment "$2"
		config_make "$2"
		declare -f prepare_config write_config
		echo "$MINIMAL"
		cat "$(debian_config "$1" "$(config_arch "$2")")"
	} | sha256sum | cut -c1-16
}

write_config() { # series config
	local setting words

	words=$(fragment "$2")
	if [[ $words == minimal* ]]; then
		words="$MINIMAL ${words#minimal }"
	else
		cat "$(debian_config "$1" "$(config_arch "$2")")"
	fi
	# No vmlinux to take types from; keys are not there
	for setting in $words DEBUG_INFO_BTF=n MODULE_SIG=n SYSTEM_TRUSTED_KEYS=\"\" WERROR=n; do
		echo "CONFIG_$setting" | sed 's/^\(.*\)=n$/# \1 is not set/'
	done
}

# Does the tree have what was asked for?  An option that the series lacks is named
has_config() { # series config
	local setting config=$HEADERS/configs/$1-$2/build/.config

	for setting in $(fragment "$2"); do
		case $setting in
		minimal) ;;
		*=n) ! grep -q "^CONFIG_${setting%=n}=" "$config" ;;
		*) grep -qx "CONFIG_$setting" "$config" ;;
		esac || { echo "Linux $1 has no $setting"; return 2; }
	done
}

# A tree for building modules: prepare_config SERIES CONFIG
prepare_config() {
	local tree=$HEADERS/configs/$1-$2 key start=olddefconfig

	key=$(config_key "$1" "$2")
	[ "$(cat "$tree/key" 2>/dev/null)" != "$key" ] || return 0
	note "preparing Linux $1 with configuration $2 (once)"
	rm -rf "$tree"
	mkdir -p "$tree/build"
	write_config "$1" "$2" > "$tree/fragment"
	if [[ $(fragment "$2") == minimal* ]]; then
		start="KCONFIG_ALLCONFIG=/build/fragment allnoconfig"
		cp "$tree/fragment" "$tree/build/"
	else
		cp "$tree/fragment" "$tree/build/.config"
	fi
	# shellcheck disable=SC2016,SC2046,SC2086 # the root's shell, one argument a word
	in_config "$1-$2" bash -c 'cd "$1" && make -s O=/build "${@:3}" $2 &&
		make -s -j2 O=/build "${@:3}" modules_prepare' prepare \
		"/headers/$(source_dir "$1")" "$start" $(config_make "$2") > "$tree/log" 2>&1 ||
		{ tail -n 5 "$tree/log"; return 1; }
	: > "$tree/build/Module.symvers"
	has_config "$1" "$2" || return
	echo "$key" > "$tree/key"
}

other_architectures() { # config
	case $(config_arch "$1") in
	arm64) echo "[b-z].*|a[^r].*|ar[^m].*|arm|arc" ;;
	*) echo "[a-w].*|x[^8].*" ;;
	esac
}

# Of source files on stdin, those that are compiled in a tree's configuration.  Kbuild
# preprocesses any file that it is asked for, so the Makefiles are read: the objects of
# a directory count if the one above it names the directory.
# shellcheck disable=SC2016 # make's and the root's shell
compiled() { # series config
	local tree=$HEADERS/configs/$1-$2

	sort -u > "$tree/build/files"
	in_config "$1-$2" bash -c '
		cd "$1" || exit
		while read -r dir; do
			while [[ $dir == */* ]]; do
				dir=${dir%/*}
				echo "$dir"
			done
		done < /build/files | sort -u > /build/dirs
		: > /build/objects
		while read -r dir; do
			# The Makefile of the architecture names its lib for the final link
			[[ $dir != */* || ${dir%/*} == arch || $dir == arch/*/lib ]] ||
				grep -qxF "$dir/" /build/objects || continue
			file=$dir/Kbuild
			[ -e "$file" ] || file=$dir/Makefile
			cat > /build/read.mk <<-END
				include /build/include/config/auto.conf
				srctree := .
				BITS := 64
				SRCARCH := $2
				src := $dir
				obj := $dir
				include $file
				objects := \$(obj-y) \$(obj-m) \$(lib-y) \$(libs-y)
				parts = \$(\$(1:.o=-y)) \$(\$(1:.o=-m)) \$(\$(1:.o=-objs))
				all: ; @printf "$dir/%s\\\\n" \$(objects) \$(foreach o,\$(objects),\$(call parts,\$(o)))
			END
			make -s -f /build/read.mk all 2>/dev/null >> /build/objects
		done < /build/dirs
		sed "s/\.c\$/.o/" /build/files | grep -xF -f - /build/objects | sort -u |
			sed "s/\.o\$/.c/"' compiled "/headers/$(source_dir "$1")" \
		"$(config_arch "$2" | sed 's/amd64/x86/')"
}

# The sources that another source of their directory includes, a line FILE INCLUDER each
included() { # source
	[ -e "$1/included" ] || {
		(cd "$1" && grep -rE --include='*.c' '^# *include "[a-zA-Z0-9_]+\.c"' .) |
			sed -E 's|^\./(.*/)([^/:]*):.*"(.*)".*|\1\3 \1\2|' > "$1/included.new"
		mv "$1/included.new" "$1/included"
	}
	cat "$1/included"
}

# Which of the symbols on stdin does a tree export?  exported_by SERIES CONFIG
exported_by() {
	local tree=$HEADERS/configs/$1-$2 source files

	source=$HEADERS/$(source_dir "$1")
	sort -u > "$tree/asked"
	# A file for each; those of architectures and of assembly are judged by their path
	awk 'NR == FNR { asked[$1]; next } $1 in asked || ("__SCT__" $1) in asked' \
		"$tree/asked" "$source/exporters" |
		awk 'NR == FNR { by[$1] = by[$1] " " $2; next }
			{ print; n = split(by[$2], f, " "); for (i = 1; i <= n; i++) print $1, f[i] }' \
			<(included "$source") - > "$tree/where"
	mapfile -t files < <(awk '$2 ~ /\.c$/ { print $2 }' "$tree/where" |
		grep -vE "^(tools/|arch/($(other_architectures "$2"))/)" | compiled "$1" "$2")
	find "$tree/build" -name '*.i' -delete
	# shellcheck disable=SC2016,SC2046 # the root's shell, one argument a word
	[ ${#files[@]} -eq 0 ] || in_config "$1-$2" bash -c 'cd /build && make -s -k -j2 "$@"' \
		exported $(config_make "$2") "${files[@]/%.c/.i}" > "$tree/exported.log" 2>&1
	# The preprocessed line is gone where its configuration is; Kbuild makes no file that
	# it has no rule for
	while read -r symbol file; do
		# A line for a static call exports its trampoline
		! grep -qx "__SCT__$symbol" "$tree/asked" || symbol=__SCT__$symbol
		case $file in
		*.S) [[ $file != arch/"$(config_arch "$2" | sed 's/amd64/x86/')"/* ]] || echo "$symbol" ;;
		*.c) ! grep -qsE "__(export_symbol|ksymtab)_$symbol\b" \
			"$tree/build/${file%.c}.i" || echo "$symbol" ;;
		esac
	done < "$tree/where" > "$tree/exported"
	awk 'NR == FNR { line[$1]; next } !($1 in line) && !(substr($1, 8) in line)' \
		"$source/exporters" "$tree/asked" | grep -xF -f - <(awk '{ print $2 }' \
		"$(dirname "$(debian_config "$1" "$(config_arch "$2")")")/Module.symvers") \
		>> "$tree/exported"
	sort -u "$tree/exported"
}

# Give a tree the Module.symvers that the probes ask
write_symvers() { # series config
	local tree=$HEADERS/configs/$1-$2 needs

	needs=$(sed -n 's/^ \* needs [0-9]: //p' src/compat/probes/*.c; declare -f exported_by compiled included)
	[ "$needs" != "$(cat "$tree/needs" 2>/dev/null)" ] || return 0
	# Never empty: that would be no file of symbols
	{
		echo module_layout
		sed -n 's/^ \* needs [0-9]: //p' src/compat/probes/*.c | tr ' ' '\n' |
			exported_by "$1" "$2"
	} | sed 's/.*/0x00000000\t&\tvmlinux\tEXPORT_SYMBOL_GPL\t/' > "$tree/build/Module.symvers"
	echo "$needs" > "$tree/needs"
}

# What a module imports that its kernel does not export: unexported SERIES CONFIG < UNDEFINED
unexported() {
	local asked

	asked=$(sort -u)
	exported_by "$1" "$2" <<< "$asked" | comm -13 - <(echo "$asked")
}
