/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Two places count: a program, when it is skipped because it (fentry: ca06f55b9002,
 * 5.12) or any other (kprobes: trace_call_bpf()) runs on that CPU already; a link, when
 * the probe itself was busy or had no room for another call in flight. See misses.h.
 */
#include "kernel/misses.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "kernel/contention.h"
#include "kernel/tracer_internal.h"

/* Larger than any kernel's struct bpf_link_info: what it does not fill stays zero. */
#define LINK_INFO_MAX 512

void misses_find(struct types *types, struct misses_layout *out)
{
	struct type_member kprobe, multi;

	out->counted = !types_member(types, NULL, "bpf_link_info", "perf_event.kprobe.missed", &kprobe) &&
		       !types_member(types, NULL, "bpf_link_info", "kprobe_multi.missed", &multi) &&
		       kprobe.offset <= LINK_INFO_MAX - sizeof(uint64_t) &&
		       multi.offset <= LINK_INFO_MAX - sizeof(uint64_t);
	if (!out->counted)
		return;
	out->kprobe_offset = kprobe.offset;
	out->kprobe_multi_offset = multi.offset;
}

static uint64_t missed_by_program(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_program__fd(program) < 0 || contention_misses_nothing(program) ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return 0;
	return info.recursion_misses;
}

static uint64_t missed_by_link(const struct misses_layout *layout, const struct bpf_link *link)
{
	uint64_t info[LINK_INFO_MAX / sizeof(uint64_t)] = { 0 }, missed = 0;
	uint32_t size = sizeof(info);
	struct bpf_link_info head;
	uint64_t offset;

	if (bpf_obj_get_info_by_fd(bpf_link__fd(link), info, &size))
		return 0;
	memcpy(&head, info, sizeof(head));
	if (head.type == BPF_LINK_TYPE_KPROBE_MULTI)
		offset = layout->kprobe_multi_offset;
	else if (head.type == BPF_LINK_TYPE_PERF_EVENT)
		offset = layout->kprobe_offset;
	else
		return 0;
	memcpy(&missed, (const char *)info + offset, sizeof(missed));
	return missed;
}

uint64_t misses_of_instance_links(const struct tracer *t, const struct instance *instance)
{
	uint64_t sum = 0;

	for (size_t i = 0; t->misses.counted && i < instance->link_count; i++)
		sum += missed_by_link(&t->misses, instance->links[i]);
	return sum;
}

uint64_t misses_of_instance_programs(const struct instance *instance)
{
	struct bpf_program *program;
	uint64_t sum = 0;

	bpf_object__for_each_program (program, instance->object->obj)
		sum += missed_by_program(program);
	return sum;
}

uint64_t misses_of_links(const struct tracer *t)
{
	uint64_t sum = t->missed_by_detached;

	for (size_t i = 0; i < t->instance_count; i++)
		sum += misses_of_instance_links(t, &t->instances[i]);
	return sum;
}

uint64_t misses_count(const struct tracer *t)
{
	uint64_t sum = misses_of_links(t) + t->missed_by_unloaded;

	for (size_t i = 0; i < t->instance_count; i++)
		sum += misses_of_instance_programs(&t->instances[i]);
	return sum;
}
