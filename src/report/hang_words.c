/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The words for waits that text and JSON share; see hang.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/explain.h"
#include "report/hang.h"

/* Functions by the beginnings of their names. */
static const char *const scheduler_names[] = { "__schedule",  "schedule",    "preempt_schedule",
					       "io_schedule", "__switch_to", NULL };
static const char *const lock_names[] = { "__mutex_",    "mutex_lock",   "__ww_mutex_lock", "ww_mutex_lock",
					  "rwsem_",      "__rwsem_",     "down_read",       "down_write",
					  "__down_read", "__down_write", "__down_common",   NULL };
/* What they wait for says their caller. */
static const char *const waiting_names[] = { "wait_for_",  "__wait_for_",          "do_wait_for_",
					     "__wait_on_", "out_of_line_wait_on_", "bit_wait",
					     "wait_woken", "__wait_rcu_gp",        "do_nanosleep",
					     NULL };

static bool starts_with(const char *name, const char *const *starts)
{
	for (; *starts; starts++)
		if (!strncmp(name, *starts, strlen(*starts)))
			return true;
	return false;
}

/* Is the frame's function one whose name begins so? */
static bool frame_is(const struct hang_report *r, uint64_t address, const char *const *starts)
{
	const struct symbol_source *symbols = &r->base.symbols;
	struct symbol symbol;

	return symbols->find && !symbols->find(symbols->context, address, &symbol) &&
	       starts_with(symbol.name, starts);
}

/* First frame from "from" on that is none of these; stack_count: there is none. */
static uint32_t skip_frames(const struct hang_report *r, const struct wait_task *task, uint32_t from,
			    const char *const *starts)
{
	while (from < task->stack_count && frame_is(r, task->stack[from], starts))
		from++;
	return from;
}

/* Name of a frame's function; false when it is not known. */
static bool frame_function(const struct hang_report *r, const struct wait_task *task, uint32_t frame,
			   char *out, size_t size)
{
	const struct symbol_source *symbols = &r->base.symbols;
	struct symbol symbol;

	if (frame >= task->stack_count || !symbols->find ||
	    symbols->find(symbols->context, task->stack[frame], &symbol))
		return false;
	snprintf(out, size, "%s", symbol.name);
	return true;
}

size_t hang_stack(const struct hang_report *r, const struct wait_task *task, char **frames, size_t size)
{
	size_t count = 0;

	for (uint32_t i = 0; i < task->stack_count && i < LT_STACK_MAX && count < size; i++) {
		char text[REPORT_TEXT_LEN];

		symbol_format(&r->base.symbols, task->stack[i], 1, text, sizeof(text));
		frames[count] = strdup(text);
		count += frames[count] != NULL;
	}
	return count;
}

const char *hang_lock(const struct hang_report *r, const struct wait_lock *lock, char *out, size_t size)
{
	const struct wait_task *waiter = lock->waiters[0]->task;
	char class[REPORT_TEXT_LEN], object[REPORT_TEXT_LEN], place[REPORT_TEXT_LEN];
	uint32_t frame;

	if (r->lock && r->lock(r->context, lock->addr, class, sizeof(class))) {
		const char *of = r->object ? r->object(r->context, lock->addr, object, sizeof(object)) : NULL;

		snprintf(out, size, "%s%s%s", class, of ? " of " : "", of ? of : "");
		return out;
	}
	frame = skip_frames(r, waiter, skip_frames(r, waiter, 0, scheduler_names), lock_names);
	if (frame < waiter->stack_count) {
		symbol_format(&r->base.symbols, waiter->stack[frame], 1, place, sizeof(place));
		snprintf(out, size, "the %s asked for in %s", lock->is_rwsem ? "rwsem" : "mutex", place);
	} else {
		snprintf(out, size, "the %s at 0x%016" PRIx64, lock->is_rwsem ? "rwsem" : "mutex",
			 lock->addr);
	}
	return out;
}

const char *hang_holder(const struct wait_lock *lock, char *out, size_t size)
{
	char task[REPORT_TEXT_LEN];

	switch (lock->owner_state) {
	case OWNER_TASK:
		snprintf(out, size, "held %sby %s", lock->is_rwsem ? "for writing " : "",
			 report_task_short(&lock->owner->task->task, task, sizeof(task)));
		break;
	case OWNER_GONE:
		snprintf(out, size, "held by a task that was not seen (gone?)");
		break;
	case OWNER_READERS:
		snprintf(out, size, "held by %u reader%s", lock->readers, lock->readers == 1 ? "" : "s");
		break;
	case OWNER_CHANGING:
		snprintf(out, size, "going from hand to hand");
		break;
	default:
		snprintf(out, size, "held by an unknown task");
	}
	return out;
}

/* A writer that waits for the same lock: readers queue behind it. NULL: none was seen. */
static const struct wait_node *waiting_writer(const struct wait_lock *lock)
{
	for (size_t i = 0; i < lock->waiter_count; i++)
		if (lock->waiters[i]->task->kind == WAIT_RWSEM_WRITE)
			return lock->waiters[i];
	return NULL;
}

const char *hang_wanted(const struct wait_node *node, char *out, size_t size)
{
	const struct wait_lock *lock = node->waits_for;
	const struct wait_node *writer = NULL;
	char task[REPORT_TEXT_LEN];

	if (!lock->is_rwsem) {
		out[0] = '\0';
		return out;
	}
	/* Readers do not hold up a reader; a writer that waits before it does (fairness). */
	if (node->task->kind == WAIT_RWSEM_READ && lock->owner_state == OWNER_READERS)
		writer = waiting_writer(lock);
	if (writer)
		snprintf(out, size, "for reading, queued behind the waiting writer %s",
			 report_task_short(&writer->task->task, task, sizeof(task)));
	else
		snprintf(out, size, "for %s", node->task->kind == WAIT_RWSEM_READ ? "reading" : "writing");
	return out;
}

const char *hang_terms(const struct wait_node *node, char *out, size_t size)
{
	char held[REPORT_TEXT_LEN], wanted[REPORT_TEXT_LEN];

	hang_holder(node->waits_for, held, sizeof(held));
	hang_wanted(node, wanted, sizeof(wanted));
	snprintf(out, size, "%s%s%s, %s", node->waits_for->is_rwsem ? "an rwsem" : "a mutex",
		 *wanted ? ", " : "", wanted, held);
	return out;
}

const char *hang_since(const struct hang_report *r, const struct wait_task *task, char *out, size_t size)
{
	uint64_t tenths;

	if (!task->last_ran_ns || task->last_ran_ns > r->time_ns) {
		snprintf(out, size, "an unknown time");
		return out;
	}
	tenths = (r->time_ns - task->last_ran_ns) / 100000000;
	snprintf(out, size, "%" PRIu64 ".%" PRIu64 " s", tenths / 10, tenths % 10);
	return out;
}

bool hang_killable(const struct wait_task *task)
{
	/* A signal wakes no task that is exiting: wants_signal() in kernel/signal.c. */
	return task->signal != SIGNAL_NONE && !task->exiting && !task->kernel_thread;
}

const char *hang_state(const struct wait_task *task, char *out, size_t size)
{
	static const char *const ends[] = { [SIGNAL_NONE] = "no signal ends it",
					    [SIGNAL_KILL] = "killable",
					    [SIGNAL_ANY] = "interruptible" };
	bool sleeps = task->state == 'S' || task->state == 'D';

	snprintf(out, size, "state %c%s%s%s%s", task->state >= '!' && task->state <= '~' ? task->state : '?',
		 sleeps ? ", " : "", sleeps ? ends[task->signal] : "",
		 task->kernel_thread ? ", a kernel thread" : "",
		 task->exiting ? ", is exiting (its files may be closed already)" : "");
	return out;
}

/* "synchronize_srcu", "wait_for_completion (from flush_work)". False: the stack does not tell. */
static bool sleeping_place(const struct hang_report *r, const struct wait_task *task, char *out, size_t size)
{
	uint32_t frame = skip_frames(r, task, 0, scheduler_names);
	uint32_t caller = skip_frames(r, task, frame, waiting_names);
	char inner[SYMBOL_NAME_LEN], outer[SYMBOL_NAME_LEN];

	if (!frame_function(r, task, frame, inner, sizeof(inner)))
		return false;
	if (caller != frame && frame_function(r, task, caller, outer, sizeof(outer)))
		snprintf(out, size, "%.100s (from %.100s)", inner, outer);
	else
		snprintf(out, size, "%s", inner);
	return true;
}

static const char *verb(const struct wait_node *node)
{
	switch (node->task->state) {
	case 'R':
		return "runs, or is ready to";
	case 'T':
	case 't':
		return "is stopped";
	case 'Z':
	case 'X':
		return "has ended";
	default:
		return node->ran ? "has run meanwhile and now sleeps" : "sleeps";
	}
}

const char *hang_doing(const struct hang_report *r, const struct wait_node *node, char *out, size_t size)
{
	const struct wait_task *task = node->task;
	char place[REPORT_TEXT_LEN];
	bool known = sleeping_place(r, task, place, sizeof(place));

	if (task->kind == WAIT_UNVERIFIED)
		snprintf(out, size, "waits for a lock that could not be determined%s%s", known ? ", in " : "",
			 known ? place : "");
	else if (wait_kind_is_lock(task->kind) && task->handed_over)
		snprintf(out, size, "has just been given the lock it waited for");
	else if (wait_kind_is_lock(task->kind) && !node->waits)
		snprintf(out, size, "waits for a lock, but not for long");
	else if (task->kind == WAIT_OTHER)
		snprintf(out, size, "waits in %s: not analysed", known ? place : "an unknown function");
	else
		snprintf(out, size, "%s%s%s", verb(node), known ? " in " : "", known ? place : "");
	return out;
}

struct words {
	char *data;
	size_t size;
	FILE *out;
};

static bool words_begin(struct words *w)
{
	w->out = open_memstream(&w->data, &w->size);
	return w->out != NULL;
}

static char *words_end(struct words *w)
{
	if (fclose(w->out)) {
		free(w->data);
		return NULL;
	}
	return w->data;
}

/* In full where it is named first. */
static const char *task_name(const struct hang_report *r, const struct wait_node *node, bool full, char *out,
			     size_t size)
{
	return full ? report_task(&r->base, &node->task->task, out, size)
		    : report_task_short(&node->task->task, out, size);
}

char *hang_sentence(const struct hang_report *r, const struct wait_cycle *cycle)
{
	char task[REPORT_TEXT_LEN], lock[REPORT_TEXT_LEN], owner[REPORT_TEXT_LEN];
	struct words w;

	if (!words_begin(&w))
		return NULL;
	for (size_t i = 0; i < cycle->count; i++) {
		const struct wait_node *node = cycle->nodes[i];
		bool last = i + 1 == cycle->count;

		hang_lock(r, node->waits_for, lock, sizeof(lock));
		fprintf(w.out, "%s%s waits for %s, which ",
			!i     ? ""
			: last ? ", and "
			       : ", ",
			task_name(r, node, !i, task, sizeof(task)), lock);
		if (cycle->count == 1)
			fputs("it holds itself", w.out);
		else
			fprintf(w.out, "%s holds",
				task_name(r, wait_node_owner(node), !last, owner, sizeof(owner)));
	}
	if (!r->graph->confirmed)
		fputs(". A second look did not come about, so this may be passing.", w.out);
	else
		fprintf(w.out, ": %s for ever.", cycle->count == 1 ? "it waits" : "they wait");
	return words_end(&w);
}

/* "the VM 'demo'" or "the process". */
static const char *what_ends(const struct hang_report *r, uint32_t pid, char *out, size_t size)
{
	const char *vm = r->base.vm_name ? r->base.vm_name(r->base.context, pid) : NULL;

	snprintf(out, size, "%s%s%s", vm ? "the VM '" : "the process", vm ? vm : "", vm ? "'" : "");
	return out;
}

char *hang_cycle_advice(const struct hang_report *r, const struct wait_cycle *cycle)
{
	char text[REPORT_TEXT_LEN], ended[REPORT_TEXT_LEN];
	bool hope = false;
	struct words w;

	if (!words_begin(&w))
		return NULL;
	for (size_t i = 0; i < cycle->count; i++) {
		const struct wait_task *task = cycle->nodes[i]->task;

		if (!hang_killable(task))
			continue;
		hope = true;
		fprintf(w.out, "kill -9 %u breaks it: %s waits %s (that ends %s).\n", task->task.pid,
			report_task_short(&task->task, text, sizeof(text)),
			task->signal == SIGNAL_KILL ? "killably" : "interruptibly",
			what_ends(r, task->task.pid, ended, sizeof(ended)));
	}
	if (!hope)
		fputs("None of these waits ends by a signal, so kill -9 does not break it. Closing files does not "
		      "either: whoever closes them waits for the same locks. Every later user of these locks hangs "
		      "too, and only a reboot of the host helps. Move the other guests, which still run, to another "
		      "host first.\n",
		      w.out);
	return words_end(&w);
}

char *hang_known(const struct hang_report *r, const struct wait_cycle *cycle)
{
	struct words w;

	if (!words_begin(&w))
		return NULL;
	if (r->known_bug)
		explain_known(r->known_bug(r->context, cycle), w.out);
	return words_end(&w);
}

char *hang_root_sentence(const struct hang_report *r, const struct wait_root *root)
{
	char text[REPORT_TEXT_LEN], doing[REPORT_TEXT_LEN], held[REPORT_TEXT_LEN], address[32];
	struct words w;

	if (!words_begin(&w))
		return NULL;
	if (root->task) {
		report_task(&r->base, &root->task->task->task, text, sizeof(text));
		fprintf(w.out, "%s %s, and holds up ", text, hang_doing(r, root->task, doing, sizeof(doing)));
	} else {
		hang_lock(r, root->lock, text, sizeof(text));
		snprintf(address, sizeof(address), " at 0x%016" PRIx64, root->lock->addr);
		fprintf(w.out, "%s%s is %s, and holds up ", text, strstr(text, address) ? "" : address,
			hang_holder(root->lock, held, sizeof(held)));
	}
	fprintf(w.out, "%zu task%s", root->behind, root->behind == 1 ? "" : "s");
	if (root->behind > root->direct)
		fprintf(w.out, " (%zu directly, the longest chain is %zu)", root->direct, root->depth);
	fputc('.', w.out);
	return words_end(&w);
}

char *hang_stall_sentence(const struct hang_report *r, const struct hang_stall *stall)
{
	char *end = stall->cycle ? hang_sentence(r, stall->cycle) : hang_root_sentence(r, stall->root);
	char task[REPORT_TEXT_LEN], lock[REPORT_TEXT_LEN];
	struct words w;

	if (!words_begin(&w)) {
		free(end);
		return NULL;
	}
	fprintf(w.out, "%s has waited for %s for more than %" PRIu32 " s. %s",
		report_task(&r->base, &stall->waiter->task->task, task, sizeof(task)),
		hang_lock(r, stall->waiter->waits_for, lock, sizeof(lock)), stall->seconds, end ? end : "");
	free(end);
	return words_end(&w);
}

static void advise_owner(const struct hang_report *r, const struct wait_root *root, FILE *out)
{
	const struct wait_task *task = root->task->task;
	char ended[REPORT_TEXT_LEN];

	what_ends(r, task->task.pid, ended, sizeof(ended));
	if (task->kernel_thread)
		fprintf(out, "A kernel thread cannot be ended; %zu task%s wait%s for what it does.\n",
			root->behind, root->behind == 1 ? "" : "s", root->behind == 1 ? "s" : "");
	else if (task->exiting)
		fputs("It is exiting already: no signal makes it faster. See in its stack what it waits for.\n",
		      out);
	else if (task->state == 'T' || task->state == 't')
		fprintf(out, "It was stopped by a signal or a debugger: kill -CONT %u lets it go on.\n",
			task->task.pid);
	else if (task->state == 'R' || root->task->ran)
		fputs("It is at work, so this can pass: look again (--watch).\n", out);
	else if (task->signal != SIGNAL_NONE)
		fprintf(out,
			"kill -9 %u ends its wait and %s; what it holds is then let go, which frees %zu task%s.\n",
			task->task.pid, ended, root->behind, root->behind == 1 ? "" : "s");
	else
		fputs("No signal ends its wait: what it waits for has to come. See its stack.\n", out);
}

char *hang_root_advice(const struct hang_report *r, const struct wait_root *root)
{
	struct words w;

	if (!words_begin(&w))
		return NULL;
	if (root->task)
		advise_owner(r, root, w.out);
	else if (root->lock->owner_state == OWNER_READERS)
		fputs("An rwsem does not name its readers. They are among the tasks that use it: their stacks tell, "
		      "and a watch that ran before.\n",
		      w.out);
	else if (root->lock->owner_state == OWNER_CHANGING || root->lock->owner_state == OWNER_UNKNOWN)
		fputs("It is busy rather than stuck, as far as can be seen: look again (--watch).\n", w.out);
	else
		fputs("If no such task appears when looked at again, it ended while it held the lock: only a reboot "
		      "of the host helps.\n",
		      w.out);
	return words_end(&w);
}

char *hang_counts(const struct hang_report *r)
{
	const struct wait_graph *g = r->graph;
	struct words w;

	if (!words_begin(&w))
		return NULL;
	if (!g->confirmed || !g->cycle_count)
		fputs(g->confirmed && !g->partial && !r->tasks_missing ? "No deadlock. "
								       : "No deadlock was proved. ",
		      w.out);
	fprintf(w.out, "%" PRIu64 " task%s wait%s for locks", g->waits, g->waits == 1 ? "" : "s",
		g->waits == 1 ? "s" : "");
	if (g->cycle_count)
		fprintf(w.out, ", in or behind %zu %sdeadlock%s", g->cycle_count,
			g->confirmed ? "" : "possible ", g->cycle_count == 1 ? "" : "s");
	if (g->root_count)
		fprintf(w.out, "%s behind %zu task%s or lock%s", g->cycle_count ? " and" : ",", g->root_count,
			g->root_count == 1 ? "" : "s", g->root_count == 1 ? "" : "s");
	fprintf(w.out, ". %" PRIu64 " tasks were looked at in %" PRIu64 ".%" PRIu64 " s.\n", g->tasks_seen,
		r->milliseconds / 1000, r->milliseconds % 1000 / 100);
	if (g->passing)
		fprintf(w.out, "%" PRIu64 " wait%s passing: not the same in both looks, so not told.\n",
			g->passing, g->passing == 1 ? " was" : "s were");
	if (!g->confirmed)
		fputs("There was one look only, so any of these waits may be passing.\n", w.out);
	if (g->partial)
		fputs("NOT complete: a look was cut short, so tasks are missing from it.\n", w.out);
	if (r->trouble)
		fprintf(w.out, "NOT complete: %s\n", r->trouble);
	return words_end(&w);
}
