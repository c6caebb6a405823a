/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * See waiters.h. One pass of the iterator writes a record for each task, with its stack trace. The rest
 * is done from user space, where loops have no bounds and code can be tested (waiter_scan.c). What is read
 * after the trace is of the same sleep if the task's count of switches is the same in the next look.
 *
 * The kernel leaves the functions that it marks __sched out of a trace (stack_trace_save_tsk()): the
 * scheduler and all the locks. But their frames are what lies on the stack between the stack pointer and the
 * first return address of the trace, a few hundred bytes. That says which function a task sleeps in, and the
 * record of its waiting must be there too.
 */
#include "kernel/waiters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/mutex_layout.h"
#include "kernel/waiter_scan.h"
#include "locktrace/waiters_record.h"
#include "message.h"
#include "model/hash.h"
#include "waiters.skel.h"

/* include/linux/sched.h; the same in all kernels from 5.10 on. */
#define TASK_INTERRUPTIBLE 0x1
#define TASK_UNINTERRUPTIBLE 0x2
#define TASK_STOPPED 0x4
#define TASK_TRACED 0x8
#define EXIT_DEAD 0x10
#define EXIT_ZOMBIE 0x20
#define TASK_PARKED 0x40
#define TASK_WAKEKILL 0x100
#define TASK_NOLOAD 0x400
/* 5.15 on (cd781d0ce8cb), with PREEMPT_RT: waits for a spinlock, which sleeps there. */
#define TASK_RTLOCK_WAIT 0x1000
#define PF_EXITING 0x4
#define PF_KTHREAD 0x200000

/* include/linux/hung_task.h: low bits of task->blocker. */
#define BLOCKER_TYPE_MASK 3
#define BLOCKER_TYPE_MUTEX 0
#define BLOCKER_TYPE_SEM 1
#define BLOCKER_TYPE_RWSEM_WRITER 3

/* The kernel's stacks: 16 KiB on x86-64 and arm64, more with KASAN or 64 KiB pages; aligned to their size. */
#define STACK_SIZE_LEAST 16384
#define STACK_SIZE_MOST 65536

/* A buffer of the iterator's is 8 pages long; no read gives more. */
#define READ_SIZE 65536

/* What the function that a task sleeps in says of the sleep. */
enum place {
	PLACE_SCHEDULER, /* the ways into the scheduler, which all sleeps have */
	PLACE_REALTIME,  /* PREEMPT_RT: what all its locks share */
	PLACE_PREEMPTED,
	PLACE_MUTEX,
	PLACE_RWSEM,
	PLACE_OTHER,
};

struct waiters {
	struct kallsyms *symbols;
	struct waiters_bpf *object;
	struct scan_layout layout;
	uint64_t sched_start, sched_end; /* the text of __sched functions */
	bool realtime;                   /* PREEMPT_RT */
};

/* Return addresses in __sched functions, other than the ways into the scheduler, that are told of a sleep. */
#define INNER_MAX 4

/* A task of the look. */
struct seen {
	struct hash_node by_id;
	const struct lt_seen_task *task;
	enum wait_kind kind;
	enum wait_proof proof;
	const struct scan_lock *lock;
	uint32_t inner_count;
	uint64_t inner[INNER_MAX]; /* see struct frames */
	uint32_t skipped;          /* frames its trace begins with that say nothing */
	bool wanted;               /* it goes out */
};

struct look {
	struct waiters *waiters;
	const struct waiters_options *options;
	char *records;
	size_t size, room;
	struct seen *seen;
	size_t count;
	struct hash by_id;
	struct scan *scan;
	uint64_t clock_offset; /* CLOCK_BOOTTIME less the run queues' clock */
	bool partial;
	uint32_t hidden, hidden_pid; /* see struct wait_look */
};

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static bool is_past(struct look *look, uint64_t deadline_ns)
{
	bool past = deadline_ns && boot_ns() >= deadline_ns;

	look->partial = look->partial || past;
	return past;
}

/* Two thirds of the time: the rest is for judging what was seen. */
static uint64_t iterator_deadline(uint64_t now_ns, uint64_t deadline_ns)
{
	return deadline_ns > now_ns ? now_ns + (deadline_ns - now_ns) / 3 * 2 : deadline_ns;
}

/* libbpf's own messages are shown with -v only. */
static int libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text;

	if (level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	message_note("%s", text);
	free(text);
	return 0;
}

/* Opening. */

static int offset_of(struct types *types, const char *structure, const char *member, uint32_t *out)
{
	struct type_member found;
	int err = types_member(types, "", structure, member, &found);

	if (!err)
		*out = (uint32_t)found.offset;
	return err;
}

/* Where a kind of lock has its parts; unknown where it has others (an rwsem of PREEMPT_RT). */
static void lock_layout(struct types *types, const char *lock, const char *waiter,
			struct scan_lock_layout *out)
{
	out->first_waiter = offset_of(types, lock, "wait_list", &out->waiters) != 0;
	out->known = (!out->first_waiter || !offset_of(types, lock, "first_waiter", &out->waiters)) &&
		     !offset_of(types, lock, "owner", &out->owner) &&
		     !offset_of(types, waiter, "list", &out->list) &&
		     !offset_of(types, waiter, "task", &out->task);
}

/* PREEMPT_RT's mutex. The node of a waiter got its name and a struct of its own in 6.5 (f7853c342418). */
static void realtime_layout(struct types *types, const struct mutex_layout *mutex,
			    struct scan_lock_layout *out)
{
	out->realtime = out->first_waiter = true;
	out->owner = mutex->owner;
	out->known = !offset_of(types, "mutex", "rtmutex.waiters.rb_leftmost", &out->waiters) &&
		     (!offset_of(types, "rt_mutex_waiter", "tree.entry", &out->list) ||
		      !offset_of(types, "rt_mutex_waiter", "tree_entry", &out->list)) &&
		     !offset_of(types, "rt_mutex_waiter", "task", &out->task) &&
		     !offset_of(types, "rt_mutex_waiter", "lock", &out->lock);
}

void waiters_find_layout(struct types *types, struct scan_layout *out)
{
	struct scan_lock_layout *rwsem = &out->of[SCAN_RWSEM];
	struct mutex_layout mutex = { 0 };

	if (!mutex_layout_find(types, &mutex) && mutex.realtime)
		realtime_layout(types, &mutex, &out->of[SCAN_MUTEX]);
	else
		lock_layout(types, "mutex", "mutex_waiter", &out->of[SCAN_MUTEX]);
	lock_layout(types, "rw_semaphore", "rwsem_waiter", rwsem);
	rwsem->known = rwsem->known && !offset_of(types, "rw_semaphore", "count", &rwsem->count) &&
		       !offset_of(types, "rwsem_waiter", "type", &rwsem->type);
}

static void say_unknown(const struct scan_layout *layout)
{
	static const char *const names[SCAN_KINDS] = { "mutexes", "rwsems" };

	for (int kind = 0; kind < SCAN_KINDS; kind++)
		if (!layout->of[kind].known)
			message_info("this kernel's %s are not as known here (PREEMPT_RT?): who waits for "
				     "them is named, not analysed",
				     names[kind]);
}

static int load(struct waiters *w, struct types *types)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = types_custom_path(types));
	int err;

	w->object = waiters_bpf__open_opts(&opts);
	if (!w->object)
		return -errno;
	w->object->rodata->vmemmap_base_at = kallsyms_address(w->symbols, "", "vmemmap_base");
	w->object->rodata->page_offset_base_at = kallsyms_address(w->symbols, "", "page_offset_base");
	w->object->rodata->vmalloc_base_at = kallsyms_address(w->symbols, "", "vmalloc_base");
	err = waiters_bpf__load(w->object);
	if (err)
		waiters_bpf__destroy(w->object);
	return err;
}

int waiters_open(struct kallsyms *symbols, struct types *types, struct waiters **out)
{
	struct waiters *w = calloc(1, sizeof(*w));
	libbpf_print_fn_t print;
	int err;

	if (!w)
		return -ENOMEM;
	if (!types_of_kernel_itself(types)) {
		message_error(
			"this kernel has no BTF of its own: it has no BPF iterators then, which are what "
			"looks at the tasks. A file of types (--btf) cannot help here.");
		free(w);
		return -EOPNOTSUPP;
	}
	w->symbols = symbols;
	w->sched_start = kallsyms_address(symbols, "", "__sched_text_start");
	w->sched_end = kallsyms_address(symbols, "", "__sched_text_end");
	waiters_find_layout(types, &w->layout);
	w->realtime = w->layout.of[SCAN_MUTEX].realtime;
	say_unknown(&w->layout);
	print = libbpf_set_print(libbpf_message);
	err = load(w, types);
	libbpf_set_print(print);
	if (err) {
		message_error("cannot load the BPF programs that look at tasks: %s%s", strerror(-err),
			      err == -EPERM ? " (it takes root, or CAP_BPF and CAP_PERFMON)" : "");
		free(w);
		return err;
	}
	*out = w;
	return 0;
}

void waiters_close(struct waiters *waiters)
{
	if (!waiters)
		return;
	waiters_bpf__destroy(waiters->object);
	free(waiters);
}

/* Reading the kernel. */

/* As struct scan_world wants it. */
static int read_memory(void *context, uint64_t address, void *out, size_t size)
{
	struct waiters *w = ((struct look *)context)->waiters;
	uint64_t args[2] = { address, size };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	int err = bpf_prog_test_run_opts(bpf_program__fd(w->object->progs.read_memory), &opts);

	if (err || opts.retval)
		return -EFAULT;
	memcpy(out, w->object->bss->memory, size);
	return 0;
}

int waiters_slab(struct waiters *w, uint64_t addr, struct waiters_slab *out)
{
	uint64_t args[1] = { addr };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	int err = bpf_prog_test_run_opts(bpf_program__fd(w->object->progs.find_slab), &opts);
	const struct lt_record_lock *found = &w->object->bss->described;

	if (err || !found->slab[0])
		return -ENOENT;
	*out = (struct waiters_slab){ .addr = addr, .offset = found->slab_offset };
	snprintf(out->name, sizeof(out->name), "%.*s", (int)sizeof(found->slab) - 1, found->slab);
	return 0;
}

static int records_reserve(struct look *look, size_t more)
{
	size_t room = look->room ? look->room * 2 : 1 << 20;
	char *bigger;

	if (look->size + more <= look->room)
		return 0;
	bigger = realloc(look->records, room);
	if (!bigger)
		return -ENOMEM;
	look->records = bigger;
	look->room = room;
	return 0;
}

static int read_records(struct look *look, int fd)
{
	uint64_t deadline_ns = iterator_deadline(boot_ns(), look->options->deadline_ns);
	ssize_t got;

	do {
		int err = records_reserve(look, READ_SIZE);

		if (err)
			return err;
		got = read(fd, look->records + look->size, READ_SIZE);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (got > 0)
			look->size += (size_t)got;
	} while (got && !is_past(look, deadline_ns));
	return 0;
}

static int run_iterator(struct look *look)
{
	struct bpf_link *link = bpf_program__attach_iter(look->waiters->object->progs.see_tasks, NULL);
	int fd, err = (int)libbpf_get_error(link);

	if (!err) {
		fd = bpf_iter_create(bpf_link__fd(link));
		err = fd < 0 ? -errno : read_records(look, fd);
		if (fd >= 0)
			close(fd);
		bpf_link__destroy(link);
	}
	if (err)
		message_error("cannot look at the tasks (BPF iterator): %s", strerror(-err));
	return err;
}

/* The length of the record at a place, 0 if the rest is too short to hold it. */
static size_t record_size(const struct look *look, size_t at)
{
	const struct lt_seen_task *task = (const void *)(look->records + at);
	size_t size = offsetof(struct lt_seen_task, stack);

	if (look->size - at < size || task->stack_count > LT_STACK_MAX)
		return 0;
	size += task->stack_count * sizeof(task->stack[0]);
	return look->size - at < size ? 0 : size;
}

/* A task may be met twice when it exits or execs meanwhile; the first is as good. */
static struct seen *find_seen(const struct look *look, uint64_t id)
{
	struct hash_node *node = hash_first(&look->by_id, hash_numbers(id, 0));

	while (node && ((struct seen *)node)->task->task.id != id)
		node = hash_next(node);
	return (struct seen *)node;
}

static int index_records(struct look *look)
{
	size_t at, size, count = 0;

	for (at = 0; (size = record_size(look, at)); at += size)
		count++;
	look->seen = calloc(count ? count : 1, sizeof(*look->seen));
	if (!look->seen)
		return -ENOMEM;
	for (at = 0; (size = record_size(look, at)); at += size) {
		struct seen *seen = &look->seen[look->count];

		seen->task = (const void *)(look->records + at);
		if (find_seen(look, seen->task->task.id))
			continue;
		if (hash_insert(&look->by_id, &seen->by_id, hash_numbers(seen->task->task.id, 0)))
			return -ENOMEM;
		look->count++;
	}
	return 0;
}

/* As struct scan_world wants them. */

static bool task_known(void *context, uint64_t task)
{
	return find_seen(context, task) != NULL;
}

/* 0: the stack pointer does not lie on the stack. */
static uint64_t stack_size(const struct lt_seen_task *task)
{
	uint64_t used = task->sp - task->kernel_stack, size = STACK_SIZE_LEAST;

	if (!task->sp || !task->kernel_stack)
		return 0;
	while (size <= used && size <= STACK_SIZE_MOST)
		size *= 2;
	return used < size && size <= STACK_SIZE_MOST ? size : 0;
}

static bool task_has_stack(void *context, uint64_t task, uint64_t address)
{
	const struct seen *seen = find_seen(context, task);

	/* A task that ran when it was seen may sleep by now: its stack pointer is then not known. */
	return seen && seen->task->kernel_stack && address >= seen->task->kernel_stack &&
	       address - seen->task->kernel_stack <
		       (seen->task->sp ? stack_size(seen->task) : STACK_SIZE_LEAST);
}

/* Where a task sleeps. */

/* What lies on a task's stack between its stack pointer and the first frame of its trace. */
struct frames {
	char bytes[LT_READ_MAX];
	size_t size;
	uint64_t sp; /* where they begin */
	enum place place;
	uint32_t inner_count;
	uint64_t inner[INNER_MAX]; /* innermost first; these are not in the trace */
	uint32_t skipped;          /* see struct seen */
};

static bool has_prefix(const char *name, const char *const *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

#define HAS_PREFIX(name, prefixes) has_prefix(name, prefixes, sizeof(prefixes) / sizeof((prefixes)[0]))

/*
 * kernel/sched/core.c, kernel/locking/mutex.c, kernel/locking/rwsem.c, kernel/locking/rtmutex.c and
 * rwbase_rt.c. By the start of the name: compilers append .constprop.0 and the like, and inline a slow path
 * into what calls it.
 */
static enum place place_of_name(const char *name)
{
	static const char *const scheduler[] = { "__schedule", "schedule", "io_schedule", "__switch_to" };
	static const char *const realtime[] = { "rt_mutex_schedule", "rt_mutex_slowlock",
						"__rt_mutex_slowlock", "rt_mutex_handle_deadlock" };
	static const char *const preempted[] = { "preempt_schedule", "__cond_resched" };
	static const char *const mutex[] = { "__mutex_lock", "_mutex_lock", "mutex_lock", "__ww_mutex_lock",
					     "ww_mutex_lock" };
	static const char *const rwsem[] = { "rwsem_down_",  "down_read",        "down_write", "__down_read",
					     "__down_write", "_down_write_nest", "rwbase_",    "__rwbase_" };

	if (HAS_PREFIX(name, scheduler))
		return PLACE_SCHEDULER;
	if (HAS_PREFIX(name, realtime))
		return PLACE_REALTIME;
	if (HAS_PREFIX(name, preempted))
		return PLACE_PREEMPTED;
	if (HAS_PREFIX(name, mutex))
		return PLACE_MUTEX;
	return HAS_PREFIX(name, rwsem) ? PLACE_RWSEM : PLACE_OTHER;
}

/* A word of the stack as an address of kernel text: arm64 can sign return addresses in the bits that all have
 * set. */
static uint64_t text_address(uint64_t word)
{
#ifdef __aarch64__
	return word | 0xffffULL << 48;
#else
	return word;
#endif
}

/* PLACE_SCHEDULER: says nothing. */
static enum place place_of(const struct waiters *w, uint64_t address)
{
	struct symbol symbol;

	enum place place;

	if (kallsyms_find(w->symbols, address, &symbol) || !symbol.offset)
		return PLACE_SCHEDULER;
	place = place_of_name(symbol.name);
	return place == PLACE_REALTIME && !w->realtime ? PLACE_OTHER : place;
}

static bool is_lock(enum place place)
{
	return place == PLACE_MUTEX || place == PLACE_RWSEM;
}

/*
 * The first frame of the trace that is no lock's: 5.10 has a slow path that is not marked __sched
 * (rwsem_down_write_slowpath()), which then tells the place. stack_count: there is none. Nor are
 * rt_mutex_schedule() and some of what comes before it, with which the trace then begins.
 */
static uint32_t first_caller(const struct waiters *w, const struct lt_seen_task *task, enum place *lock,
			     uint32_t *skipped)
{
	uint32_t i = 0;

	while (i < task->stack_count && place_of(w, task->stack[i]) == PLACE_REALTIME)
		i++;
	for (*skipped = i; i < task->stack_count; i++) {
		enum place place = place_of(w, task->stack[i]);

		if (!is_lock(place))
			break;
		*lock = place;
	}
	return i;
}

static uint64_t frame_word(const struct frames *frames, size_t at)
{
	uint64_t word;

	memcpy(&word, frames->bytes + at, sizeof(word));
	return text_address(word);
}

/*
 * Where the next return address can lie. On arm64 each has a frame pointer before it, which leads to the
 * next: so nothing that earlier calls left on the stack is taken for one.
 */
static size_t next_return(const struct frames *frames, size_t at)
{
#ifdef __aarch64__
	uint64_t outer = 0;

	if (at >= sizeof(outer))
		memcpy(&outer, frames->bytes + at - sizeof(outer), sizeof(outer));
	outer -= frames->sp;
	if (outer > at && outer < frames->size)
		return outer + sizeof(uint64_t);
#else
	(void)frames;
#endif
	return at + sizeof(uint64_t);
}

/* Where the return address of a frame of the trace lies, from a place on; the end, if nowhere. */
static size_t find_return(const struct lt_seen_task *task, uint32_t frame, const struct frames *frames,
			  size_t at)
{
	while (at + sizeof(uint64_t) <= frames->size &&
	       (frame >= task->stack_count || frame_word(frames, at) != text_address(task->stack[frame])))
		at = next_return(frames, at);
	return at;
}

/* The __sched functions among the words up to the first caller's return address; the innermost is the place.
 */
static void find_inner(const struct waiters *w, size_t end, struct frames *out)
{
	for (size_t at = 0; at + sizeof(uint64_t) <= end && out->inner_count < INNER_MAX;
	     at = next_return(out, at)) {
		uint64_t word = frame_word(out, at);
		enum place place;

		if (word < w->sched_start || word >= w->sched_end)
			continue;
		place = place_of(w, word);
		if (place == PLACE_SCHEDULER || place == PLACE_REALTIME)
			continue;
		if (!out->inner_count)
			out->place = place;
		out->inner[out->inner_count++] = word;
	}
}

/* The function that is called where a call returns to; 0: that is not told there. */
static uint64_t call_target(struct look *look, uint64_t return_address)
{
#if defined(__x86_64__)
	unsigned char call[5]; /* e8 and the distance */
	int32_t distance;

	if (read_memory(look, return_address - sizeof(call), call, sizeof(call)) || call[0] != 0xe8)
		return 0;
	memcpy(&distance, call + 1, sizeof(distance));
	return return_address + (uint64_t)(int64_t)distance;
#else
	(void)look;
	(void)return_address;
	return 0;
#endif
}

/*
 * PREEMPT_RT's mutex_lock() and its like jump on to what all rt_mutexes share, so they are not on the
 * stack: then the call that the first caller made tells what it was.
 */
static void find_called(struct look *look, const struct lt_seen_task *task, uint32_t caller,
			struct frames *out)
{
	enum place place = PLACE_OTHER;
	struct symbol symbol = { 0 };
	uint64_t called = 0;

	if (caller < task->stack_count)
		called = call_target(look, text_address(task->stack[caller]));
	if (called && (kallsyms_find(look->waiters->symbols, called, &symbol) || symbol.offset))
		called = 0;
	if (called)
		place = place_of_name(symbol.name);
	/* That one jumped to it, too, or its call does not tell: the kernel's record will. */
	if (place == PLACE_OTHER && out->skipped && task->pi_blocked_on &&
	    strncmp(symbol.name, "rt_mutex_", strlen("rt_mutex_")) != 0)
		place = PLACE_MUTEX;
	else if (!called || place == PLACE_SCHEDULER)
		return;
	out->place = place;
	if (called)
		out->inner[out->inner_count++] = called;
}

/* Reads and judges the frames. 0, or not: it has no stack to read. */
static int read_frames(struct look *look, const struct lt_seen_task *task, struct frames *out)
{
	uint64_t size = stack_size(task) ? task->kernel_stack + stack_size(task) - task->sp : 0;
	enum place lock = PLACE_OTHER;
	uint32_t caller;
	size_t end;

	out->place = PLACE_OTHER;
	out->inner_count = 0;
	out->sp = task->sp;
	out->size = size < sizeof(out->bytes) ? size : sizeof(out->bytes);
	if (!size || read_memory(look, task->sp, out->bytes, out->size))
		return -EFAULT;
	caller = first_caller(look->waiters, task, &lock, &out->skipped);
	end = find_return(task, caller, out, 0);
	find_inner(look->waiters, end, out);
	if (look->waiters->realtime && !out->inner_count)
		find_called(look, task, caller, out);
		/* Where a frame begins with the return address (arm64), the last one's variables come after
		 * that. */
#ifdef __aarch64__
	end = find_return(task, caller + 1, out, end);
#endif
	out->size = end;
	if (is_lock(lock)) {
		/* The trace begins within these. */
		out->place = lock;
		out->inner_count = 0;
	}
	return 0;
}

/* Who waits for what. */

/* Sleeps, other than in a state that is meant to last (an idle kernel thread). */
static bool is_asleep(const struct lt_seen_task *task)
{
	return task->sp && !task->exit_state && !(task->state & TASK_NOLOAD) &&
	       (task->state & (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_RTLOCK_WAIT));
}

static int found(struct seen *seen, const struct scan_lock *lock, enum wait_kind kind, enum wait_proof proof)
{
	seen->lock = lock;
	seen->kind = kind;
	seen->proof = proof;
	return 0;
}

/* The record of its waiting, looked for in its frames. */
static int find_record(struct look *look, struct seen *seen, enum scan_kind kind, const struct frames *frames)
{
	const struct lt_seen_task *task = seen->task;
	struct scan_wait wait;
	int err = scan_stack(look->scan, kind, task->task.id, task->sp, frames->bytes, frames->size, &wait);

	if (err)
		return err;
	return found(seen, wait.lock,
		     kind == SCAN_MUTEX ? WAIT_MUTEX
		     : wait.write       ? WAIT_RWSEM_WRITE
					: WAIT_RWSEM_READ,
		     PROOF_WAITER_RECORD);
}

/*
 * task->blocked_on: none; -1, or a value like it, from 7.x on, of a task that is being woken up; on the
 * task's own stack a record of its waiting (debug kernels); else a mutex.
 */
static int find_blocked_on(struct look *look, struct seen *seen)
{
	uint64_t value = seen->task->blocked_on;
	const struct scan_lock *lock;
	struct scan_wait wait;
	int err;

	if (!value || value >= (uint64_t)-4095)
		return -ENOENT;
	if (task_has_stack(look, seen->task->task.id, value)) {
		err = scan_record(look->scan, SCAN_MUTEX, seen->task->task.id, value, &wait);
		lock = wait.lock;
	} else {
		err = scan_lock(look->scan, SCAN_MUTEX, value, &lock);
	}
	return err ? err : found(seen, lock, WAIT_MUTEX, PROOF_BLOCKED_ON);
}

/* task->blocker: a lock, and in the low bits which kind. */
static int find_blocker(struct look *look, struct seen *seen, enum scan_kind kind)
{
	uint64_t type = seen->task->blocker & BLOCKER_TYPE_MASK;
	const struct scan_lock *lock;
	int err;

	if (!seen->task->blocker || type == BLOCKER_TYPE_SEM ||
	    (kind == SCAN_MUTEX) != (type == BLOCKER_TYPE_MUTEX))
		return -ENOENT;
	err = scan_lock(look->scan, kind, seen->task->blocker & ~(uint64_t)BLOCKER_TYPE_MASK, &lock);
	if (err)
		return err;
	return found(seen, lock,
		     kind == SCAN_MUTEX                  ? WAIT_MUTEX
		     : type == BLOCKER_TYPE_RWSEM_WRITER ? WAIT_RWSEM_WRITE
							 : WAIT_RWSEM_READ,
		     PROOF_BLOCKED_ON);
}

/* task->pi_blocked_on: the record of a wait for an rt_mutex, on the task's own stack. */
static int find_pi_blocked_on(struct look *look, struct seen *seen)
{
	struct scan_wait wait;
	int err;

	if (!seen->task->pi_blocked_on)
		return -ENOENT;
	err = scan_realtime(look->scan, SCAN_MUTEX, seen->task->task.id, seen->task->pi_blocked_on, &wait);
	return err ? err : found(seen, wait.lock, WAIT_MUTEX, PROOF_BLOCKED_ON);
}

/* A sleep in a lock's slow path: what the kernel says of it, else what its stack shows. */
static int find_lock(struct look *look, struct seen *seen, enum scan_kind kind, const struct frames *frames)
{
	int err = -ENOENT;

	if (look->waiters->layout.of[kind].realtime)
		return find_pi_blocked_on(look, seen);
	if (!look->options->stack_only) {
		if (kind == SCAN_MUTEX)
			err = find_blocked_on(look, seen);
		if (err && err != -ENOMEM)
			err = find_blocker(look, seen, kind);
	}
	if (err && err != -ENOMEM)
		err = find_record(look, seen, kind, frames);
	return err;
}

/* What a task waits for: 0 or -ENOMEM. */
static int judge(struct look *look, struct seen *seen)
{
	struct frames frames;
	enum scan_kind kind;

	if (!is_asleep(seen->task) || read_frames(look, seen->task, &frames) ||
	    frames.place == PLACE_PREEMPTED)
		return 0;
	seen->inner_count = frames.inner_count;
	memcpy(seen->inner, frames.inner, sizeof(seen->inner));
	seen->skipped = frames.skipped;
	if (seen->task->state & (TASK_UNINTERRUPTIBLE | TASK_RTLOCK_WAIT))
		seen->kind = WAIT_OTHER;
	if (!is_lock(frames.place))
		return 0;
	kind = frames.place == PLACE_MUTEX ? SCAN_MUTEX : SCAN_RWSEM;
	if (!look->waiters->layout.of[kind].known)
		return 0;
	seen->kind = WAIT_UNVERIFIED;
	return find_lock(look, seen, kind, &frames) == -ENOMEM ? -ENOMEM : 0;
}

static int judge_all(struct look *look)
{
	struct seen *owner;

	for (size_t i = 0; i < look->count && !is_past(look, look->options->deadline_ns); i++) {
		struct seen *seen = &look->seen[i];
		int err = judge(look, seen);

		if (err)
			return err;
		if (look->options->all || seen->kind != WAIT_NONE ||
		    seen->task->task.pid == look->options->task ||
		    seen->task->task.tid == look->options->task)
			seen->wanted = true;
		owner = seen->lock ? find_seen(look, seen->lock->owner) : NULL;
		if (owner)
			owner->wanted = true;
	}
	return 0;
}

/* The answer. */

/*
 * The run queues' clock is the scheduler's (sched_clock()): it began some time at boot, and stops in suspend
 * where CLOCK_BOOTTIME does not. This very process has just been put on a CPU, so its record tells
 * the difference as of now.
 */
static void find_clock_offset(struct look *look, uint64_t arrived_ns)
{
	const struct seen *self = find_seen(look, look->waiters->object->bss->reader);

	if (self && self->task->last_arrival)
		look->clock_offset = arrived_ns - self->task->last_arrival;
}

/*
 * It has run from last_arrival on, and until exec_start at least. The latter's clock leaves out interrupts
 * and so is behind, more and more: whichever is later is nearer to the truth, and not past it.
 */
static uint64_t last_ran(const struct look *look, const struct lt_seen_task *task)
{
	uint64_t ran = task->last_arrival > task->exec_start ? task->last_arrival : task->exec_start;

	return task->last_arrival && look->clock_offset ? ran + look->clock_offset : 0;
}

/* As task_state_index() of the kernel. */
static char state_letter(const struct lt_seen_task *task)
{
	if (task->exit_state & EXIT_ZOMBIE)
		return 'Z';
	if (task->exit_state & EXIT_DEAD)
		return 'X';
	if ((task->state & (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)) == (TASK_UNINTERRUPTIBLE | TASK_NOLOAD))
		return 'I';
	if (task->state & (TASK_UNINTERRUPTIBLE | TASK_RTLOCK_WAIT))
		return 'D';
	if (task->state & TASK_INTERRUPTIBLE)
		return 'S';
	if (task->state & TASK_STOPPED)
		return 'T';
	if (task->state & TASK_TRACED)
		return 't';
	return task->state & TASK_PARKED ? 'P' : 'R';
}

static enum wait_signal signal_of(const struct lt_seen_task *task)
{
	if (task->state & TASK_INTERRUPTIBLE)
		return SIGNAL_ANY;
	return task->state & TASK_WAKEKILL ? SIGNAL_KILL : SIGNAL_NONE;
}

static void tell(const struct look *look, const struct seen *seen, struct wait_task *out)
{
	const struct lt_seen_task *task = seen->task;
	const struct scan_lock *lock = seen->lock;

	out->task = task->task;
	out->switches = task->switches;
	out->state = state_letter(task);
	out->exiting = task->flags & PF_EXITING;
	out->kernel_thread = task->flags & PF_KTHREAD;
	out->signal = signal_of(task);
	out->kind = seen->kind;
	out->proof = seen->proof;
	if (lock) {
		out->lock = lock->address;
		out->owner = lock->owner;
		out->readers = lock->readers;
		out->handed_over = lock->pickup && lock->owner == task->task.id;
	}
	out->last_ran_ns = last_ran(look, task);
	for (uint32_t i = 0; i < seen->inner_count; i++)
		out->stack[out->stack_count++] = seen->inner[i];
	for (uint32_t i = seen->skipped; i < task->stack_count && out->stack_count < LT_STACK_MAX; i++)
		out->stack[out->stack_count++] = task->stack[i];
}

static int tell_all(const struct look *look, struct wait_look *out)
{
	size_t count = 0;

	for (size_t i = 0; i < look->count; i++) {
		count += look->seen[i].wanted;
		out->tasks_seen += !look->seen[i].task->exit_state;
	}
	out->tasks = calloc(count ? count : 1, sizeof(*out->tasks));
	if (!out->tasks)
		return -ENOMEM;
	for (size_t i = 0; i < look->count; i++)
		if (look->seen[i].wanted)
			tell(look, &look->seen[i], &out->tasks[out->count++]);
	out->partial = look->partial;
	out->hidden = look->hidden;
	out->hidden_pid = look->hidden_pid;
	return 0;
}

static void look_release(struct look *look)
{
	scan_close(look->scan);
	hash_release(&look->by_id);
	free(look->seen);
	free(look->records);
}

static int compare_pids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Processes in /proc, sorted. NULL: they cannot be listed. */
static uint32_t *list_processes(size_t *count)
{
	DIR *directory = opendir("/proc");
	uint32_t *list = NULL;
	struct dirent *entry;
	size_t room = 0;

	*count = 0;
	while (directory && (entry = readdir(directory))) {
		uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (!pid)
			continue;
		if (*count == room) {
			uint32_t *bigger = realloc(list, (room = room ? room * 2 : 1024) * sizeof(*list));

			if (!bigger)
				break;
			list = bigger;
		}
		list[(*count)++] = pid;
	}
	if (directory)
		closedir(directory);
	if (list)
		qsort(list, *count, sizeof(*list), compare_pids);
	return list;
}

/*
 * A kernel can keep processes back from BPF's iterators (one that supervises the machine, say). Such a one
 * was listed before the look, is there after it, and was not in it.
 */
static void count_hidden(struct look *look, const uint32_t *listed, size_t count)
{
	bool *seen = calloc(count ? count : 1, sizeof(*seen));

	for (size_t i = 0; seen && i < look->count; i++) {
		const uint32_t *pid =
			bsearch(&look->seen[i].task->task.pid, listed, count, sizeof(*listed), compare_pids);

		if (pid)
			seen[pid - listed] = true;
	}
	for (size_t i = 0; seen && i < count; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/%u", listed[i]);
		if (!seen[i] && !access(path, F_OK))
			look->hidden_pid = look->hidden++ ? look->hidden_pid : listed[i];
	}
	free(seen);
}

static int look_now(struct look *look)
{
	struct scan_world world = { .context = look,
				    .read = read_memory,
				    .task_known = task_known,
				    .task_has_stack = task_has_stack };
	const struct timespec moment = { .tv_nsec = 1 };
	uint64_t arrived_ns;
	size_t listed_count = 0;
	uint32_t *listed = list_processes(&listed_count);
	int err;

	/* To sleep is to be put on a CPU anew: see find_clock_offset(). */
	nanosleep(&moment, NULL);
	arrived_ns = boot_ns();
	err = run_iterator(look);
	if (!err)
		err = index_records(look);
	/* A look that was cut short says nothing of those that it did not come to. */
	if (!err && listed && !look->partial)
		count_hidden(look, listed, listed_count);
	free(listed);
	if (!err)
		err = scan_open(&look->waiters->layout, &world, &look->scan);
	if (err)
		return err;
	find_clock_offset(look, arrived_ns);
	return judge_all(look);
}

int waiters_look(struct waiters *waiters, const struct waiters_options *options, struct wait_look *out)
{
	struct look look = { .waiters = waiters, .options = options };
	int err;

	memset(out, 0, sizeof(*out));
	out->time_ns = boot_ns();
	err = look_now(&look);
	if (!err)
		err = tell_all(&look, out);
	if (err == -ENOMEM)
		message_error("out of memory while looking at the tasks");
	look_release(&look);
	return err;
}

void waiters_free_look(struct wait_look *look)
{
	free(look->tasks);
	memset(look, 0, sizeof(*look));
}
