// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * See search.h.
 *
 * A new edge between classes is searched for cycles of classes: a shortest one
 * and more that differ in their last hop. A new or changed edge between locks is
 * searched for cycles of locks, in the same way. Each is one of three things:
 *
 * - Every class once. It is an instance of a cycle of classes. Mostly that is
 *   known by now; otherwise (it was not among the few told) it is found here.
 * - All of one class: two locks of a class in both orders, or three in a circle.
 *   The graph of classes cannot show that. One recursive finding for each class, graded by
 *   the locks' own evidence alone: that other locks of that class nest
 *   consistently says nothing.
 * - Several classes, one of them more than once (X1 -> A -> X2 -> B -> X1, or
 *   X1 -> X2 -> A -> X1). It is not reduced: the shorter cycles of classes in it (X A, X B)
 *   are findings of their own by the search of classes, but none of them has these
 *   locks as an instance, so the whole is told with all its edges, classes
 *   repeated. Only if it is "likely", though: weaker, it would say nothing that the shorter
 *   ones do not.
 */
#include "model/search.h"

#include <errno.h>
#include <string.h>

/* Cycles told for each new dependency, at most. */
#define CYCLES_PER_EDGE 4

/*
 * Lock edges looked at for one grading. Enough for any real cycle: the edges
 * out of one lock are few, but for a lock of the whole host, which has one for each
 * VM. A limit, because a hostile recording could ask for exponential time.
 */
#define INSTANCE_BUDGET 20000

_Static_assert(GRAPH_CYCLE_MAX == MODEL_CYCLE_MAX, "a finding must have room for any cycle found");

static struct class_edge *class_edge_of(struct graph_edge *edge)
{
	return list_entry(edge, struct class_edge, edge);
}

static struct lock_edge *lock_edge_of(struct graph_edge *edge)
{
	return list_entry(edge, struct lock_edge, edge);
}

static bool class_edge_is_nesting(const struct class_edge *edge)
{
	return edge->edge.from == edge->edge.to;
}

/* The best instance of a cycle of classes; through one lock edge, or, NULL, through any. */
static void search_instance(struct search *search, struct finding_entry *entry, uint32_t position,
			    struct lock_edge *lock_edge, struct instance *best)
{
	uint32_t budget = INSTANCE_BUDGET, count = entry->public.edge_count;
	struct list *link;

	*best = (struct instance){ 0 };
	if (lock_edge) {
		grade_find_instance(search->dependencies, entry->edges, count, position, lock_edge, &budget,
				    best);
		return;
	}
	list_for_each (link, &entry->edges[position]->lock_edges) {
		if (best->grade.grade == GRADE_LIKELY || !budget--)
			break;
		grade_find_instance(search->dependencies, entry->edges, count, position,
				    list_entry(link, struct lock_edge, class_link), &budget, best);
	}
}

/* Shows and tells a finding with its new grade. */
static void search_tell(struct search *search, struct finding_entry *entry, const struct grade *grade,
			const struct evidence *const *evidence, uint32_t fixed_index,
			const struct witness *fixed)
{
	struct witness witnesses[MODEL_CYCLE_MAX];
	uint32_t i;

	grade_choose_witnesses(evidence, entry->public.edge_count, fixed_index, fixed, witnesses);
	for (i = 0; i < entry->public.edge_count; i++)
		finding_set_witness(search->findings, entry, i, &witnesses[i]);
	finding_count(entry, search->record, search->time_ns);
	finding_tell(search->findings, entry, grade);
}

/*
 * The instance to grade and show a cycle of classes by; says whether it goes
 * through lock_edge. A cycle found late may have instances elsewhere that nobody
 * graded so far: the first grading looks at all of them.
 */
static bool search_best_instance(struct search *search, struct finding_entry *entry, uint32_t position,
				 struct lock_edge *lock_edge, struct instance *best)
{
	struct instance other;

	search_instance(search, entry, position, lock_edge, best);
	if (!lock_edge || entry->public.grade || best->grade.grade == GRADE_LIKELY)
		return lock_edge;
	search_instance(search, entry, position, NULL, &other);
	if (other.grade.grade <= best->grade.grade)
		return true;
	*best = other;
	return false;
}

/*
 * Grades a cycle of classes, each once. lock_edge: what changed, an instance
 * of the edge at position; NULL: look at all its instances. fixed: the
 * sighting that made the change, or NULL.
 */
static void search_grade(struct search *search, struct finding_entry *entry, uint32_t position,
			 struct lock_edge *lock_edge, const struct witness *fixed)
{
	const struct evidence *evidence[MODEL_CYCLE_MAX];
	struct instance instance;
	struct grade grade;
	bool through;
	uint32_t i;

	for (i = 0; i < entry->public.edge_count; i++)
		evidence[i] = &entry->edges[i]->evidence;
	grade = grade_evidence(evidence, entry->public.edge_count, GRADE_POSSIBLE);
	through = search_best_instance(search, entry, position, lock_edge, &instance);
	if (instance.grade.grade == GRADE_LIKELY)
		grade = instance.grade;
	if (grade.grade <= entry->public.grade)
		return;
	/*
	 * What is shown: the locks of one instance, where there is one. But a
	 * grade that rose without one rose by the sighting at hand.
	 */
	if (instance.grade.grade == GRADE_LIKELY || (instance.grade.grade && !entry->public.grade)) {
		memcpy(evidence, instance.evidence, sizeof(evidence));
		fixed = through ? fixed : NULL;
	}
	search_tell(search, entry, &grade, evidence, position, fixed);
}

/* A cycle of classes, each once: a new finding, unless it is known. */
static int search_report_classes(struct search *search, struct class_edge *const *edges, uint32_t count,
				 struct lock_edge *lock_edge, const struct witness *fixed)
{
	struct finding_identity identity = { .kind = FINDING_CIRCULAR, .count = count };
	struct finding_entry *entry;
	uint32_t i;

	for (i = 0; i < count; i++)
		identity.classes[i] = class_edge_from(edges[i]);
	if (finding_find(search->findings, &identity))
		return 0;
	entry = finding_new(search->findings, &identity, edges, count);
	if (!entry)
		return -ENOMEM;
	search_grade(search, entry, count - 1, lock_edge, fixed);
	return 0;
}

static int search_classes(struct search *search, struct class_edge *closing, struct lock_edge *lock_edge,
			  const struct witness *fixed)
{
	struct class_edge *edges[MODEL_CYCLE_MAX];
	struct graph_cycle cycles[CYCLES_PER_EDGE];
	uint32_t count, i, j;
	int error = 0;

	count = graph_find_cycles(&search->dependencies->classes, &closing->edge, NULL, NULL, cycles,
				  CYCLES_PER_EDGE);
	for (i = 0; i < count && !error; i++) {
		for (j = 0; j < cycles[i].count; j++)
			edges[j] = class_edge_of(cycles[i].edges[j]);
		error = search_report_classes(search, edges, cycles[i].count, lock_edge, fixed);
	}
	return error;
}

/* What a cycle of locks is as a cycle of classes. */
struct lock_cycle {
	uint32_t count;
	struct class_edge *edges[MODEL_CYCLE_MAX];
	const struct evidence *evidence[MODEL_CYCLE_MAX];
	struct finding_identity identity; /* circular */
	bool repeats;                     /* a class stands in it twice */
	bool one_class;
};

static void lock_cycle_read(struct lock_cycle *read, const struct graph_cycle *cycle)
{
	uint32_t i, j;

	*read = (struct lock_cycle){ .count = cycle->count, .one_class = true };
	read->identity.kind = FINDING_CIRCULAR;
	read->identity.count = cycle->count;
	for (i = 0; i < cycle->count; i++) {
		struct lock_edge *edge = lock_edge_of(cycle->edges[i]);
		struct class *class = lock_edge_from(edge)->class;

		read->edges[i] = edge->class_edge;
		read->evidence[i] = &edge->evidence;
		read->identity.classes[i] = class;
		for (j = 0; j < i; j++)
			read->repeats |= read->identity.classes[j] == class;
		read->one_class &= class == read->identity.classes[0];
	}
}

/* Tells a cycle of locks that no cycle of classes stands for, if it is new or graded higher. */
static int search_report_locks(struct search *search, const struct lock_cycle *cycle,
			       const struct finding_identity *identity, const struct witness *fixed)
{
	struct grade grade = grade_evidence(cycle->evidence, cycle->count, GRADE_LIKELY);
	struct finding_entry *entry = finding_find(search->findings, identity);

	if (identity->kind == FINDING_CIRCULAR && grade.grade < GRADE_LIKELY)
		return 0;
	if (!entry)
		entry = finding_new(search->findings, identity, cycle->edges, cycle->count);
	else if (grade.grade > entry->public.grade &&
		 finding_set_edges(search->findings, entry, cycle->edges, cycle->count))
		return -ENOMEM;
	if (!entry)
		return -ENOMEM;
	finding_count(entry, search->record, search->time_ns);
	if (grade.grade > entry->public.grade)
		search_tell(search, entry, &grade, cycle->evidence, cycle->count - 1, fixed);
	return 0;
}

static bool lock_has_class(const struct graph_node *node, const void *class)
{
	return list_entry(node, struct lock, node)->class == class;
}

/* Circles within one class through a nesting of two of its locks. */
static int search_nesting(struct search *search, struct lock_edge *closing, const struct witness *fixed)
{
	struct class *class = lock_edge_from(closing)->class;
	struct finding_identity identity = { .kind = FINDING_RECURSIVE, .count = 1, .classes = { class } };
	struct graph_cycle cycles[CYCLES_PER_EDGE];
	struct lock_cycle read;
	uint32_t count, i;
	int error = 0;

	count = graph_find_cycles(&search->dependencies->locks, &closing->edge, lock_has_class, class, cycles,
				  CYCLES_PER_EDGE);
	for (i = 0; i < count && !error; i++) {
		lock_cycle_read(&read, &cycles[i]);
		error = search_report_locks(search, &read, &identity, fixed);
	}
	return error;
}

/*
 * A cycle of locks is a closed walk over their classes. So where no cycle of
 * classes goes through an edge, no cycle of locks does: this spares nearly all
 * edges a search among the locks of the whole host.
 */
static bool search_can_be_cyclic(struct search *search, struct class_edge *edge)
{
	struct graph_cycle cycle;

	return class_edge_is_nesting(edge) ||
	       graph_find_cycles(&search->dependencies->classes, &edge->edge, NULL, NULL, &cycle, 1);
}

static int search_locks(struct search *search, struct lock_edge *closing, const struct witness *fixed)
{
	struct graph_cycle cycles[CYCLES_PER_EDGE];
	struct lock_cycle read;
	uint32_t count, i;
	int error = 0;

	if (!search_can_be_cyclic(search, closing->class_edge))
		return 0;
	count = graph_find_cycles(&search->dependencies->locks, &closing->edge, NULL, NULL, cycles,
				  CYCLES_PER_EDGE);
	for (i = 0; i < count && !error; i++) {
		lock_cycle_read(&read, &cycles[i]);
		if (read.one_class) /* search_nesting() has it */
			continue;
		if (read.repeats)
			error = search_report_locks(search, &read, &read.identity, fixed);
		else
			error = search_report_classes(search, read.edges, read.count, closing, fixed);
	}
	return error;
}

static uint32_t finding_position(const struct finding_entry *entry, const struct class_edge *edge)
{
	uint32_t i;

	for (i = 0; i < entry->public.edge_count - 1 && entry->edges[i] != edge; i++)
		;
	return i;
}

/*
 * The findings that have this edge: one more record shows them, and their
 * grade may rise. A recursive one is found anew by search_nesting() where the record fits it.
 */
static void search_known(struct search *search, struct class_edge *class_edge, struct lock_edge *lock_edge,
			 int change, const struct witness *fixed)
{
	bool changed =
		change & (DEPENDENCY_CLASS_CHANGED | DEPENDENCY_NEW_LOCK_EDGE | DEPENDENCY_LOCK_CHANGED);
	uint32_t i;

	for (i = 0; i < class_edge->finding_count; i++) {
		struct finding_entry *entry = class_edge->findings[i];

		if (entry->retired || entry->public.kind != FINDING_CIRCULAR)
			continue;
		finding_count(entry, search->record, search->time_ns);
		if (changed && !entry->repeats && entry->public.grade < GRADE_LIKELY)
			search_grade(search, entry, finding_position(entry, class_edge), lock_edge, fixed);
	}
}

int search_wrong_nesting(struct search *search, const struct observation *observation,
			 struct class_edge *class_edge)
{
	struct finding_identity identity = {
		.kind = FINDING_RECURSIVE,
		.count = 1,
		.classes = { class_edge_from(class_edge) },
	};
	const struct witness witness = { observation->sighting, observation->from_index };
	const struct grade possible = { .grade = GRADE_POSSIBLE };
	struct finding_entry *entry = finding_find(search->findings, &identity);

	if (!entry) {
		entry = finding_new(search->findings, &identity, &class_edge, 1);
		if (!entry)
			return -ENOMEM;
		finding_set_witness(search->findings, entry, 0, &witness);
	}
	finding_count(entry, search->record, search->time_ns);
	if (possible.grade > entry->public.grade)
		finding_tell(search->findings, entry, &possible);
	return 0;
}

int search_dependency(struct search *search, const struct observation *observation,
		      struct class_edge *class_edge, struct lock_edge *lock_edge, int change)
{
	struct witness fixed = { observation->sighting, observation->from_index };
	int error = 0;

	if ((change & DEPENDENCY_NEW_CLASS_EDGE) && !class_edge_is_nesting(class_edge))
		error = search_classes(search, class_edge, lock_edge, &fixed);
	if (!error && lock_edge && class_edge_is_nesting(class_edge))
		error = search_nesting(search, lock_edge, &fixed);
	if (!error && lock_edge && (change & (DEPENDENCY_NEW_LOCK_EDGE | DEPENDENCY_LOCK_CHANGED)))
		error = search_locks(search, lock_edge, &fixed);
	search_known(search, class_edge, lock_edge, change, &fixed);
	return error;
}

int search_sight(struct search *search, const struct finding_sight *sight)
{
	struct finding_entry *entry = finding_find(search->findings, &sight->identity);

	if (!entry)
		entry = finding_new(search->findings, &sight->identity, NULL, 1);
	if (!entry)
		return -ENOMEM;
	return finding_see(search->findings, entry, sight, search->record, search->time_ns);
}

int search_recursion(struct search *search, struct shared_sighting *sighting, uint32_t index,
		     enum finding_grade grade)
{
	struct lock *lock = sighting_lock(sighting, sighting->public.held_count);
	const struct finding_sight sight = {
		.identity = { .kind = FINDING_RECURSIVE,
			      .same_instance = true,
			      .count = 1,
			      .classes = { lock->class } },
		.witness = { sighting, index },
		.grade = grade,
	};

	return search_sight(search, &sight);
}

/* All findings that have an edge: their evidence may have become more. */
static void search_regrade(struct search *search, struct class_edge *edge)
{
	uint32_t i;

	for (i = 0; i < edge->finding_count; i++) {
		struct finding_entry *entry = edge->findings[i];

		if (!entry->retired && !entry->repeats && entry->public.kind == FINDING_CIRCULAR)
			search_grade(search, entry, finding_position(entry, edge), NULL, NULL);
	}
}

int search_united(struct search *search, struct class *class)
{
	struct list *link, *nesting;
	int error = 0;

	list_for_each (link, &class->node.out) {
		struct class_edge *edge = list_entry(link, struct class_edge, edge.out_link);

		/* Any cycle through the class, known or closed now, leaves it by one of these edges. */
		search_regrade(search, edge);
		if (!class_edge_is_nesting(edge) && !error)
			error = search_classes(search, edge, NULL, NULL);
		if (!class_edge_is_nesting(edge))
			continue;
		list_for_each (nesting, &edge->lock_edges) {
			if (!error)
				error = search_nesting(
					search, list_entry(nesting, struct lock_edge, class_link), NULL);
		}
	}
	return error;
}
