/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The model: records in, findings out. It keeps the objects (VMs, groups, ...),
 * the locks and their classes, the dependency graph and its evidence, searches
 * for cycles when a dependency is new, and grades what it finds. Pure logic: no
 * libbpf, no I/O, no clock; one thread. The same model serves a live host and a
 * recording.
 *
 * Words: docs/design.md (lock, class, held stack,
 * dependency, chain, finding).
 *
 * Sources: which dependencies a held stack gives follows lockdep
 * (kernel/locking/lockdep.c, check_prevs_add(): from every consecutive trylock
 * entry back through the first entry that is not one; a trylock gets no
 * incoming dependency). A seeded entry (held before we came, order unknown) is
 * treated like a trylock. The grades are ours: docs/design.md.
 */
#ifndef LOCKTRACE_MODEL_H
#define LOCKTRACE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "locktrace/lock_classes.h"
#include "locktrace/record.h"
#include "model/rules.h"
#include "model/symbols.h"

struct model;

/* Longest cycle that is searched for, in classes. lockdep has no such bound; real ones have 2 to 5. */
#define MODEL_CYCLE_MAX 16

enum finding_kind {
	FINDING_CIRCULAR, /* dependencies that close a circle */
	/*
	 * One lock taken twice by its owner; or two of one class in both orders, or, of a class of
	 * KVM or VFIO, nested where no rule allows it (one edge, from == to).
	 */
	FINDING_RECURSIVE,
	FINDING_ORDER, /* a rule's order broken: one edge, from the lock held to the one taken */
	/* The rest have one edge, that of the call: its to and to_lock are NULL. */
	FINDING_FORBIDDEN_CALL, /* from: the lock it is forbidden under */
	FINDING_BAD_UNLOCK,     /* from: a lock released by a task that does not own it */
	FINDING_FREED_HELD,     /* from: a held lock whose object dies */
	FINDING_REINIT_HELD,    /* from: a held lock that is initialised again */
	FINDING_KINDS,
};

/* From weakest to strongest; a finding is told again when its grade rises. */
enum finding_grade {
	GRADE_NONE = 0,
	GRADE_INFORMATION, /* worth knowing; a rule says why it is no danger, or not known to be one */
	GRADE_ONE_TASK,    /* every observation of every edge is of one and the same task */
	GRADE_GUARDED,     /* one instance was held exclusively in every observation of every edge */
	GRADE_POSSIBLE,    /* at class level: what lockdep reports */
	GRADE_LIKELY,      /* the same instances, two tasks or more, no common outer lock */
	GRADE_DANGER,      /* it is wrong whatever else happens: a forbidden call, a misuse */
	GRADE_DEADLOCK,    /* the tasks are waiting on each other now */
	GRADES,
};

/* "circular", "recursive", "order", "forbidden_call", "bad_unlock", "freed_held", "reinit_held". */
const char *finding_kind_name(enum finding_kind kind);
/* "information", "one_task", "guarded", "possible", "likely", "danger", "deadlock". */
const char *finding_grade_name(enum finding_grade grade);

/* A class of locks. Owned by the model, valid as long as it is. */
struct lock_class {
	uint32_t index;    /* dense, from 0 */
	uint32_t declared; /* enum lt_class_id; LT_CLASS_FOREIGN for any other */
	/*
	 * "kvm.lock", "guests_lock", "&pipe->mutex", "slab task_group+0x40",
	 * "at foo+0x12 [bar]". Gets longer when another class of that name
	 * appears: ask again each time.
	 */
	const char *name;
	const char *lockdep_name;             /* "&kvm->lock"; NULL where not known */
	const struct lock_class *united_with; /* not NULL: this class was found to be that one; use that */
};

/* A VM, a group, ...; also those that are dead, as long as evidence speaks of them. */
struct model_object {
	enum lt_object_kind kind;
	uint64_t addr;
	uint64_t parent; /* 0: none */
	uint32_t pid;    /* of a VM, 0: unknown */
	uint32_t number; /* of a vCPU */
	bool alive;
	char name[LT_NAME_LEN];
};

/* One lock: an address for the time that one lock lives there. */
struct model_lock {
	uint64_t addr;
	uint64_t generation;
	const struct lock_class *class;    /* after uniting: always the final class */
	const struct model_object *object; /* that contains it; NULL: none known */
};

/* One sighting: a chain record, trimmed, shared by all dependencies that come from it. */
struct sighting {
	uint64_t key;
	uint64_t time_ns;
	uint32_t flags; /* enum lt_chain_flags */
	uint32_t what;  /* enum lt_call_what; 0: a lock is taken */
	struct lt_task task;
	/* held[held_count] is the lock being taken, or misused; of a call of a function it is empty, locks[]
	 * NULL. */
	uint32_t held_count;
	uint32_t stack_count;
	/* Of a call: the object that its argument is, alive or just dead; NULL: none that is known. */
	const struct model_object *object;
	const struct lt_held *held;            /* held_count + 1 entries */
	const struct model_lock *const *locks; /* the same entries, as locks */
	const uint64_t *stack;
};

/* One edge of a finding: "from" was held when "to" was taken. */
struct finding_edge {
	const struct lock_class *from, *to;
	const struct model_lock *from_lock, *to_lock;
	const struct sighting *sighting; /* the evidence shown */
	/*
	 * Of "from" in sighting->held; "to" is the last one. A lock taken by its
	 * owner that is not on the held stack (its first taking was missed) has
	 * held_count here.
	 */
	uint32_t from_index;
	uint64_t count;             /* times this dependency was seen, all instances; at least 1 */
	uint64_t first_ns, last_ns; /* CLOCK_BOOTTIME, of new sightings */
	/* Pairs of locks seen in this order; 0: not counted, as no dependency is the evidence. */
	uint32_t instances;
	/*
	 * Seen of more than one task. False is "of one task", but where to is NULL it says nothing: a call
	 * is told once for each held stack, whoever makes it.
	 */
	bool many_tasks;
};

/*
 * Owned by the model and valid as long as it is; the same finding keeps its
 * address and id. Edges are in cycle order: edges[i].to == edges[i + 1].from,
 * the last one's "to" is the first one's "from". The last edge is the one that
 * closed the cycle when it was first found; when the grade rises the edges stay
 * in place and their sightings may change.
 */
#define FINDING_RULES_MAX 8
#define FINDING_INSIDE_MAX 16

struct finding {
	uint32_t id; /* from 1 */
	enum finding_kind kind;
	enum finding_grade grade;
	enum finding_grade previous_grade; /* GRADE_NONE at first sight */
	bool same_instance;                /* recursive: one lock taken twice, not two of a class */
	uint32_t edge_count;
	struct finding_edge edges[MODEL_CYCLE_MAX];
	const struct model_lock *guard; /* grade guarded: the lock they all held; else NULL */
	/*
	 * guard is not one lock of all observations but an example: each was
	 * under the lock of guard's class of the very VM (or group) concerned.
	 */
	bool guard_per_object;
	/* order: the rules that say so, outermost first; forbidden_call: those of the grade told. In force.
	 */
	uint32_t rule_count;
	const struct rule *rules[FINDING_RULES_MAX];
	const struct rule *known;   /* the catalogue's entry that it matches; NULL: none */
	const struct rule *ignored; /* the rule that keeps it from being told; NULL: none */
	const char *function;       /* forbidden_call: what is called; else NULL */
	/* bad_unlock, freed_held, reinit_held: who owns the lock. owner: lt_task.id, 0: nobody; tid 0:
	 * unknown.
	 */
	uint64_t owner;
	uint32_t owner_tid;
	char owner_comm[LT_COMM_LEN];
	/* forbidden_call: classes of locks taken inside the call so far, final ones, no class twice. */
	uint32_t inside_count;
	const struct lock_class *inside[FINDING_INSIDE_MAX];
	/*
	 * How often it was seen, 1 or more: the sum over its edges, as of the last model_refresh(), and each
	 * record since. A circle is so counted once for each time one of its dependencies was seen.
	 */
	uint64_t count;
	uint64_t time_ns; /* of the last record that showed it or an edge of it */
	bool told;        /* on_finding took it, once at least */
	bool left_out;    /* on_finding was asked and never took it */
};

struct model_options {
	struct symbol_source symbols;
	/*
	 * Called for a finding at first sight and again each time its grade
	 * rises. Says whether it told the user; false: it is left out. Must not
	 * call back into the model other than to read and to refresh. May be NULL.
	 */
	bool (*on_finding)(void *context, const struct finding *finding);
	/* How often the chain with this key was seen so far, 0: not known. May be NULL. */
	uint64_t (*chain_hits)(void *context, uint64_t key);
	/* The rules; they must outlive the model, and may be evaluated anew at any time. NULL: none. */
	const struct rules *rules;
	/* Called before a call is judged by rules: conditions that can change are to be asked again. May be
	 * NULL. */
	void (*refresh_rules)(void *context);
	void *context; /* for all */
};

/* Returns a model, or NULL when out of memory. Free with model_free(). */
struct model *model_new(const struct model_options *options);
void model_free(struct model *model);

/*
 * Names a class of the user's own before its first record: class_id is
 * LT_CLASS_USER or more. The name is copied. 0, -EINVAL or -ENOMEM.
 */
int model_name_class(struct model *model, uint32_t class_id, const char *name);

/*
 * Names a function of LT_RECORD_CALL before its first record: lt_call.function is its
 * number, below MODEL_FUNCTIONS_MAX. The name is copied. 0, -EINVAL or -ENOMEM.
 */
#define MODEL_FUNCTIONS_MAX 64
int model_name_function(struct model *model, uint32_t number, const char *name);

/*
 * Takes one record of any kind, on an 8-byte boundary. size is what the caller
 * has; the record's own size and counts are checked against it and against the
 * limits of record.h, so hostile input is refused. A chain record may end after
 * the last frame of its stack. A class id that record.h does not know is
 * malformed. 0; -EINVAL: malformed, nothing was changed; -ENOMEM: this record
 * may be lost in part, the model is as good as before; -ENOTSUP: a type this
 * model does not know.
 */
int model_feed(struct model *model, const struct lt_record_header *record, size_t size);

/* The object at an address (newest if several lived there), or NULL. */
const struct model_object *model_object(const struct model *model, uint64_t addr);

/*
 * Writes "VM 1234", "group 7", "device 0000:00:03.0", "vCPU 2 of VM 1234", "device set of 0000:00:03.0",
 * ..., cut to size. object is the model's own; NULL: "an unknown object". Returns out.
 */
const char *model_object_describe(const struct model *model, const struct model_object *object, char *out,
				  size_t size);

struct model_counts {
	uint64_t chains;                   /* chain records taken */
	uint64_t classes;                  /* distinct, after uniting */
	uint64_t locks;                    /* known now */
	uint64_t dependencies;             /* between classes */
	uint64_t findings;                 /* distinct; each is one of told, ignored, left_out */
	uint64_t told;                     /* taken by on_finding */
	uint64_t information;              /* of these, how many are of no higher grade than that */
	uint64_t ignored;                  /* a rule kept them from being told */
	uint64_t left_out;                 /* on_finding did not take them */
	uint64_t objects[LT_OBJECT_KINDS]; /* alive now, by kind */
};

void model_count(const struct model *model, struct model_counts *out);

/* References put that were not the last ones (LT_CALL_NOT_LAST), under a lock that rules name for those. */
struct model_not_last {
	const char *function; /* the model's own */
	/* The class held that rules in force name for what the last put calls; of several, the one that
	   stands first. */
	const struct lock_class *under;
	uint64_t count;
};

/* Number index (from 0), its count brought up to date; false past the last one. */
bool model_not_last(struct model *model, uint32_t index, struct model_not_last *out);

/* The finding with an id (from 1), NULL past the last one. */
const struct finding *model_finding(const struct model *model, uint32_t id);

/*
 * Somebody who can look at the locks and tasks has seen that those of a circular
 * finding wait for each other now: its grade rises to GRADE_DEADLOCK and it is
 * told again. 0; -ENOENT: no such finding; -EALREADY: it is graded so already.
 */
int model_confirm_deadlock(struct model *model, uint32_t id);

/* Brings the counts of a finding and its edges up to date (asks chain_hits). */
void model_refresh(struct model *model, const struct finding *finding);

#endif
