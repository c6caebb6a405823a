/* SPDX-License-Identifier: GPL-2.0-only */
/* The types of VFIO that are read; see vmlinux.h. In the BTF of the vfio modules. */
#ifndef LOCKTRACE_VMLINUX_VFIO_H
#define LOCKTRACE_VMLINUX_VFIO_H

#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct vfio_container;

/* A mutex group_lock from 6.1 on; 5.19 and 6.0 had an rwsem group_rwsem. */
struct vfio_group {
	struct device dev;
	struct cdev cdev;
	struct mutex device_lock;
	struct mutex group_lock;
	struct rw_semaphore group_rwsem;
	struct vfio_container *container;
};

struct vfio_device_set {
	struct mutex lock;
	unsigned int device_count;
};

struct vfio_device;

struct vfio_device_ops {
	void (*request)(struct vfio_device *device, unsigned int count);
};

struct vfio_device {
	struct device *dev; /* the parent: a PCI device, ... */
	const struct vfio_device_ops *ops;
	struct vfio_group *group;
	struct vfio_device_set *dev_set;
	struct device device; /* 6.1 and later */
};

/* 6.6 and later (b1a3b5c61d59): what a device file's private_data is; before, the device itself. */
struct vfio_device_file {
	struct vfio_device *device;
};

struct vfio_pci_core_device {
	struct vfio_device vdev;
	struct mutex igate;
	struct mutex ioeventfds_lock;
	struct rw_semaphore memory_lock;
};

/* drivers/vfio/vfio_iommu_type1.c */
struct vfio_iommu {
	struct mutex lock;
};

/* include/linux/kref.h; only its place is wanted. */
struct kref {
	int value;
};

struct vfio_container {
	struct kref kref;
	struct rw_semaphore group_lock;
	void *iommu_data;
	struct vfio_iommu_driver *iommu_driver;
};

struct vfio_iommu_driver {
	const struct vfio_iommu_driver_ops *ops;
};

struct vfio_iommu_driver_ops {
	void *(*open)(unsigned long arg);
};

#pragma clang attribute pop

#endif
