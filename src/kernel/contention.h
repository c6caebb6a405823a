/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The attach kind "contention": the tracepoint that tells of waits, and looking round again and
 * again, as births and deaths are not told. Called by tracer.c and load.c.
 */
#ifndef LOCKTRACE_KERNEL_CONTENTION_H
#define LOCKTRACE_KERNEL_CONTENTION_H

#include "kernel/tracer_internal.h"

/*
 * Before the load: does the kernel have the tracepoint? Takes back the options that need hooks, and
 * says what is not seen. 0, or negative errno after an error message.
 */
int contention_prepare(struct tracer *t);
/* The programs of this attach kind, for an object that is not loaded yet: whatever the kind in use is. */
void contention_select(struct tracer *t, struct locktrace_bpf *object);
void contention_set_knobs(struct tracer *t, struct locktrace_bpf *object);
/* 0, or negative errno after an error message. */
int contention_attach(struct tracer *t, struct instance *instance);
/* Looks round: what lives is watched, what is not met any more is gone. 0 or negative errno. */
int contention_look(struct tracer *t);
/* The same when it is time for it. */
void contention_tick(struct tracer *t);
/* Whether the calls that the recursion guard keeps from a program are none that it is to see. */
bool contention_misses_nothing(const struct bpf_program *program);

#endif
