/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The table of what "check" asks of the running kernel. Each row is a probe: a program that is loaded, a file
 * that is read, a type or symbol that is looked up; nothing is told from the kernel's version.
 */
#ifndef LOCKTRACE_KERNEL_FEATURES_H
#define LOCKTRACE_KERNEL_FEATURES_H

#include <stddef.h>

enum feature_state {
	FEATURE_NO,
	FEATURE_YES,
	FEATURE_UNKNOWN, /* it cannot be found out */
	FEATURE_WAITING, /* it can be found out when the module is loaded */
};

enum feature_group {
	GROUP_KERNEL,
	GROUP_TYPES,
	GROUP_BPF,
	GROUP_ATTACH,
	GROUP_WAITS,
};

/*
 * LT_FEATURES(X): X(id, group, name for programs, name for people, function in features.c (ask_...), its
 * argument)
 */
#define LT_FEATURES(X)                                                                                      \
	X(RELEASE, KERNEL, "release", "release", release, "")                                               \
	X(PID_NAMESPACE, KERNEL, "pid_namespace", "the host's process ids", pid_namespace, "")              \
	X(CAPABILITIES, KERNEL, "capabilities", "privileges", capabilities, "")                             \
	X(LOCKDOWN, KERNEL, "lockdown", "lockdown", lockdown, "")                                           \
	X(PREEMPTION, KERNEL, "preemption", "preemption", preemption, "")                                   \
	X(ISOLATED, KERNEL, "isolated_cpus", "isolated CPUs", isolated, "")                                 \
	X(LIVEPATCH, KERNEL, "livepatch", "fentry beside live patches", livepatch,                          \
	  "bpf_tramp_ftrace_ops_func")                                                                      \
	X(ADDRESSES, KERNEL, "addresses", "addresses of symbols", addresses, "")                            \
	X(DATA_SYMBOLS, KERNEL, "data_symbols", "symbols of data", data_symbols, "")                        \
	X(BTF, TYPES, "btf", "types of the kernel", btf, "")                                                \
	X(BTF_OWN, TYPES, "btf_own", "BTF of the kernel itself", btf_own, "")                               \
	X(BTF_OBJECTS, TYPES, "btf_objects", "the kernel tells of its BTF", btf_objects, "")                \
	X(BTF_KVM, TYPES, "btf_kvm", "types of kvm", btf_module, "kvm")                                     \
	X(BTF_VFIO, TYPES, "btf_vfio", "types of vfio", btf_module, "vfio")                                 \
	X(BTF_VFIO_PCI, TYPES, "btf_vfio_pci_core", "types of vfio_pci_core", btf_module, "vfio_pci_core")  \
	X(BTF_TYPE1, TYPES, "btf_vfio_iommu_type1", "types of vfio_iommu_type1", btf_module,                \
	  "vfio_iommu_type1")                                                                               \
	X(LOAD, BPF, "program_load", "loading of programs", load, "")                                       \
	X(TEST_RUN, BPF, "test_run", "programs run on request", test_run, "")                               \
	X(READ_MEMORY, BPF, "read_memory", "programs read kernel memory", read_memory, "_stext")            \
	X(RING_BUFFER, BPF, "ring_buffer", "ring buffer", ring_buffer, "")                                  \
	X(ITERATE_TASKS, BPF, "iterator_task", "iterator over tasks", iterator, "bpf_iter_task")            \
	X(ITERATE_FILES, BPF, "iterator_task_file", "iterator over their files", iterator,                  \
	  "bpf_iter_task_file")                                                                             \
	X(ITERATE_MAP, BPF, "iterator_map", "iterator over a map", iterator, "bpf_iter_bpf_map_elem")       \
	X(TASK_END, BPF, "sched_process_free", "tracepoint at a task's end", raw_tracepoint,                \
	  "sched_process_free")                                                                             \
	X(FENTRY, ATTACH, "fentry", "trampolines: fentry", fentry, "mutex_lock_io")                         \
	X(FEXIT, ATTACH, "fexit", "trampolines: fexit", fexit, "mutex_lock_io")                             \
	X(FENTRY_MODULE, ATTACH, "fentry_module", "trampolines in modules", fentry_module, "")              \
	X(FENTRY_MISSES, ATTACH, "fentry_misses", "calls they miss are counted", fentry_misses, "")         \
	X(KPROBE, ATTACH, "kprobe", "kprobes", kprobe, "mutex_lock_io")                                     \
	X(KPROBE_MULTI, ATTACH, "kprobe_multi", "kprobes, many at once", kprobe_multi, "")                  \
	X(KPROBE_MISSES, ATTACH, "kprobe_misses", "calls kprobes miss are counted", kprobe_misses, "")      \
	X(CONTENTION, ATTACH, "contention", "tracepoint at contention", raw_tracepoint, "contention_begin") \
	X(BLOCKED_ON, WAITS, "blocked_on", "task->blocked_on", task_member, "blocked_on")                   \
	X(BLOCKER, WAITS, "blocker", "task->blocker", task_member, "blocker")                               \
	X(MUTEX_OWNER, WAITS, "mutex_owner", "owner of a mutex", mutex_owner, "")                           \
	X(MUTEX_WAITERS, WAITS, "mutex_waiters", "waiters of a mutex", waiter_records, "mutex")             \
	X(RWSEM_WAITERS, WAITS, "rwsem_waiters", "waiters of an rwsem", waiter_records, "rwsem")

enum feature_id {
#define FEATURE_ID(id, ...) FEATURE_##id##_ID,
	LT_FEATURES(FEATURE_ID)
#undef FEATURE_ID
		FEATURE_COUNT
};

struct feature {
	enum feature_group group;
	const char *name;  /* for programs */
	const char *words; /* for people */
	enum feature_state state;
	char detail[160]; /* what was found; "": nothing to add */
};

struct kallsyms;
struct types;

/* Where the probes look. */
struct feature_source {
	struct kallsyms *symbols; /* NULL: they cannot be read */
	int symbols_err;          /* why, negative errno */
	struct types *types;      /* NULL: there are none */
	int types_err;
	const char *btf; /* --btf; NULL: the kernel's own */
};

/* Asks all, in the order of the table. Takes up to some seconds: what was attached is detached again. */
void features_probe(const struct feature_source *source, struct feature out[FEATURE_COUNT]);

#endif
