# SPDX-License-Identifier: GPL-2.0-only
# What a VMM sees of a bound device: vfio_test.c says what it should be.

bdf=$(dev)
for place in middle start end; do
	t2ctl "$bdf" "--block=$place"
	check "binding works with the block at the BAR's $place" equal "$(bind "$bdf")" 0
	DEVICE=$bdf HPA=0x100000000 tap vfio_test
	unbind "$bdf"
done
