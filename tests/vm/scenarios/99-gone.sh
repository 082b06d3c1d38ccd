# SPDX-License-Identifier: GPL-2.0-only
# A device dies under its user.  Last, as nothing can be done with it after.

bdf=$(dev)
check "binding works" equal "$(bind "$bdf")" 0
log_mark
DEVICE=$bdf tap gone_test
check "the log says that it is gone" logged "$bdf: .*is the device gone"
check "the next user is refused" sh -c "! vfio_info $bdf"
unbind "$bdf"
check "unbinding works" [ -z "$(driver_of "$bdf")" ]
check "and nothing stays claimed" sh -c '! grep -q cxl_vfio_pci /proc/iomem'
