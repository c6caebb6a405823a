/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What the rules say of one record: whether locks of one class may nest so,
 * whether an order is broken, whether a call may be made. Without rules (NULL) they
 * say nothing. Used by model.c and call.c; the patterns of known and ignore are match.c's.
 */
#ifndef LOCKTRACE_MODEL_JUDGE_H
#define LOCKTRACE_MODEL_JUDGE_H

#include "model/search.h"

/* The next rule in force of a kind from index *at on, which is moved past it; NULL: no more. */
const struct rule *judge_next(const struct rules *rules, enum rule_kind kind, size_t *at);

/* A lock is taken while one of its class is held. */
enum nesting {
	NESTING_NONE,    /* it is not: another class, or the same lock */
	NESTING_ALLOWED, /* a rule says it is fine */
	NESTING_UNRULED, /* nobody says; a finding if both orders are seen */
	NESTING_WRONG, /* of KVM or VFIO, held exclusively, and no rule allows it: a finding at first sight */
};

/* Of the entry at index on the held stack and the lock being taken. */
enum nesting judge_nesting(const struct model_options *options, const struct shared_sighting *sighting,
			   uint32_t index);
/* Whether a rule in force lets locks of this class nest, be it here or elsewhere. */
bool judge_class_nests(const struct rules *rules, const struct class *class);

/* Tells each order between a held class and the one being taken that a rule has the other way. 0 or -ENOMEM.
 */
int judge_orders(struct search *search, struct shared_sighting *sighting);

/* A call under a lock, as the rules see it. */
struct call_judgement {
	enum finding_grade grade; /* GRADE_NONE: no rule speaks of it */
	uint32_t index;           /* of the lock, on the held stack */
	uint32_t rule_count;
	const struct rule *rules[FINDING_RULES_MAX]; /* of that grade */
};

/*
 * One call is one finding however many of the locks held it is forbidden under:
 * that of the rule that stands first, a forbidding one before a noting one. So the
 * order in the rule file says which lock matters more; the held stack does not,
 * the same bug shows it in different orders on different kernels.
 */
void judge_call(const struct rules *rules, const struct shared_sighting *sighting, const char *function,
		struct call_judgement *out);
/*
 * The class held under which rules in force name what the last put of this function calls
 * (LT_PUTS), chosen likewise; NULL: none, or no function that puts references.
 */
struct class *judge_put(const struct rules *rules, const struct shared_sighting *sighting, const char *put);

#endif
