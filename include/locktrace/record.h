/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The records: what the kernel side tells the user side, and what a recording
 * holds. Each starts with its type tag and its size, has a fixed layout with
 * no pointers and no padding, and is the same on the wire and in a file.
 * Kernel addresses are plain 64-bit numbers: names, never to be followed.
 *
 * Included by the BPF programs (which bring their own __u32 and friends) and
 * by user space. A new record gets the next number; a number is never reused.
 */
#ifndef LOCKTRACE_RECORD_H
#define LOCKTRACE_RECORD_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Layout version; goes up when a record below changes its meaning or shape. */
#define LT_RECORD_VERSION 2

/* As TASK_COMM_LEN in the kernel (include/linux/sched.h). */
#define LT_COMM_LEN 16
/*
 * Deepest held stack that is followed. lockdep's limit is 48 (MAX_LOCK_DEPTH)
 * with spinlocks counted; mutexes alone stay far below this one. A deeper
 * stack is counted as lost, see LT_LOST_DEPTH. Must be a power of two: the
 * verifier is shown bounds by masking.
 */
#define LT_HELD_MAX 32
/* Frames of a stack trace. */
#define LT_STACK_MAX 48
#define LT_NAME_LEN 48

enum lt_record_type {
	LT_RECORD_CHAIN = 1,
	LT_RECORD_LOCK = 2,
	LT_RECORD_OBJECT = 3,
	LT_RECORD_CALL = 4,
};

struct lt_record_header {
	__u32 type;    /* enum lt_record_type */
	__u32 size;    /* of the whole record, bytes */
	__u64 time_ns; /* CLOCK_BOOTTIME */
};

struct lt_task {
	__u64 id;  /* address of the task_struct: two tasks with one tid differ */
	__u32 pid; /* process (tgid) */
	__u32 tid;
	char comm[LT_COMM_LEN];
};

enum lt_held_flags {
	LT_HELD_TRYLOCK = 1 << 0, /* taken by a trylock: cannot wait, so no incoming dependency */
	LT_HELD_SEEDED =
		1 << 1, /* found held when we came: order among these unknown, only outgoing dependencies */
	LT_HELD_READ = 1 << 2, /* reader of an rwsem: has no owner to check */
	LT_HELD_FOUND =
		1 << 3, /* with SEEDED: found held when the task was about to wait; since when is not known */
	LT_HELD_RWSEM = 1 << 4, /* an rwsem, not a mutex: for writing where it is not for reading */
	/* Of the kernel side alone, in no record: an attempt to read that may yet fail; read and released. */
	LT_HELD_ASKED = 1 << 5,
	LT_HELD_RELEASED = 1 << 6,
};

/* One lock on a held stack, or a run of locks of one class taken one after the other. */
struct lt_held {
	__u64 addr;       /* the lock; of a run, the first one */
	__u64 last_addr;  /* of a run, the newest one; else as addr */
	__u64 generation; /* tells two locks apart that lived at one address one after the other; 0: unknown
			   */
	__u64 object;     /* the object (VM, group, ...) that contains the lock; 0: unknown */
	__u64 ip;         /* where it was taken: the return address into the caller; 0: unknown */
	__u32 class_id;   /* enum lt_class_id, or LT_CLASS_USER + n, or LT_CLASS_FOREIGN */
	__u16 count;      /* locks in the run, 1 or more */
	__u16 flags;      /* enum lt_held_flags */
};

enum lt_chain_flags {
	LT_CHAIN_SECOND_TASK =
		1 << 0,           /* a known chain, now for the first time by a task other than its first */
	LT_CHAIN_OWNED = 1 << 1,  /* the task owns the very lock it is about to wait for */
	LT_CHAIN_TAKEN = 1 << 2,  /* seen when the lock was taken, not before */
	LT_CHAIN_UNSURE = 1 << 3, /* a release may have been missed: what it holds for reading is in doubt */
};

enum lt_call_what {
	LT_CALL_FUNCTION = 1, /* a function that a rule speaks of was called under a lock that it names */
	LT_CALL_NOT_LAST = 2, /* under such a lock a reference was put that was not the last one */
	LT_CALL_FREED = 3,    /* an object dies while a lock of it is held */
	LT_CALL_REINIT = 4,   /* a lock is initialised while it is held */
	LT_CALL_UNLOCK = 5,   /* a lock is released by a task that does not own it */
	LT_CALL_KINDS,
};

/* What a task does while it holds locks, other than taking one. */
struct lt_call {
	__u32 what;      /* enum lt_call_what; 0 in a chain */
	__u32 function;  /* LT_CALL_FUNCTION, _NOT_LAST: its number, as user space gave it */
	__u64 argument;  /* of the function, the first one; of FREED: the object */
	__u64 owner;     /* FREED, REINIT, UNLOCK: struct lt_task.id of the lock's owner; 0: nobody */
	__u32 owner_tid; /* of the owner; 0: unknown */
	__u32 reserved;  /* 0 */
	char owner_comm[LT_COMM_LEN];
};

/*
 * A chain: a task's whole held stack (outermost first) and the lock it is
 * taking. Sent once for each new chain, and once more when a second task is
 * seen to do the same.
 *
 * LT_RECORD_CALL has the same layout: the held stack, and the call made. Its
 * held[held_count] is the lock that FREED, REINIT and UNLOCK are about (whoever holds
 * it; for FREED and UNLOCK it may be on the stack too), its ip the place where its owner
 * took it (0: not seen), and all zero for the others.
 */
struct lt_record_chain {
	struct lt_record_header header;
	__u64 key; /* of the chain cache; its count of hits is kept there */
	struct lt_task task;
	struct lt_call call;
	__u16 held_count;  /* 0 .. LT_HELD_MAX */
	__u16 stack_count; /* 0 .. LT_STACK_MAX */
	__u32 flags;       /* enum lt_chain_flags */
	/* held[held_count] is the lock being taken, its ip the place. */
	struct lt_held held[LT_HELD_MAX + 1];
	__u64 stack[LT_STACK_MAX]; /* innermost first; raw, with the tracer's own frames */
};

/* What is known of a lock that belongs to no declared class. */
struct lt_record_lock {
	struct lt_record_header header;
	__u64 addr;
	__u64 generation;
	__u64 init_ip;               /* who initialised it; 0: not seen */
	__u64 first_ip;              /* where it was first taken */
	__u32 slab_offset;           /* of the lock in its slab object */
	__u32 flags;                 /* none yet */
	char init_name[LT_NAME_LEN]; /* as given to __mutex_init, "&kvm->lock"; empty: not seen */
	char slab[LT_NAME_LEN];      /* name of the slab cache it lies in; empty: none, or unknown */
};

enum lt_object_kind {
	LT_OBJECT_VM = 1,        /* struct kvm */
	LT_OBJECT_VCPU = 2,      /* struct kvm_vcpu; parent: its VM */
	LT_OBJECT_KVM_VFIO = 3,  /* struct kvm_vfio, the kvm-vfio device; parent: its VM */
	LT_OBJECT_GROUP = 4,     /* struct vfio_group */
	LT_OBJECT_DEVICE = 5,    /* struct vfio_device; parent: its group */
	LT_OBJECT_DEV_SET = 6,   /* struct vfio_device_set; parent: the device it was found through */
	LT_OBJECT_PCI = 7,       /* struct vfio_pci_core_device; parent: its vfio_device */
	LT_OBJECT_IOMMU = 8,     /* struct vfio_iommu, type1 */
	LT_OBJECT_CONTAINER = 9, /* struct vfio_container */
	LT_OBJECT_KINDS,         /* how many, plus one */
};

enum lt_object_event {
	LT_OBJECT_FOUND = 1, /* lived before we came */
	LT_OBJECT_BORN = 2,
	LT_OBJECT_DEAD = 3,
};

struct lt_record_object {
	struct lt_record_header header;
	__u32 kind;  /* enum lt_object_kind */
	__u32 event; /* enum lt_object_event */
	__u64 addr;
	__u64 parent;           /* address of the parent object; 0: none or unknown */
	__u32 pid;              /* VM: the process that owns it; 0: unknown */
	__u32 number;           /* vCPU: its id; else 0 */
	char name[LT_NAME_LEN]; /* group: its number as text; device: its name (a PCI address, ...) */
};

/*
 * What can be lost, one counter each; the kernel side counts, the trust line
 * of every report tells. Names are the members of "lost" in the JSON output.
 */
#define LT_LOST_TABLE(X)                                                                                \
	X(RING_BUFFER, "ring_buffer", "records did not fit into the ring buffer")                       \
	X(RECURSION, "recursion", "calls were skipped by the kernel (recursion guard, or busy probes)") \
	X(DEPTH, "depth", "lock calls came while the task held more locks than are followed")           \
	X(TASKS, "tasks", "lock calls came from tasks for which no room was left")                      \
	X(WATCHED, "watched", "locks could not be watched because the table of watched locks was full") \
	X(CLOSURE, "closure",                                                                           \
	  "foreign locks taken under a watched one could not be followed: limit reached")               \
	X(SEEDS, "seeds", "locks held before the start could not be added to their task")               \
	X(CALLS, "calls", "calls in flight could not be remembered until their return")                 \
	X(OBJECTS, "objects", "objects came or went without being followed")                            \
	X(RECORDS, "records",                                                                           \
	  "records could not be taken in, for want of memory or because they made no sense")            \
	X(ATTACH, "attach", "functions could not be attached to, or went away with their module")       \
	X(WAITS, "waits", "waits for a lock were not looked at, as that would have cost too much")      \
	X(READERS, "readers",                                                                           \
	  "read-held rwsems were not taken to be held any longer, as a release may have been missed")

enum lt_lost {
#define LT_LOST_ID(id, name, text) LT_LOST_##id,
	LT_LOST_TABLE(LT_LOST_ID)
#undef LT_LOST_ID
		LT_LOST_KINDS
};

#endif
