/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What still lives, where births and deaths cannot be hooked (contention.bpf.h): user space
 * looks round again and again, each look has a number, and what a look does not meet is gone.
 */
#ifndef LOCKTRACE_SIGHTING_BPF_H
#define LOCKTRACE_SIGHTING_BPF_H

#include "kvm.h"
#include "state.bpf.h"

/* Set before load. */
const volatile bool looks_again = false;
/* The number of the look that is going on. */
__u64 look_number = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* more where it is used */
	__type(key, struct lt_sighted_object);
	__type(value, struct lt_sighting);
} sightings SEC(".maps");

enum sighting {
	SIGHTING_KNOWN,
	SIGHTING_NEW,
	SIGHTING_ANOTHER, /* than the one that was at this address so far */
};

/*
 * What tells a VM from the one before it at the same address, as far as anything does: the
 * process. Two of one process, one after the other between two looks, are taken for one.
 */
ALWAYS_INLINE __u64 birth_mark(__u64 object, __u32 kind)
{
	if (kind == LT_OBJECT_VM)
		return BPF_CORE_READ((struct kvm *)object, userspace_pid);
	if (kind == LT_OBJECT_VCPU)
		return BPF_CORE_READ((struct kvm_vcpu *)object, kvm, userspace_pid);
	return 0;
}

static __noinline int object_sighted(__u64 object, __u32 kind)
{
	struct lt_sighted_object key = { .addr = object, .kind = kind };
	struct lt_sighting now = { .look = look_number, .birth_mark = birth_mark(object, kind) };
	struct lt_sighting *before = bpf_map_lookup_elem(&sightings, &key);
	enum sighting result = SIGHTING_NEW;

	if (before)
		result = before->birth_mark == now.birth_mark ? SIGHTING_KNOWN : SIGHTING_ANOTHER;
	if (bpf_map_update_elem(&sightings, &key, &now, BPF_ANY))
		count_lost(LT_LOST_OBJECTS);
	return result;
}

#endif
