/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be said of a lock that belongs to no declared class: the name it was
 * given when it was initialised, and the slab cache its memory is from. Only for
 * locks in a new chain, so it may cost something.
 */
#ifndef LOCKTRACE_DESCRIBE_BPF_H
#define LOCKTRACE_DESCRIBE_BPF_H

#include "state.bpf.h"

#define PAGE_SHIFT_X86 12

/* A head page of the slab allocator? How that is marked changed twice. */
ALWAYS_INLINE bool page_is_slab(struct page *page)
{
	if (bpf_core_enum_value_exists(enum pagetype, PGTY_slab))
		return BPF_CORE_READ(page, page_type) >> 24 == bpf_core_enum_value(enum pagetype, PGTY_slab);
	if (bpf_core_enum_value_exists(enum pageflags, PG_slab))
		return BPF_CORE_READ(page, flags) >> bpf_core_enum_value(enum pageflags, PG_slab) & 1;
	return false;
}

ALWAYS_INLINE struct kmem_cache *page_slab_cache(struct page *page)
{
	if (bpf_core_type_exists(struct slab))
		return BPF_CORE_READ((struct slab *)page, slab_cache);
	if (bpf_core_field_exists(((struct page___with_slab_cache *)0)->slab_cache))
		return BPF_CORE_READ((struct page___with_slab_cache *)page, slab_cache);
	return NULL;
}

/*
 * The cache and the offset in its object, for an address in the direct map of
 * x86-64: virt_to_page(), compound_head(), nearest_obj() of the kernel. Elsewhere
 * page_offset_base_at is 0 and there is no slab name.
 */
ALWAYS_INLINE void describe_slab(struct lt_record_lock *r, __u64 addr)
{
	__u64 direct_map = 0, direct_map_end = 0, pages = 0, head, start;
	struct kmem_cache *cache;
	struct page *page;
	__u32 size;

	if (!page_offset_base_at || !vmemmap_base_at || !vmalloc_base_at)
		return;
	bpf_probe_read_kernel(&direct_map, sizeof(direct_map), (void *)page_offset_base_at);
	bpf_probe_read_kernel(&direct_map_end, sizeof(direct_map_end), (void *)vmalloc_base_at);
	bpf_probe_read_kernel(&pages, sizeof(pages), (void *)vmemmap_base_at);
	if (!direct_map || !pages || addr < direct_map || addr >= direct_map_end)
		return;
	page = (void *)(pages + ((addr - direct_map) >> PAGE_SHIFT_X86) * bpf_core_type_size(struct page));
	/* 7.2 has no such member: there only a lock in the first page of its slab gets its name. */
	if (bpf_core_field_exists(((struct page *)0)->compound_head)) {
		head = BPF_CORE_READ(page, compound_head);
		if (head & 1)
			page = (void *)(head - 1);
	}
	if (!page_is_slab(page))
		return;
	cache = page_slab_cache(page);
	size = BPF_CORE_READ(cache, size);
	if (!size)
		return;
	start = direct_map + (((__u64)page - pages) / bpf_core_type_size(struct page) << PAGE_SHIFT_X86);
	r->slab_offset = (addr - start) % size;
	bpf_probe_read_kernel_str(r->slab, sizeof(r->slab), BPF_CORE_READ(cache, name));
}

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
