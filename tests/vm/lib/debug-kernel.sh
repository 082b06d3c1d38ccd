# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The kernel of a series with the ability "debug": built once from Debian's linux-source
# with tests/vm/debug-kernel/kernel.config, and kept in the cache as a tree that lies over
# the root of its Debian release.

debug_tree() { echo "$CACHE/debug-kernel/$1"; }

# The package with the source of a debug series, 7.3-debug: linux-source-7.3
debug_source() { echo "linux-source-${1%-debug}"; }

# Checksum of everything that the kernel is made from.  The driver is no part of it.
debug_key() { # series
	{
		in_suite "$(suite_of "$1")" apt-cache policy "$(debug_source "$1")" </dev/null |
			sed -n 's/^ *Candidate: //p'
		cat "$TOP/tests/vm/debug-kernel/kernel.config" "$TOP/tests/vm/debug-kernel/build.sh"
	} | sha256sum | cut -c1-16
}

# Is the kernel in the cache, made from what apt and the tree have now?
debug_kernel_is_ready() { # series
	[ "$(cat "$(debug_tree "$1")/lab/key" 2>/dev/null)" = "$(debug_key "$1")" ]
}

# Build the kernel in a layer over the root, unless it is in the cache; lab/key is
# written last
make_debug_kernel() { # series
	local dir start=$SECONDS

	debug_kernel_is_ready "$1" && return
	dir=$(debug_tree "$1")
	note "building the kernel of $1 from $(debug_source "$1") (once, takes 10 to 60 minutes)"
	rm -rf --one-file-system "$dir" "$dir.tmp"
	mkdir -p "$dir.tmp"/{work,layer,tree/lab}
	if ! in_layer "$(root_of "$1")" "$dir.tmp/layer" "$TOP=/src" "$dir.tmp/work=/work" \
		"$dir.tmp/tree=/tree" -- nice -n 10 \
		/src/tests/vm/debug-kernel/build.sh "$1" "$(debug_source "$1")" \
		> "$dir.log" 2>&1 </dev/null; then
		tail -n 30 "$dir.log" >&2
		die "the kernel of $1 does not build, see $dir.log"
	fi
	debug_key "$1" > "$dir.tmp/tree/lab/key"
	mv "$dir.tmp/tree" "$dir"
	rm -rf --one-file-system "$dir.tmp"
	note "the kernel of $1 is built, in $((SECONDS - start)) s"
}

prepare_debug_kernel() { # series
	mkdir -p "$CACHE/debug-kernel"
	exec 9> "$CACHE/debug-kernel/lock"
	flock 9
	make_debug_kernel "$1"
	exec 9>&-
}
