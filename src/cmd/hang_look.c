/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See hang_look.h: what the helpers do, and what is made of what they tell. */
#include "cmd/hang_look.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/hang_wire.h"
#include "cmd/surroundings.h"
#include "kernel/vm_names.h"
#include "message.h"

/* Between the two looks: far longer than a lock is held that is not stuck. */
#define GAP_MS 200
/* Kept back of the timeout for the names of VMs. */
#define NAMES_MS 2000
/* Processes whose names are asked for: each costs a process, and one that is stuck a fifth of a second. */
#define NAMES_MAX 256
/* To find out where a helper is stuck. */
#define WHERE_MS 300
#define WHERE_FRAMES 4
/* Locks whose slab cache is told. */
#define SLABS_MAX 1024

enum message {
	MESSAGE_LOOK = 1, /* struct look_head; its tasks follow */
	MESSAGE_TASK,     /* struct wait_task, cut to its stack */
	MESSAGE_OBJECT,   /* struct lt_record_object */
	MESSAGE_LOCK,     /* struct object_lock */
	MESSAGE_LOST,     /* uint64_t: objects that could not be told */
	MESSAGE_VM,       /* struct hang_vm */
	MESSAGE_FRAME,    /* name of a function */
	MESSAGE_SLAB,     /* struct waiters_slab */
	MESSAGE_RULES,    /* unsigned char for each rule: enum rule_state */
};

struct look_head {
	uint64_t time_ns, count, tasks_seen, partial;
	uint32_t hidden, hidden_pid;
};

/* What the helpers share; copied to them by fork(). */
struct looking {
	const struct hang_look_options *options;
	struct hang_seen *seen;
	uint64_t start_ms, deadline_ms; /* CLOCK_MONOTONIC; of the looks and the objects */
	uint64_t end_ms;                /* of all of it */
	size_t task_room;               /* of the look that is coming in */
	struct helper waiters, objects;
	uint32_t pids[NAMES_MAX];
	size_t pid_count;
	uint64_t objects_lost;
};

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* The helpers. */

static void send_look(FILE *out, const struct wait_look *look)
{
	const struct look_head head = { .time_ns = look->time_ns,
					.count = look->count,
					.tasks_seen = look->tasks_seen,
					.partial = look->partial,
					.hidden = look->hidden,
					.hidden_pid = look->hidden_pid };

	wire_send(out, MESSAGE_LOOK, &head, sizeof(head));
	for (size_t i = 0; i < look->count; i++)
		wire_send(out, MESSAGE_TASK, &look->tasks[i],
			  offsetof(struct wait_task, stack) +
				  look->tasks[i].stack_count * sizeof(look->tasks[i].stack[0]));
	fflush(out);
}

/* A lock that many wait for is told as often: that costs less than to find that out. */
static void send_slabs(FILE *out, struct waiters *waiters, const struct wait_look *look)
{
	struct waiters_slab slab;
	uint64_t last = 0;
	size_t count = 0;

	for (size_t i = 0; i < look->count && count < SLABS_MAX; i++) {
		const struct wait_task *task = &look->tasks[i];

		if (!wait_kind_is_lock(task->kind) || task->lock == last ||
		    waiters_slab(waiters, task->lock, &slab))
			continue;
		last = task->lock;
		wire_send(out, MESSAGE_SLAB, &slab, sizeof(slab));
		count++;
	}
}

/* A look may use a share of the time that is left, in percent. */
static int look_once(const struct looking *l, struct waiters *waiters, unsigned int percent, bool with_slabs,
		     FILE *out)
{
	uint64_t now = wire_now_ms(), left = l->deadline_ms > now ? l->deadline_ms - now : 0;
	const struct waiters_options options = { .deadline_ns = boot_ns() + left * percent * 10000,
						 .task = l->options->task,
						 .all = l->options->all };
	struct wait_look look;
	int err = waiters_look(waiters, &options, &look);

	if (err)
		return err;
	send_look(out, &look);
	if (with_slabs)
		send_slabs(out, waiters, &look);
	waiters_free_look(&look);
	return 0;
}

static int open_types(const struct looking *l, FILE *out, struct types **types)
{
	int err;

	wire_stage(out, "loading the BPF programs that try whether the kernel's memory can be read");
	err = surroundings_check_reading();
	if (err)
		return err;
	wire_stage(out, "reading the kernel's types");
	return surroundings_open_types(l->options->btf, types);
}

static int run_waiters(FILE *out, const void *argument)
{
	const struct timespec gap = { .tv_nsec = GAP_MS * 1000000L };
	const struct looking *l = argument;
	struct waiters *waiters;
	struct types *types;
	int err;

	err = open_types(l, out, &types);
	if (err)
		return err;
	wire_stage(out, "loading the BPF programs that look at tasks");
	err = waiters_open(l->options->symbols, types, &waiters);
	if (err)
		return err;
	wire_stage(out, "looking at the tasks");
	err = look_once(l, waiters, 45, false, out);
	if (err)
		return err;
	wire_stage(out, "waiting for the time of the second look");
	nanosleep(&gap, NULL);
	wire_stage(out, "looking at the tasks a second time");
	/* Closing is left to the end of the process, which may take its time. */
	return look_once(l, waiters, 80, true, out);
}

static int send_object(void *context, const struct lt_record_header *record, size_t size)
{
	wire_send(context, MESSAGE_OBJECT, record, size);
	return 0;
}

static int send_lock(void *context, const struct object_lock *lock)
{
	wire_send(context, MESSAGE_LOCK, lock, sizeof(*lock));
	return 0;
}

/* Asks the kernel what the rules want to know: which of them are in force. */
static void send_rules(struct rule_set *rules, struct tracer *reader, FILE *out)
{
	size_t count = rules_count(rules->rules);
	unsigned char *states = calloc(count ? count : 1, 1);

	wire_stage(out, "asking the kernel which rules are in force");
	rules->conditions.tracer = reader;
	rule_set_evaluate(rules);
	for (size_t i = 0; states && i < count; i++)
		states[i] = (unsigned char)rules_get(rules->rules, i)->state;
	if (states)
		wire_send(out, MESSAGE_RULES, states, count);
	free(states);
}

static int run_objects(FILE *out, const void *argument)
{
	const struct looking *l = argument;
	struct rule_set *rules = l->options->rules;
	struct tracer_options classes = { 0 };
	struct objects *objects;
	struct types *types;
	uint64_t lost;
	int err;

	err = open_types(l, out, &types);
	if (err)
		return err;
	wire_stage(out, "loading the BPF programs that look for VMs and devices, and running them");
	if (rules) {
		rules->conditions.symbols = l->options->symbols;
		rules->conditions.types = types;
		conditions_modules_changed(&rules->conditions);
		err = rule_set_collect(rules); /* the same classes as before; what is wanted is known now */
		if (err)
			return err;
		classes.user_classes = rules->classes;
		classes.user_class_count = rules->class_count;
	}
	err = objects_open(&classes, l->options->symbols, types, &objects);
	if (err)
		return err;
	wire_stage(out, "telling of the VMs and devices");
	err = objects_each(objects, send_object, out);
	if (err < 0)
		return err;
	lost = objects_lost(objects);
	wire_send(out, MESSAGE_LOST, &lost, sizeof(lost));
	err = objects_each_lock(objects, send_lock, out);
	if (rules)
		send_rules(rules, objects_reader(objects), out);
	return err;
}

static int run_names(FILE *out, const void *argument)
{
	const struct looking *l = argument;
	struct vm_names *names = vm_names_new();

	wire_stage(out, "reading command lines");
	for (size_t i = 0; names && i < l->pid_count; i++) {
		struct hang_vm vm = { .pid = l->pids[i] };
		const char *name;

		vm_names_learn(names, vm.pid);
		name = vm_names_find(names, vm.pid);
		if (!name)
			continue;
		snprintf(vm.name, sizeof(vm.name), "%s", name);
		wire_send(out, MESSAGE_VM, &vm, sizeof(vm));
		fflush(out);
	}
	return names ? 0 : -ENOMEM;
}

/* /proc/PID/stack has a line for each frame: "[<0>] function+0x12/0x34 [module]". */
static int run_where(FILE *out, const void *argument)
{
	char path[64], line[256], name[128];
	int sent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stack", (int)*(const pid_t *)argument);
	file = fopen(path, "re");
	while (file && sent < WHERE_FRAMES && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "[<%*[^>]>] %127[^+]", name) != 1 || strstr(name, "schedule"))
			continue;
		wire_send(out, MESSAGE_FRAME, name, strlen(name));
		sent++;
	}
	return 0;
}

/* What comes from them. */

static int take_look(struct looking *l, const void *bytes, size_t size)
{
	const struct look_head *head = bytes;
	struct wait_look *look;

	if (size != sizeof(*head) || l->seen->look_count == 2)
		return -EINVAL;
	look = &l->seen->looks[l->seen->look_count];
	*look = (struct wait_look){ .time_ns = head->time_ns,
				    .tasks_seen = head->tasks_seen,
				    .partial = head->partial != 0,
				    .hidden = head->hidden,
				    .hidden_pid = head->hidden_pid };
	look->tasks = calloc(head->count ? head->count : 1, sizeof(*look->tasks));
	if (!look->tasks)
		return -ENOMEM;
	l->task_room = head->count;
	l->seen->look_count += !head->count;
	return 0;
}

static int take_task(struct looking *l, const void *bytes, size_t size)
{
	struct wait_look *look = l->seen->look_count < 2 ? &l->seen->looks[l->seen->look_count] : NULL;

	if (!look || !look->tasks || look->count == l->task_room || size > sizeof(*look->tasks))
		return -EINVAL;
	memcpy(&look->tasks[look->count++], bytes, size);
	l->seen->look_count += look->count == l->task_room;
	return 0;
}

static int take_slab(struct hang_seen *seen, const void *bytes, size_t size)
{
	if (size != sizeof(*seen->slabs) || seen->slab_count == SLABS_MAX)
		return -EINVAL;
	if (!seen->slabs)
		seen->slabs = calloc(SLABS_MAX, sizeof(*seen->slabs));
	if (!seen->slabs)
		return -ENOMEM;
	memcpy(&seen->slabs[seen->slab_count++], bytes, size);
	return 0;
}

static int take_from_waiters(void *context, uint32_t type, const void *bytes, size_t size)
{
	struct looking *l = context;

	if (type == MESSAGE_SLAB)
		return take_slab(l->seen, bytes, size);
	return type == MESSAGE_LOOK ? take_look(l, bytes, size) : take_task(l, bytes, size);
}

static int take_object(struct hang_seen *seen, const void *bytes, size_t size)
{
	if (size != sizeof(*seen->objects))
		return -EINVAL;
	if (seen->object_count == seen->object_room) {
		size_t room = seen->object_room ? seen->object_room * 2 : 256;
		struct lt_record_object *bigger = realloc(seen->objects, room * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		seen->objects = bigger;
		seen->object_room = room;
	}
	memcpy(&seen->objects[seen->object_count++], bytes, size);
	return model_feed(seen->model, bytes, size);
}

static int take_lock(struct hang_seen *seen, const void *bytes, size_t size)
{
	if (size != sizeof(*seen->locks))
		return -EINVAL;
	if (seen->lock_count == seen->lock_room) {
		size_t room = seen->lock_room ? seen->lock_room * 2 : 1024;
		struct object_lock *bigger = realloc(seen->locks, room * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		seen->locks = bigger;
		seen->lock_room = room;
	}
	memcpy(&seen->locks[seen->lock_count++], bytes, size);
	return 0;
}

static int take_rules(struct rule_set *rules, const unsigned char *states, size_t count)
{
	if (!rules || count != rules_count(rules->rules))
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		rules_set_state(rules->rules, i, (enum rule_state)states[i]);
	return 0;
}

static int take_from_objects(void *context, uint32_t type, const void *bytes, size_t size)
{
	struct looking *l = context;

	if (type == MESSAGE_LOCK)
		return take_lock(l->seen, bytes, size);
	if (type == MESSAGE_OBJECT)
		return take_object(l->seen, bytes, size);
	if (type == MESSAGE_RULES)
		return take_rules(l->options->rules, bytes, size);
	if (type == MESSAGE_LOST && size == sizeof(l->objects_lost))
		memcpy(&l->objects_lost, bytes, size);
	return 0;
}

static int take_vm(void *context, uint32_t type, const void *bytes, size_t size)
{
	struct hang_seen *seen = context;

	if (type != MESSAGE_VM || size != sizeof(*seen->vms) || seen->vm_count == seen->vm_room)
		return -EINVAL;
	memcpy(&seen->vms[seen->vm_count++], bytes, size);
	return 0;
}

struct where {
	char text[256];
};

static int take_frame(void *context, uint32_t type, const void *bytes, size_t size)
{
	struct where *where = context;
	size_t length = strlen(where->text);

	(void)type;
	snprintf(where->text + length, sizeof(where->text) - length, "%s%.*s", length ? " <- " : "",
		 (int)size, (const char *)bytes);
	return 0;
}

static int compare_locks(const void *a, const void *b)
{
	const struct object_lock *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

const struct object_lock *hang_seen_lock(const struct hang_seen *seen, uint64_t addr)
{
	const struct object_lock key = { .addr = addr };

	return seen->lock_count ? bsearch(&key, seen->locks, seen->lock_count, sizeof(key), compare_locks)
				: NULL;
}

int hang_seen_add_lock(struct hang_seen *seen, const struct object_lock *lock)
{
	int err = hang_seen_lock(seen, lock->addr) ? 0 : take_lock(seen, lock, sizeof(*lock));

	qsort(seen->locks, seen->lock_count, sizeof(*seen->locks), compare_locks);
	return err;
}

const struct waiters_slab *hang_seen_slab(const struct hang_seen *seen, uint64_t addr)
{
	for (size_t i = 0; i < seen->slab_count; i++)
		if (seen->slabs[i].addr == addr)
			return &seen->slabs[i];
	return NULL;
}

const char *hang_seen_vm(const struct hang_seen *seen, uint32_t pid)
{
	for (size_t i = 0; i < seen->vm_count; i++)
		if (seen->vms[i].pid == pid)
			return seen->vms[i].name;
	return NULL;
}

/* The whole of it. */

static const struct wait_look *last_look(const struct hang_seen *seen)
{
	return seen->look_count ? &seen->looks[seen->look_count - 1] : NULL;
}

static int compare_tasks(const void *a, const void *b)
{
	const struct wait_task *x = a, *y = b;

	return x->task.id < y->task.id ? -1 : x->task.id > y->task.id;
}

static const struct wait_task *find_task(const struct wait_look *look, uint64_t id)
{
	const struct wait_task key = { .task = { .id = id } };

	return look->count ? bsearch(&key, look->tasks, look->count, sizeof(key), compare_tasks) : NULL;
}

const struct wait_task *hang_seen_owner(const struct hang_seen *seen, const struct object_lock *lock)
{
	const struct wait_look *last = last_look(seen);
	const struct wait_task *now = last && lock->owner ? find_task(last, lock->owner) : NULL;
	const struct wait_task *before =
		now && seen->look_count == 2 ? find_task(&seen->looks[0], lock->owner) : now;

	return before && before->task.tid == now->task.tid ? now : NULL;
}

/* It is to end at once. */
static bool is_unwanted(const void *context)
{
	const struct looking *l = context;

	return l->options->meanwhile && !l->options->meanwhile(l->options->context);
}

/* Nobody waits for a lock: then no lock needs a name. */
static bool is_enough(const void *context)
{
	const struct looking *l = context;
	const struct wait_look *look = last_look(l->seen);

	if (is_unwanted(l))
		return true;
	if (l->options->all || (l->waiters.fd >= 0 && !l->waiters.done))
		return false;
	for (size_t i = 0; look && i < look->count; i++)
		if (wait_kind_is_lock(look->tasks[i].kind))
			return false;
	return true;
}

void hang_seen_trouble(struct hang_seen *seen, const char *format, ...)
{
	size_t length = strlen(seen->trouble);
	va_list args;

	if (length && length + 1 < sizeof(seen->trouble))
		length += (size_t)snprintf(seen->trouble + length, sizeof(seen->trouble) - length, " ");
	va_start(args, format);
	vsnprintf(seen->trouble + length, sizeof(seen->trouble) - length, format, args);
	va_end(args);
}

/* Where in the kernel a helper sleeps that did not come to its end: there is the hang. */
static void find_where(const struct looking *l, const struct helper *stuck, struct where *where)
{
	uint64_t until = wire_now_ms() + WHERE_MS;

	struct helper helper = { .take = take_frame, .context = where };
	struct helper *const helpers[] = { &helper };

	where->text[0] = '\0';
	if (helper_start(&helper, run_where, &stuck->pid))
		return;
	helpers_read(helpers, 1, until < l->end_ms ? until : l->end_ms, is_unwanted, l);
	helper_end(&helper);
}

static void explain(struct looking *l, const struct helper *helper, const char *what, const char *so)
{
	struct where where;

	if (helper->done)
		return;
	if (helper->fd < 0) {
		hang_seen_trouble(l->seen, "%s failed%s.", what, so);
		return;
	}
	find_where(l, helper, &where);
	hang_seen_trouble(l->seen, "%s was given up after %.1f s, while %s%s%s%s%s.", what,
			  (double)(wire_now_ms() - l->start_ms) / 1000,
			  *helper->stage ? helper->stage : "starting", *where.text ? " (in the kernel: " : "",
			  where.text, *where.text ? ")" : "", so);
}

/* Some kernels keep processes back, whoever asks. */
static void explain_hidden(struct looking *l)
{
	const struct wait_look *look = last_look(l->seen);
	struct hang_seen *seen = l->seen;

	if (!look || !look->hidden)
		return;
	seen->hidden = look->hidden;
	hang_seen_trouble(
		seen,
		"This kernel does not show %u of the processes in /proc to BPF (one of them: %u), so what their "
		"tasks wait for and hold is not known.",
		look->hidden, look->hidden_pid);
}

static void explain_all(struct looking *l)
{
	explain(l, &l->waiters, "Looking at the tasks", "");
	explain_hidden(l);
	if (l->options->no_objects || is_enough(l))
		return;
	explain(l, &l->objects, "Looking for VMs and devices",
		", so locks are named by symbol or place only");
	if (l->objects_lost)
		hang_seen_trouble(l->seen, "Some VMs or devices (%llu) could not be told of.",
				  (unsigned long long)l->objects_lost);
}

static void want_name(struct looking *l, uint32_t pid)
{
	for (size_t i = 0; i < l->pid_count; i++)
		if (l->pids[i] == pid)
			return;
	if (pid && l->pid_count < NAMES_MAX)
		l->pids[l->pid_count++] = pid;
}

/* The process of the VM that a lock belongs to; 0: none. */
static uint32_t lock_pid(const struct hang_seen *seen, uint64_t addr)
{
	const struct object_lock *lock = hang_seen_lock(seen, addr);
	const struct model_object *object = lock ? model_object(seen->model, lock->object) : NULL;

	for (int i = 0; object && i < 4; i++) {
		if (object->kind == LT_OBJECT_VM)
			return object->pid;
		object = object->parent ? model_object(seen->model, object->parent) : NULL;
	}
	return 0;
}

/* Of all there are the VMs' own and those that hold locks. */
static void want_names_of_all(struct looking *l)
{
	const struct hang_seen *seen = l->seen;

	for (size_t i = 0; i < seen->object_count; i++)
		want_name(l, seen->objects[i].pid);
	for (size_t i = 0; i < seen->lock_count; i++) {
		const struct wait_task *owner = hang_seen_owner(seen, &seen->locks[i]);

		if (owner && !owner->kernel_thread)
			want_name(l, owner->task.pid);
	}
}

/* Those that wait for locks first: there may be more than are asked for. */
static void want_names(struct looking *l)
{
	const struct wait_look *look = last_look(l->seen);

	for (int rest = 0; look && rest < 2; rest++) {
		for (size_t i = 0; i < look->count; i++) {
			if (wait_kind_is_lock(look->tasks[i].kind) == (rest == 1) ||
			    look->tasks[i].kernel_thread)
				continue;
			want_name(l, look->tasks[i].task.pid);
			want_name(l, lock_pid(l->seen, look->tasks[i].lock));
		}
	}
}

static int ask_names(struct looking *l, uint64_t deadline_ms)
{
	struct helper helper = { .take = take_vm, .context = l->seen };
	struct helper *const helpers[] = { &helper };
	int err;

	if (l->options->all)
		want_names_of_all(l);
	else
		want_names(l);
	if (!l->pid_count)
		return 0;
	l->seen->vms = calloc(l->pid_count, sizeof(*l->seen->vms));
	if (!l->seen->vms)
		return -ENOMEM;
	l->seen->vm_room = l->pid_count;
	err = helper_start(&helper, run_names, l);
	if (err)
		return err;
	helpers_read(helpers, 1, deadline_ms, is_unwanted, l);
	if (!helper.done)
		hang_seen_trouble(
			l->seen,
			"The command lines of some processes could not be read in time, so VMs may be "
			"without their names.");
	helper_end(&helper);
	return 0;
}

static int look(struct looking *l)
{
	struct helper *const helpers[] = { &l->waiters, &l->objects };
	int err = helper_start(&l->waiters, run_waiters, l);

	if (!err && !l->options->no_objects)
		err = helper_start(&l->objects, run_objects, l);
	if (err)
		return err;
	helpers_read(helpers, 2, l->deadline_ms, is_enough, l);
	/* A torn answer is none: what was whole before it stays. */
	l->waiters.done = l->waiters.done && !l->waiters.err;
	for (size_t i = 0; l->options->all && i < l->seen->look_count; i++)
		qsort(l->seen->looks[i].tasks, l->seen->looks[i].count, sizeof(struct wait_task),
		      compare_tasks);
	if (l->seen->lock_count)
		qsort(l->seen->locks, l->seen->lock_count, sizeof(*l->seen->locks), compare_locks);
	explain_all(l);
	return 0;
}

int hang_look(const struct hang_look_options *options, struct hang_seen *seen)
{
	const struct model_options model = { .symbols = kallsyms_source(options->symbols) };
	uint64_t start_ms = wire_now_ms(), end_ms = options->deadline_ms;
	uint64_t left = end_ms > start_ms ? end_ms - start_ms : 0;
	struct looking l = { .options = options,
			     .seen = seen,
			     .start_ms = start_ms,
			     .deadline_ms = end_ms - (left / 4 < NAMES_MS ? left / 4 : NAMES_MS),
			     .end_ms = end_ms };
	int err;

	memset(seen, 0, sizeof(*seen));
	l.waiters = (struct helper){ .take = take_from_waiters, .context = &l, .fd = -1 };
	l.objects = (struct helper){ .take = take_from_objects, .context = &l, .fd = -1 };
	seen->model = model_new(&model);
	if (!seen->model)
		return -ENOMEM;
	err = look(&l);
	helper_end(&l.waiters);
	helper_end(&l.objects);
	if (err)
		return err;
	if (end_ms > wire_now_ms() + NAMES_MS)
		end_ms = wire_now_ms() + NAMES_MS;
	return ask_names(&l, end_ms);
}

void hang_seen_release(struct hang_seen *seen)
{
	free(seen->looks[0].tasks);
	free(seen->looks[1].tasks);
	free(seen->objects);
	free(seen->locks);
	free(seen->vms);
	free(seen->slabs);
	model_free(seen->model);
	memset(seen, 0, sizeof(*seen));
}
