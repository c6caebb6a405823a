/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See attach_order.h; the prices behind it are in docs/design.md, "Attaching". */
#include "kernel/attach_order.h"

/* fentry costs least. Where it would skip calls it comes last: what it skips is counted at least. */
static const enum attach_kind not_preempting[] = { ATTACH_FENTRY, ATTACH_KPROBE_MULTI, ATTACH_KPROBE,
						   ATTACH_AUTO };
static const enum attach_kind preempting[] = { ATTACH_KPROBE_MULTI, ATTACH_KPROBE, ATTACH_FENTRY,
					       ATTACH_AUTO };

static const enum attach_kind without_fentry[] = { ATTACH_KPROBE_MULTI, ATTACH_KPROBE, ATTACH_AUTO };

static const enum attach_kind only[][2] = {
	[ATTACH_FENTRY] = { ATTACH_FENTRY, ATTACH_AUTO },
	[ATTACH_KPROBE] = { ATTACH_KPROBE, ATTACH_AUTO },
	[ATTACH_KPROBE_MULTI] = { ATTACH_KPROBE_MULTI, ATTACH_AUTO },
	[ATTACH_CONTENTION] = { ATTACH_AUTO },
};

const enum attach_kind *attach_order(enum attach_kind wanted, enum preemption mode, bool no_fentry)
{
	if (wanted != ATTACH_AUTO)
		return only[wanted];
	if (no_fentry)
		return without_fentry;
	return preemption_preempts(mode) ? preempting : not_preempting;
}
