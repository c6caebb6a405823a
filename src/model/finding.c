// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See finding.h. */
#include "model/finding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/match.h"

static const char *const kind_names[FINDING_KINDS] = {
	[FINDING_CIRCULAR] = "circular",
	[FINDING_RECURSIVE] = "recursive",
	[FINDING_ORDER] = "order",
	[FINDING_FORBIDDEN_CALL] = "forbidden_call",
	[FINDING_BAD_UNLOCK] = "bad_unlock",
	[FINDING_FREED_HELD] = "freed_held",
	[FINDING_REINIT_HELD] = "reinit_held",
};

static const char *const grade_names[GRADES] = {
	[GRADE_NONE] = "none",       [GRADE_INFORMATION] = "information", [GRADE_ONE_TASK] = "one_task",
	[GRADE_GUARDED] = "guarded", [GRADE_POSSIBLE] = "possible",       [GRADE_LIKELY] = "likely",
	[GRADE_DANGER] = "danger",   [GRADE_DEADLOCK] = "deadlock",
};

const char *finding_kind_name(enum finding_kind kind)
{
	return (unsigned int)kind < FINDING_KINDS ? kind_names[kind] : NULL;
}

const char *finding_grade_name(enum finding_grade grade)
{
	return (unsigned int)grade < GRADES ? grade_names[grade] : NULL;
}

void finding_table_init(struct finding_table *table, struct lock_table *locks,
			const struct model_options *options)
{
	*table = (struct finding_table){ .locks = locks, .options = options };
}

static void finding_free(struct finding_table *table, struct finding_entry *entry)
{
	uint32_t i;

	for (i = 0; i < MODEL_CYCLE_MAX; i++) {
		if (entry->sightings[i])
			sighting_put(table->locks, entry->sightings[i]);
	}
	if (entry->guard)
		lock_put(table->locks, entry->guard);
	evidence_release(&entry->evidence, table->locks);
	counter_release(&entry->counter);
	free(entry);
}

void finding_table_release(struct finding_table *table)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		finding_free(table, table->entries[i]);
	free(table->entries);
	hash_release(&table->by_identity);
}

/* Where to begin so that the indices, read in order, are the smallest possible. */
static uint32_t identity_start(const struct finding_identity *identity)
{
	uint32_t best = 0, start, i, n = identity->count;

	if (identity->kind != FINDING_CIRCULAR)
		return 0;
	for (start = 1; start < n; start++) {
		for (i = 0; i < n; i++) {
			uint32_t a = identity->classes[(start + i) % n]->public.index;
			uint32_t b = identity->classes[(best + i) % n]->public.index;

			if (a == b)
				continue;
			if (a < b)
				best = start;
			break;
		}
	}
	return best;
}

/* What one compares: the kind, then the class indices in canonical rotation. */
static uint32_t identity_write(const struct finding_identity *identity, uint32_t key[MODEL_CYCLE_MAX + 1])
{
	uint32_t start = identity_start(identity), i;

	key[0] = identity->kind * 2 + identity->same_instance;
	for (i = 0; i < identity->count; i++)
		key[i + 1] = identity->classes[(start + i) % identity->count]->public.index;
	return identity->count + 1;
}

/* The classes of a finding as they are now called. */
static void finding_identity(const struct finding_entry *entry, struct finding_identity *identity)
{
	uint32_t i;

	identity->kind = entry->public.kind;
	identity->same_instance = entry->public.same_instance;
	identity->function = entry->public.function;
	/* Within one class the class alone says it, however many locks are in the circle. */
	identity->count = identity->kind == FINDING_CIRCULAR ? entry->public.edge_count : 1;
	for (i = 0; i < identity->count; i++)
		identity->classes[i] = (struct class *)entry->public.edges[i].from;
	if (identity->kind == FINDING_ORDER)
		identity->classes[identity->count++] = (struct class *)entry->public.edges[0].to;
}

static uint64_t identity_hash(const struct finding_identity *identity)
{
	uint32_t key[MODEL_CYCLE_MAX + 1];
	uint32_t count = identity_write(identity, key);

	return hash_bytes(key, count * sizeof(*key));
}

static bool identity_equal(const struct finding_identity *a, const struct finding_identity *b)
{
	uint32_t a_key[MODEL_CYCLE_MAX + 1], b_key[MODEL_CYCLE_MAX + 1], i;
	uint32_t count = identity_write(a, a_key);

	if (identity_write(b, b_key) != count)
		return false;
	if (a->function && b->function && strcmp(a->function, b->function))
		return false;
	for (i = 0; i < count && a_key[i] == b_key[i]; i++)
		;
	return i == count;
}

struct finding_entry *finding_find(const struct finding_table *table, const struct finding_identity *identity)
{
	struct hash_node *node = hash_first(&table->by_identity, identity_hash(identity));

	for (; node; node = hash_next(node)) {
		struct finding_entry *entry = list_entry(node, struct finding_entry, by_identity);
		struct finding_identity theirs;

		finding_identity(entry, &theirs);
		if (identity_equal(&theirs, identity))
			return entry;
	}
	return NULL;
}

static int finding_table_grow(struct finding_table *table)
{
	uint32_t room = table->room ? table->room * 2 : 16;
	struct finding_entry **entries;

	if (table->count < table->room)
		return 0;
	entries = realloc(table->entries, room * sizeof(struct finding_entry *));
	if (!entries)
		return -ENOMEM;
	table->entries = entries;
	table->room = room;
	return 0;
}

int finding_set_edges(struct finding_table *table, struct finding_entry *entry,
		      struct class_edge *const *edges, uint32_t edge_count)
{
	uint32_t i;

	for (i = 0; i < edge_count; i++) {
		if (class_edge_add_finding(edges[i], entry))
			return -ENOMEM;
	}
	for (i = 0; i < MODEL_CYCLE_MAX; i++) {
		if (entry->sightings[i])
			sighting_put(table->locks, entry->sightings[i]);
		entry->sightings[i] = NULL;
		entry->public.edges[i] = (struct finding_edge){ 0 };
		entry->edges[i] = i < edge_count ? edges[i] : NULL;
	}
	for (i = 0; i < edge_count; i++) {
		entry->public.edges[i].from = &class_edge_from(edges[i])->public;
		entry->public.edges[i].to = &class_edge_to(edges[i])->public;
	}
	entry->public.edge_count = edge_count;
	return 0;
}

/* A finding that could not be made in full: no edge may know it. */
static void finding_abandon(struct finding_table *table, struct finding_entry *entry,
			    struct class_edge *const *edges, uint32_t edge_count)
{
	uint32_t i;

	for (i = 0; edges && i < edge_count; i++) {
		struct class_edge *edge = edges[i];

		if (edge->finding_count && edge->findings[edge->finding_count - 1] == entry)
			edge->finding_count--;
	}
	finding_free(table, entry);
}

/* The one edge of a finding that no dependency is the evidence of. */
static void finding_set_ends(struct finding *finding, const struct finding_identity *identity)
{
	finding->edge_count = 1;
	finding->edges[0].from = &identity->classes[0]->public;
	if (identity->kind == FINDING_ORDER || identity->kind == FINDING_RECURSIVE)
		finding->edges[0].to = &identity->classes[identity->count - 1]->public;
}

struct finding_entry *finding_new(struct finding_table *table, const struct finding_identity *identity,
				  struct class_edge *const *edges, uint32_t edge_count)
{
	struct finding_entry *entry;
	uint32_t i, j;

	if (finding_table_grow(table) || hash_reserve(&table->by_identity))
		return NULL;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->public.kind = identity->kind;
	entry->public.same_instance = identity->same_instance;
	entry->public.function = identity->function;
	if (edges && finding_set_edges(table, entry, edges, edge_count)) {
		finding_abandon(table, entry, edges, edge_count);
		return NULL;
	}
	if (!edges)
		finding_set_ends(&entry->public, identity);
	for (i = 0; i < identity->count; i++) {
		for (j = 0; j < i; j++)
			entry->repeats |= identity->classes[i] == identity->classes[j];
	}
	/* Cannot fail: reserved above. */
	(void)hash_insert(&table->by_identity, &entry->by_identity, identity_hash(identity));
	table->entries[table->count++] = entry;
	entry->public.id = table->count;
	return entry;
}

void finding_set_witness(struct finding_table *table, struct finding_entry *entry, uint32_t index,
			 const struct witness *witness)
{
	struct finding_edge *edge = &entry->public.edges[index];
	struct shared_sighting *sighting = witness->sighting;

	sighting_get(sighting);
	if (entry->sightings[index])
		sighting_put(table->locks, entry->sightings[index]);
	entry->sightings[index] = sighting;
	edge->sighting = &sighting->public;
	edge->from_index = witness->from_index;
	edge->to_lock = edge->to ? sighting->public.locks[sighting->public.held_count] : NULL;
	/* One lock taken twice is that lock, even if its held entry did not know which one it was. */
	edge->from_lock =
		entry->public.same_instance ? edge->to_lock : sighting->public.locks[witness->from_index];
}

void finding_count(struct finding_entry *entry, uint64_t record, uint64_t time_ns)
{
	if (entry->record == record)
		return;
	entry->record = record;
	entry->public.count++;
	entry->public.time_ns = time_ns;
}

/* An edge can stand in it twice: that of a class with itself. */
static uint64_t finding_total(const struct finding_entry *entry)
{
	uint64_t total = 0;
	uint32_t i, j;

	for (i = 0; i < entry->public.edge_count; i++) {
		for (j = 0; j < i && entry->edges[j] != entry->edges[i]; j++)
			;
		if (j == i)
			total += entry->public.edges[i].count;
	}
	return total;
}

void finding_refresh(struct finding_table *table, struct finding_entry *entry)
{
	const struct model_options *options = table->options;
	uint32_t i;

	for (i = 0; i < entry->public.edge_count; i++) {
		struct class_edge *class_edge = entry->edges[i];
		const struct evidence *evidence = class_edge ? &class_edge->evidence : &entry->evidence;
		struct counter *counter = class_edge ? &class_edge->counter : &entry->counter;
		struct finding_edge *edge = &entry->public.edges[i];

		edge->count = counter_total(counter, options->chain_hits, options->context);
		if (!edge->count) /* out of memory to count it; it was seen */
			edge->count = 1;
		edge->first_ns = evidence->first_ns;
		edge->last_ns = evidence->last_ns;
		edge->instances = class_edge ? class_edge->instances : 0;
		if (class_edge && !edge->instances) /* one record proved its own held lock dead */
			edge->instances = 1;
		edge->many_tasks = evidence->many_tasks;
	}
	entry->public.count = finding_total(entry);
}

/* Who is ignored stays so as long as that rule is in force, whatever evidence is shown. */
static void finding_match(const struct finding_table *table, struct finding *finding)
{
	finding->known = match_finding(table->options, finding, RULE_KNOWN);
	if (!finding->ignored || finding->ignored->state != RULE_IN_FORCE)
		finding->ignored = match_finding(table->options, finding, RULE_IGNORE);
}

void finding_tell(struct finding_table *table, struct finding_entry *entry, const struct grade *grade)
{
	const struct model_options *options = table->options;

	if (grade->guard)
		lock_get(grade->guard);
	if (entry->guard)
		lock_put(table->locks, entry->guard);
	entry->guard = grade->guard;
	entry->public.guard = grade->guard ? &grade->guard->public : NULL;
	entry->public.guard_per_object = grade->guard_per_object;
	/* The grade of something nobody was told of is none. */
	entry->public.previous_grade = entry->public.told ? entry->public.grade : GRADE_NONE;
	entry->public.grade = grade->grade;
	finding_refresh(table, entry);
	finding_match(table, &entry->public);
	if (entry->public.ignored || !options->on_finding)
		return;
	if (options->on_finding(options->context, &entry->public))
		entry->public.told = true;
	entry->public.left_out = !entry->public.told;
}

int finding_see(struct finding_table *table, struct finding_entry *entry, const struct finding_sight *sight,
		uint64_t record, uint64_t time_ns)
{
	const struct model_options *options = table->options;
	const struct witness *witness = &sight->witness;
	const struct sighting *seen = &witness->sighting->public;
	const struct observation observation = { .sighting = witness->sighting,
						 .from_index = witness->from_index };
	const struct grade grade = { .grade = sight->grade };
	uint32_t i;
	int error;

	error = counter_add(&entry->counter, seen->key, options->chain_hits, options->context);
	if (evidence_add(&entry->evidence, &observation, EVIDENCE_CLASS_SIGHTINGS, table->locks) < 0)
		error = -ENOMEM;
	/* Whatever of that failed, a finding is not left untold. */
	finding_count(entry, record, time_ns);
	entry->caller = seen->task;
	if (sight->grade <= entry->public.grade)
		return error;
	entry->public.owner = sight->owner;
	entry->public.owner_tid = sight->owner_tid;
	if (sight->owner_comm)
		memcpy(entry->public.owner_comm, sight->owner_comm, LT_COMM_LEN);
	entry->public.owner_comm[LT_COMM_LEN - 1] = '\0';
	entry->public.rule_count = sight->rule_count;
	for (i = 0; i < sight->rule_count; i++)
		entry->public.rules[i] = sight->rules[i];
	finding_set_witness(table, entry, 0, witness);
	finding_tell(table, entry, &grade);
	return error;
}

void finding_add_inside(struct finding_entry *entry, const struct lock_class *class)
{
	struct finding *finding = &entry->public;
	uint32_t i;

	for (i = 0; i < finding->inside_count && finding->inside[i] != class; i++)
		;
	if (i == finding->inside_count && i < FINDING_INSIDE_MAX)
		finding->inside[finding->inside_count++] = class;
}

void finding_replace_edge(struct finding_entry *entry, const struct class_edge *old, struct class_edge *edge)
{
	uint32_t i;

	for (i = 0; i < entry->public.edge_count; i++) {
		if (entry->edges[i] == old)
			entry->edges[i] = edge;
	}
}

static const struct lock_class *lock_class_final(const struct lock_class *class)
{
	return class && class->united_with ? class->united_with : class;
}

static void finding_rename_inside(struct finding_entry *entry)
{
	uint32_t count = entry->public.inside_count, i;

	entry->public.inside_count = 0;
	for (i = 0; i < count; i++)
		finding_add_inside(entry, lock_class_final(entry->public.inside[i]));
}

/* Names the final classes; says whether a cycle that had each class once has one twice now. */
static bool finding_rename(struct finding_entry *entry)
{
	struct finding *finding = &entry->public;
	bool repeats = false;
	uint32_t i, j;

	for (i = 0; i < finding->edge_count; i++) {
		finding->edges[i].from = lock_class_final(finding->edges[i].from);
		finding->edges[i].to = lock_class_final(finding->edges[i].to);
		for (j = 0; j < i; j++)
			repeats |= finding->edges[i].from == finding->edges[j].from;
	}
	finding_rename_inside(entry);
	return repeats && finding->kind == FINDING_CIRCULAR && !entry->repeats;
}

void finding_table_reindex(struct finding_table *table)
{
	struct finding_identity identity;
	uint32_t i;

	/* Out of the index all of them first: while some have new names, none can be found. */
	for (i = 0; i < table->count; i++) {
		if (!table->entries[i]->retired)
			hash_remove(&table->by_identity, &table->entries[i]->by_identity);
	}
	for (i = 0; i < table->count; i++) {
		struct finding_entry *entry = table->entries[i];

		if (finding_rename(entry))
			entry->retired = true;
		finding_identity(entry, &identity);
		if (!entry->retired && finding_find(table, &identity))
			entry->retired = true;
		if (!entry->retired) /* cannot fail: the table has held as many before */
			(void)hash_insert(&table->by_identity, &entry->by_identity, identity_hash(&identity));
	}
}
