# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The lab for machines of another architecture than this machine's, ARCH=arm64.  Nothing of
# their root file systems runs here: Debian's packages are unpacked and not installed, the
# modules and test programs are cross-compiled, and no DKMS is involved.  A layer over the
# root of trixie has QEMU and the cross compiler.

. "$TOP/tests/builds/headers.sh"
. "$TOP/tests/builds/compile.sh"

FOREIGN_TOOLS=$CACHE/$LAB_ARCH-tools
FOREIGN_TOOL_PACKAGES="gcc-aarch64-linux-gnu libc6-dev-arm64-cross libpci-dev:arm64 libkmod-dev:arm64
	libjson-c-dev:arm64"
FOREIGN_BACKPORTS="qemu-system-arm qemu-efi-aarch64"
# What the scenarios and the headers use, with the packages that these depend on
FOREIGN_PACKAGES="base-files base-passwd libc-bin bash dash coreutils util-linux mount grep sed gawk
	findutils diffutils hostname kmod pciutils pci.ids busybox-static procps cxl binutils
	qemu-system-arm libpci3 libkmod2 libjson-c5 dkms dpkg gcc make libc6-dev driverctl pahole"

foreign_root() { echo "$CACHE/roots/$1-$LAB_ARCH"; } # suite

# The directories of the root with QEMU and the cross compiler, the uppermost first
foreign_tools() { echo "$FOREIGN_TOOLS/upper:$(host_root)"; }

# apt with lists of its own, in the root of this machine's architecture
foreign_apt() { # suite command...
	in_root "$CACHE/roots/$1" "$(foreign_root "$1").apt=/lab/foreign" -- \
		env APT_CONFIG=/lab/foreign/apt.conf "${@:2}"
}

write_foreign_apt() { # suite
	local dir

	dir=$(foreign_root "$1").apt
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	: > "$dir/status"
	cat > "$dir/apt.conf" <<-END
		Dir::State "/lab/foreign/state";
		Dir::State::status "/lab/foreign/status";
		Dir::Cache "/lab/foreign/cache";
		APT::Architecture "$LAB_ARCH";
		APT::Architectures { "$LAB_ARCH"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
	END
}

# Checksum of everything that a root is made from, besides the kernels
foreign_key() {
	{
		echo "$FOREIGN_PACKAGES"
		declare -f write_foreign_apt unpack_foreign make_foreign_root foreign_kernel_packages
	} | sha256sum | cut -c1-16
}

# The newest version of a series that apt has headers of, as in uname -r
foreign_kver() { # suite series
	local series=${2%%-*} flavour=$LAB_ARCH${2#"${2%%-*}"}

	foreign_apt "$1" apt-cache search --names-only \
		"^linux-headers-${series//./\\.}\\.[0-9].*-$flavour\$" | awk '{ print $1 }' |
		sed 's/^linux-headers-//' | grep -E "[0-9]-$flavour\$" | sort -V | tail -n 1
}

# The packages with the image, the modules and the headers of a kernel
foreign_kernel_packages() { # suite kver
	local p version=${2%-"$LAB_ARCH"*}

	for p in "linux-binary-unsigned-$2" "linux-image-$2" "linux-modules-$2" "linux-base-$2" \
		"linux-headers-$2" "linux-headers-$version-common" "linux-kbuild-$version"; do
		# Names that apt only knows of are no packages
		foreign_apt "$1" apt-cache show "$p" 2>/dev/null |
			awk -v p="$p" '/^Filename:/ { found = 1 } END { if (found) print p }'
	done | awk '!/^linux-image/ || !seen; { seen = 1 }'
}

# Unpack all packages that apt has downloaded, without what no scenario reads
unpack_foreign() { # suite
	local deb

	for deb in "$(foreign_root "$1").apt"/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$(foreign_root "$1")" \
			--keep-directory-symlink --wildcards --exclude='./usr/share/doc/*' \
			--exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' || return
		rm "$deb"
	done
}

# Index the modules of a kernel in a directory: foreign_depmod DIR KVER
foreign_depmod() {
	in_root "$(host_root)" "$1=/lab/foreign" -- depmod -b /lab/foreign "$2"
}

# Add the newest kernels to a root
add_foreign_kernels() { # suite
	local root series kver packages

	root=$(foreign_root "$1")
	for series in $(series_of "$1"); do
		kver=$(foreign_kver "$1" "$series")
		[ -n "$kver" ] || die "apt has no $LAB_ARCH headers of kernel series $series in $1"
		[ "$(cat "$root/lab/kver-$series" 2>/dev/null)" != "$kver" ] || continue
		packages=$(foreign_kernel_packages "$1" "$kver")
		[ -n "$packages" ] || die "apt has no $LAB_ARCH image of kernel $kver in $1"
		note "adding Linux $kver"
		# shellcheck disable=SC2016,SC2086 # the root's shell; one package a word
		foreign_apt "$1" sh -c 'cd /lab/foreign/cache/archives && apt-get -qq download "$@"' \
			sh $packages > "$root.log" 2>&1 </dev/null ||
			die "cannot get $packages, see $root.log"
		unpack_foreign "$1" || die "cannot unpack $packages"
		foreign_depmod "$root" "$kver" || die "depmod of $kver fails"
		echo "$kver" > "$root/lab/kver-$series"
	done
}

# Make a root from nothing; lab/ready is written last
make_foreign_root() { # suite
	local root name

	root=$(foreign_root "$1")
	note "making the $LAB_ARCH root file system of $1 (once)"
	rm -rf --one-file-system "$root"
	mkdir -p "$root"/{lab,proc,sys,dev,run,tmp,root,src,etc,var/tmp,usr/bin,usr/sbin,usr/lib}
	for name in bin sbin lib; do
		ln -s "usr/$name" "$root/$name"
	done
	# shellcheck disable=SC2086 # one package a word
	foreign_apt "$1" apt-get -qq -y --no-install-recommends --download-only install $FOREIGN_PACKAGES \
		> "$root.log" 2>&1 </dev/null || die "cannot get the packages, see $root.log"
	unpack_foreign "$1" || die "cannot unpack the packages"
	# What the packages' scripts would do
	ln -sf gawk "$root/usr/bin/awk"
	cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
	cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
	foreign_key > "$root/lab/ready"
}

prepare_foreign_suite() { # suite
	local root

	root=$(foreign_root "$1")
	exec 9> "$root.lock"
	flock 9
	write_foreign_apt "$1"
	if [ "$(cat "$FOREIGN_TOOLS/key" 2>/dev/null)" != \
		"$(tools_key "$1" "$FOREIGN_TOOL_PACKAGES $FOREIGN_BACKPORTS")" ]; then
		note "installing QEMU and the cross compiler for $LAB_ARCH (once)"
		rm -rf --one-file-system "$FOREIGN_TOOLS"
		mkdir -p "$FOREIGN_TOOLS"
		# shellcheck disable=SC2016 # the root's shell
		in_layer "$(host_root)" "$FOREIGN_TOOLS" -- sh -ec '
			dpkg --add-architecture arm64
			apt-get -qq update || true
			apt-get -qq install -y $1
			apt-get -qq install -y -t "$3-backports" $2
			apt-get clean' sh "$FOREIGN_TOOL_PACKAGES" "$FOREIGN_BACKPORTS" "$1" \
			> "$FOREIGN_TOOLS.log" 2>&1 </dev/null ||
			die "cannot install them, see $FOREIGN_TOOLS.log"
		tools_key "$1" "$FOREIGN_TOOL_PACKAGES $FOREIGN_BACKPORTS" > "$FOREIGN_TOOLS/key"
	fi
	if [ -z "${LAB_OFFLINE:-}" ] || [ ! -e "$root/lab/ready" ]; then
		foreign_apt "$1" apt-get -qq -o APT::Update::Error-Mode=any update > "$root.log" 2>&1 ||
			note "cannot read the $LAB_ARCH package lists of $1, using what is in the cache"
	fi
	[ "$(cat "$root/lab/ready" 2>/dev/null)" = "$(foreign_key)" ] || make_foreign_root "$1"
	add_foreign_kernels "$1"
	exec 9>&-
}

# Compile the test programs
make_foreign_programs() {
	mkdir -p "$BUILD/progs"
	in_scratch "$(foreign_tools)" "$TOP=/src" "$CACHE/linux-source=/lab/source" -- \
		make -s -C /src/tests/vm/progs O="/src/${BUILD#"$TOP"/}/progs" \
		CC=aarch64-linux-gnu-gcc HARNESS=/lab/source/tools/testing/selftests >&2
}

# Cross-compile the modules and put them over the root
build_foreign_modules() { # series out
	local kver arch version depends dirs arguments

	kver=$(kver_of "$1")
	prepare_headers
	if series_has "$1" built; then
		# Compiled by the compiler of trixie, as are Debian's kernels for it
		dirs=$(built_tree "$1")
		arguments=$(make_arguments "$LAB_ARCH" "$kver+deb13-")
	else
		read -r arch version depends < <(awk -v p="linux-headers-$kver" -v a="$LAB_ARCH" \
			'$1 == p && $2 == a { $1 = ""; print }' "$HEADERS/apt/packages" | tail -n 1)
		[ -n "$version" ] || die "there are no headers of $kver"
		# shellcheck disable=SC2086 # one package a word
		packages_for "$arch" "$kver" "$version" $depends | fetch
		# shellcheck disable=SC2086 # one package a word
		dirs=$(directories_for "$arch" "$kver" "$version" $depends | paste -sd ' ')
		arguments=$(make_arguments "$arch" "$kver")
	fi
	# shellcheck disable=SC2016,SC2086 # the root's shell; one argument a word
	in_tools "$2" "$dirs" -- bash -ec '
		rm -rf /tmp/m
		mkdir -p /tmp/m/tests/vm /tmp/m/tests/t2dev
		cd /tmp/m
		tar -C /src --exclude="*.o" --exclude=".*.cmd" --exclude=generated.h \
			-c Kbuild dkms.conf include src | tar -x
		cp -r /src/tests/vm/modules tests/vm/
		cp /src/tests/t2dev/*.h tests/t2dev/
		make -j2 -C "$1" M=/tmp/m "${@:2}" modules
		make -j2 -C "$1" M=/tmp/m/tests/vm/modules "${@:2}" modules
		cp cxl-vfio-pci.ko tests/vm/modules/*.ko /out
		' build "/usr/src/linux-headers-$kver" $arguments
}

make_foreign_layer() { # series
	local dir=$BUILD/$1/layer kver

	[ "$(cat "$dir/key" 2>/dev/null)" = "$(layer_key "$1")" ] && return
	kver=$(kver_of "$1")
	rm -rf --one-file-system "$dir" "$BUILD/$1/modules"
	mkdir -p "$dir"/{upper,work,merged} "$BUILD/$1/modules"
	if ! build_foreign_modules "$1" "$BUILD/$1/modules" > "$BUILD/$1/build.log" 2>&1; then
		tail -n 20 "$BUILD/$1/build.log" >&2
		return 1
	fi
	install -D -m 644 -t "$dir/upper/usr/lib/modules/$kver/updates" "$BUILD/$1/modules"/*.ko
	dpkg-deb -x "$(packages_dir deb)"/cxl-vfio-tools_*_"$LAB_ARCH".deb "$dir/upper" || return
	export -f in_root foreign_depmod host_root suite_of series_field die note
	export CACHE NEWEST SERIES_TABLE
	# shellcheck disable=SC2016 # the script's own variables
	unshare --mount --propagation private bash -c '
		mount -t overlay overlay "$2/merged" \
			-o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" &&
			foreign_depmod "$2/merged" "$3"
	' depmod "$(lowerdir_of "$1")" "$dir" "$kver" || return
	layer_key "$1" > "$dir/key"
}

# Change what boot() starts into a machine of the architecture: QEMU's virt board with UEFI.
# Its memory is 3 GiB from 1 GiB on.  Memory that is hidden from the kernel of an amd64 machine
# is in DIMMs here, which no firmware table lists: EDK2 and ACPI tables are at the end of RAM.
foreign_machine() { # dir
	local size addr n=0

	# shellcheck disable=SC2034 # of boot()
	qemu=(qemu-system-aarch64 -bios /usr/share/qemu-efi-aarch64/QEMU_EFI.fd)
	# shellcheck disable=SC2034
	machine=virt,gic-version=3,acpi=on,cxl=on,memory-backend=ram
	# A scenario with a processor for nested guests
	[ ! -s "$1/cpu" ] || machine+=,virtualization=on
	# shellcheck disable=SC2034
	cpu=max,pauth-impdef=on tty=ttyAMA mem=3G tools=$(foreign_tools)
	# The board has two serial lines
	# shellcheck disable=SC2034
	[ ! -e "$1/shell" ] || shell=(-chardev "socket,id=shell,path=/lab/run/shell.sock,server=on$(cat "$1/shell")"
		-device "pci-serial,bus=pcie.0,chardev=shell")
	# shellcheck disable=SC2034 # QEMU's SMMU does not work with vfio-user devices
	iommu=virtio-iommu-pci,bus=pcie.0,addr=1
	# shellcheck disable=SC2034
	cmdline=acpi_no_memhotplug
	while read -r size addr; do
		devices+=(-object "memory-backend-memfd,id=dimm$n,share=on,size=$size")
		devices+=(-device "pc-dimm,memdev=dimm$n,addr=$addr")
		n=$((n + 1))
	done < <(if [ -s "$1/dimm" ]; then cat "$1/dimm"; else tr ',$' '\n ' < "$1/memmap"; fi |
		while read -r size addr; do
			# QEMU takes no unit in an address
			[[ $addr != *G ]] || addr=$((${addr%G} << 30))
			echo "$size $addr"
		done)
	# shellcheck disable=SC2034
	slots=,slots=$n,maxmem=128G
}
