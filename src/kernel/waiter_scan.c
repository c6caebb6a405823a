/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * See waiter_scan.h. Each ring is walked once: a queue of thousands would else be walked
 * once for each of its waiters.
 */
#include "kernel/waiter_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/hash.h"

/* A ring that is longer has been read while it changed, or is none. */
#define RING_MAX 100000
/* A ring that changes while it is read is read again, so often. */
#define WALK_TRIES 3
/* One that led nowhere this often, for whichever of its waiters, is left alone. */
#define FAILURES_MAX 12

/* kernel/locking/mutex.c, kernel/locking/mutex.h; an rt_mutex has the first only, RT_MUTEX_HAS_WAITERS */
#define MUTEX_FLAG_WAITERS 1ULL
#define MUTEX_FLAG_PICKUP 4ULL
/* kernel/locking/rwsem.c: in count ... */
#define RWSEM_WRITER_LOCKED 1ULL
#define RWSEM_FLAG_WAITERS 2ULL
#define RWSEM_READER_SHIFT 8
#define RWSEM_FLAG_READFAIL (1ULL << 63)
/* ... and in owner, where it is but the last of the readers, or of a writer that may be gone. */
#define RWSEM_READER_OWNED 1ULL
/* A task_struct's address leaves these bits of an owner for flags, in both. */
#define OWNER_FLAGS 7ULL
#define RWSEM_WAITING_FOR_WRITE 0

struct ring_node {
	struct hash_node by_address;
	uint64_t address;        /* of the record's list */
	struct known_lock *lock; /* NULL: not found */
	unsigned int failures;   /* walks through it that led nowhere */
};

struct known_lock {
	struct hash_node by_address;
	struct scan_lock lock;
};

struct scan {
	struct scan_layout layout;
	struct scan_world world;
	struct hash nodes; /* of the rings that were walked */
	struct hash locks;
	struct ring_entry {
		uint64_t node, task;
	} * ring; /* the one being walked */
	size_t ring_room;
};

/* What the records of both kinds have, wherever it is. */
struct record {
	uint64_t next, prev, task;
};

int scan_open(const struct scan_layout *layout, const struct scan_world *world, struct scan **out)
{
	struct scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return -ENOMEM;
	scan->layout = *layout;
	scan->world = *world;
	*out = scan;
	return 0;
}

void scan_close(struct scan *scan)
{
	struct hash_node *node;

	if (!scan)
		return;
	while ((node = hash_any(&scan->nodes))) {
		hash_remove(&scan->nodes, node);
		free(node); /* the first member of its structure */
	}
	while ((node = hash_any(&scan->locks))) {
		hash_remove(&scan->locks, node);
		free(node);
	}
	hash_release(&scan->nodes);
	hash_release(&scan->locks);
	free(scan->ring);
	free(scan);
}

static int read_word(const struct scan *scan, uint64_t address, uint64_t *out)
{
	return scan->world.read(scan->world.context, address, out, sizeof(*out));
}

/* The kernel's half of the address space, and a place where pointers and structures are. */
static bool is_kernel_pointer(uint64_t value)
{
	return value >> 63 && !(value & 7);
}

static bool owner_known(const struct scan *scan, uint64_t owner)
{
	return !owner || scan->world.task_known(scan->world.context, owner);
}

static int check_mutex(const struct scan *scan, struct scan_lock *lock)
{
	uint64_t owner;

	if (read_word(scan, lock->address + scan->layout.of[SCAN_MUTEX].owner, &owner))
		return -EAGAIN;
	if (!(owner & MUTEX_FLAG_WAITERS))
		return -EAGAIN;
	lock->owner = owner & ~OWNER_FLAGS;
	lock->pickup = owner & MUTEX_FLAG_PICKUP;
	return owner_known(scan, lock->owner) ? 0 : -EAGAIN;
}

static int check_rwsem(const struct scan *scan, struct scan_lock *lock)
{
	const struct scan_lock_layout *layout = &scan->layout.of[SCAN_RWSEM];
	uint64_t count, owner;

	if (read_word(scan, lock->address + layout->count, &count) ||
	    read_word(scan, lock->address + layout->owner, &owner))
		return -EAGAIN;
	if (!(count & RWSEM_FLAG_WAITERS))
		return -EAGAIN;
	if (!(count & RWSEM_WRITER_LOCKED)) {
		lock->readers = (uint32_t)((count & ~RWSEM_FLAG_READFAIL) >> RWSEM_READER_SHIFT);
		return 0;
	}
	/* A writer sets the owner a moment after the count. */
	if (!(owner & RWSEM_READER_OWNED))
		lock->owner = owner & ~OWNER_FLAGS;
	return owner_known(scan, lock->owner) ? 0 : -EAGAIN;
}

static struct known_lock *find_lock(const struct scan *scan, enum scan_kind kind, uint64_t address)
{
	struct hash_node *node = hash_first(&scan->locks, hash_numbers(address, kind));

	for (; node; node = hash_next(node)) {
		struct known_lock *known = (struct known_lock *)node;

		if (known->lock.address == address && known->lock.kind == kind)
			return known;
	}
	return NULL;
}

/* A lock and its state as of now, remembered: all its waiters shall see the same owner. */
static int know_lock(struct scan *scan, enum scan_kind kind, uint64_t address, struct known_lock **out)
{
	struct scan_lock lock = { .kind = kind, .address = address };
	int err;

	*out = find_lock(scan, kind, address);
	if (*out)
		return 0;
	if (!scan->layout.of[kind].known || !is_kernel_pointer(address))
		return -EAGAIN;
	err = kind == SCAN_MUTEX ? check_mutex(scan, &lock) : check_rwsem(scan, &lock);
	if (err)
		return err;
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->lock = lock;
	err = hash_insert(&scan->locks, &(*out)->by_address, hash_numbers(address, kind));
	if (err)
		free(*out);
	return err;
}

/* Is there somebody on its list, and does that one point back? */
static bool has_waiters(const struct scan *scan, const struct scan_lock_layout *layout, uint64_t lock)
{
	uint64_t head = lock + layout->waiters, first, back;

	if (read_word(scan, head, &first) || !is_kernel_pointer(first))
		return false;
	if (layout->first_waiter)
		return true;
	return first != head && !read_word(scan, first + 8, &back) && back == head;
}

int scan_lock(struct scan *scan, enum scan_kind kind, uint64_t address, const struct scan_lock **out)
{
	struct known_lock *known = NULL;
	int err;

	if (!find_lock(scan, kind, address) && is_kernel_pointer(address) &&
	    !has_waiters(scan, &scan->layout.of[kind], address))
		return -EAGAIN;
	err = know_lock(scan, kind, address, &known);
	if (!err)
		*out = &known->lock;
	return err;
}

/* The list and the task of what may be a record, by the address of its list. The task is 0 where none can be.
 */
static int read_record(const struct scan *scan, const struct scan_lock_layout *layout, uint64_t node,
		       struct record *out)
{
	uint64_t link[2];

	if (scan->world.read(scan->world.context, node, link, sizeof(link)))
		return -EAGAIN;
	out->next = link[0];
	out->prev = link[1];
	if (read_word(scan, node - layout->list + layout->task, &out->task))
		out->task = 0;
	return 0;
}

static int ring_add(struct scan *scan, size_t count, uint64_t node, uint64_t task)
{
	struct ring_entry *bigger;

	if (count == scan->ring_room) {
		size_t room = scan->ring_room ? scan->ring_room * 2 : 64;

		bigger = realloc(scan->ring, room * sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		scan->ring = bigger;
		scan->ring_room = room;
	}
	scan->ring[count] = (struct ring_entry){ node, task };
	return 0;
}

/*
 * Once around the ring from a record: its waiters go to scan->ring, what is no waiter (the list
 * head in the lock) to *head, 0 if there is none. 0, -EAGAIN or -ENOMEM.
 */
static int walk_ring(struct scan *scan, const struct scan_lock_layout *layout, uint64_t start, size_t *count,
		     uint64_t *head)
{
	uint64_t node = start, from = 0;
	struct record record;

	*count = 0;
	*head = 0;
	for (size_t i = 0; i < RING_MAX; i++) {
		int err = read_record(scan, layout, node, &record);

		if (err || (from && record.prev != from) || !is_kernel_pointer(record.next))
			return -EAGAIN;
		if (scan->world.task_has_stack(scan->world.context, record.task, node)) {
			err = ring_add(scan, (*count)++, node, record.task);
			if (err)
				return err;
		} else if (*head || layout->first_waiter) {
			return -EAGAIN;
		} else {
			*head = node;
		}
		from = node;
		node = record.next;
		if (node == start)
			break;
	}
	if (node != start || read_record(scan, layout, start, &record) || record.prev != from)
		return -EAGAIN;
	return *head || layout->first_waiter ? 0 : -EAGAIN;
}

static bool ring_has(const struct scan *scan, size_t count, uint64_t node)
{
	for (size_t i = 0; i < count; i++)
		if (scan->ring[i].node == node)
			return true;
	return false;
}

/*
 * Does a lock at an address, if it is one, have its first waiter in the ring that was walked? The
 * waiters' own stacks have such pointers too, in their records and around them: a lock does not lie there.
 */
static bool leads_to_ring(const struct scan *scan, const struct scan_lock_layout *layout, uint64_t lock,
			  size_t count)
{
	uint64_t first;

	if (read_word(scan, lock + layout->waiters, &first) || !is_kernel_pointer(first) ||
	    !ring_has(scan, count, first + layout->list))
		return false;
	for (size_t i = 0; i < count; i++)
		if (scan->world.task_has_stack(scan->world.context, scan->ring[i].task, lock))
			return false;
	return true;
}

/*
 * A ring of waiters only: the lock points into it, not it to the lock. The slow path that the task sleeps in
 * has the lock's address, or that of a member, in a register or in its frame, so it is on the stack: it is
 * the one word there that points to or into a lock whose first waiter is in the ring.
 */
static int lock_by_first_waiter(struct scan *scan, enum scan_kind kind, const void *stack, size_t size,
				size_t count, struct known_lock **out)
{
	const struct scan_lock_layout *layout = &scan->layout.of[kind];
	struct known_lock *known;
	uint64_t word;

	*out = NULL;
	for (size_t at = 0; at + sizeof(word) <= size; at += sizeof(word)) {
		memcpy(&word, (const char *)stack + at, sizeof(word));
		if (!is_kernel_pointer(word))
			continue;
		for (uint64_t member = 0; member <= layout->waiters; member += 8) {
			int err;

			if (!leads_to_ring(scan, layout, word - member, count))
				continue;
			err = know_lock(scan, kind, word - member, &known);
			if (err == -ENOMEM)
				return err;
			if (err)
				continue;
			if (*out && *out != known)
				return -EAGAIN;
			*out = known;
		}
	}
	return *out ? 0 : -EAGAIN;
}

static struct ring_node *find_node(const struct scan *scan, uint64_t address)
{
	struct hash_node *node = hash_first(&scan->nodes, hash_numbers(address, 0));

	while (node && ((struct ring_node *)node)->address != address)
		node = hash_next(node);
	return (struct ring_node *)node;
}

/* What came of the walk, for all records that were met; lock NULL: nothing. 0 or -ENOMEM. */
static int remember_ring(struct scan *scan, size_t count, struct known_lock *lock)
{
	for (size_t i = 0; i < count; i++) {
		struct ring_node *node = find_node(scan, scan->ring[i].node);

		if (!node) {
			node = calloc(1, sizeof(*node));
			if (!node)
				return -ENOMEM;
			node->address = scan->ring[i].node;
			if (hash_insert(&scan->nodes, &node->by_address, hash_numbers(node->address, 0))) {
				free(node);
				return -ENOMEM;
			}
		}
		if (lock)
			node->lock = lock;
		else
			node->failures++;
	}
	return 0;
}

/* The lock of a record's ring, by one walk. */
static int resolve_once(struct scan *scan, enum scan_kind kind, uint64_t node, const void *stack, size_t size,
			struct known_lock **out)
{
	const struct scan_lock_layout *layout = &scan->layout.of[kind];
	uint64_t head;
	size_t count;
	int err;

	err = walk_ring(scan, layout, node, &count, &head);
	if (err)
		;
	else if (layout->first_waiter)
		err = lock_by_first_waiter(scan, kind, stack, size, count, out);
	else
		err = know_lock(scan, kind, head - layout->waiters, out);
	if (err == -ENOMEM || remember_ring(scan, count, err ? NULL : *out))
		return -ENOMEM;
	return err;
}

/* The same, until it is found or was tried often enough. */
static int resolve_lock(struct scan *scan, enum scan_kind kind, uint64_t node, const void *stack, size_t size,
			struct known_lock **out)
{
	for (int i = 0; i < WALK_TRIES; i++) {
		struct ring_node *known = find_node(scan, node);
		int err;

		if (known && known->lock) {
			*out = known->lock;
			return 0;
		}
		if (known && known->failures >= FAILURES_MAX)
			return -EAGAIN;
		err = resolve_once(scan, kind, node, stack, size, out);
		if (err != -EAGAIN)
			return err;
	}
	return -EAGAIN;
}

/* The wait of a record that names the task. */
static int resolve(struct scan *scan, enum scan_kind kind, uint64_t task, uint64_t record, const void *stack,
		   size_t size, struct scan_wait *out)
{
	const struct scan_lock_layout *layout = &scan->layout.of[kind];
	struct known_lock *lock;
	uint32_t type = 0;
	int err;

	if (!scan->world.task_has_stack(scan->world.context, task, record))
		return -EAGAIN;
	err = resolve_lock(scan, kind, record + layout->list, stack, size, &lock);
	if (err)
		return err;
	/* The ring may be known as one of the other kind, by a record that is none of this. */
	if (lock->lock.kind != kind)
		return -EAGAIN;
	if (kind == SCAN_RWSEM &&
	    scan->world.read(scan->world.context, record + layout->type, &type, sizeof(type)))
		return -EAGAIN;
	out->lock = &lock->lock;
	out->record = record;
	out->write = kind == SCAN_RWSEM && type == RWSEM_WAITING_FOR_WRITE;
	return 0;
}

int scan_record(struct scan *scan, enum scan_kind kind, uint64_t task, uint64_t record, struct scan_wait *out)
{
	const struct scan_lock_layout *layout = &scan->layout.of[kind];
	uint64_t named;

	if (!layout->known || read_word(scan, record + layout->task, &named) || named != task)
		return -EAGAIN;
	return resolve(scan, kind, task, record, NULL, 0, out);
}

/* A record that lies on the stack of the task which it names, and the lock that it names. */
static bool is_realtime_record(const struct scan *scan, const struct scan_lock_layout *layout,
			       uint64_t record, uint64_t *task, uint64_t *lock)
{
	return !read_word(scan, record + layout->task, task) &&
	       !read_word(scan, record + layout->lock, lock) &&
	       scan->world.task_has_stack(scan->world.context, *task, record);
}

/* The kernel says which record it is; what must agree is that the lock's first waiter is one of that lock. */
int scan_realtime(struct scan *scan, enum scan_kind kind, uint64_t task, uint64_t record,
		  struct scan_wait *out)
{
	const struct scan_lock_layout *layout = &scan->layout.of[kind];
	uint64_t named, lock, first, first_task, first_lock;
	struct known_lock *known;
	int err;

	if (!is_realtime_record(scan, layout, record, &named, &lock) || named != task)
		return -EAGAIN;
	if (read_word(scan, lock + layout->waiters, &first) ||
	    !is_realtime_record(scan, layout, first - layout->list, &first_task, &first_lock) ||
	    first_lock != lock)
		return -EAGAIN;
	err = know_lock(scan, kind, lock, &known);
	if (err)
		return err;
	*out = (struct scan_wait){ .lock = &known->lock, .record = record };
	return 0;
}

/* Its neighbours point back: only a record that is on a list now, or what looks like one, does so. */
static bool is_linked(const struct scan *scan, uint64_t node, uint64_t next, uint64_t prev)
{
	uint64_t link;

	return is_kernel_pointer(next) && is_kernel_pointer(prev) && !read_word(scan, next + 8, &link) &&
	       link == node && !read_word(scan, prev, &link) && link == node;
}

int scan_stack(struct scan *scan, enum scan_kind kind, uint64_t task, uint64_t sp, const void *stack,
	       size_t size, struct scan_wait *out)
{
	const struct scan_lock_layout *layout = &scan->layout.of[kind];
	size_t end = (layout->task > layout->list + 8 ? layout->task : layout->list + 8) + 8;
	struct scan_wait wait;
	int result = -ENOENT;

	if (!layout->known)
		return -ENOENT;
	for (size_t at = 0; at + end <= size; at += 8) {
		uint64_t link[2], named;
		int err;

		memcpy(&named, (const char *)stack + at + layout->task, sizeof(named));
		if (named != task)
			continue;
		memcpy(link, (const char *)stack + at + layout->list, sizeof(link));
		if (!is_linked(scan, sp + at + layout->list, link[0], link[1]))
			continue;
		err = resolve(scan, kind, task, sp + at, stack, size, &wait);
		if (err == -ENOMEM)
			return err;
		if (err) {
			if (result)
				result = -EAGAIN;
			continue;
		}
		/* A task waits for one lock: two that both look right are one too many. */
		if (!result && out->lock != wait.lock)
			return -EAGAIN;
		*out = wait;
		result = 0;
	}
	return result;
}
