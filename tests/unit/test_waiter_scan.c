/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The lock that a sleeping task waits for, found in a kernel's memory that is made up here: rings of
 * waiters in both layouts, and everything that can be wrong with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/waiter_scan.h"

#define TASKS 3000
#define STACK_SIZE 1024
#define LOCKS 8
#define BASE 0xffff888000000000ULL
#define STACKS BASE
#define LOCKS_AT (BASE + (uint64_t)TASKS * STACK_SIZE)
#define MEMORY_SIZE ((size_t)TASKS * STACK_SIZE + LOCKS * 64)
/* Tasks are names only; nothing may be read there. */
#define TASK(n) (0xffffff0000000000ULL + 64 * (uint64_t)(n))
/* Where a task's stack pointer is, and the record of its waiting. */
#define SP 256
#define RECORD 400

/* As on the kernels before 7.x; and the offsets of 7.2, which has first_waiter in the list's place. */
static const struct scan_layout with_list = {
	.of = { [SCAN_MUTEX] = { .known = true, .waiters = 16, .owner = 0, .list = 0, .task = 16 },
		[SCAN_RWSEM] = { .known = true,
				 .waiters = 24,
				 .owner = 8,
				 .count = 0,
				 .list = 0,
				 .task = 16,
				 .type = 24 } },
};

/* PREEMPT_RT's mutex, 6.12. */
static const struct scan_lock_layout realtime = { .known = true,
						  .realtime = true,
						  .first_waiter = true,
						  .waiters = 16,
						  .owner = 24,
						  .list = 0,
						  .task = 80,
						  .lock = 88 };

struct machine {
	struct scan_layout layout;
	struct scan *scan;
	unsigned char memory[MEMORY_SIZE];
	bool unknown[TASKS];
	size_t reads;
	/* A torn read: from this one on, every such one, a word is 0. */
	size_t tear_from, tear_each;
};

static struct machine *machine;

static unsigned char *at(uint64_t address)
{
	assert_true(address >= BASE && address + 8 <= BASE + MEMORY_SIZE);
	return machine->memory + (address - BASE);
}

static void put(uint64_t address, uint64_t value)
{
	memcpy(at(address), &value, sizeof(value));
}

static int machine_read(void *context, uint64_t address, void *out, size_t size)
{
	struct machine *m = context;

	if (address < BASE || address - BASE + size > MEMORY_SIZE)
		return -EFAULT;
	memcpy(out, m->memory + (address - BASE), size);
	m->reads++;
	if (m->tear_each && m->reads >= m->tear_from && m->reads % m->tear_each == 0)
		memset(out, 0, size);
	return 0;
}

static bool machine_knows(void *context, uint64_t task)
{
	const struct machine *m = context;
	uint64_t n = (task - TASK(0)) / 64;

	return task >= TASK(0) && n < TASKS && task == TASK(n) && !m->unknown[n];
}

static uint64_t stack_of(size_t task)
{
	return STACKS + task * STACK_SIZE;
}

static bool machine_stack(void *context, uint64_t task, uint64_t address)
{
	uint64_t stack;

	if (!machine_knows(context, task))
		return false;
	stack = stack_of((task - TASK(0)) / 64);
	return address >= stack && address < stack + STACK_SIZE;
}

static struct scan_world world(void)
{
	return (struct scan_world){ .context = machine,
				    .read = machine_read,
				    .task_known = machine_knows,
				    .task_has_stack = machine_stack };
}

static void reopen(void)
{
	struct scan_world w = world();

	scan_close(machine->scan);
	assert_int_equal(scan_open(&machine->layout, &w, &machine->scan), 0);
}

static void begin(bool first_waiter)
{
	machine = calloc(1, sizeof(*machine));
	assert_non_null(machine);
	machine->layout = with_list;
	machine->layout.of[SCAN_MUTEX].first_waiter = first_waiter;
	machine->layout.of[SCAN_RWSEM].first_waiter = first_waiter;
	reopen();
}

static void end(void)
{
	scan_close(machine->scan);
	free(machine);
	machine = NULL;
}

static uint64_t lock_at(size_t n)
{
	return LOCKS_AT + 64 * n;
}

static uint64_t record_of(size_t task)
{
	return stack_of(task) + RECORD;
}

static void link_nodes(uint64_t from, uint64_t to)
{
	put(from, to);
	put(to + 8, from);
}

/* Tasks first .. first + count - 1 wait for a lock, in this order. */
static void queue_up(enum scan_kind kind, size_t lock, size_t first, size_t count)
{
	const struct scan_lock_layout *layout = &machine->layout.of[kind];
	uint64_t head = lock_at(lock) + layout->waiters;
	uint64_t from = layout->first_waiter ? record_of(first + count - 1) : head;

	for (size_t i = first; i < first + count; i++) {
		link_nodes(from, record_of(i));
		put(record_of(i) + layout->task, TASK(i));
		/* In the frame, or a saved register: the slow path knows the lock. */
		put(stack_of(i) + SP + 40, lock_at(lock));
		from = record_of(i);
	}
	if (layout->first_waiter)
		put(head, record_of(first));
	else
		link_nodes(from, head);
}

static int look(enum scan_kind kind, size_t task, struct scan_wait *out)
{
	memset(out, 0, sizeof(*out));
	return scan_stack(machine->scan, kind, TASK(task), stack_of(task) + SP, at(stack_of(task) + SP),
			  STACK_SIZE - SP, out);
}

static void a_mutex_is_found(bool first_waiter)
{
	struct scan_wait wait;

	begin(first_waiter);
	queue_up(SCAN_MUTEX, 1, 10, 3);
	put(lock_at(1), TASK(5) | 1);
	for (size_t task = 10; task < 13; task++) {
		assert_int_equal(look(SCAN_MUTEX, task, &wait), 0);
		assert_int_equal(wait.lock->address, lock_at(1));
		assert_int_equal(wait.lock->owner, TASK(5));
		assert_int_equal(wait.record, record_of(task));
		assert_false(wait.lock->pickup);
	}
	assert_int_equal(look(SCAN_MUTEX, 5, &wait), -ENOENT);
	/* One waiter; being handed over to it; owned by nobody. */
	queue_up(SCAN_MUTEX, 2, 20, 1);
	put(lock_at(2), TASK(20) | 1 | 4);
	assert_int_equal(look(SCAN_MUTEX, 20, &wait), 0);
	assert_int_equal(wait.lock->owner, TASK(20));
	assert_true(wait.lock->pickup);
	queue_up(SCAN_MUTEX, 3, 30, 2);
	put(lock_at(3), 1);
	assert_int_equal(look(SCAN_MUTEX, 31, &wait), 0);
	assert_int_equal(wait.lock->owner, 0);
	end();
}

static void mutexes_are_found(void **state)
{
	(void)state;
	a_mutex_is_found(false);
	a_mutex_is_found(true);
}

static void an_rwsem_is_found(bool first_waiter)
{
	struct scan_wait wait;

	begin(first_waiter);
	queue_up(SCAN_RWSEM, 1, 10, 3);
	put(record_of(11) + 24, 1);
	/* Held for writing. */
	put(lock_at(1), 1 | 2);
	put(lock_at(1) + 8, TASK(5) | 2);
	assert_int_equal(look(SCAN_RWSEM, 10, &wait), 0);
	assert_true(wait.write);
	assert_int_equal(wait.lock->owner, TASK(5));
	assert_int_equal(wait.lock->readers, 0);
	assert_int_equal(look(SCAN_RWSEM, 11, &wait), 0);
	assert_false(wait.write);
	/* Held by seven readers; who the last one was says nothing, even if it is no more. */
	queue_up(SCAN_RWSEM, 2, 20, 1);
	put(lock_at(2), 7 << 8 | 2 | 4);
	put(lock_at(2) + 8, TASK(TASKS + 5) | 3);
	assert_int_equal(look(SCAN_RWSEM, 20, &wait), 0);
	assert_int_equal(wait.lock->owner, 0);
	assert_int_equal(wait.lock->readers, 7);
	end();
}

static void rwsems_are_found(void **state)
{
	(void)state;
	an_rwsem_is_found(false);
	an_rwsem_is_found(true);
}

/* Each is one lie in what is else right. */
static void what_does_not_agree_is_not_believed(void **state)
{
	struct scan_wait wait;

	(void)state;
	for (int layout = 0; layout < 2; layout++) {
		for (int lie = 0; lie < 9; lie++) {
			begin(layout == 1);
			queue_up(SCAN_MUTEX, 1, 10, 3);
			put(lock_at(1), TASK(5) | 1);
			assert_int_equal(look(SCAN_MUTEX, 11, &wait), 0);
			reopen();
			switch (lie) {
			case 0: /* a neighbour does not point back */
				put(record_of(12) + 8, record_of(10));
				break;
			case 1: /* a neighbour's neighbour neither */
				put(record_of(10) + 8, record_of(11));
				break;
			case 2: /* the lock says that nobody waits */
				put(lock_at(1), TASK(5));
				break;
			case 3: /* its owner is no task */
				put(lock_at(1), TASK(TASKS + 7) | 1);
				break;
			case 4: /* a record that lies on another task's stack */
				put(record_of(12) + 16, TASK(13));
				break;
			case 5: /* a waiter that does not live */
				machine->unknown[12] = true;
				break;
			case 6: /* a pointer into user space, or to nothing */
				put(record_of(12), 0x7fff00001000ULL);
				break;
			case 7: /* a circle that does not come back to the start */
				put(record_of(12), record_of(12));
				break;
			case 8: /* out of the memory there is */
				put(record_of(12), BASE + MEMORY_SIZE + 8);
				break;
			}
			/* Its own links are wrong: it is no record. All else is one that leads nowhere. */
			assert_int_equal(look(SCAN_MUTEX, 11, &wait), lie == 0 ? -ENOENT : -EAGAIN);
			assert_null(wait.lock);
			end();
		}
	}
}

static void below_the_stack_pointer_is_nothing(void **state)
{
	struct scan_wait wait;

	(void)state;
	for (int layout = 0; layout < 2; layout++) {
		begin(layout == 1);
		/* A whole wait, right in everything, but by a call that has returned. */
		queue_up(SCAN_MUTEX, 1, 10, 1);
		put(lock_at(1), TASK(5) | 1);
		assert_int_equal(scan_stack(machine->scan, SCAN_MUTEX, TASK(10), record_of(10) + 8,
					    at(record_of(10) + 8), STACK_SIZE - RECORD - 8, &wait),
				 -ENOENT);
		end();
	}
}

/* A stale record above the stack pointer is not on a list any more. */
static void of_two_records_the_living_one_is_believed(void **state)
{
	struct scan_wait wait;

	(void)state;
	for (int layout = 0; layout < 2; layout++) {
		begin(layout == 1);
		queue_up(SCAN_MUTEX, 1, 10, 2);
		put(lock_at(1), TASK(5) | 1);
		for (int copy = 0; copy < 2; copy++) {
			uint64_t stale = record_of(10) + (copy ? 96 : (uint64_t)-96);

			memcpy(at(stale), at(record_of(10)), 24);
		}
		assert_int_equal(look(SCAN_MUTEX, 10, &wait), 0);
		assert_int_equal(wait.record, record_of(10));
		end();
	}
}

/* Two that both look right, of two locks: neither is. */
static void two_living_records_are_one_too_many(void **state)
{
	struct scan_wait wait;
	uint64_t second;

	(void)state;
	begin(false);
	queue_up(SCAN_MUTEX, 1, 10, 1);
	put(lock_at(1), TASK(5) | 1);
	second = record_of(10) + 96;
	link_nodes(lock_at(2) + 16, second);
	link_nodes(second, lock_at(2) + 16);
	put(second + 16, TASK(10));
	put(lock_at(2), TASK(6) | 1);
	assert_int_equal(look(SCAN_MUTEX, 10, &wait), -EAGAIN);
	end();
}

/* In the layout without a list head: the lock must be on the task's own stack, and be but one. */
static void the_lock_of_a_first_waiter_is_on_the_stack(void **state)
{
	struct scan_wait wait;

	(void)state;
	begin(true);
	queue_up(SCAN_MUTEX, 1, 10, 3);
	put(lock_at(1), TASK(5) | 1);
	put(stack_of(11) + SP + 40, 0);
	assert_int_equal(look(SCAN_MUTEX, 11, &wait), -EAGAIN);
	/* By another waiter's stack it is known to be this ring's. */
	assert_int_equal(look(SCAN_MUTEX, 12, &wait), 0);
	assert_int_equal(look(SCAN_MUTEX, 11, &wait), 0);
	assert_int_equal(wait.lock->address, lock_at(1));
	/* Only the address of a member is there. */
	reopen();
	put(stack_of(11) + SP + 40, lock_at(1) + 8);
	assert_int_equal(look(SCAN_MUTEX, 11, &wait), 0);
	assert_int_equal(wait.lock->address, lock_at(1));
	/* The records themselves, with a word before them that could be an owner, are no lock. */
	reopen();
	put(record_of(11) - 16, 1);
	put(stack_of(11) + SP + 48, record_of(11) - 16);
	put(stack_of(11) + SP + 56, record_of(12));
	put(record_of(12) - 16, 1);
	assert_int_equal(look(SCAN_MUTEX, 11, &wait), 0);
	assert_int_equal(wait.lock->address, lock_at(1));
	/* Two locks that both claim the ring. */
	reopen();
	put(stack_of(11) + SP + 40, lock_at(1));
	put(stack_of(11) + SP + 48, lock_at(2));
	put(lock_at(2), TASK(5) | 1);
	put(lock_at(2) + 16, record_of(12));
	assert_int_equal(look(SCAN_MUTEX, 11, &wait), -EAGAIN);
	end();
}

/* The same ring is both an rwsem's and, read with the wrong offsets, something else. */
static void a_ring_of_the_other_kind_is_not_taken(void **state)
{
	struct scan_wait wait;

	(void)state;
	begin(false);
	queue_up(SCAN_RWSEM, 1, 10, 2);
	put(lock_at(1), 1 | 2);
	put(lock_at(1) + 8, TASK(5));
	assert_int_equal(look(SCAN_RWSEM, 10, &wait), 0);
	assert_int_equal(look(SCAN_MUTEX, 11, &wait), -EAGAIN);
	end();
}

static void a_lock_that_is_named_is_looked_at(void **state)
{
	const struct scan_lock *lock;
	struct scan_wait wait;

	(void)state;
	for (int layout = 0; layout < 2; layout++) {
		begin(layout == 1);
		queue_up(SCAN_MUTEX, 1, 10, 2);
		put(lock_at(1), TASK(5) | 1);
		assert_int_equal(scan_lock(machine->scan, SCAN_MUTEX, lock_at(1), &lock), 0);
		assert_int_equal(lock->owner, TASK(5));
		/* Nobody waits there; no address at all. */
		assert_int_equal(scan_lock(machine->scan, SCAN_MUTEX, lock_at(2), &lock), -EAGAIN);
		assert_int_equal(scan_lock(machine->scan, SCAN_MUTEX, (uint64_t)-1, &lock), -EAGAIN);
		assert_int_equal(scan_lock(machine->scan, SCAN_MUTEX, 0, &lock), -EAGAIN);
		assert_int_equal(scan_lock(machine->scan, SCAN_MUTEX, 0x1000, &lock), -EAGAIN);
		end();
	}
	/* By its record, as debug kernels name it: it must be the task's own. */
	begin(false);
	queue_up(SCAN_MUTEX, 1, 10, 2);
	put(lock_at(1), TASK(5) | 1);
	assert_int_equal(scan_record(machine->scan, SCAN_MUTEX, TASK(10), record_of(10), &wait), 0);
	assert_int_equal(wait.lock->address, lock_at(1));
	assert_int_equal(scan_record(machine->scan, SCAN_MUTEX, TASK(10), record_of(11), &wait), -EAGAIN);
	end();
}

static void a_long_queue_is_walked_once(void **state)
{
	struct scan_wait wait;

	(void)state;
	for (int layout = 0; layout < 2; layout++) {
		begin(layout == 1);
		queue_up(SCAN_MUTEX, 1, 0, TASKS - 1);
		put(lock_at(1), TASK(TASKS - 1) | 1);
		for (size_t task = 0; task < TASKS - 1; task++)
			assert_int_equal(look(SCAN_MUTEX, task, &wait), 0);
		assert_true(machine->reads < 10 * TASKS);
		/* One that leads nowhere is not walked by each of its waiters either. */
		reopen();
		machine->reads = 0;
		put(lock_at(1), TASK(TASKS + 1) | 1);
		for (size_t task = 0; task < TASKS - 1; task++)
			assert_int_equal(look(SCAN_MUTEX, task, &wait), -EAGAIN);
		assert_true(machine->reads < 60 * TASKS);
		end();
	}
}

/* Realtime: tasks first .. first + count - 1 wait for a lock; the last one is its first waiter. */
static void queue_up_realtime(size_t lock, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		put(record_of(i) + realtime.task, TASK(i));
		put(record_of(i) + realtime.lock, lock_at(lock));
	}
	put(lock_at(lock) + realtime.waiters, record_of(first + count - 1) + realtime.list);
}

static int look_realtime(size_t task, struct scan_wait *out)
{
	memset(out, 0, sizeof(*out));
	return scan_realtime(machine->scan, SCAN_MUTEX, TASK(task), record_of(task), out);
}

static void begin_realtime(void)
{
	begin(false);
	machine->layout.of[SCAN_MUTEX] = realtime;
	reopen();
	queue_up_realtime(1, 10, 3);
	put(lock_at(1) + realtime.owner, TASK(5) | 1);
}

static void realtime_mutexes_are_found(void **state)
{
	struct scan_wait wait;

	(void)state;
	begin_realtime();
	for (size_t task = 10; task < 13; task++) {
		assert_int_equal(look_realtime(task, &wait), 0);
		assert_int_equal(wait.lock->address, lock_at(1));
		assert_int_equal(wait.lock->owner, TASK(5));
		assert_int_equal(wait.record, record_of(task));
		assert_false(wait.lock->pickup || wait.write);
	}
	/* Let go, and nobody has woken up to take it yet. */
	queue_up_realtime(2, 20, 1);
	put(lock_at(2) + realtime.owner, 1);
	assert_int_equal(look_realtime(20, &wait), 0);
	assert_int_equal(wait.lock->owner, 0);
	end();
}

/* Each of these by itself makes it unbelievable. */
static void a_realtime_mutex_that_does_not_agree_is_not_believed(void **state)
{
	const struct {
		uint64_t at, value;
	} wrong[] = {
		{ record_of(10) + realtime.task, TASK(11) },          /* the record of another task */
		{ record_of(10) + realtime.lock, TASK(1) | 1 },       /* no pointer */
		{ record_of(10) + realtime.lock, lock_at(2) },        /* a lock that nobody waits for */
		{ lock_at(1) + realtime.waiters, 0 },                 /* the lock has no waiters */
		{ lock_at(1) + realtime.waiters, lock_at(3) },        /* or one that is on no stack */
		{ record_of(12) + realtime.task, TASK(TASKS + 1) },   /* the first waiter is no task */
		{ record_of(12) + realtime.lock, lock_at(2) },        /* or waits for another lock */
		{ lock_at(1) + realtime.owner, TASK(5) },             /* it says that nobody waits */
		{ lock_at(1) + realtime.owner, TASK(TASKS + 1) | 1 }, /* its owner is no task */
	};
	struct scan_wait wait;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin_realtime();
		put(wrong[i].at, wrong[i].value);
		assert_int_equal(look_realtime(10, &wait), -EAGAIN);
		end();
	}
	/* A record below which there is another task's stack. */
	begin_realtime();
	assert_int_equal(scan_realtime(machine->scan, SCAN_MUTEX, TASK(10), record_of(11), &wait), -EAGAIN);
	end();
}

/* Whatever is torn, another lock than the right one is never told. */
static void torn_reads_tell_nothing_false(void **state)
{
	struct scan_wait wait;

	(void)state;
	for (int layout = 0; layout < 2; layout++) {
		for (size_t each = 1; each < 40; each++) {
			for (size_t from = 1; from < 40; from++) {
				begin(layout == 1);
				queue_up(SCAN_RWSEM, 1, 10, 4);
				put(lock_at(1), 1 | 2);
				put(lock_at(1) + 8, TASK(5));
				machine->tear_from = from;
				machine->tear_each = each;
				if (!look(SCAN_RWSEM, 12, &wait)) {
					assert_int_equal(wait.lock->address, lock_at(1));
					assert_true(wait.lock->owner == TASK(5) || !wait.lock->owner);
				}
				end();
			}
		}
	}
}

/* Random words that look like pointers and tasks: nothing is believed, nothing is read out of bounds. */
static void noise_tells_nothing(void **state)
{
	struct scan_wait wait;
	uint64_t seed = 12345;

	(void)state;
	for (int round = 0; round < 40; round++) {
		begin(round & 1);
		for (uint64_t i = 0; i < MEMORY_SIZE / 8; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			put(BASE + 8 * i, seed >> 62 == 0   ? TASK((seed >> 20) % 64)
					  : seed >> 62 == 1 ? BASE + 8 * ((seed >> 20) % 4096)
							    : seed >> 8);
		}
		for (size_t task = 0; task < 64; task++)
			for (int kind = 0; kind < SCAN_KINDS; kind++)
				assert_int_not_equal(look(kind, task, &wait), 0);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutexes_are_found),
		cmocka_unit_test(rwsems_are_found),
		cmocka_unit_test(what_does_not_agree_is_not_believed),
		cmocka_unit_test(below_the_stack_pointer_is_nothing),
		cmocka_unit_test(of_two_records_the_living_one_is_believed),
		cmocka_unit_test(two_living_records_are_one_too_many),
		cmocka_unit_test(the_lock_of_a_first_waiter_is_on_the_stack),
		cmocka_unit_test(a_ring_of_the_other_kind_is_not_taken),
		cmocka_unit_test(a_lock_that_is_named_is_looked_at),
		cmocka_unit_test(a_long_queue_is_walked_once),
		cmocka_unit_test(realtime_mutexes_are_found),
		cmocka_unit_test(a_realtime_mutex_that_does_not_agree_is_not_believed),
		cmocka_unit_test(torn_reads_tell_nothing_false),
		cmocka_unit_test(noise_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
