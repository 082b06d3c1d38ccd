# SPDX-License-Identifier: GPL-2.0-only
# The guest of 90-nested.sh without KVM: emulation inside emulation, which takes ten
# minutes.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# timeout: 10800
# needs: nested newest x86
# full: yes

. /src/tests/vm/guest/nested.sh
bdf=$(dev)
check "the device binds" equal "$(bind "$bdf")" 0
NESTED_TIMEOUT=7200 nested_boot "$bdf" tcg -cpu max,la57=off
nested_report
