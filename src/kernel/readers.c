/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Whether what is known of the readers of rwsems can be believed. A read is known to have ended by the hook
 * of its release alone (bpf/readers.bpf.h); the kernel counts the calls that it skipped (recursion_misses:
 * of trampolines from 5.12, ca06f55b9002; of kprobes from 6.7, dd8657894c11). When the count
 * moves, read_epoch does: no entry from before is believed by the kernel side, and none in a record that was
 * sent before, here. The count is looked at after each such record has come: what was missed before it was
 * sent is then in it.
 */
#include <bpf/bpf.h>
#include <time.h>

#include "kernel/hooks.h"
#include "kernel/misses.h"
#include "kernel/tracer_internal.h"
#include "message.h"
#include "model/readers.h"

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static uint64_t program_misses(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_program__fd(program) < 0 || bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return 0;
	return info.recursion_misses;
}

/* Of a call that was to begin a read, too: what its return says would be taken for another one's. */
static uint64_t missed_in(const struct instance *instance)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i].role == ROLE_RELEASE || hooks[i].role == ROLE_RWSEM)
			sum += program_misses(
				bpf_object__find_program_by_name(instance->object->obj, hooks[i].program));
	return sum;
}

/* A function may have its programs in a later instance, by another kind. A link does not tell its function:
 * all count. */
static uint64_t reader_misses(const struct tracer *t)
{
	uint64_t sum = misses_of_links(t);

	for (size_t i = 0; i < t->instance_count; i++)
		sum += missed_in(&t->instances[i]);
	return sum;
}

void readers_start(struct tracer *t)
{
	if (t->options.rwsem && t->release_attached && !tracer_first(t)->bss->read_epoch)
		tracer_first(t)->bss->read_epoch = 1;
}

void readers_check(struct tracer *t)
{
	struct locktrace_bpf *first = tracer_first(t);
	uint64_t misses;

	t->readers_checked_ns = boot_ns();
	misses = t->options.rwsem && first->bss->read_epoch ? reader_misses(t) : 0;
	if (misses == t->reader_misses)
		return;
	t->reader_misses = misses;
	__atomic_fetch_add(&first->bss->read_epoch, 1, __ATOMIC_SEQ_CST);
	/* After that: chain_send() takes the time before it looks at the epoch. */
	t->reads_believed_ns = boot_ns();
	/* Chains that are not believed now are sent again when they are met again. */
	tracer_rules_changed(t);
}

const struct lt_record_header *readers_sift(struct tracer *t, const struct lt_record_header *record,
					    size_t size, struct lt_record_chain *copy)
{
	if (!readers_are_held(record, size))
		return record;
	/* One count is enough for all that were sent before it. */
	if (record->time_ns >= t->readers_checked_ns)
		readers_check(t);
	if (!(((const struct lt_record_chain *)record)->flags & LT_CHAIN_UNSURE) &&
	    record->time_ns > t->reads_believed_ns)
		return record;
	readers_leave_out(record, copy);
	return &copy->header;
}
