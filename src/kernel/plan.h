/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What a watch would do on this kernel, found as it finds it (load.c, tracer.c), and nothing loaded: how each
 * function would be reached, which lock classes would be watched. For "check".
 */
#ifndef LOCKTRACE_KERNEL_PLAN_H
#define LOCKTRACE_KERNEL_PLAN_H

#include "kernel/hooks.h"
#include "kernel/kallsyms.h"
#include "kernel/tracer.h"
#include "kernel/types.h"

#define PLAN_FUNCTIONS_MAX 128
#define PLAN_CLASSES_MAX 64

enum function_state {
	FUNCTION_REACHED,
	FUNCTION_WAITING, /* its module is not loaded */
	FUNCTION_MISSING, /* this kernel does not have it, or not as a function of its own */
	FUNCTION_REFUSED, /* it is there, but no kind that this kernel allows reaches it */
};

struct planned_function {
	const char *name;
	const char *module; /* "" for the kernel image */
	enum hook_role role;
	enum function_state state;
	const char *attach; /* FUNCTION_REACHED: as attach_kind_name() */
};

struct planned_class {
	const char *name;
	enum class_state state;
};

struct plan {
	const char *attach;  /* of the lock functions, as attach_kind_name(); NULL: none is reached */
	char kinds[64];      /* of all functions of a watch without options, as tracer_attach_kinds() */
	bool locks_missing;  /* mutex_lock() is not there: a kernel with lockdep */
	bool realtime;       /* PREEMPT_RT: the tracepoint at contention does not tell of its mutexes */
	bool preempts;       /* tasks in the kernel's own code: fentry programs skip calls */
	bool rwsems;         /* they can be followed */
	bool misses_counted; /* the kernel tells of calls that were missed */
	struct planned_function functions[PLAN_FUNCTIONS_MAX];
	size_t function_count;
	struct planned_class classes[PLAN_CLASSES_MAX];
	size_t class_count;
};

/* A kind of attaching does not work: what would be reached by it is refused. */
void plan_refuse(struct plan *plan, const char *attach);

/* attach: as it is asked for. 0 or -ENOMEM. */
int plan_make(enum attach_kind attach, struct kallsyms *symbols, struct types *types, struct plan *out);

#endif
