/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * How each function is reached: for each hook, and each function that rules speak of, whether it is there, by
 * which kind of attaching, and what is tried next when that fails. Found once for an instance, before it is
 * loaded (load.c) and attached (attach.c). One tracer at a time.
 */
#ifndef LOCKTRACE_KERNEL_TARGETS_H
#define LOCKTRACE_KERNEL_TARGETS_H

#include "kernel/hooks.h"
#include "kernel/tracer_internal.h"

/* The look-up in the kernel's BTF is a long one: only where fentry is tried. */
struct target {
	const char *module, *name;
	uint64_t address;
	const enum attach_kind *kind;  /* into the tracer's order; ATTACH_AUTO: none reaches it */
	struct type_function function; /* for fentry */
	int arguments;                 /* fexit: as in struct hook */
	bool exists;
	bool loading; /* the instance being loaded is to have its programs */
};

/* As hooks, and as the tracer's calls. */
extern struct target targets[HOOKS_MAX];
extern struct target call_targets[LT_CALL_SLOTS];

/* Whether the kernel has the kind that was asked for. 0, or negative errno after a message. */
int targets_check_kind(struct tracer *t);

/* Finds how each function of the modules marked (as hook_modules) can be reached, and marks those to load. */
void targets_plan(struct tracer *t, const bool *modules);
/* The same for the functions that rules speak of. Returns how many are marked. */
size_t targets_find_calls(struct tracer *t);
/* After the plan: is all there that cannot be done without? 0, or -ENOTSUP after a message. */
int targets_check_required(struct tracer *t);

/* The kind of attaching that a hook's program is to be loaded for. ATTACH_AUTO: it is not. */
enum attach_kind targets_hook_kind(size_t i);
/* Whether its function is there, however it can be reached. */
bool targets_hook_exists(size_t i);
/* The names of those kinds that have functions, that of the most first: "kprobe, fentry". "" for none. */
void targets_name_kinds(const size_t count[ATTACH_KINDS], char *out, size_t size);

/* Whether this form of a program belongs to the kind that its function is attached to by. */
bool target_is_wanted(const struct target *target, enum hook_form form);
/* The same of the program for a slot, whose name goes to name. */
bool targets_call_program(size_t slot, enum hook_form form, char *name, size_t size);
/* The hooks of one function are neighbours: where they end. They share one kind: that of the first. */
size_t targets_group_end(size_t first);
void targets_share_kind(size_t first);

/* A kind does not reach a function: the next one is marked; none left is told, and counted. */
void targets_fall_back_hooks(struct tracer *t, size_t first, const char *trouble, int err);
void targets_fall_back_call(struct tracer *t, size_t slot, const char *trouble, int err);
/* The same for the function of a program that the verifier refuses. False: it cannot be done without. */
bool targets_do_without(struct tracer *t, const char *program, int err);
/* How many functions are marked now. */
uint64_t targets_left(const struct tracer *t);

#endif
