# SPDX-License-Identifier: GPL-2.0-only
# A bound device, its memory with struct pages, is removed while it is in use, as an
# orderly unplug does it.

bdf=$(dev)
modprobe cxl-vfio-pci struct_pages=on
check "binding works" equal "$(bind "$bdf")" 0
hold "$bdf" /tmp/gone > /tmp/hold.log 2>&1 &
user=$!
timeout 20 sh -c 'until grep -q ready /tmp/hold.log; do sleep 0.1; done'
echo 1 > "$PCI/devices/$bdf/remove" &
remover=$!
sleep 2
check "it waits for its user" [ -e "$PCI/devices/$bdf" ]
touch /tmp/gone
wait "$user"
check "who has the memory to the end" equal $? 0
wait "$remover"
check "then the device goes" [ ! -e "$PCI/devices/$bdf" ]
check "and nothing stays claimed" sh -c '! grep -q cxl_vfio_pci /proc/iomem'
echo 1 > "$PCI/rescan"
check "it can be found again" [ -e "$PCI/devices/$bdf" ]
check "and bound again" equal "$(bind "$bdf")" 0
