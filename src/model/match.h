/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Whether a "known" or an "ignore" rule describes what was found. The patterns are the same for whatever
 * that is: a finding (here), a circle of waiting tasks (match_wait.h). Each shows itself as edges: a lock is
 * held while another one is taken.
 */
#ifndef LOCKTRACE_MODEL_MATCH_H
#define LOCKTRACE_MODEL_MATCH_H

#include "model/model.h"

struct match_subject {
	uint32_t edge_count; /* in circle order, if it is a circle; 1 or more */
	bool one_class;      /* it is about locks of one class alone: one lock twice, or several */
	/* Whether the lock held at an edge is of a class. */
	bool (*holds)(const struct match_subject *subject, uint32_t edge, const char *class);
	/* Whether at an edge a lock of the inner class is taken while one of the outer class is held. */
	bool (*takes_under)(const struct match_subject *subject, uint32_t edge, const char *outer,
			    const char *inner);
	/* Whether the task of an edge was in a function then. */
	bool (*is_in)(const struct match_subject *subject, uint32_t edge, const char *function);
	/* Whether it is a call of the function under the class. NULL: it is no call. */
	bool (*is_call)(const struct match_subject *subject, const char *function, const char *class);
};

/* The first rule in force of the kind, RULE_KNOWN or RULE_IGNORE, whose pattern fits; NULL: none. */
const struct rule *match_subject(const struct rules *rules, enum rule_kind kind,
				 const struct match_subject *subject);

/* The same for a finding that is about to be told. */
const struct rule *match_finding(const struct model_options *options, const struct finding *finding,
				 enum rule_kind kind);

#endif
