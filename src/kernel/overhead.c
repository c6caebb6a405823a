/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See overhead.h. */
#include "kernel/overhead.h"

/* Long enough for a busy host's lock calls to count in thousands; rare enough to cost little. */
#define SAMPLE_NS 200000000ULL
#define PAUSE_NS 3000000000ULL

enum overhead_step overhead_next(const struct overhead *o, uint64_t now_ns)
{
	if (o->sampling)
		return now_ns - o->began_ns >= SAMPLE_NS ? OVERHEAD_END : OVERHEAD_WAIT;
	return now_ns >= o->next_ns ? OVERHEAD_BEGIN : OVERHEAD_WAIT;
}

void overhead_begin(struct overhead *o, uint64_t now_ns, uint64_t spent_ns)
{
	o->sampling = true;
	o->began_ns = now_ns;
	o->began_spent_ns = spent_ns;
}

enum overhead_verdict overhead_end(struct overhead *o, uint64_t now_ns, uint64_t spent_ns)
{
	double time = (double)(now_ns - o->began_ns) * o->cpus;

	o->percent = 100 * (double)(spent_ns - o->began_spent_ns) / time;
	o->sampling = false;
	if (o->percent <= o->bound) {
		o->suspect = false;
		o->next_ns = now_ns + PAUSE_NS;
		return OVERHEAD_FINE;
	}
	if (o->suspect)
		return OVERHEAD_TOO_MUCH;
	o->suspect = true;
	overhead_begin(o, now_ns, spent_ns);
	return OVERHEAD_SUSPECT;
}
