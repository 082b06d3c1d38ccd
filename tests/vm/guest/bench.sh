# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2153
#
# `make bench` in the machine: this driver and vfio-pci, one after the other on the same
# devices.  Prints lines "BENCH name ours base" for tests/vm/bench.sh.

set -e -o pipefail
small=$(dev 0) large=$(dev 1) huge=$(dev 2)

use() { # driver device parameters...
	local driver=$1 device=$2

	shift 2
	if [ $# -gt 0 ]; then
		modprobe -r cxl-vfio-pci
		modprobe cxl-vfio-pci "$@"
	fi
	[ "$(bind "$device" "$driver")" = 0 ]
}

declare -A stock ours
# A memory device of QEMU, whose BAR 2 has the size of the large device's HDM memory
bar=$(lspci -Dn -d 1af4:1110 | awk '{print $1}')
use vfio-pci "$bar"
stock[map_dma]=$(bench "$bar" map_dma)
if has iommufd; then
	modprobe iommufd
	stock[map_file]=$(bench "$bar" map_file)
	unbind "$bar"
	for pages in off on; do
		use "$OURS" "$large" keep_memory=1 struct_pages=$pages
		name=$([ $pages = off ] || echo _pages)
		echo "BENCH map_dma_16g$name $(bench "$large" map_dma) ${stock[map_dma]}"
		echo "BENCH map_file_16g$name $(bench "$large" map_file) ${stock[map_file]}"
		unbind "$large"
	done
	exit
fi
unbind "$bar"
if ! has dvsec; then
	# Too old for most of what is compared
	use "$OURS" "$large" keep_memory=1
	echo "BENCH map_dma_16g $(bench "$large" map_dma) ${stock[map_dma]}"
	exit
fi

modprobe t2lab
use vfio-pci "$small"
for name in cfg_plain cfg_dvsec bar_plain open_close command_write; do
	stock[$name]=$(bench "$small" $name)
done
unbind "$small"
use "$OURS" "$small"
for name in cfg_plain cfg_dvsec comp_regs bar_plain hdm_pread tmpfs_pread open_close clear memset; do
	ours[$name]=$(bench "$small" $name)
done
unbind "$small"

use "$OURS" "$small" keep_memory=1
use "$OURS" "$large"
use "$OURS" "$huge"
ours[huge_open_close]=$(bench "$huge" open_close)
unbind "$huge"
ours[command_write]=$(bench "$large" command_write)
for name in open_close zap reset_resume cxl_reset; do
	ours[small_$name]=$(bench "$small" $name)
	ours[large_$name]=$(bench "$large" $name)
done
ours[touch]=$(bench "$large" hdm_touch)
ours[map_dma]=$(bench "$large" map_dma)
unbind "$small"
unbind "$large"
use "$OURS" "$large" keep_memory=1 max_order=0
ours[touch_4k]=$(bench "$large" hdm_touch)
unbind "$large"

# The memory path with struct pages
use "$OURS" "$small" struct_pages=on
ours[pages_open_close]=$(bench "$small" open_close)
unbind "$small"
use "$OURS" "$small" keep_memory=1 struct_pages=on
use "$OURS" "$large"
ours[pages_small_zap]=$(bench "$small" zap)
ours[pages_large_zap]=$(bench "$large" zap)
ours[pages_touch]=$(bench "$large" hdm_touch)
ours[pages_map_dma]=$(bench "$large" map_dma)
unbind "$small"
unbind "$large"

echo "BENCH cfg_plain_read ${ours[cfg_plain]} ${stock[cfg_plain]}"
echo "BENCH cfg_dvsec_read ${ours[cfg_dvsec]} ${stock[cfg_dvsec]}"
echo "BENCH comp_regs_read ${ours[comp_regs]} ${stock[bar_plain]}"
echo "BENCH bar_plain_read ${ours[bar_plain]} ${stock[bar_plain]}"
echo "BENCH hdm_pread_1m ${ours[hdm_pread]} ${ours[tmpfs_pread]}"
echo "BENCH hdm_touch_1g ${ours[touch]} ${ours[touch_4k]}"
echo "BENCH open_close ${ours[open_close]} ${stock[open_close]}"
echo "BENCH open_scale ${ours[large_open_close]} ${ours[small_open_close]}"
echo "BENCH zap_scale ${ours[large_zap]} ${ours[small_zap]}"
echo "BENCH open_close_pages ${ours[pages_open_close]} ${stock[open_close]}"
echo "BENCH hdm_touch_1g_pages ${ours[pages_touch]} ${ours[touch_4k]}"
echo "BENCH zap_scale_pages ${ours[pages_large_zap]} ${ours[pages_small_zap]}"
echo "BENCH command_write ${ours[command_write]} ${stock[command_write]}"
echo "BENCH reset_resume ${ours[large_reset_resume]} ${ours[small_reset_resume]}"
echo "BENCH clear ${ours[clear]} ${ours[memset]}"
echo "BENCH map_dma_16g ${ours[map_dma]} ${stock[map_dma]}"
echo "BENCH map_dma_16g_pages ${ours[pages_map_dma]} ${stock[map_dma]}"
echo "BENCH open_after_idle ${ours[huge_open_close]} ${ours[small_open_close]}"
# Without a limit: what docs/reset.md says of cache maintenance
echo "NOTE cxl_reset of 256 MiB and of 16 GiB: ${ours[small_cxl_reset]} ${ours[large_cxl_reset]}"
