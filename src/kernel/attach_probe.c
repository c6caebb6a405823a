/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See attach_probe.h. */
#include "kernel/attach_probe.h"

#include <errno.h>

#include "kernel/probes.h"

/* In every kernel that is not built with lockdep. */
#define FUNCTION "mutex_lock"
/* A kprobe is really attached: at a function that is called seldom. */
#define SELDOM_CALLED "mutex_lock_io"

bool attach_probe_refuses_fentry(struct types *types)
{
	return probe_fentry_load(types, "", FUNCTION) == -EPERM && !probe_load();
}

bool attach_probe_refuses_all(struct types *types)
{
	return attach_probe_refuses_fentry(types) && probe_kprobe(SELDOM_CALLED);
}
