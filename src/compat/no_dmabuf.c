// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replaces dmabuf.c on kernels without CONFIG_DMA_SHARED_BUFFER.
 */
#include "cxl_vfio.h"

int cxl_vfio_dmabuf_init(struct cxl_vfio_device *dev)
{
	return 0;
}

void cxl_vfio_dmabuf_exit(struct cxl_vfio_device *dev)
{
}

void cxl_vfio_dmabuf_revoke(struct cxl_vfio_device *dev)
{
}

void cxl_vfio_dmabuf_revoke_core(struct cxl_vfio_device *dev)
{
}

void cxl_vfio_dmabuf_close(struct cxl_vfio_device *dev)
{
}

int cxl_vfio_dmabuf_feature(struct cxl_vfio_device *dev, u32 flags, void __user *arg,
			    size_t argsz)
{
	return -ENOTTY;
}
