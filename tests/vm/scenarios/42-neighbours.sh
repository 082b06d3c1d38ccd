# SPDX-License-Identifier: GPL-2.0-only
# Two devices: what the user of one does is not in the way of the other's.
# t2dev: @type3
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable
# t2dev: @igb
# memmap: 256M$0x100000000,256M$0x130000000

modprobe t2lab
check "the first device binds" equal "$(bind "$(dev)")" 0
check "the second device binds" equal "$(bind "$(dev 1)")" 0
stuck_importer "$(dev)" "$(dev 1)" > /tmp/stuck.log 2>&1
status=$?
if [ $status = 4 ]; then
	skip "importers of this kernel do not support revocation"
else
	check "an importer that does not let go of one device is not in the way of the other" \
		sh -c "cat /tmp/stuck.log; [ $status = 0 ]"
fi
unbind "$(dev)"
unbind "$(dev 1)"
