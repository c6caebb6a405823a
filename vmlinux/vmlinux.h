/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types the BPF programs read, kept by hand: only the members that
 * are read, in any order. CO-RE relocates each access at load time against the
 * running kernel's own BTF (and its modules'), so neither order nor size here
 * means anything. Beside a member: the kernels that have it, where not all do.
 *
 * Constants and map types come from the kernel's stable <linux/bpf.h>.
 */
#ifndef LOCKTRACE_VMLINUX_H
#define LOCKTRACE_VMLINUX_H

/* bpf_tracing.h then takes the kernel's own names of the registers. */
#define __VMLINUX_H__

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di, si, dx, cx, r8, r9, ax, bp, sp, ip;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
};
struct pt_regs {
	struct user_pt_regs user_regs;
};
#endif

struct list_head {
	struct list_head *next, *prev;
};

/* Only its place in other structs is wanted. Where its owner is differs: src/kernel/mutex_layout.c. */
struct mutex {
	struct {
		long counter;
	} owner;
	struct list_head wait_list; /* up to 7.1 or so, see below */
};

struct mutex_waiter {
	struct list_head list;
};

/* 7.x: the waiters are a ring of their own. */
struct mutex___with_first_waiter {
	struct mutex_waiter *first_waiter;
};

/*
 * kernel/locking/rwsem.c. count: bit 0, a writer has it; bits 8 to 62, how many readers. owner: the writer's
 * task_struct, or, with bit 0 set, that of some reader; the other two low bits are flags.
 */
struct rw_semaphore {
	struct {
		long counter;
	} count;
	struct {
		long counter;
	} owner;
};

struct vm_struct {
	unsigned long size; /* with a guard page */
};

struct sched_entity {
	__u64 exec_start; /* by the run queue's clock without interrupts and stolen time, as of the last
			     update */
};

struct sched_info {
	unsigned long long last_arrival; /* by the run queue's clock: when it was last put on a CPU */
};

#if defined(__TARGET_ARCH_x86)
struct thread_struct {
	unsigned long sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct cpu_context {
	unsigned long sp;
};
struct thread_struct {
	struct cpu_context cpu_context;
};
#endif

struct rt_mutex_waiter;

struct task_struct {
	void *stack;
	struct vm_struct *stack_vm_area; /* with CONFIG_VMAP_STACK only */
	unsigned int flags;
	unsigned char
		on_cpu; /* an int up to 6.x, 0 or 1 in either: the first byte, on little-endian machines */
	unsigned int __state; /* 5.14 and later (2f064a59a11f) */
	int exit_state;
	int pid;
	int tgid;
	unsigned long nvcsw;
	unsigned long nivcsw;
	struct sched_entity se;
	struct sched_info sched_info;
	char comm[16];
	/*
	 * Up to 6.15 the record of its waiting, on its own stack, and with CONFIG_DEBUG_MUTEXES only; on
	 * later kernels the mutex itself, always. What it is, is decided by its value (src/kernel/waiters.c).
	 */
	void *blocked_on;
	/* The lock, and which kind in the low bits: 6.15 and later, with CONFIG_DETECT_HUNG_TASK_BLOCKER. */
	unsigned long blocker;
	/* The record of its waiting for an rt_mutex; with CONFIG_RT_MUTEXES. */
	struct rt_mutex_waiter *pi_blocked_on;
	struct thread_struct thread;
};

/* Up to 5.13. */
struct task_struct___with_state {
	volatile long state;
};

struct kobject {
	const char *name;
};

struct device {
	struct kobject kobj;
};

struct cdev {
	struct kobject kobj;
};

struct file;

struct inode {
	struct cdev *i_cdev;
};

struct file_operations {
	int (*release)(struct inode *inode, struct file *file);
};

struct file {
	const struct file_operations *f_op;
	void *private_data;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

/* The slab allocator: to name a lock by the cache its memory is from. */
struct kmem_cache {
	unsigned int size; /* of an object with its metadata, bytes */
	const char *name;
};

struct page {
	unsigned long flags;
	unsigned long compound_head; /* bit 0 set: the rest is the address of the head page */
	unsigned int page_type;      /* from 6.10 on its top byte tells a slab page (46df8e73a4a3) */
};

/* 5.17 and later (d122019bf061); lies over struct page. */
struct slab {
	struct kmem_cache *slab_cache;
};

/* Up to 5.16 the same was a member of struct page. */
struct page___with_slab_cache {
	struct kmem_cache *slab_cache;
};

enum pageflags {
	PG_slab = 0x7f, /* the number comes from BTF */
};

/* 6.12 and later (4ffca5a96678): value of the top byte of page_type. */
enum pagetype {
	PGTY_slab = 0x7f, /* the number comes from BTF */
};

#pragma clang attribute pop

#endif
