/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The looking of "hang". On a host that hangs anything may block: loading BPF programs takes the
 * kernel's text_mutex, a command line takes its process's mmap_lock. So whatever asks the kernel is
 * done by child processes, each of which tells what it finds through a pipe and is left behind when it
 * is late; this process only forks, reads pipes and never waits past a deadline.
 */
#ifndef LOCKTRACE_CMD_HANG_LOOK_H
#define LOCKTRACE_CMD_HANG_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/rule_set.h"
#include "kernel/kallsyms.h"
#include "kernel/objects.h"
#include "kernel/waiters.h"
#include "model/model.h"
#include "model/wait_graph.h"

#define HANG_NAME_LEN 64

/* Name of the VM that a process, or the thread that made it, runs. */
struct hang_vm {
	uint32_t pid;
	char name[HANG_NAME_LEN];
};

struct hang_seen {
	struct wait_look looks[2];
	size_t look_count;                /* whole ones, from the first on */
	struct model *model;              /* the objects that live; nothing else */
	struct lt_record_object *objects; /* the same, as they were met; one may be there twice */
	size_t object_count, object_room;
	struct object_lock *locks; /* by address */
	size_t lock_count, lock_room;
	struct hang_vm *vms; /* by pid */
	size_t vm_count, vm_room;
	struct waiters_slab *slabs; /* of locks that are waited for */
	size_t slab_count;
	uint32_t hidden;    /* processes that the kernel does not show: they are in no look */
	char trouble[1024]; /* what was not found out and why, sentences; "" for nothing */
};

struct hang_look_options {
	struct kallsyms *symbols;
	const char *btf; /* --btf; NULL: the kernel's own types */
	/*
	 * Gives the classes of the user's own; the states of its rules are set as the kernel answers, or to
	 * unknown when it was not asked: nobody waits for a lock, or there was no time. NULL: no rules.
	 */
	struct rule_set *rules;
	uint32_t task;        /* see struct waiters_options */
	uint64_t deadline_ms; /* CLOCK_MONOTONIC, as wire_now_ms(): an answer is due then */
	bool all;             /* all tasks and all objects, whoever waits */
	bool no_objects;      /* VMs, devices and the rules are known already: they are not asked for */
	/* Called some times a second while it waits; false: it is to end at once. NULL: nothing is to be
	 * done. */
	bool (*meanwhile)(void *context);
	void *context;
};

/*
 * Looks twice, at the objects too if anybody waits for a lock, and asks for the names of those
 * concerned. Ends by the deadline. 0, also when there is trouble; -ENOMEM or what fork() failed with.
 * Release it in any case.
 */
int hang_look(const struct hang_look_options *options, struct hang_seen *seen);
void hang_seen_release(struct hang_seen *seen);

/* Adds a sentence to the trouble; what does not fit is cut. */
void hang_seen_trouble(struct hang_seen *seen, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* NULL: it is none that is known. */
const struct object_lock *hang_seen_lock(const struct hang_seen *seen, uint64_t addr);
/* Adds one that is known from elsewhere ("no_objects"). 0 or -ENOMEM. */
int hang_seen_add_lock(struct hang_seen *seen, const struct object_lock *lock);
const struct waiters_slab *hang_seen_slab(const struct hang_seen *seen, uint64_t addr);
/*
 * The task that owns a lock, if it was seen: as the same one in both looks, as its address may be another
 * task's by now. With "all" only are all tasks seen. NULL: nobody owns it, or none that was seen.
 */
const struct wait_task *hang_seen_owner(const struct hang_seen *seen, const struct object_lock *lock);
const char *hang_seen_vm(const struct hang_seen *seen, uint32_t pid);

#endif
