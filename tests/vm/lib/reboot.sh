# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Machines that boot several times, with systemd as their init and with the initramfs of a
# distribution.  Each has a layer over that of its series, build/vm/SERIES/PROGRAM.

# The packages of dracut, which takes the place of initramfs-tools; downloaded once
dracut_debs() { # series
	local dir=$BUILD/$1/out/dracut-debs

	[ "$(cat "$dir/key" 2>/dev/null)" = "$(cat "$(root_of "$1")/lab/ready")" ] && return
	note "downloading dracut (once)"
	rm -rf "$dir"
	in_throwaway "$1" sh -ec '
		mkdir -p /out/dracut-debs/partial
		apt-get -qq install -y --download-only -o Dir::Cache::archives=/out/dracut-debs dracut' \
		> "$BUILD/$1/dracut.log" 2>&1 || { tail -n 20 "$BUILD/$1/dracut.log" >&2; return 1; }
	cp "$(root_of "$1")/lab/ready" "$dir/key"
}

# Checksum of everything that such a layer is made from
boot_layer_key() { # series program
	{
		cat "$BUILD/$1/layer/key"
		cat "$TOP/tests/vm/guest/mount-root.sh" "$TOP/tests/vm/guest/reboot"/*
		[ "$2" != dracut ] || cat "$BUILD/$1/out/dracut-debs/key"
		declare -f make_boot_layer
	} | sha256sum | cut -c1-16
}

# Make a layer in which systemd starts main.sh, with the initramfs of a program.  The
# stand-in for a native driver is in that initramfs.
make_boot_layer() { # series program
	local dir=$BUILD/$1/$2

	[ "$2" != dracut ] || dracut_debs "$1" || return
	[ "$(cat "$dir/key" 2>/dev/null)" = "$(boot_layer_key "$1" "$2")" ] && return
	note "making an initramfs with $2 for Linux $1"
	rm -rf --one-file-system "$dir"
	mkdir -p "$dir"
	# shellcheck disable=SC2016 # the root's shell
	if ! in_layer "$BUILD/$1/layer/upper:$(lowerdir_of "$1")" "$dir" \
		"$TOP=/src" "$BUILD/$1/out=/out" -- sh -ec '
		files=/src/tests/vm/guest/reboot
		systemd-machine-id-setup
		touch /etc/.updated /var/.updated
		install -D -m 644 -t /etc/systemd/system $files/lab.service
		systemctl enable lab.service
		systemctl mask getty.target console-getty.service serial-getty@ttyS0.service \
			systemd-journal-flush.service e2scrub_reap.service
		case $2 in
		initramfs-tools)
			install -t /usr/share/initramfs-tools/hooks $files/hook
			install -m 644 $files/mountroot /usr/share/initramfs-tools/scripts/lab
			printf "MODULES=list\nCOMPRESSLEVEL=1\n" > /etc/initramfs-tools/conf.d/lab
			echo t2native >> /etc/initramfs-tools/modules
			update-initramfs -c -k "$1"
			lsinitramfs "/boot/initrd.img-$1"
			;;
		dracut)
			apt-get -qq install -y /out/dracut-debs/*.deb
			install -D -t /usr/lib/dracut/modules.d/99lab $files/module-setup.sh $files/dracut-mount.sh
			install -m 644 $files/dracut.conf /etc/dracut.conf.d/lab.conf
			dracut -f "/boot/initrd.img-$1" "$1"
			lsinitrd "/boot/initrd.img-$1"
			;;
		esac
		' sh "$(kver_of "$1")" "$2" > "$dir.log" 2>&1 </dev/null; then
		tail -n 20 "$dir.log" >&2
		return 1
	fi
	boot_layer_key "$1" "$2" > "$dir/key"
}

# Print the path of the initramfs for the next boot: the one that the last boot left, or
# that of the layer
packaged_initramfs() { # series dir
	local kind file

	kind=$(cat "$2/initramfs-of")
	[ "$(cat "$BUILD/$1/$kind/key" 2>/dev/null)" = "$(boot_layer_key "$1" "$kind")" ] || return
	if [ "$kind" = lab ]; then
		echo "$BUILD/$1/initramfs"
		return
	fi
	for file in {"$2/state","$BUILD/$1/$kind"}"/upper/boot/initrd.img-$(kver_of "$1")"; do
		[ -e "$file" ] || continue
		mkdir -p "$2/initrd"
		cp "$file" "$2/initrd/initramfs"
		echo "$2/initrd/initramfs"
		return
	done
	return 1
}
