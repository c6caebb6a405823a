// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * See model.h. This file takes records apart and tells the parts: objects
 * (object.c), locks (lock.c) and their classes (class.c), dependencies with their
 * evidence (dependency.c, evidence.c), what they mean (search.c, grade.c), what the
 * rules say (judge.c), calls (call.c), findings (finding.c, match.c).
 */
#include "model/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/call.h"
#include "model/class.h"
#include "model/dependency.h"
#include "model/finding.h"
#include "model/judge.h"
#include "model/lock.h"
#include "model/object.h"
#include "model/record_check.h"
#include "model/search.h"

struct model {
	struct model_options options;
	struct class_table classes;
	struct object_table objects;
	struct lock_table locks;
	struct dependency_table dependencies;
	struct finding_table findings;
	struct call_table calls;
	uint64_t chains;
	uint64_t records; /* chains and calls: their numbers */
};

struct model *model_new(const struct model_options *options)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->options = *options;
	class_table_init(&model->classes, &model->options.symbols);
	object_table_init(&model->objects);
	lock_table_init(&model->locks, &model->objects);
	dependency_table_init(&model->dependencies, &model->locks);
	finding_table_init(&model->findings, &model->locks, &model->options);
	return model;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	finding_table_release(&model->findings);
	call_table_release(&model->calls);
	dependency_table_release(&model->dependencies);
	lock_table_release(&model->locks);
	object_table_release(&model->objects);
	class_table_release(&model->classes);
	free(model);
}

int model_name_class(struct model *model, uint32_t class_id, const char *name)
{
	return class_name_user(&model->classes, class_id, name);
}

int model_name_function(struct model *model, uint32_t number, const char *name)
{
	return call_name_function(&model->calls, number, name);
}

static void model_kill_lock(struct model *model, struct lock *lock)
{
	dependency_forget_lock(&model->dependencies, lock);
	lock_die(&model->locks, lock);
}

static struct lock *object_living_lock(const struct object *object)
{
	struct list *link;

	list_for_each (link, &object->locks) {
		struct lock *lock = list_entry(link, struct lock, object_link);

		if (lock->alive)
			return lock;
	}
	return NULL;
}

/* An object dies with its locks and with the objects that are part of it (two levels at most). */
static void model_kill_object(struct model *model, struct object *object, uint64_t time_ns)
{
	struct object *child;
	struct lock *lock;

	object_get(object); /* its last lock or child must not take it away under us */
	while ((child = object_doomed_child(object)))
		model_kill_object(model, child, time_ns);
	while ((lock = object_living_lock(object)))
		model_kill_lock(model, lock);
	object_die(&model->objects, object, time_ns);
	object_put(&model->objects, object);
}

/*
 * Found or born. An object found again is the same one; one born where
 * another lives is its heir: the other's death was missed.
 */
static int model_learn_object(struct model *model, const struct lt_record_object *record)
{
	struct object *object = object_find(&model->objects, record->addr, record->kind);
	struct list *link;

	if (object && object->known && record->event == LT_OBJECT_BORN)
		model_kill_object(model, object, record->header.time_ns);
	object = object_find_or_new(&model->objects, record->addr, record->kind);
	if (!object)
		return -ENOMEM;
	object_learn(&model->objects, object, record);
	list_for_each (link, &object->locks)
		list_entry(link, struct lock, object_link)->public.object = &object->public;
	return 0;
}

static int model_feed_object(struct model *model, const struct lt_record_object *record)
{
	struct object *object;

	if (record->event != LT_OBJECT_DEAD)
		return model_learn_object(model, record);
	object = object_find(&model->objects, record->addr, record->kind);
	if (object)
		model_kill_object(model, object, record->header.time_ns);
	return 0;
}

/* A lock by address and generation; those that this one proves dead die. NULL: out of memory. */
static struct lock *model_find_lock(struct model *model, uint64_t addr, uint64_t generation)
{
	struct lock *outlived, *lock = lock_find_static(&model->locks, addr);

	/* Foreign locks get a generation only when they become watched; a static one is the same before and
	 * after. */
	if (lock)
		return lock;
	while ((outlived = lock_find_outlived(&model->locks, addr, generation)))
		model_kill_lock(model, outlived);
	lock = lock_find(&model->locks, addr, generation);
	return lock ? lock : lock_new(&model->locks, addr, generation);
}

/* Kept with the lock until its first chain asks for its class; later names come too late. */
static int model_feed_lock(struct model *model, const struct lt_record_lock *record)
{
	struct lock *lock = model_find_lock(model, record->addr, record->generation);

	if (!lock)
		return -ENOMEM;
	if (lock->class)
		return 0;
	if (!lock->hint)
		lock->hint = malloc(sizeof(*lock->hint));
	if (!lock->hint)
		return -ENOMEM;
	*lock->hint = *record;
	lock->hint->init_name[LT_NAME_LEN - 1] = '\0';
	lock->hint->slab[LT_NAME_LEN - 1] = '\0';
	return 0;
}

static int model_classify(struct model *model, struct lock *lock, const struct lt_held *held)
{
	struct class_query query = {
		.declared = held->class_id,
		.addr = lock->public.addr,
		.generation = lock->public.generation,
		.ip = held->ip,
		.hint = lock->hint,
	};
	struct class *class;
	int error = class_of_lock(&model->classes, &query, &class);

	if (!error)
		lock_set_class(lock, class);
	return error;
}

static int model_place_in_object(struct model *model, struct lock *lock, const struct lt_held *held)
{
	struct object *object;

	if (lock->object || !held->object)
		return 0;
	object = object_find_or_new(&model->objects, held->object, class_object_kind(held->class_id));
	if (!object)
		return -ENOMEM;
	lock_set_object(lock, object);
	return 0;
}

/*
 * A lock so far known as of another class dies if the record declares a class:
 * either it is another lock by now, or only now known for what it is.
 */
static int model_resolve(struct model *model, const struct lt_held *held, uint64_t addr, struct lock **out)
{
	struct lock *lock = model_find_lock(model, addr, held->generation);
	int error;

	if (lock && lock->class && held->class_id != LT_CLASS_FOREIGN &&
	    lock->class->public.declared != held->class_id) {
		model_kill_lock(model, lock);
		lock = lock_new(&model->locks, addr, held->generation);
	}
	if (!lock)
		return -ENOMEM;
	error = lock->class ? 0 : model_classify(model, lock, held);
	if (!error)
		*out = lock;
	return error;
}

/*
 * The newest lock of a run. The entry's generation and object are those of the
 * run's first lock, so whatever lock of the class lives at that address is
 * meant; only if there is none it is made with the same generation, as a guess
 * that the lock's own first record puts right.
 */
static int model_resolve_newest(struct model *model, const struct lt_held *held, struct lock **out)
{
	*out = lock_find_declared(&model->locks, held->last_addr, held->class_id);
	return *out ? 0 : model_resolve(model, held, held->last_addr, out);
}

/* The locks of a record's entries; each holds a reference while the record is worked on. */
struct chain_locks {
	uint32_t count;                       /* entries, with the lock being taken, if there is one */
	struct lock *first[LT_HELD_MAX + 1];  /* of a run, its first one */
	struct lock *newest[LT_HELD_MAX + 1]; /* of a run, its newest one, else as first */
};

static void chain_locks_release(struct model *model, struct chain_locks *locks)
{
	while (locks->count--) {
		lock_put(&model->locks, locks->first[locks->count]);
		lock_put(&model->locks, locks->newest[locks->count]);
	}
}

static int chain_locks_add(struct model *model, struct chain_locks *locks, const struct lt_held *held)
{
	struct lock *first, *newest;
	int error = model_resolve(model, held, held->addr, &first);

	if (error)
		return error;
	newest = first;
	lock_get(first);
	error = model_place_in_object(model, first, held);
	if (!error && held->count > 1 && held->last_addr != held->addr)
		error = model_resolve_newest(model, held, &newest);
	if (error) {
		lock_put(&model->locks, first);
		return error;
	}
	lock_get(newest);
	locks->first[locks->count] = first;
	locks->newest[locks->count] = newest;
	locks->count++;
	return 0;
}

/* Two call-site classes turned out to be one; the older one's name stays. */
static int model_unite(struct model *model, struct search *search, struct class *a, struct class *b)
{
	struct class *winner = a->public.index < b->public.index ? a : b, *loser = winner == a ? b : a;

	dependency_unite(&model->dependencies, winner, loser);
	class_unite(&model->classes, winner, loser);
	finding_table_reindex(&model->findings);
	call_table_reindex(&model->calls);
	return search_united(search, winner);
}

/*
 * One lock taken at two places shows that the places take locks of one class.
 * Only for locks that nothing but the place could name, and whose generation
 * says that it is the same lock and not just the same memory.
 */
static int model_note_sites(struct model *model, struct search *search, const struct lt_record_chain *record,
			    const struct chain_locks *locks)
{
	struct class *other;
	uint32_t i;
	int error;

	for (i = 0; i <= record->held_count; i++) {
		struct lock *lock = locks->first[i];

		if (!lock->public.generation || record->held[i].class_id != LT_CLASS_FOREIGN)
			continue;
		error = class_note_site(&model->classes, lock->class, record->held[i].ip, &other);
		if (!error && other)
			error = model_unite(model, search, lock->class, other);
		if (error)
			return error;
	}
	return 0;
}

static bool observation_has_gate(const struct observation *observation, const struct lock *gate)
{
	uint32_t i;

	for (i = 0; i < observation->gate_count && observation->gates[i] != gate; i++)
		;
	return i < observation->gate_count;
}

/*
 * The locks held exclusively besides the two. Not readers, and not runs: of a
 * run the kernel side only knows that one of its ends is still held.
 */
static void observation_find_gates(struct observation *observation)
{
	const struct sighting *sighting = &observation->sighting->public;
	struct object *whole = lock_whole(observation->from);
	uint32_t i;

	if (lock_whole(observation->to) != whole)
		whole = NULL;
	for (i = 0; i < sighting->held_count; i++) {
		struct lock *gate = sighting_lock(observation->sighting, i);

		if ((sighting->held[i].flags & LT_HELD_READ) || sighting->held[i].count > 1 ||
		    gate == observation->from || gate == observation->to ||
		    observation_has_gate(observation, gate))
			continue;
		observation->gates[observation->gate_count++] = gate;
		/* One lock for each object, so that class and object name the lock. */
		if (whole && gate->object == whole &&
		    class_object_kind(gate->class->public.declared) == whole->public.kind)
			observation->kin[observation->kin_count++] = gate->class;
	}
}

static int model_observe(struct model *model, struct search *search, struct shared_sighting *sighting,
			 uint32_t from_index, enum nesting nesting)
{
	struct observation observation = {
		.sighting = sighting,
		.from_index = from_index,
		.from = sighting_lock(sighting, from_index),
		.to = sighting_lock(sighting, sighting->public.held_count),
	};
	struct class_edge *class_edge;
	struct lock_edge *lock_edge;
	int change, error = 0;

	/* The same lock: recursion, see model_find_recursion(). Two at one address cannot both be there. */
	if (observation.from->public.addr == observation.to->public.addr)
		return 0;
	observation_find_gates(&observation);
	change = dependency_observe(&model->dependencies, &observation, model->options.chain_hits,
				    model->options.context, &class_edge, &lock_edge);
	if (change < 0)
		return change;
	if (nesting == NESTING_WRONG)
		error = search_wrong_nesting(search, &observation, class_edge);
	if (error)
		return error;
	return search_dependency(search, &observation, class_edge, lock_edge, change);
}

/*
 * Which dependencies a chain gives: as check_prevs_add() in
 * kernel/locking/lockdep.c. From each consecutive innermost entry that was taken by a
 * trylock, and the first that was not; those further out have theirs to that
 * one already. A seeded entry is passed over like a trylock: what was taken
 * under what among these is not known.
 *
 * Where a rule allows locks of one class to nest there is no dependency between
 * them. So such an entry is passed over too, and behind one with dependencies there
 * may be others of its class that have none to it: they get theirs as well. A nesting
 * that is wrong by itself counts however far out.
 */
static int model_add_dependencies(struct model *model, struct search *search,
				  struct shared_sighting *sighting, bool again)
{
	const struct model_options *options = &model->options;
	struct class *reached = NULL; /* of the first entry that was not passed over */
	uint32_t i = sighting->public.held_count;
	int error = 0;

	while (i-- > 0 && !error) {
		struct class *class = sighting_lock(sighting, i)->class;
		enum nesting nesting = judge_nesting(options, sighting, i);

		if (nesting == NESTING_WRONG && again)
			nesting = NESTING_UNRULED;
		if (nesting == NESTING_ALLOWED)
			continue;
		if (reached && nesting != NESTING_WRONG &&
		    (class != reached || !judge_class_nests(options->rules, class)))
			continue;
		error = model_observe(model, search, sighting, i, nesting);
		if (!reached && !(sighting->public.held[i].flags & (LT_HELD_TRYLOCK | LT_HELD_SEEDED)))
			reached = class;
	}
	return error;
}

/*
 * The entry on the held stack that is the lock being taken, or held_count. Where
 * the lock says that it is owned the address is enough: its generation may have
 * been unknown when the entry was made.
 */
static uint32_t chain_find_taken(const struct lt_record_chain *record, const struct chain_locks *locks)
{
	const struct lock *taken = locks->first[record->held_count];
	bool owned = record->flags & LT_CHAIN_OWNED;
	uint32_t i;

	for (i = 0; i < record->held_count; i++) {
		const struct lt_held *held = &record->held[i];

		if (locks->first[i] == taken || locks->newest[i] == taken)
			break;
		if (owned && (held->addr == taken->public.addr ||
			      (held->count > 1 && held->last_addr == taken->public.addr)))
			break;
	}
	return i;
}

/*
 * Recursion. If the lock itself says that this task owns it, the task is about
 * to wait for itself for ever. A reader leaves no such mark: a writer that
 * has it read-held waits for itself, a reader does as soon as a writer queues in
 * between, and the entry rests on release hooks: likely. Else, an entry of a
 * lock that does not block is one that can be taken again (handed over, or a
 * ww lock with its context): nothing.
 */
static int model_find_recursion(struct search *search, const struct lt_record_chain *record,
				struct shared_sighting *sighting, uint32_t index)
{
	if (record->flags & LT_CHAIN_OWNED)
		return search_recursion(search, sighting, index, GRADE_DEADLOCK);
	if (index < record->held_count && (record->held[index].flags & LT_HELD_READ))
		return search_recursion(search, sighting, index, GRADE_LIKELY);
	return 0;
}

/*
 * What a lock that blocks can mean. One that is on the held stack already, or owned, is
 * taken again: the orders it has with the others are those of its first taking.
 */
static int model_take_blocking(struct model *model, struct search *search,
			       const struct lt_record_chain *record, const struct chain_locks *locks,
			       struct shared_sighting *sighting)
{
	uint32_t index = chain_find_taken(record, locks);
	bool again = index < record->held_count || (record->flags & LT_CHAIN_OWNED);
	int error = model_find_recursion(search, record, sighting, index);

	if (!error && !again)
		error = judge_orders(search, sighting);
	if (!error)
		error = model_add_dependencies(model, search, sighting, again);
	return error;
}

static int model_take_chain(struct model *model, struct search *search, const struct lt_record_chain *record,
			    const struct chain_locks *locks)
{
	struct shared_sighting *sighting;
	int error = model_note_sites(model, search, record, locks);

	if (error)
		return error;
	sighting = sighting_new(record, locks->newest);
	if (!sighting)
		return -ENOMEM;
	call_note_inside(search, sighting);
	/* A trylock does not wait: nothing depends on it being free. */
	if (!(record->held[record->held_count].flags & LT_HELD_TRYLOCK))
		error = model_take_blocking(model, search, record, locks, sighting);
	sighting_put(&model->locks, sighting);
	return error;
}

static int model_take_call(struct model *model, struct search *search, const struct lt_record_chain *record,
			   const struct chain_locks *locks)
{
	struct shared_sighting *sighting = sighting_new(record, locks->newest);
	struct object *object;
	int error;

	if (!sighting)
		return -ENOMEM;
	object = object_find_at(&model->objects, record->call.argument, record->header.time_ns);
	if (object)
		sighting_set_object(sighting, object);
	error = call_take(&model->calls, search, &record->call, sighting);
	sighting_put(&model->locks, sighting);
	return error;
}

/* A chain or a call: the held stack, and mostly one more lock. */
static int model_feed_stack(struct model *model, const struct lt_record_chain *record)
{
	struct search search = {
		.dependencies = &model->dependencies,
		.findings = &model->findings,
		.record = ++model->records,
		.time_ns = record->header.time_ns,
	};
	bool is_chain = record->header.type == LT_RECORD_CHAIN;
	bool has_last =
		is_chain || (record->call.what != LT_CALL_FUNCTION && record->call.what != LT_CALL_NOT_LAST);
	uint32_t count = record->held_count + (has_last ? 1 : 0), i;
	struct chain_locks locks = { 0 };
	int error = 0;

	model->chains += is_chain;
	for (i = 0; i < count && !error; i++)
		error = chain_locks_add(model, &locks, &record->held[i]);
	if (!error && is_chain)
		error = model_take_chain(model, &search, record, &locks);
	else if (!error)
		error = model_take_call(model, &search, record, &locks);
	chain_locks_release(model, &locks);
	return error;
}

int model_feed(struct model *model, const struct lt_record_header *record, size_t size)
{
	int error = record_check(record, size);

	if (error)
		return error;
	switch (record->type) {
	case LT_RECORD_CHAIN:
	case LT_RECORD_CALL:
		return model_feed_stack(model, (const struct lt_record_chain *)record);
	case LT_RECORD_LOCK:
		return model_feed_lock(model, (const struct lt_record_lock *)record);
	default: /* record_check() knows no other */
		return model_feed_object(model, (const struct lt_record_object *)record);
	}
}

const struct model_object *model_object(const struct model *model, uint64_t addr)
{
	const struct object *object = object_find_shown(&model->objects, addr);

	return object ? &object->public : NULL;
}

const char *model_object_describe(const struct model *model, const struct model_object *object, char *out,
				  size_t size)
{
	if (object)
		object_describe(&model->objects, list_entry(object, struct object, public), out, size);
	else
		snprintf(out, size, "an unknown object");
	return out;
}

static void model_count_findings(const struct model *model, struct model_counts *out)
{
	uint32_t i;

	out->findings = model->findings.count;
	for (i = 0; i < model->findings.count; i++) {
		const struct finding *finding = &model->findings.entries[i]->public;

		out->told += finding->told;
		out->information += finding->told && finding->grade == GRADE_INFORMATION;
		out->ignored += !finding->told && finding->ignored;
		out->left_out += !finding->ignored && finding->left_out;
	}
}

void model_count(const struct model *model, struct model_counts *out)
{
	*out = (struct model_counts){
		.chains = model->chains,
		.classes = model->classes.count - model->classes.united,
		.locks = model->locks.by_addr.count,
		.dependencies = model->dependencies.count,
	};
	model_count_findings(model, out);
	memcpy(out->objects, model->objects.alive, sizeof(out->objects));
}

bool model_not_last(struct model *model, uint32_t index, struct model_not_last *out)
{
	return call_not_last(&model->calls, &model->options, index, out);
}

const struct finding *model_finding(const struct model *model, uint32_t id)
{
	return id && id <= model->findings.count ? &model->findings.entries[id - 1]->public : NULL;
}

int model_confirm_deadlock(struct model *model, uint32_t id)
{
	const struct grade deadlock = { .grade = GRADE_DEADLOCK };
	struct finding_entry *entry;

	if (!id || id > model->findings.count)
		return -ENOENT;
	entry = model->findings.entries[id - 1];
	if (entry->public.kind != FINDING_CIRCULAR)
		return -ENOENT;
	if (entry->public.grade == GRADE_DEADLOCK)
		return -EALREADY;
	finding_tell(&model->findings, entry, &deadlock);
	return 0;
}

void model_refresh(struct model *model, const struct finding *finding)
{
	finding_refresh(&model->findings, list_entry(finding, struct finding_entry, public));
}
