# SPDX-License-Identifier: GPL-2.0-only
# Several processors: memory is turned off and on while others use it and write to
# config space.  With the smallest pages there is most to take away: gate_race.c.
# smp: 3

bdf=$(dev)
rounds=60
! full || rounds=600
modprobe t2lab
modprobe cxl-vfio-pci keep_memory=1 max_order=0
check "the device binds" equal "$(bind "$bdf")" 0
for how in command d3 low_power irqs; do
	check "nobody touches memory that is off: $how, $rounds rounds" \
		gate_race "$bdf" $how $rounds
done
unbind "$bdf"
