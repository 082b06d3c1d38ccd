# SPDX-License-Identifier: GPL-2.0-only
# An orderly removal through sysfs of a device in use, whose memory has struct pages.

bdf=$(dev)
modprobe cxl-vfio-pci struct_pages=on
check "the device binds" equal "$(bind "$bdf")" 0
hold "$bdf" /tmp/gone > /tmp/hold.log 2>&1 &
user=$!
timeout 600 sh -c 'until grep -q ready /tmp/hold.log; do sleep 0.1; done'
echo 1 > "$PCI/devices/$bdf/remove" &
remover=$!
sleep 2
check "removal waits for the user of the device" [ -e "$PCI/devices/$bdf" ]
touch /tmp/gone
wait "$user"
check "the user keeps the memory until it closes the device" equal $? 0
wait "$remover"
check "the device is gone after the user has closed it" [ ! -e "$PCI/devices/$bdf" ]
check "/proc/iomem has no claim of the driver after removal" sh -c '! grep -q cxl_vfio_pci /proc/iomem'
echo 1 > "$PCI/rescan"
check "a bus rescan finds the device again" [ -e "$PCI/devices/$bdf" ]
check "the device binds again after removal" equal "$(bind "$bdf")" 0
