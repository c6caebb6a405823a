/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Whether a finding is one that a "known" or an "ignore" rule describes. Called when one is told. */
#ifndef LOCKTRACE_MODEL_MATCH_H
#define LOCKTRACE_MODEL_MATCH_H

#include "model/model.h"

/* The first rule in force of the kind, RULE_KNOWN or RULE_IGNORE, whose pattern fits; NULL: none. */
const struct rule *match_finding(const struct model_options *options, const struct finding *finding,
				 enum rule_kind kind);

#endif
