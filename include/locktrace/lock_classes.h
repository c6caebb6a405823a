/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The declared lock classes: the one table that says which locks of KVM and
 * VFIO are watched. The kernel side expands it to find the locks of an object
 * (offsets by CO-RE, at load time), the user side to name them. A kernel that
 * lacks a type or a member lacks the class: noted, not an error. Mutexes, but for the rows of
 * LT_RWSEM_CLASSES.
 *
 * To watch one more lock of an object that is already followed, add a row.
 * The lockdep names are the text of the lock's initialiser in the sources of
 * Linux 6.1 and 6.12 (virt/kvm/kvm_main.c, virt/kvm/vfio.c, drivers/vfio/).
 */
#ifndef LOCKTRACE_LOCK_CLASSES_H
#define LOCKTRACE_LOCK_CLASSES_H

/*
 * LT_MEMBER_CLASSES(X): X(id, kind of object, struct, member, lockdep name)
 * Members of an object; the class is called "struct.member".
 */
#define LT_MEMBER_CLASSES(X)                                                             \
	X(KVM_LOCK, VM, kvm, lock, "&kvm->lock")                                         \
	X(KVM_SLOTS_LOCK, VM, kvm, slots_lock, "&kvm->slots_lock")                       \
	X(KVM_SLOTS_ARCH_LOCK, VM, kvm, slots_arch_lock, "&kvm->slots_arch_lock")        \
	X(KVM_IRQ_LOCK, VM, kvm, irq_lock, "&kvm->irq_lock")                             \
	X(KVM_VCPU_MUTEX, VCPU, kvm_vcpu, mutex, "&vcpu->mutex")                         \
	X(KVM_VFIO_LOCK, KVM_VFIO, kvm_vfio, lock, "&kv->lock")                          \
	X(VFIO_GROUP_GROUP_LOCK, GROUP, vfio_group, group_lock, "&group->group_lock")    \
	X(VFIO_GROUP_DEVICE_LOCK, GROUP, vfio_group, device_lock, "&group->device_lock") \
	X(VFIO_DEVICE_SET_LOCK, DEV_SET, vfio_device_set, lock, "&new_dev_set->lock")    \
	X(VFIO_IOMMU_LOCK, IOMMU, vfio_iommu, lock, "&iommu->lock")                      \
	X(VFIO_PCI_IGATE, PCI, vfio_pci_core_device, igate, "&vdev->igate")              \
	X(VFIO_PCI_IOEVENTFDS_LOCK, PCI, vfio_pci_core_device, ioeventfds_lock, "&vdev->ioeventfds_lock")

/*
 * LT_STATIC_CLASSES(X): X(id, module, class name, symbol, struct, member, lockdep name)
 * Static locks, or members of a static struct ("" where there is none).
 * Symbols are looked up in /proc/kallsyms; a struct tells which of several
 * symbols of one name is meant (facts: "vfio" stands for three variables).
 */
#define LT_STATIC_CLASSES(X)                                                                          \
	X(STATIC_KVM_LOCK, "kvm", "kvm_lock", "kvm_lock", "", "", "kvm_lock")                         \
	X(STATIC_KVM_USAGE_LOCK, "kvm", "kvm_usage_lock", "kvm_usage_lock", "", "", "kvm_usage_lock") \
	X(STATIC_VFIO_GROUP_LOCK, "vfio", "vfio.group_lock", "vfio", "vfio", "group_lock", "&vfio.group_lock")

/*
 * LT_RWSEM_CLASSES(X): as LT_MEMBER_CLASSES, of rwsems; watched with --rwsem only. A member of that
 * name that is no rwsem is not meant: apicv_update_lock began as a mutex.
 */
#define LT_RWSEM_CLASSES(X)                                                                                \
	X(VFIO_CONTAINER_GROUP_LOCK, CONTAINER, vfio_container, group_lock, "&container->group_lock")      \
	X(VFIO_PCI_MEMORY_LOCK, PCI, vfio_pci_core_device, memory_lock, "&vdev->memory_lock")              \
	X(KVM_APICV_UPDATE_LOCK, VM, kvm, arch.apicv_update_lock, "&kvm->arch.apicv_update_lock")          \
	X(VFIO_GROUP_GROUP_RWSEM, GROUP, vfio_group, group_rwsem, "&group->group_rwsem") /* 5.19, 6.0 only \
											  */

enum lt_class_id {
	LT_CLASS_FOREIGN = 0, /* no declared class: named by user space from what is known of the lock */
#define LT_CLASS_MEMBER_ID(id, ...) LT_CLASS_##id,
	LT_MEMBER_CLASSES(LT_CLASS_MEMBER_ID)
#undef LT_CLASS_MEMBER_ID
#define LT_CLASS_STATIC_ID(id, ...) LT_CLASS_##id,
		LT_STATIC_CLASSES(LT_CLASS_STATIC_ID)
#undef LT_CLASS_STATIC_ID
#define LT_CLASS_RWSEM_ID(id, ...) LT_CLASS_##id,
			LT_RWSEM_CLASSES(LT_CLASS_RWSEM_ID)
#undef LT_CLASS_RWSEM_ID
				LT_CLASS_DECLARED_END,
	LT_CLASS_USER = 64, /* the first class of the user's own (--watch, rules) */
	LT_CLASS_USER_MAX = 128,
};

/* Whether a declared class is one of LT_RWSEM_CLASSES. One of the user's own says so where it is watched. */
static inline __attribute__((always_inline)) int lt_class_is_rwsem(unsigned int class_id)
{
	switch (class_id) {
#define LT_CLASS_RWSEM_CASE(id, ...) case LT_CLASS_##id:
		LT_RWSEM_CLASSES(LT_CLASS_RWSEM_CASE)
#undef LT_CLASS_RWSEM_CASE
		return 1;
	default:
		return 0;
	}
}

#endif
