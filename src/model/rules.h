/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Rules: statements about what is allowed, read from text, one a line. Pure: what
 * the running kernel has is asked of the caller. docs/rules.md is the language's
 * description for users; in short (CLASS: name, or "any text" in quotes):
 *
 *   order  CLASS > CLASS [> CLASS]...      outer > inner; the reverse is a finding at first sight
 *   nest   CLASS under CLASS               several locks of a class are fine while the second is held
 *   nest   CLASS in FUNCTION               the same, while the task is in a function
 *   forbid call FUNCTION under CLASS       a call that is a finding (danger) while the lock is held
 *   note   call FUNCTION under CLASS       the same, graded information
 *   watch  STRUCT.MEMBER at [*]SYMBOL      a class of the user's own; * : through a global pointer
 *   ignore PATTERN                         what matches is counted, not told
 *   known  COMMIT RELEASE "TITLE": PATTERN [avoid "TEXT"]
 *   source "TEXT"                          where what follows in this file is taken from
 *
 *   PATTERN:  CLASS > CLASS [> CLASS]... [in FUNCTION]    or   call FUNCTION under CLASS
 *
 * and, after any but "source": [because "TEXT"] [if CONDITION [and CONDITION]...]
 *
 *   CONDITION: [not] STRUCT.MEMBER                   the kernel's types have it
 *              [not] SYMBOL                          the kernel's symbols have it
 *              [not] STRUCT.MEMBER at [*]SYMBOL      the member of the variable is not zero
 *
 * A "#" outside of quotes begins a comment. In quotes, \" and \\ stand for themselves.
 *
 * All strings are UTF-8 without control characters (a tab may stand in quotes), none
 * is empty. A rule set is used by one thread at a time, its queries too.
 */
#ifndef LOCKTRACE_MODEL_RULES_H
#define LOCKTRACE_MODEL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest rule file, bytes. */
#define RULES_FILE_MAX (1024 * 1024)
/* Longest name of a class, function, struct or symbol, bytes: KSYM_NAME_LEN of the kernel, less its end. */
#define RULES_NAME_MAX 511
/* Classes in one statement; conditions of one. */
#define RULES_CLASSES_MAX 16
#define RULES_CONDITIONS_MAX 8
/* Contradictions between orders that are found at a time. */
#define RULES_CONFLICTS_MAX 32

enum rule_kind {
	RULE_ORDER,
	RULE_NEST,
	RULE_FORBID,
	RULE_NOTE,
	RULE_WATCH,
	RULE_IGNORE,
	RULE_KNOWN,
	RULE_KINDS,
};

/* "order", "nest", "forbid", ... */
const char *rule_kind_name(enum rule_kind kind);

enum rule_condition_kind {
	CONDITION_MEMBER, /* structure, member */
	CONDITION_SYMBOL, /* symbol */
	CONDITION_VALUE,  /* structure, member, symbol, pointer */
};

struct rule_condition {
	enum rule_condition_kind kind;
	bool negated;
	bool pointer;          /* the symbol is a pointer to the struct */
	const char *structure; /* "vfio_group"; NULL where the kind has none */
	const char *member;    /* "kvm_ref_lock", also a path "arch.xen" */
	const char *symbol;
};

/* What the kernel says to a condition, before "not". */
enum rule_answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNKNOWN, /* it cannot tell (yet): a module is not loaded, no permission */
};

enum rule_state {
	RULE_UNKNOWN, /* not evaluated yet, or a condition cannot be answered */
	RULE_IN_FORCE,
	RULE_NOT_HERE, /* a condition does not hold */
};

/* Owned by the rule set and valid as long as it is. */
struct rule {
	enum rule_kind kind;
	enum rule_state state;
	const char *file; /* as given to rules_parse() */
	unsigned int line;
	const char *text;    /* the statement as written, without comment and outer blanks */
	const char *source;  /* of the last "source" statement before it in its file; NULL: none */
	const char *because; /* NULL: none */
	/*
	 * order, ignore, known: the sequence; nest: [inner, outer] or [inner]; calls: [the one held]; watch:
	 * [the class]. A sequence names no class twice, but the last of a pattern can be its first: a cycle
	 * (A > A: two locks of the class, or one twice).
	 */
	size_t class_count;
	const char *const *classes;
	const char *function; /* forbid, note; nest and patterns with "in", "call"; else NULL */
	bool is_call;         /* function is called (a call pattern), not only on the stack */
	/* watch */
	const char *structure, *member, *symbol;
	bool pointer;
	/* known */
	const char *commit, *release, *title, *avoid; /* avoid: NULL where not said */
	size_t condition_count;
	const struct rule_condition *conditions;
};

struct rules;

/* An empty rule set, or NULL when out of memory. */
struct rules *rules_new(void);
void rules_free(struct rules *rules);

/*
 * An error in a rule file, at most one a line. line and column count from 1, column
 * in bytes; both 0: the file as a whole. message is printable ASCII and valid during
 * the call.
 */
typedef void (*rules_on_error)(void *context, const char *file, unsigned int line, unsigned int column,
			       const char *message);

/*
 * Adds what a text says. file: its name, for messages, copied. The text need not
 * end with a NUL. Every bad statement is told and left out, the rest is taken in
 * (of a text larger than RULES_FILE_MAX, nothing); on_error can be NULL. Returns how
 * many errors there were, or -ENOMEM: what was read before is kept.
 */
int rules_parse(struct rules *rules, const char *file, const char *text, size_t size, rules_on_error on_error,
		void *context);

/* In the order they were read. */
size_t rules_count(const struct rules *rules);
const struct rule *rules_get(const struct rules *rules, size_t index);

/*
 * Sets the state of every rule by asking for its conditions: one that does not hold,
 * RULE_NOT_HERE; else one that cannot be answered, RULE_UNKNOWN; else RULE_IN_FORCE.
 * Returns whether one has another state than before.
 */
bool rules_evaluate(struct rules *rules, enum rule_answer (*ask)(void *, const struct rule_condition *),
		    void *context);

/* Sets the state of one rule, where the conditions were asked for elsewhere (in another process). */
void rules_set_state(struct rules *rules, size_t index, enum rule_state state);

/*
 * Among the rules in force, and through them (A > B and B > C give A > C): is it
 * said that outer goes outside of inner? Fills path with the rules that say so, the
 * outermost first, at most size; returns how many they are, 0: none. They are the
 * fewest that say it, a statement being one however many of its classes are passed.
 */
size_t rules_find_order(const struct rules *rules, const char *outer, const char *inner,
			const struct rule **path, size_t size);

/* Two orders in force that contradict each other, directly or through others; a was read first. */
struct rule_conflict {
	const struct rule *a, *b;
};

/*
 * The contradictions among the orders in force, at most size; returns how many were
 * filled in, 0: there are none. No pair comes twice, and the two are different rules. Each
 * circle of orders has a rule of one of the pairs on it, unless there are more than size; when
 * one rule of each pair was mended others may still close a circle, so ask again.
 */
size_t rules_find_conflicts(const struct rules *rules, struct rule_conflict *conflicts, size_t size);

#endif
