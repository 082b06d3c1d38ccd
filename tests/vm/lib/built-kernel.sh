# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The kernel of a series with the ability "built": built once from Debian's linux-source with
# the configuration in tests/vm/kernel, and kept in the cache as a tree that lies over the
# root of its Debian release.

built_tree() { echo "$CACHE/built-kernel/$1"; }

# The package with the source of a built series, 7.3-debug: linux-source-7.3
built_source() { echo "linux-source-${1%%-*}"; }

# The files with the configuration of a built series, from tests/vm/kernel on
built_configs() { echo "base.config $LAB_ARCH.config $1.config"; }

# Checksum of everything that the kernel is made from.  The driver is no part of it.
built_key() { # series
	{
		in_suite "$(suite_of "$1")" apt-cache policy "$(built_source "$1")" </dev/null |
			sed -n 's/^ *Candidate: //p'
		# shellcheck disable=SC2046 # one file a word
		(cd "$TOP/tests/vm/kernel" && cat build.sh $(built_configs "$1"))
	} | sha256sum | cut -c1-16
}

# Is the kernel in the cache, made from what apt and the tree have now?
built_kernel_is_ready() { # series
	[ "$(cat "$(built_tree "$1")/lab/key" 2>/dev/null)" = "$(built_key "$1")" ]
}

# Build the kernel in a layer over the root with QEMU, unless it is in the cache; lab/key is
# written last
make_built_kernel() { # series
	local dir start=$SECONDS tools

	built_kernel_is_ready "$1" && return
	dir=$(built_tree "$1")
	note "building the kernel of $1 from $(built_source "$1") (once, takes 5 to 60 minutes)"
	rm -rf --one-file-system "$dir" "$dir.tmp"
	mkdir -p "$dir.tmp"/{work,layer,tree/lab}
	tools=$(host_root)
	[ "$LAB_ARCH" = amd64 ] || tools=$(foreign_tools)
	# shellcheck disable=SC2046 # one file a word
	if ! in_layer "$tools" "$dir.tmp/layer" "$TOP=/src" "$dir.tmp/work=/work" \
		"$dir.tmp/tree=/tree" -- \
		/src/tests/vm/kernel/build.sh "$LAB_ARCH" "$1" "$(built_source "$1")" $(built_configs "$1") \
		> "$dir.log" 2>&1 </dev/null; then
		tail -n 30 "$dir.log" >&2
		die "the kernel of $1 does not build, see $dir.log"
	fi
	built_key "$1" > "$dir.tmp/tree/lab/key"
	mv "$dir.tmp/tree" "$dir"
	rm -rf --one-file-system "$dir.tmp"
	note "the kernel of $1 is built, in $((SECONDS - start)) s"
}

prepare_built_kernel() { # series
	mkdir -p "$CACHE/built-kernel"
	exec 9> "$CACHE/built-kernel/$1.lock"
	flock 9
	make_built_kernel "$1"
	exec 9>&-
}
