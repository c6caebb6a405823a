/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * How much a cycle is to be believed.
 *
 * Two kinds of evidence, and which observations count for what:
 *
 * A cycle of classes is a statement about code: this path takes B under A,
 * that one A under B. It is true of all VMs at once, so every observation counts,
 * of whatever VM, living or dead. One observation by a second task shows that
 * the path is not that of one task; one observation without the gate shows that the path
 * does not need the gate. So "one task" and "guarded" hold only if they hold over
 * the observations of all VMs together, and nothing seen later brings them back.
 *
 * That one gate be the same lock in all VMs would be too much to ask: where
 * each VM's pair of locks is always taken under that VM's own kvm.lock, the
 * second VM would turn a guarded cycle into a possible one though nothing new was
 * seen. Such a gate counts as one if in every observation of every edge it is
 * a lock in the very object (VM, group) that both locks of the edge belong to.
 * Then all locks of a deadlock on this cycle would belong to one object, edge
 * by edge round the circle, and its tasks would all have to hold that
 * object's one gate. Pairs of two objects never have such a gate.
 *
 * A cycle of locks is a statement about these very locks: the tasks that were
 * seen could have met. Only the observations of these pairs of locks count: that
 * another VM always holds a gate does not protect this one, and that another
 * VM's task does the same does not add a second task to this one. If it has two
 * tasks and no common gate the finding is "likely". The class evidence contains
 * these observations, so it can then be neither "one task" nor "guarded": the
 * grades cannot contradict each other, and as evidence only ever loses
 * what it excludes, no grade has to fall.
 */
#ifndef LOCKTRACE_MODEL_GRADE_H
#define LOCKTRACE_MODEL_GRADE_H

#include "model/dependency.h"
#include "model/evidence.h"
#include "model/model.h"

struct grade {
	enum finding_grade grade;
	struct lock *guard; /* for GRADE_GUARDED, else NULL; borrowed */
	bool guard_per_object;
};

/* A cycle of locks that is an instance of a cycle of classes. */
struct instance {
	struct grade grade;                               /* GRADE_NONE: none was found */
	const struct evidence *evidence[MODEL_CYCLE_MAX]; /* of each edge, in the order of the classes */
};

/*
 * The grade that the evidence of the edges of one cycle supports: one task,
 * guarded, or, where neither holds, "strong".
 */
struct grade grade_evidence(const struct evidence *const *evidence, uint32_t count,
			    enum finding_grade strong);

/*
 * Looks for a cycle of locks along a cycle of classes that goes through one
 * lock edge, which is an instance of edges[position]. Prefers one that is GRADE_LIKELY;
 * improves *best, which begins as all zero. Gives up silently when *budget
 * edges were looked at.
 */
void grade_find_instance(const struct dependency_table *table, struct class_edge *const *edges,
			 uint32_t count, uint32_t position, struct lock_edge *lock_edge, uint32_t *budget,
			 struct instance *best);

/*
 * Chooses what to show of each edge of a cycle: sightings of different tasks
 * as far as possible. fixed is shown for the edge at fixed_index, unless that
 * makes them fewer tasks; NULL: no preference.
 */
void grade_choose_witnesses(const struct evidence *const *evidence, uint32_t count, uint32_t fixed_index,
			    const struct witness *fixed, struct witness *out);

#endif
