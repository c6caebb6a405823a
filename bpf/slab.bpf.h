/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slab cache that some memory is from, and where in its object an address lies: a name for a lock that
 * has no other. For both objects, the hooks' and that of "hang".
 */
#ifndef LOCKTRACE_SLAB_BPF_H
#define LOCKTRACE_SLAB_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "locktrace/record.h"

/* Addresses of the kernel's variables of these names; 0 where there are none (then no slab names). */
const volatile __u64 vmemmap_base_at = 0;
const volatile __u64 page_offset_base_at = 0;
const volatile __u64 vmalloc_base_at = 0;

#define PAGE_SHIFT_X86 12

/* A head page of the slab allocator? How that is marked changed twice. */
static __always_inline bool page_is_slab(struct page *page)
{
	if (bpf_core_enum_value_exists(enum pagetype, PGTY_slab))
		return BPF_CORE_READ(page, page_type) >> 24 == bpf_core_enum_value(enum pagetype, PGTY_slab);
	if (bpf_core_enum_value_exists(enum pageflags, PG_slab))
		return BPF_CORE_READ(page, flags) >> bpf_core_enum_value(enum pageflags, PG_slab) & 1;
	return false;
}

static __always_inline struct kmem_cache *page_slab_cache(struct page *page)
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
static __always_inline void describe_slab(struct lt_record_lock *r, __u64 addr)
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

#endif
