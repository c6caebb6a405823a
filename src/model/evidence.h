/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Evidence: what the observations of one dependency have in common. It is of
 * bounded size however many observations there are, and only ever gets weaker
 * in what it excludes: tasks become more, gates fewer. So grades only rise.
 */
#ifndef LOCKTRACE_MODEL_EVIDENCE_H
#define LOCKTRACE_MODEL_EVIDENCE_H

#include "model/sighting.h"

/* Sightings kept in full: of a dependency between classes, and of one between two locks. */
#define EVIDENCE_CLASS_SIGHTINGS 4
#define EVIDENCE_LOCK_SIGHTINGS 2

/* Gates of one observation: every held entry but the dependency's own. */
#define GATES_MAX LT_HELD_MAX

/* Where a sighting shows a dependency: from the entry at from_index to the last one. */
struct witness {
	struct shared_sighting *sighting; /* holds a reference */
	uint32_t from_index;
};

/*
 * One observation of a dependency. Its gates are the locks that the task held
 * exclusively besides the two. It does not matter whether a gate was taken
 * before or after "from": a deadlock needs the task to wait for "to" while it
 * holds all of these, and no two tasks can hold one gate at that time.
 */
struct observation {
	struct shared_sighting *sighting;
	uint32_t from_index;
	struct lock *from, *to;
	struct lock *gates[GATES_MAX]; /* no lock twice */
	uint32_t gate_count;
	/* The classes of those gates that lie in the very VM (or group, ...) that both locks belong to. */
	struct class *kin[GATES_MAX];
	uint32_t kin_count;
};

struct evidence {
	uint64_t first_ns, last_ns;
	uint64_t task_id; /* of the first observation */
	uint32_t task_tid;
	bool observed;   /* at least once; else nothing else here means anything */
	bool many_tasks; /* observed of more than that task */
	/* In the intersection of all observations. */
	uint32_t gate_count, kin_count;
	struct lock **gates; /* hold references */
	struct class **kin;
	uint32_t witness_count;
	struct witness witnesses[EVIDENCE_CLASS_SIGHTINGS];
};

enum evidence_change {
	EVIDENCE_MORE_TASKS = 1 << 0,
	EVIDENCE_FEWER_GATES = 1 << 1,
};

void evidence_release(struct evidence *evidence, struct lock_table *locks);

/*
 * Adds an observation, keeping up to witness_max sightings. Returns what
 * changed (enum evidence_change, 0: nothing), or -ENOMEM.
 */
int evidence_add(struct evidence *evidence, const struct observation *observation, uint32_t witness_max,
		 struct lock_table *locks);

/* Adds all that other knows. Cannot fail. */
void evidence_merge(struct evidence *evidence, const struct evidence *other, uint32_t witness_max,
		    struct lock_table *locks);

/* Whether two tasks are the same one. */
bool task_is(const struct lt_task *task, uint64_t id, uint32_t tid);

#endif
