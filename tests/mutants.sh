#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Changes single lines of the driver and shows which changes the quick tests do not
# notice: mutants.sh [OPTION...], see tests/mutants.py.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/vm/lib/common.sh

need_packages clang libclang-rt-14-dev libcmocka-dev make libc6-dev linux-libc-dev python3
exec python3 tests/mutants.py "$@"
