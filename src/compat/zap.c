// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removing user mappings.  On kernels where each VFIO device has an inode of its own
 * (see probes/device_inode.c), the inode's address space has the mappings.  On other
 * kernels all VFIO devices share one inode, and a zap there would hit other devices:
 * mappings are then attached to a hidden file, one for each device.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/shmem_fs.h>

#include "compat.h"

#if CXL_VFIO_DEVICE_INODE

/**
 * cxl_vfio_compat_zap_init() - prepare a device for zaps
 * @zap: the device's part
 *
 * Return: 0 or a negative errno.
 */
int cxl_vfio_compat_zap_init(struct cxl_vfio_compat_zap *zap)
{
	return 0;
}

/**
 * cxl_vfio_compat_zap_exit() - undo cxl_vfio_compat_zap_init()
 * @zap: the device's part; no mapping is left
 */
void cxl_vfio_compat_zap_exit(struct cxl_vfio_compat_zap *zap)
{
}

/**
 * cxl_vfio_compat_zap() - remove user mappings
 * @core: the device
 * @zap: the device's part
 * @start: first byte, as an offset in the VFIO device's file
 * @len: bytes
 *
 * Takes i_mmap_rwsem.  The caller makes sure that no fault maps the range again.
 */
void cxl_vfio_compat_zap(struct vfio_pci_core_device *core, struct cxl_vfio_compat_zap *zap,
			 loff_t start, loff_t len)
{
	unmap_mapping_range(core->vdev.inode->i_mapping, start, len, true);
}

/**
 * cxl_vfio_compat_attach() - let zaps find a new mapping
 * @zap: the device's part
 * @window: the window that is mapped
 * @vma: the mapping, in its mmap handler
 *
 * Return: 0 or -ENOMEM.
 */
int cxl_vfio_compat_attach(struct cxl_vfio_compat_zap *zap, struct cxl_vfio_window *window,
			   struct vm_area_struct *vma)
{
	vma->vm_private_data = window;
	return 0;
}

/**
 * cxl_vfio_compat_window() - the window that a mapping maps
 * @vma: a mapping that cxl_vfio_compat_attach() attached
 *
 * Return: the window, valid while the mapping exists.
 */
struct cxl_vfio_window *cxl_vfio_compat_window(struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

/**
 * cxl_vfio_compat_file() - the VFIO device's file of a mapping
 * @vma: a mapping that cxl_vfio_compat_attach() attached
 *
 * Return: the file, which keeps the device open; no reference is taken.
 */
struct file *cxl_vfio_compat_file(struct vm_area_struct *vma)
{
	return vma->vm_file;
}

#else

/**
 * struct attachment - one mapping and its copies that a fork or a split made
 * @refs: number of mappings
 * @window: the window that is mapped
 * @file: the VFIO device's file, held open here since the mapping has another file
 */
struct attachment {
	struct kref refs;
	struct cxl_vfio_window *window;
	struct file *file;
};

int cxl_vfio_compat_zap_init(struct cxl_vfio_compat_zap *zap)
{
	/* Of size 0: remap_file_pages() of a mapping would give the user memory of the file */
	struct file *file = shmem_file_setup(KBUILD_MODNAME, 0, VM_NORESERVE);

	if (IS_ERR(file))
		return PTR_ERR(file);
	zap->file = file;
	return 0;
}

void cxl_vfio_compat_zap_exit(struct cxl_vfio_compat_zap *zap)
{
	fput(zap->file);
}

void cxl_vfio_compat_zap(struct vfio_pci_core_device *core, struct cxl_vfio_compat_zap *zap,
			 loff_t start, loff_t len)
{
	unmap_mapping_range(zap->file->f_mapping, start, len, true);
}

int cxl_vfio_compat_attach(struct cxl_vfio_compat_zap *zap, struct cxl_vfio_window *window,
			   struct vm_area_struct *vma)
{
	struct attachment *attachment = kzalloc(sizeof(*attachment), GFP_KERNEL);

	if (!attachment)
		return -ENOMEM;
	kref_init(&attachment->refs);
	attachment->window = window;
	attachment->file = get_file(vma->vm_file);
	vma->vm_private_data = attachment;
	vma_set_file(vma, zap->file);
	return 0;
}

static void attachment_release(struct kref *refs)
{
	struct attachment *attachment = container_of(refs, struct attachment, refs);

	fput(attachment->file);
	kfree(attachment);
}

void cxl_vfio_compat_vma_open(struct vm_area_struct *vma)
{
	struct attachment *attachment = vma->vm_private_data;

	kref_get(&attachment->refs);
}

void cxl_vfio_compat_vma_close(struct vm_area_struct *vma)
{
	struct attachment *attachment = vma->vm_private_data;

	kref_put(&attachment->refs, attachment_release);
}

struct cxl_vfio_window *cxl_vfio_compat_window(struct vm_area_struct *vma)
{
	struct attachment *attachment = vma->vm_private_data;

	return attachment->window;
}

struct file *cxl_vfio_compat_file(struct vm_area_struct *vma)
{
	struct attachment *attachment = vma->vm_private_data;

	return attachment->file;
}

#endif
