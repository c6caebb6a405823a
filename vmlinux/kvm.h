/* SPDX-License-Identifier: GPL-2.0-only */
/* The types of KVM that are read; see vmlinux.h. In vmlinux BTF or kvm.ko's. */
#ifndef LOCKTRACE_VMLINUX_KVM_H
#define LOCKTRACE_VMLINUX_KVM_H

#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/refcount.h; only its place is wanted. */
struct refcount_struct {
	int value;
};

struct kvm_arch {
	struct rw_semaphore apicv_update_lock; /* x86; in its first kernels a mutex */
};

struct kvm {
	struct kvm_arch arch;
	struct mutex lock;
	struct mutex slots_lock;
	struct mutex slots_arch_lock; /* 5.14 and later (b10a038e84d1) */
	struct mutex irq_lock;
	int userspace_pid;
	struct refcount_struct users_count;
};

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	struct mutex mutex;
};

struct kvm_device;

struct kvm_device_ops {
	int (*create)(struct kvm_device *dev, __u32 type);
};

struct kvm_device {
	const struct kvm_device_ops *ops;
	struct kvm *kvm;
	void *private;
};

/* virt/kvm/vfio.c, so only in the BTF of the module (or of a kernel with KVM built in). */
struct kvm_vfio {
	struct mutex lock;
};

#pragma clang attribute pop

#endif
