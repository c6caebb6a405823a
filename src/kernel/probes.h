/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What BPF can do on this kernel for this user, tried with programs of a few instructions. What is attached
 * is detached before the probe returns. Each returns 0 when it works, else negative errno: what the kernel
 * said. One thread.
 */
#ifndef LOCKTRACE_KERNEL_PROBES_H
#define LOCKTRACE_KERNEL_PROBES_H

#include <stdint.h>

#include "kernel/types.h"

/* Loading a program that does nothing. */
int probe_load(void);

/* Asking for the kernel's BTF objects, the modules' among them. */
int probe_btf_objects(void);

/* A ring buffer. */
int probe_ring_buffer(void);

/* Running a program on request. */
int probe_test_run(void);

/* Reading a byte of the kernel's memory. -EPERM: lockdown in confidentiality mode. */
int probe_read_memory(uint64_t address);

/* Reads a word of 4 bytes; those from -4095 to -1 are taken for errors. */
int probe_read_word(uint64_t address, uint32_t *out);

/*
 * Reads size bytes (at most 4) at an offset in the task_struct of this task: are the types at hand those of
 * this kernel?
 */
int probe_read_own_task(uint64_t offset, uint32_t size, uint32_t *out);

/* An iterator: "bpf_iter_task", "bpf_iter_task_file" or "bpf_iter_bpf_map_elem". */
int probe_iterator(struct types *types, const char *function);

/* A raw tracepoint of this name. */
int probe_raw_tracepoint(const char *name);

/* A trampoline at the entry, or the exit, of a function (of a module: its name, else ""). */
int probe_fentry(struct types *types, const char *module, const char *function);
int probe_fexit(struct types *types, const char *module, const char *function);
/* Only whether such a program loads: the kernel is not patched. */
int probe_fentry_load(struct types *types, const char *module, const char *function);

/* The number of the kprobe event source, from 0; -ENOENT: the kernel has no kprobe events. */
int probe_kprobe_type(void);
/* A kprobe at a function. Many at a time: kprobe_multi.h. */
int probe_kprobe(const char *function);

/* Whether the kernel counts calls that a trampoline's program skipped. 0; -EOPNOTSUPP: it does not. */
int probe_recursion_misses(void);

#endif
