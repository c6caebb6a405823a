/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The functions of KVM and VFIO that are hooked for other things than locks:
 * the births and deaths of objects, and the file operations that make a scope
 * (inside one every lock a task takes is recorded). The kernel side expands the
 * tables into one fentry/fexit and one kprobe/kretprobe program a row, the user
 * side into the list of what to attach. Read in Linux 5.10, 6.1 and 6.12.
 *
 * All are local or exported symbols that exist as functions of their own on
 * each kernel where they exist at all; one that is missing is a note.
 */
#ifndef LOCKTRACE_OBJECT_FUNCTIONS_H
#define LOCKTRACE_OBJECT_FUNCTIONS_H

/*
 * LT_OBJECT_ENTRIES(X): X(module, function, argument, handler)
 * The handler gets the argument at entry.
 */
#define LT_OBJECT_ENTRIES(X)                           \
	X(kvm, kvm_arch_destroy_vm, 0, vm_dying)       \
	X(kvm, kvm_arch_vcpu_destroy, 0, vcpu_dead)    \
	X(kvm, kvm_vfio_release, 0, kvm_vfio_dying)    \
	X(vfio, vfio_group_fops_open, 0, group_opened) \
	X(vfio, vfio_group_release, 0, group_dead)     \
	X(vfio, vfio_device_release, 0, device_dead)   \
	X(vfio_pci_core, vfio_pci_core_release_dev, 0, pci_dead)

/*
 * LT_OBJECT_EXITS(X): X(module, function, number of arguments, argument, handler)
 * The handler gets the argument and the return value at return.
 */
#define LT_OBJECT_EXITS(X)                                              \
	X(kvm, kvm_arch_init_vm, 2, 0, vm_born)                         \
	X(kvm, kvm_arch_destroy_vm, 1, 0, vm_dead)                      \
	X(kvm, kvm_arch_vcpu_create, 1, 0, vcpu_born)                   \
	X(kvm, kvm_vfio_create, 2, 0, kvm_vfio_born)                    \
	X(kvm, kvm_vfio_release, 1, 0, kvm_vfio_dead)                   \
	X(vfio, vfio_create_group, 2, 0, group_born)                    \
	X(vfio, vfio_register_group_dev, 1, 0, device_born)             \
	X(vfio, vfio_register_emulated_iommu_dev, 1, 0, device_born)    \
	X(vfio_pci_core, vfio_pci_core_register_device, 1, 0, pci_born) \
	X(vfio_iommu_type1, vfio_iommu_type1_open, 1, 0, iommu_born)    \
	X(vfio_iommu_type1, vfio_iommu_type1_release, 1, 0, iommu_dead)

/*
 * LT_CONTAINER_ENTRIES(X), LT_CONTAINER_EXITS(X): the same for containers, whose locks are
 * rwsems: hooked with --rwsem only. vfio_container_release() is inlined: whoever puts the last
 * reference, of the file or of a group, ends it. No function of 5.10 is like the last.
 */
#define LT_CONTAINER_ENTRIES(X)                          \
	X(vfio, vfio_fops_release, 1, container_closing) \
	X(vfio, vfio_group_detach_container, 0, container_left)

#define LT_CONTAINER_EXITS(X)                           \
	X(vfio, vfio_fops_open, 2, 1, container_opened) \
	X(vfio, vfio_fops_release, 2, 1, container_put) \
	X(vfio, vfio_group_detach_container, 1, 0, container_put)

/*
 * LT_PUTS(X): X(module, function, struct, member, what the last one calls, the same where that is inlined)
 * Functions that put a reference (the struct is the first argument, the member its
 * refcount_t). Under a lock for which rules name what the last one calls, those that are
 * not the last are counted: another order of closing makes them so.
 */
#define LT_PUTS(X) X(kvm, kvm_put_kvm, kvm, users_count, kvm_destroy_vm, kvm_arch_destroy_vm)

/*
 * LT_SCOPES(X): X(module, function, number of arguments)
 * kvm_vcpu_ioctl is not among them on purpose: it takes kvm_vcpu.mutex first of
 * all, which is watched, and sleeps for hours in KVM_RUN, where a kretprobe
 * would use up its instances. Nor is vfio_device_fops_cdev_open: a stub that cannot
 * be attached to where VFIO_DEVICE_CDEV is off (Debian 7.2), and all that it does with
 * locks elsewhere is under vfio_device_set.lock.
 */
#define LT_SCOPES(X)                           \
	X(kvm, kvm_dev_ioctl, 3)               \
	X(kvm, kvm_vm_ioctl, 3)                \
	X(kvm, kvm_device_ioctl, 3)            \
	X(kvm, kvm_vm_release, 2)              \
	X(kvm, kvm_vcpu_release, 2)            \
	X(kvm, kvm_device_release, 2)          \
	X(vfio, vfio_fops_open, 2)             \
	X(vfio, vfio_fops_unl_ioctl, 3)        \
	X(vfio, vfio_fops_release, 2)          \
	X(vfio, vfio_group_fops_open, 2)       \
	X(vfio, vfio_group_fops_unl_ioctl, 3)  \
	X(vfio, vfio_group_fops_release, 2)    \
	X(vfio, vfio_device_fops_unl_ioctl, 3) \
	X(vfio, vfio_device_fops_release, 2)

/*
 * LT_INIT_FUNCTIONS(X): X(function, argument that is the name or -1)
 * Lock initialisers: a lock that is initialised again is a new lock, and here
 * it gets its name. 7.2 has the form without a name only; with PREEMPT_RT they are called
 * __mutex_rt_init (which comes after the owner was set to none) and mutex_rt_init_generic.
 */
#define LT_INIT_FUNCTIONS(X)      \
	X(__mutex_init, 1)        \
	X(mutex_init_generic, -1) \
	X(__mutex_rt_init, 1)     \
	X(mutex_rt_init_generic, -1)

/* The same of rwsems, with --rwsem only. */
#define LT_RWSEM_INIT_FUNCTIONS(X) X(__init_rwsem, 1)

/*
 * LT_FILE_KINDS(X): X(module, release function, what private_data is)
 * A file is known by its f_op->release: the functions are in kallsyms also
 * where data symbols are not.
 */
#define LT_FILE_KINDS(X)                               \
	X(kvm, kvm_vm_release, VM)                     \
	X(kvm, kvm_vcpu_release, VCPU)                 \
	X(kvm, kvm_device_release, KVM_DEVICE)         \
	X(vfio, vfio_group_fops_release, GROUP)        \
	X(vfio, vfio_device_fops_release, DEVICE_FILE) \
	X(vfio, vfio_fops_release, CONTAINER)

enum lt_file_kind {
#define LT_FILE_KIND_ID(module, function, id) LT_FILE_##id,
	LT_FILE_KINDS(LT_FILE_KIND_ID)
#undef LT_FILE_KIND_ID
		LT_FILE_KIND_COUNT
};

#endif
