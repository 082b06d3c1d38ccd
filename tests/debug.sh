#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the scenarios on a kernel that checks itself: with KASAN, lockdep, kmemleak and the
# like, and with fault injection.  It is built once from Debian's linux-source; see
# tests/vm/lib/built-kernel.sh.
#   debug.sh              builds the kernel if need be, and runs all scenarios
#   debug.sh --quick      runs some scenarios, and nothing if the kernel is not built

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
. tests/vm/lib/common.sh
. tests/vm/lib/roots.sh

SERIES=7.3-debug
# What differs most from other kernels, in a few minutes
QUICK="42-iommufd 81-fault-use"

scenarios=()
if [ "${1:-}" = --quick ]; then
	# A newer source in apt is of no concern here
	export LAB_OFFLINE=yes
	if [ ! -e "$(root_of $SERIES)/lab/ready" ] || ! built_kernel_is_ready $SERIES; then
		echo "debug: the scenarios run, once make check-debug has built the kernel ... skipped"
		echo "0 passed, 0 failed, 1 skipped"
		exit 0
	fi
	read -ra scenarios <<< "$QUICK"
fi
tests/vm/lab.sh prepare $SERIES || exit 1
mkdir -p "$BUILD/$SERIES"
check "Linux $(kver_of $SERIES): the module builds with W=1 and no warning" \
	tests/vm/lab.sh build $SERIES W=1 -j2
# The last line is the sum
tests/vm/run.sh KERNELS=$SERIES "${scenarios[@]}" | tee build/debug-run.log | sed '$d'
read -r more _ fails _ skips _ <<< "$(tail -n 1 build/debug-run.log)"
passed=$((passed + more))
failed=$((failed + fails))
echo "$passed passed, $failed failed, $skips skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
