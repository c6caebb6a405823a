/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See mutex_layout.h. */
#include "kernel/mutex_layout.h"

#include <errno.h>

/*
 * MUTEX_FLAG_WAITERS, _HANDOFF, _PICKUP of kernel/locking/mutex.c, and RT_MUTEX_HAS_WAITERS of
 * kernel/locking/rtmutex_common.h, the only one there: an rt_mutex is never passed on, whoever wakes up takes
 * it. The owner is so from 4.10 on (3ca0ff571b09), PREEMPT_RT's from 5.15 on (bb630f9f7a7d).
 */
static const struct {
	const char *member;
	struct mutex_layout layout;
} forms[] = {
	{ "rtmutex.owner", { .realtime = true, .flags = 1 } },
	{ "owner", { .flags = 7, .pickup = 4 } },
};

int mutex_layout_find(struct types *types, struct mutex_layout *out)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct type_member member;

		if (types_member(types, NULL, "mutex", forms[i].member, &member))
			continue;
		*out = forms[i].layout;
		out->owner = (uint32_t)member.offset;
		return 0;
	}
	return -ENOENT;
}
