/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* How many calls the kernel did not show to our programs. */
#ifndef LOCKTRACE_KERNEL_MISSES_H
#define LOCKTRACE_KERNEL_MISSES_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/types.h"

struct tracer;

/*
 * Where in the kernel's struct bpf_link_info the misses of a link are. Without these (3acf8ace6823,
 * e2b2cd592ad1, both 6.7) kprobe programs that were skipped are not counted either: that
 * came in the same series (dd8657894c11, f915fcb38553).
 */
struct misses_layout {
	bool counted; /* those of kprobe and kprobe.multi */
	uint64_t kprobe_offset, kprobe_multi_offset;
};

void misses_find(struct types *types, struct misses_layout *out);

struct instance;

/* What one instance's links, and its programs, have counted so far. */
uint64_t misses_of_instance_links(const struct tracer *t, const struct instance *instance);
uint64_t misses_of_instance_programs(const struct instance *instance);

/* What links have counted so far, those that are gone too. */
uint64_t misses_of_links(const struct tracer *t);

/* All calls that were missed so far. */
uint64_t misses_count(const struct tracer *t);

#endif
