#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Front door of the lab: root file systems with stock kernels, made of Debian
# packages and kept in the cache.

set -euo pipefail
here=$(dirname "$0")
. "$here/lib/common.sh"
. "$here/lib/roots.sh"
. "$here/lib/layer.sh"

usage() {
	cat <<-END
	usage: lab.sh prepare [SERIES...]       make what is not there yet
	       lab.sh kver SERIES               print the kernel version of a series
	       lab.sh run SERIES -- COMMAND...  run a command in a series' root; nothing it
	                                        writes stays, but for what it puts in /out,
	                                        which is build/vm/SERIES/out; the project is
	                                        at /src
	       lab.sh build SERIES ARGUMENT...  build a copy of the module there, without a
	                                        warning, with these arguments of make
	       lab.sh dkms SERIES               install the module with DKMS, for the VMs
	       lab.sh source                    print where checkpatch and the like are
	SERIES: $ALL_KERNELS
	END
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
prepare)
	# shellcheck disable=SC2086 # one series a word
	[ $# -gt 0 ] || set -- $ALL_KERNELS
	prepare "$@"
	;;
kver)
	kver_of "$1"
	;;
run)
	series=$1
	shift 2
	in_throwaway "$series" "$@"
	;;
build)
	build_module "$@"
	;;
dkms)
	make_layer "$1"
	;;
source)
	echo "$CACHE/linux-source"
	;;
-h|--help)
	usage
	;;
*)
	usage >&2
	exit 2
	;;
esac
