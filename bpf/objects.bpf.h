/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects that locks live in: VMs, vCPUs, groups, devices ... An object that
 * is born, or found alive, has its locks watched and is told to user space; one
 * that dies leaves. The rows of lock_classes.h say which locks, the rows of
 * object_functions.h when. All types relocate against the BTF of the kernel or
 * the module that has them; where a type or member is missing, its code is dead.
 */
#ifndef LOCKTRACE_OBJECTS_BPF_H
#define LOCKTRACE_OBJECTS_BPF_H

#include "calls.bpf.h"
#include "kvm.h"
#include "sighting.bpf.h"
#include "vfio.h"

/* Errors come as pointers to the last page: include/linux/err.h. */
#define IS_ERROR(value) ((__u64)(value) >= (__u64)-4095)

#define TYPE_VM struct kvm
#define TYPE_VCPU struct kvm_vcpu
#define TYPE_KVM_VFIO struct kvm_vfio
#define TYPE_GROUP struct vfio_group
#define TYPE_DEV_SET struct vfio_device_set
#define TYPE_PCI struct vfio_pci_core_device
#define TYPE_IOMMU struct vfio_iommu
#define TYPE_CONTAINER struct vfio_container

/* Calls action(address, class) for each declared lock of the object of a kind. */
#define EACH_LOCK(id, of_kind, type, member, name)                                            \
	if (kind == LT_OBJECT_##of_kind && bpf_core_field_exists(((struct type *)0)->member)) \
		act_on_lock(object + bpf_core_field_offset(struct type, member), LT_CLASS_##id);

/* The same for rwsems, if they are followed. That it is one is known by a member that mutexes lack. */
#define EACH_RWSEM(id, of_kind, type, member, name)                          \
	if (rwsems && kind == LT_OBJECT_##of_kind &&                         \
	    bpf_core_field_exists(((struct type *)0)->member.count.counter)) \
		act_on_lock(object + bpf_core_field_offset(struct type, member), LT_CLASS_##id);

/* The locks of an object enter the watched set. 1 when at least one was new. */
__noinline int object_watch(__u64 object, __u32 kind, __u64 now, __u32 born)
{
	int fresh = 0;

#define act_on_lock(addr, class) fresh |= watch_lock(addr, class, object, now, born)
	LT_MEMBER_CLASSES(EACH_LOCK)
	LT_RWSEM_CLASSES(EACH_RWSEM)
#undef act_on_lock
	return fresh;
}

__noinline int object_unwatch(__u64 object, __u32 kind)
{
#define act_on_lock(addr, class) unwatch_lock(addr)
	LT_MEMBER_CLASSES(EACH_LOCK)
	LT_RWSEM_CLASSES(EACH_RWSEM)
#undef act_on_lock
	return 0;
}

/* What user space is told of an object: who it belongs to and what it is called. */
ALWAYS_INLINE void object_identify(struct lt_record_object *r)
{
	/* A copy: within BPF_CORE_READ() the record's own members would be relocated too. */
	__u64 addr = r->addr;
	const char *name = NULL;

	switch (r->kind) {
	case LT_OBJECT_VM:
		/* The kernel sets userspace_pid only after the birth; it is the creator's then. */
		r->pid = r->event == LT_OBJECT_BORN ? bpf_get_current_pid_tgid() >> 32
						    : BPF_CORE_READ((struct kvm *)addr, userspace_pid);
		break;
	case LT_OBJECT_VCPU:
		r->number = BPF_CORE_READ((struct kvm_vcpu *)addr, vcpu_id);
		r->parent = (__u64)BPF_CORE_READ((struct kvm_vcpu *)addr, kvm);
		break;
	case LT_OBJECT_GROUP:
		if (bpf_core_field_exists(((struct vfio_group *)0)->dev))
			name = BPF_CORE_READ((struct vfio_group *)addr, dev.kobj.name);
		break;
	case LT_OBJECT_DEVICE:
		if (bpf_core_field_exists(((struct vfio_device *)0)->dev)) {
			name = BPF_CORE_READ((struct vfio_device *)addr, dev, kobj.name);
			r->parent = (__u64)BPF_CORE_READ((struct vfio_device *)addr, group);
		}
		break;
	}
	if (name)
		bpf_probe_read_kernel_str(r->name, sizeof(r->name), name);
}

__noinline int object_tell(__u64 object, __u32 kind, __u32 event, __u64 parent, __u64 now)
{
	struct lt_record_object *r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);

	if (!r) {
		count_lost(LT_LOST_RING_BUFFER);
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->header.type = LT_RECORD_OBJECT;
	r->header.size = sizeof(*r);
	r->header.time_ns = now;
	r->kind = kind;
	r->event = event;
	r->addr = object;
	r->parent = parent;
	if (event != LT_OBJECT_DEAD)
		object_identify(r);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

__noinline int object_gone(__u64 object, __u32 kind)
{
	if (!object)
		return 0;
	object_unwatch(object, kind);
	object_tell(object, kind, LT_OBJECT_DEAD, 0, bpf_ktime_get_boot_ns());
	return 0;
}

/* An object is there: born now, or found. A device has no lock of its own: told each time it is met. */
__noinline int object_here(__u64 object, __u32 kind, __u32 event, __u64 parent)
{
	__u64 now = bpf_ktime_get_boot_ns();
	enum sighting sighting = SIGHTING_NEW;

	if (!object || IS_ERROR(object))
		return 0;
	if (looks_again)
		sighting = object_sighted(object, kind);
	if (sighting == SIGHTING_KNOWN)
		return 0;
	if (sighting == SIGHTING_ANOTHER)
		object_gone(object, kind);
	if (object_watch(object, kind, now, event == LT_OBJECT_BORN) || kind == LT_OBJECT_DEVICE)
		object_tell(object, kind, event, parent, now);
	return 0;
}

/* An object dies: is one of its locks held? */
static __noinline int object_check(void *ctx, __u64 object, __u32 kind)
{
	if (!object)
		return 0;
#define act_on_lock(addr, class) misuse_if_held(ctx, addr, LT_CALL_FREED, object, lt_class_is_rwsem(class))
	LT_MEMBER_CLASSES(EACH_LOCK)
	LT_RWSEM_CLASSES(EACH_RWSEM)
#undef act_on_lock
	return 0;
}

/* A device brings its group, its device set, and what a PCI device adds. */
__noinline int device_here(__u64 device, __u32 event)
{
	struct vfio_device *d = (struct vfio_device *)device;

	if (!bpf_core_type_exists(struct vfio_device) || !device || IS_ERROR(device))
		return 0;
	/* The group and the set may be older than the device: found, unless they are new to us. */
	object_here((__u64)BPF_CORE_READ(d, group), LT_OBJECT_GROUP, LT_OBJECT_FOUND, 0);
	object_here(device, LT_OBJECT_DEVICE, event, 0);
	object_here((__u64)BPF_CORE_READ(d, dev_set), LT_OBJECT_DEV_SET, LT_OBJECT_FOUND, device);
	/* Drivers for one kind of device have an ioctl of their own, but they share the request. */
	if (pci_core_request_addr && bpf_core_type_exists(struct vfio_pci_core_device) &&
	    (__u64)BPF_CORE_READ(d, ops, request) == pci_core_request_addr)
		object_here(device - bpf_core_field_offset(struct vfio_pci_core_device, vdev), LT_OBJECT_PCI,
			    event, device);
	return 0;
}

/* Handlers of LT_OBJECT_ENTRIES (argument) and LT_OBJECT_EXITS (argument, result). */

ALWAYS_INLINE void on_vm_born(void *ctx, __u64 kvm, __u64 result)
{
	if (!(__u32)result)
		object_here(kvm, LT_OBJECT_VM, LT_OBJECT_BORN, 0);
}

ALWAYS_INLINE void on_vm_dying(void *ctx, __u64 kvm)
{
	object_check(ctx, kvm, LT_OBJECT_VM);
}

ALWAYS_INLINE void on_vm_dead(void *ctx, __u64 kvm, __u64 result)
{
	object_gone(kvm, LT_OBJECT_VM);
}

ALWAYS_INLINE void on_vcpu_born(void *ctx, __u64 vcpu, __u64 result)
{
	if (!(__u32)result)
		object_here(vcpu, LT_OBJECT_VCPU, LT_OBJECT_BORN, 0);
}

ALWAYS_INLINE void on_vcpu_dead(void *ctx, __u64 vcpu)
{
	object_check(ctx, vcpu, LT_OBJECT_VCPU);
	object_gone(vcpu, LT_OBJECT_VCPU);
}

ALWAYS_INLINE void on_kvm_vfio_born(void *ctx, __u64 device, __u64 result)
{
	struct kvm_device *d = (struct kvm_device *)device;

	if (!(__u32)result && bpf_core_type_exists(struct kvm_device))
		object_here((__u64)BPF_CORE_READ(d, private), LT_OBJECT_KVM_VFIO, LT_OBJECT_BORN,
			    (__u64)BPF_CORE_READ(d, kvm));
}

/* The device is freed in the call, so what to forget is read before. */
ALWAYS_INLINE void on_kvm_vfio_dying(void *ctx, __u64 device)
{
	__u64 private;

	if (!bpf_core_type_exists(struct kvm_device))
		return;
	private = (__u64)BPF_CORE_READ((struct kvm_device *)device, private);
	object_check(ctx, private, LT_OBJECT_KVM_VFIO);
	call_keep(LT_FUNCTION_COUNT, private);
}

ALWAYS_INLINE void on_kvm_vfio_dead(void *ctx, __u64 device, __u64 result)
{
	__u64 kept = call_take(LT_FUNCTION_COUNT);

	if (!kept)
		count_lost(LT_LOST_OBJECTS);
	object_gone(kept, LT_OBJECT_KVM_VFIO);
}

ALWAYS_INLINE void on_group_born(void *ctx, __u64 group_or_type, __u64 group)
{
	object_here(group, LT_OBJECT_GROUP, LT_OBJECT_BORN, 0);
}

/* Groups that nobody had open when we came. */
ALWAYS_INLINE void on_group_opened(void *ctx, __u64 inode)
{
	__u64 cdev = (__u64)BPF_CORE_READ((struct inode *)inode, i_cdev);

	if (cdev && bpf_core_field_exists(((struct vfio_group *)0)->cdev))
		object_here(cdev - bpf_core_field_offset(struct vfio_group, cdev), LT_OBJECT_GROUP,
			    LT_OBJECT_FOUND, 0);
}

ALWAYS_INLINE void on_group_dead(void *ctx, __u64 device)
{
	__u64 group;

	if (!bpf_core_field_exists(((struct vfio_group *)0)->dev))
		return;
	group = device - bpf_core_field_offset(struct vfio_group, dev);
	object_check(ctx, group, LT_OBJECT_GROUP);
	object_gone(group, LT_OBJECT_GROUP);
}

ALWAYS_INLINE void on_device_born(void *ctx, __u64 device, __u64 result)
{
	if (!(__u32)result)
		device_here(device, LT_OBJECT_BORN);
}

/* The last device of a set frees the set: vfio_release_device_set() in drivers/vfio/vfio_main.c. */
ALWAYS_INLINE void on_device_dead(void *ctx, __u64 inner)
{
	struct vfio_device *d;
	__u64 set;

	if (!bpf_core_field_exists(((struct vfio_device *)0)->device))
		return;
	d = (struct vfio_device *)(inner - bpf_core_field_offset(struct vfio_device, device));
	set = (__u64)BPF_CORE_READ(d, dev_set);
	if (set && BPF_CORE_READ((struct vfio_device_set *)set, device_count) <= 1) {
		object_check(ctx, set, LT_OBJECT_DEV_SET);
		object_gone(set, LT_OBJECT_DEV_SET);
	}
	object_gone((__u64)d, LT_OBJECT_DEVICE);
}

ALWAYS_INLINE void on_pci_born(void *ctx, __u64 pci, __u64 result)
{
	if (!(__u32)result && bpf_core_type_exists(struct vfio_pci_core_device))
		object_here(pci, LT_OBJECT_PCI, LT_OBJECT_BORN,
			    pci + bpf_core_field_offset(struct vfio_pci_core_device, vdev));
}

ALWAYS_INLINE void on_pci_dead(void *ctx, __u64 device)
{
	__u64 pci;

	if (!bpf_core_type_exists(struct vfio_pci_core_device))
		return;
	pci = device - bpf_core_field_offset(struct vfio_pci_core_device, vdev);
	object_check(ctx, pci, LT_OBJECT_PCI);
	object_gone(pci, LT_OBJECT_PCI);
}

ALWAYS_INLINE void on_iommu_born(void *ctx, __u64 argument, __u64 iommu)
{
	object_here(iommu, LT_OBJECT_IOMMU, LT_OBJECT_BORN, 0);
}

ALWAYS_INLINE void on_iommu_dead(void *ctx, __u64 iommu, __u64 result)
{
	object_gone(iommu, LT_OBJECT_IOMMU);
}

/* Keys of calls in flight, apart from those of lock functions. */
enum {
	CALL_CONTAINER = LT_FUNCTION_COUNT + 1,
#define CALL_ID(module, function, ...) CALL_##function,
	LT_OBJECT_EXITS(CALL_ID) LT_CONTAINER_EXITS(CALL_ID)
#undef CALL_ID
};

/* Containers: freed with their last reference, of which the file has one, and each group. */

ALWAYS_INLINE void on_container_opened(void *ctx, __u64 file, __u64 result)
{
	if (!(__u32)result)
		object_here((__u64)BPF_CORE_READ((struct file *)file, private_data), LT_OBJECT_CONTAINER,
			    LT_OBJECT_BORN, 0);
}

/* Before a reference is put; the locks are taken until the call returns. */
static __noinline int container_keep(__u64 container)
{
	int references = 0;

	if (!container || !bpf_core_type_exists(struct vfio_container))
		return 0;
	bpf_probe_read_kernel(&references, sizeof(references),
			      (void *)(container + bpf_core_field_offset(struct vfio_container, kref)));
	if (references == 1)
		call_keep(CALL_CONTAINER, container);
	return 0;
}

ALWAYS_INLINE void on_container_closing(void *ctx, __u64 file)
{
	container_keep((__u64)BPF_CORE_READ((struct file *)file, private_data));
}

ALWAYS_INLINE void on_container_left(void *ctx, __u64 group)
{
	if (bpf_core_field_exists(((struct vfio_group *)0)->container))
		container_keep((__u64)BPF_CORE_READ((struct vfio_group *)group, container));
}

ALWAYS_INLINE void on_container_put(void *ctx, __u64 argument, __u64 result)
{
	object_gone(call_take(CALL_CONTAINER), LT_OBJECT_CONTAINER);
}

/* The programs. */

#define OBJECT_ENTRY(module, function, argument, handler)          \
	SEC("fentry/" #function)                                   \
	int fentry_object_##function(__u64 *ctx)                   \
	{                                                          \
		on_##handler(ctx, ctx_word(ctx, argument));        \
		return 0;                                          \
	}                                                          \
	SEC("kprobe/" #function)                                   \
	int kprobe_object_##function(struct pt_regs *ctx)          \
	{                                                          \
		on_##handler(ctx, kprobe_argument(ctx, argument)); \
		return 0;                                          \
	}

LT_OBJECT_ENTRIES(OBJECT_ENTRY)
LT_CONTAINER_ENTRIES(OBJECT_ENTRY)

#define OBJECT_EXIT(module, function, arguments, argument, handler)                   \
	SEC("fexit/" #function)                                                       \
	int fexit_object_##function(__u64 *ctx)                                       \
	{                                                                             \
		on_##handler(ctx, ctx_word(ctx, argument), ctx_word(ctx, arguments)); \
		return 0;                                                             \
	}                                                                             \
	SEC("kprobe/" #function)                                                      \
	int kprobe_call_##function(struct pt_regs *ctx)                               \
	{                                                                             \
		call_keep(CALL_##function, kprobe_argument(ctx, argument));           \
		return 0;                                                             \
	}                                                                             \
	SEC("kretprobe/" #function)                                                   \
	int kretprobe_object_##function(struct pt_regs *ctx)                          \
	{                                                                             \
		__u64 kept = call_take(CALL_##function);                              \
                                                                                      \
		if (kept)                                                             \
			on_##handler(ctx, kept, PT_REGS_RC(ctx));                     \
		else                                                                  \
			count_lost(LT_LOST_OBJECTS);                                  \
		return 0;                                                             \
	}

LT_OBJECT_EXITS(OBJECT_EXIT)
LT_CONTAINER_EXITS(OBJECT_EXIT)

/* Scopes. */

static __noinline int scope_enter(void)
{
	struct lt_task_held *h = held_get_or_new(bpf_get_current_task());

	if (!h)
		return 0;
	h->scope++;
	held_enter(h);
	return 0;
}

/*
 * What the task still has on its stack is looked over at its next lock call. A
 * missed exit leaves the scope open: that costs time, and makes nothing false.
 */
static __noinline int scope_leave(void)
{
	__u64 task = bpf_get_current_task();
	struct lt_task_held *h = bpf_map_lookup_elem(&held, &task);

	if (!h || !h->scope)
		return 0;
	h->scope--;
	held_leave(h);
	return 0;
}

#define SCOPE_PROGRAMS(module, function, arguments)         \
	SEC("fentry/" #function)                            \
	int fentry_scope_##function(__u64 *ctx)             \
	{                                                   \
		return scope_enter();                       \
	}                                                   \
	SEC("fexit/" #function)                             \
	int fexit_scope_##function(__u64 *ctx)              \
	{                                                   \
		return scope_leave();                       \
	}                                                   \
	SEC("kprobe/" #function)                            \
	int kprobe_scope_##function(struct pt_regs *ctx)    \
	{                                                   \
		return scope_enter();                       \
	}                                                   \
	SEC("kretprobe/" #function)                         \
	int kretprobe_scope_##function(struct pt_regs *ctx) \
	{                                                   \
		return scope_leave();                       \
	}

LT_SCOPES(SCOPE_PROGRAMS)

/* What lives when we come. */

__noinline int container_here(__u64 container)
{
	struct vfio_container *c = (struct vfio_container *)container;

	if (bpf_core_type_exists(struct vfio_container))
		object_here(container, LT_OBJECT_CONTAINER, LT_OBJECT_FOUND, 0);
	if (!bpf_core_type_exists(struct vfio_iommu_driver_ops) || !type1_open_addr)
		return 0;
	if ((__u64)BPF_CORE_READ(c, iommu_driver, ops, open) == type1_open_addr)
		object_here((__u64)BPF_CORE_READ(c, iommu_data), LT_OBJECT_IOMMU, LT_OBJECT_FOUND, 0);
	return 0;
}

/* A VM whose own file is closed lives as long as a vCPU's or a device's is open. */
ALWAYS_INLINE void vm_still_here(__u64 vm)
{
	if (looks_again)
		object_here(vm, LT_OBJECT_VM, LT_OBJECT_FOUND, 0);
}

__noinline int kvm_device_here(__u64 device)
{
	struct kvm_device *d = (struct kvm_device *)device;

	if (!bpf_core_type_exists(struct kvm_device))
		return 0;
	vm_still_here((__u64)BPF_CORE_READ(d, kvm));
	if (kvm_vfio_create_addr && (__u64)BPF_CORE_READ(d, ops, create) == kvm_vfio_create_addr)
		object_here((__u64)BPF_CORE_READ(d, private), LT_OBJECT_KVM_VFIO, LT_OBJECT_FOUND,
			    (__u64)BPF_CORE_READ(d, kvm));
	return 0;
}

/* private: what the file's private_data is, see LT_FILE_KINDS. */
__noinline int file_here(__u32 kind, __u64 private)
{
	switch (kind) {
	case LT_FILE_VM:
		return object_here(private, LT_OBJECT_VM, LT_OBJECT_FOUND, 0);
	case LT_FILE_VCPU:
		vm_still_here((__u64)BPF_CORE_READ((struct kvm_vcpu *)private, kvm));
		return object_here(private, LT_OBJECT_VCPU, LT_OBJECT_FOUND, 0);
	case LT_FILE_KVM_DEVICE:
		return kvm_device_here(private);
	case LT_FILE_GROUP:
		return object_here(private, LT_OBJECT_GROUP, LT_OBJECT_FOUND, 0);
	case LT_FILE_DEVICE_FILE:
		if (bpf_core_type_exists(struct vfio_device_file))
		private
		= (__u64)BPF_CORE_READ((struct vfio_device_file *)private, device);
		return device_here(private, LT_OBJECT_FOUND);
	case LT_FILE_CONTAINER:
		return container_here(private);
	}
	return 0;
}

SEC("iter/task_file")
int find_files(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	__u64 release, private;

	if (!file)
		return 0;
	release = (__u64)BPF_CORE_READ(file, f_op, release);
	if (!release)
		return 0;
	private = (__u64)BPF_CORE_READ(file, private_data);
	for (__u32 kind = 0; kind < LT_FILE_KIND_COUNT; kind++)
		if (release == file_release[kind])
			file_here(kind, private);
	return 0;
}

/*
 * For user space, run by BPF_PROG_TEST_RUN: "this is an object of that kind"
 * (found by walking vm_list, the groups' list ...): args: file kind or
 * LT_INTRODUCE_DEVICE, address. The same path as for a file.
 */
#define LT_INTRODUCE_DEVICE LT_FILE_KIND_COUNT

SEC("raw_tp/introduce")
int introduce(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 kind = ctx->args[0], object = ctx->args[1];

	if (kind == LT_INTRODUCE_DEVICE)
		return device_here(object, LT_OBJECT_FOUND);
	return file_here(kind, object);
}

/* For user space: a look round did not meet an object any more, args: kind of object, address. */
SEC("raw_tp/take_leave")
int take_leave(struct bpf_raw_tracepoint_args *ctx)
{
	return object_gone(ctx->args[1], ctx->args[0]);
}

/* For user space: reads kernel memory, args: address, length. Returns 0 or -EFAULT. */
SEC("raw_tp/peek")
int peek(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 addr = ctx->args[0], length = ctx->args[1];

	if (length > LT_PEEK_MAX)
		return -1;
	return bpf_probe_read_kernel(peek_data, length, (void *)addr);
}

/* For user space, once after load: see scalar_of() and stack_size. */
SEC("raw_tp/setup")
int setup(void *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 *pointer = &anchor;
	__u64 size = 0;

	if (bpf_core_field_exists(task->stack_vm_area))
		size = BPF_CORE_READ(task, stack_vm_area, size);
	/* With the guard page behind it, and else a power of two. */
	for (int shift = 13; shift < 20; shift++)
		if ((size - 1) >> shift == 1)
			stack_size = 1ULL << shift;
	return bpf_probe_read_kernel(&anchor_addr, sizeof(anchor_addr), &pointer);
}

/* Seeding, first pass: who owns a watched lock now? */
SEC("iter/bpf_map_elem")
int find_owners(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seed_list *list, fresh = {};
	struct lt_watched *w = ctx->value;
	__u64 *key = ctx->key;
	__u64 addr, owner;

	if (!key || !w)
		return 0;
	addr = *key;
	owner = lock_owner(addr, w->flags & LT_WATCHED_RWSEM);
	if (!owner)
		return 0;
	list = bpf_map_lookup_elem(&owners, &owner);
	if (!list) {
		fresh.count = 1;
		fresh.addr[0] = addr;
		if (bpf_map_update_elem(&owners, &owner, &fresh, BPF_NOEXIST))
			count_lost(LT_LOST_SEEDS);
		return 0;
	}
	if (list->count >= LT_SEEDS_MAX) {
		count_lost(LT_LOST_SEEDS);
		return 0;
	}
	list->addr[list->count & (LT_SEEDS_MAX - 1)] = addr;
	list->count++;
	return 0;
}

/* A task that has a held stack already takes the seeds over itself, at its next lock call. */
static __noinline int seed_existing(struct lt_task_held *h, const struct seed_list *list)
{
	for (__u32 i = 0; i < LT_SEEDS_MAX; i++)
		h->seed[i] = list->addr[i];
	/* Seeds still pending from before are among these: the locks are still held. */
	if (!h->seeds && !h->seed_counted) {
		h->seed_counted = 1;
		inside_add(h->tid, 1);
	}
	h->seeds = list->count;
	return 0;
}

/* Second pass: only an owner that is met as a living task is believed. */
SEC("iter/task")
int seed_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seed_list *list;
	struct lt_task_held *h;
	__u64 id = 0;

	if (!task)
		return 0;
	bpf_probe_read_kernel(&id, sizeof(id), &task);
	list = bpf_map_lookup_elem(&owners, &id);
	if (!list)
		return 0;
	seeded_held.tid = BPF_CORE_READ(task, pid);
	seeded_held.inside = 1;
	seeded_held.seeds = list->count;
	for (__u32 i = 0; i < LT_SEEDS_MAX; i++)
		seeded_held.seed[i] = list->addr[i];
	if (!bpf_map_update_elem(&held, &id, &seeded_held, BPF_NOEXIST)) {
		inside_add(seeded_held.tid, 1);
	} else {
		h = bpf_map_lookup_elem(&held, &id);
		if (h)
			seed_existing(h, list);
		else
			count_lost(LT_LOST_SEEDS);
	}
	bpf_map_delete_elem(&owners, &id);
	return 0;
}

#endif
