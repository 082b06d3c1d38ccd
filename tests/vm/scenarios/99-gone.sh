# SPDX-License-Identifier: GPL-2.0-only
# A device dies under its user.  This scenario is the last, since it ends the device.  On arm64
# QEMU aborts when virtio-iommu maps memory for a vfio-user device that is gone.
# needs: x86

bdf=$(dev)
check "the device binds" equal "$(bind "$bdf")" 0
log_mark
DEVICE=$bdf tap gone_test
check "the log says that the device is gone" logged "$bdf: .*is the device gone"
check "a device that is gone cannot be opened" sh -c "! vfio_info $bdf"
unbind "$bdf"
check "a device that is gone can be unbound" [ -z "$(driver_of "$bdf")" ]
check "/proc/iomem has no claim of the driver after unbinding" sh -c '! grep -q cxl_vfio_pci /proc/iomem'
