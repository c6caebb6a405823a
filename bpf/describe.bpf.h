/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be said of a lock that belongs to no declared class: the name it was
 * given when it was initialised, and the slab cache its memory is from. Only for
 * locks in a new chain, so it may cost something.
 */
#ifndef LOCKTRACE_DESCRIBE_BPF_H
#define LOCKTRACE_DESCRIBE_BPF_H

#include "slab.bpf.h"
#include "state.bpf.h"

/*
 * Tells user space about a lock; -1 when the ring buffer is full. A function of its
 * own for the verifier (checked once).
 */
__noinline int describe_lock(__u64 addr, __u64 generation, __u64 first_ip)
{
	struct lt_record_lock *r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);
	struct init_info *init;

	if (!r) {
		count_lost(LT_LOST_RING_BUFFER);
		return -1;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->header.type = LT_RECORD_LOCK;
	r->header.size = sizeof(*r);
	r->header.time_ns = bpf_ktime_get_boot_ns();
	r->addr = addr;
	r->generation = generation;
	r->first_ip = first_ip;
	init = bpf_map_lookup_elem(&inits, &addr);
	if (init) {
		r->init_ip = init->ip;
		if (init->name)
			bpf_probe_read_kernel_str(r->init_name, sizeof(r->init_name), (void *)init->name);
	}
	describe_slab(r, addr);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

#endif
