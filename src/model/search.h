/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * From dependencies to findings: what a new dependency, or new evidence for a
 * known one, means. Searches both graphs, has cycles graded, tells what is new or
 * graded higher.
 */
#ifndef LOCKTRACE_MODEL_SEARCH_H
#define LOCKTRACE_MODEL_SEARCH_H

#include "model/dependency.h"
#include "model/finding.h"

struct search {
	struct dependency_table *dependencies;
	struct finding_table *findings;
	/* Of the record at hand. */
	uint64_t record; /* its number, from 1 */
	uint64_t time_ns;
};

/*
 * After dependency_observe(), where two locks of one class were nested as no rule allows:
 * that is a finding by itself. If both orders are seen too, it is the same one. 0 or -ENOMEM.
 */
int search_wrong_nesting(struct search *search, const struct observation *observation,
			 struct class_edge *class_edge);

/* After dependency_observe(), with what it returned. 0 or -ENOMEM. */
int search_dependency(struct search *search, const struct observation *observation,
		      struct class_edge *class_edge, struct lock_edge *lock_edge, int change);

/* What the record shows by itself: counted, told if new or graded higher than before. 0 or -ENOMEM. */
int search_sight(struct search *search, const struct finding_sight *sight);

/*
 * A lock was taken by its owner: the lock being taken in the sighting is its
 * entry at index, or, where index is the sighting's held_count, on no entry. 0 or -ENOMEM.
 */
int search_recursion(struct search *search, struct shared_sighting *sighting, uint32_t index,
		     enum finding_grade grade);

/* After two classes became one: cycles that this closed, findings with more evidence. 0 or -ENOMEM. */
int search_united(struct search *search, struct class *class);

#endif
