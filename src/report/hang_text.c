/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * A wait graph as text: circles first, each with all of its tasks and what to do, then who
 * holds up the others, as trees, then the waits that are only named, then the counts. See hang.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/hang.h"

#define RULE "======================================================================"
#define RULE_THIN "----------------------------------------------------------------------"
/* What is shown without --all: levels of a tree, waiters of one lock, of these with a stack, plain waits. */
#define LEVELS_MAX 12
#define WAITERS_MAX 10
#define STACKS_MAX 3
#define PLAIN_MAX 20
/* With --all: only so that no chain takes the stack of this program. */
#define LEVELS_MAX_ALL 200
#define CYCLE_SHOWN_MAX 64
#define INDENT_MAX 60

struct page {
	const struct hang_report *r;
	FILE *out;
};

static const char *colour(const struct page *p, const char *code)
{
	return p->r->base.colour ? code : "";
}

static void indent(const struct page *p, int columns)
{
	fprintf(p->out, "%*s", columns < INDENT_MAX ? columns : INDENT_MAX, "");
}

/* Frees the text. Each of its lines is indented, the first one after a label. */
static void print_lines(const struct page *p, int columns, const char *label, char *text)
{
	int width = (int)strlen(label);

	for (char *line = text; line && *line;) {
		size_t length = strcspn(line, "\n");

		indent(p, columns);
		fprintf(p->out, "%*s%.*s\n", -width, line == text ? label : "", (int)length, line);
		line += length + (line[length] == '\n');
	}
	free(text);
}

static void print_stack(const struct page *p, const struct wait_task *task, int columns)
{
	char *frames[LT_STACK_MAX];
	size_t count = hang_stack(p->r, task, frames, LT_STACK_MAX);

	indent(p, columns);
	fputs(count ? "stack:\n" : "stack: none could be taken\n", p->out);
	for (size_t i = 0; i < count; i++) {
		indent(p, columns + 2);
		fprintf(p->out, "%s\n", frames[i]);
	}
	report_stack_free(frames, count);
}

static void print_head(const struct page *p)
{
	int64_t wall = (int64_t)p->r->time_ns + p->r->base.boot_to_wall_ns;
	time_t seconds = (time_t)(wall / 1000000000);
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(p->out, "Linux %s, %s; %s\n", p->r->base.kernel, p->r->base.taint, text);
}

/* How the lock was found is told where there is room for it: in a circle. */
static const char *proof_words(enum wait_proof proof)
{
	switch (proof) {
	case PROOF_BLOCKED_ON:
		return "the kernel says which lock it waits for";
	case PROOF_WAITER_RECORD:
		return "the record of its wait, on its stack and on the lock's list, says which lock";
	default:
		return "how the lock is known was not recorded";
	}
}

static void print_cycle_task(const struct page *p, size_t number, const struct wait_node *node)
{
	char text[REPORT_TEXT_LEN], more[REPORT_TEXT_LEN];
	const struct hang_report *r = p->r;

	fprintf(p->out, "\n%s#%zu: %s%s waits for\n", colour(p, "\033[1m"), number,
		report_task(&r->base, &node->task->task, text, sizeof(text)), colour(p, "\033[0m"));
	fprintf(p->out, "          %016" PRIx64 " (%s)\n", node->waits_for->addr,
		hang_lock(r, node->waits_for, text, sizeof(text)));
	fprintf(p->out, "    %s\n", hang_terms(node, text, sizeof(text)));
	fprintf(p->out, "    for %s, %s\n", hang_since(r, node->task, text, sizeof(text)),
		hang_state(node->task, more, sizeof(more)));
	fprintf(p->out, "    known because %s\n", proof_words(node->task->proof));
	print_stack(p, node->task, 4);
}

static void print_owned(const struct page *p, const struct wait_node *node, int columns, int level);

static void print_waiter(const struct page *p, const struct wait_node *node, bool with_stack, int columns,
			 int level)
{
	int levels_max = p->r->base.all ? LEVELS_MAX_ALL : LEVELS_MAX;
	char task[REPORT_TEXT_LEN], wanted[REPORT_TEXT_LEN], since[64], state[REPORT_TEXT_LEN];

	indent(p, columns);
	fprintf(p->out, "%s", report_task(&p->r->base, &node->task->task, task, sizeof(task)));
	if (node->waits_for->is_rwsem)
		fprintf(p->out, " %s,", hang_wanted(node, wanted, sizeof(wanted)));
	fprintf(p->out, " for %s, %s\n", hang_since(p->r, node->task, since, sizeof(since)),
		hang_state(node->task, state, sizeof(state)));
	if (with_stack)
		print_stack(p, node->task, columns + 4);
	if (!node->behind)
		return;
	if (level < levels_max) {
		print_owned(p, node, columns + 4, level + 1);
		return;
	}
	indent(p, columns + 4);
	fprintf(p->out, "... and %zu more behind it, the longest chain of %zu\n", node->behind, node->depth);
}

/* Those of its own circle are told there. */
static bool is_listed(const struct wait_node *node)
{
	return node->shown && !node->cycle;
}

static void print_waiters(const struct page *p, const struct wait_lock *lock, int columns, int level)
{
	size_t listed = 0, printed = 0, max = p->r->base.all ? SIZE_MAX : WAITERS_MAX;

	for (size_t i = 0; i < lock->waiter_count; i++) {
		if (!is_listed(lock->waiters[i]) || listed++ >= max)
			continue;
		print_waiter(p, lock->waiters[i], p->r->base.all || printed < STACKS_MAX, columns, level);
		printed++;
	}
	if (listed > printed) {
		indent(p, columns);
		fprintf(p->out, "... and %zu more\n", listed - printed);
	}
}

/* The locks of a task that others wait for, and these. */
static void print_owned(const struct page *p, const struct wait_node *node, int columns, int level)
{
	char text[REPORT_TEXT_LEN];

	for (const struct wait_lock *lock = node->owned; lock; lock = lock->next_owned) {
		size_t listed = 0;

		for (size_t i = 0; i < lock->waiter_count; i++)
			listed += is_listed(lock->waiters[i]);
		if (!listed)
			continue;
		indent(p, columns);
		fprintf(p->out, "%016" PRIx64 " (%s), %s; %zu task%s wait%s for it:\n", lock->addr,
			hang_lock(p->r, lock, text, sizeof(text)),
			lock->is_rwsem ? "an rwsem it holds for writing" : "a mutex it holds", listed,
			listed == 1 ? "" : "s", listed == 1 ? "s" : "");
		print_waiters(p, lock, columns + 2, level);
	}
}

static void print_cycle(const struct page *p, size_t number, const struct wait_cycle *cycle)
{
	size_t shown = cycle->count < CYCLE_SHOWN_MAX || p->r->base.all ? cycle->count : CYCLE_SHOWN_MAX;
	bool confirmed = p->r->graph->confirmed;

	fprintf(p->out, "%s%s\n%s %zu: ", colour(p, "\033[1m"), RULE,
		confirmed ? "Deadlock" : "Possible deadlock", number);
	if (cycle->count == 1)
		fprintf(p->out, "a task waits for itself (self-deadlock)%s\n", colour(p, "\033[0m"));
	else
		fprintf(p->out, "%zu tasks wait for each other%s\n", cycle->count, colour(p, "\033[0m"));
	fprintf(p->out, "%s\n", RULE_THIN);
	print_lines(p, 0, "", hang_sentence(p->r, cycle));
	for (size_t i = 0; i < shown; i++)
		print_cycle_task(p, i + 1, cycle->nodes[i]);
	if (shown < cycle->count)
		fprintf(p->out, "\n... and %zu more tasks in the same circle\n", cycle->count - shown);
	if (cycle->behind)
		fprintf(p->out, "\n%zu more task%s wait%s behind these:\n", cycle->behind,
			cycle->behind == 1 ? "" : "s", cycle->behind == 1 ? "s" : "");
	for (size_t i = 0; i < shown && cycle->behind; i++) {
		if (!cycle->nodes[i]->behind)
			continue;
		fprintf(p->out, "  behind #%zu:\n", i + 1);
		print_owned(p, cycle->nodes[i], 4, 1);
	}
	fputc('\n', p->out);
	print_lines(p, 0, "What to do: ", hang_cycle_advice(p->r, cycle));
	print_lines(p, 0, "", hang_known(p->r, cycle));
	fprintf(p->out, "%s\n\n", RULE);
}

static void print_root(const struct page *p, const struct wait_root *root)
{
	char state[REPORT_TEXT_LEN];

	fprintf(p->out, "%s\n", RULE_THIN);
	print_lines(p, 0, "", hang_root_sentence(p->r, root));
	if (root->task) {
		fprintf(p->out, "  %s\n", hang_state(root->task->task, state, sizeof(state)));
		print_stack(p, root->task->task, 2);
		print_owned(p, root->task, 2, 1);
	} else {
		print_waiters(p, root->lock, 2, 1);
	}
	print_lines(p, 0, "What to do: ", hang_root_advice(p->r, root));
}

static void print_roots(const struct page *p)
{
	const struct wait_graph *g = p->r->graph;
	bool any = false;

	for (size_t i = 0; i < g->root_count; i++) {
		if (!g->roots[i].shown)
			continue;
		if (!any)
			fprintf(p->out,
				"%sWho holds up others%s (no deadlock by itself), the longest chain first:\n",
				colour(p, "\033[1m"), colour(p, "\033[0m"));
		any = true;
		print_root(p, &g->roots[i]);
	}
	if (any)
		fprintf(p->out, "%s\n\n", RULE_THIN);
}

/* A wait that is named and no more, if it is not told as a root already; a task that was asked for. */
static bool is_plain(const struct hang_report *r, const struct wait_node *node)
{
	if (!node->shown || node->waits_for)
		return false;
	return node->waits || (r->pid && !node->owned);
}

static void print_plain(const struct page *p)
{
	const struct wait_graph *g = p->r->graph;
	size_t count = 0, max = p->r->base.all || p->r->pid ? SIZE_MAX : PLAIN_MAX;
	char task[REPORT_TEXT_LEN], doing[REPORT_TEXT_LEN], since[64];

	for (size_t i = 0; i < g->node_count; i++) {
		const struct wait_node *node = &g->nodes[i];

		if (!is_plain(p->r, node) || count++ >= max)
			continue;
		fprintf(p->out, "%s %s", report_task(&p->r->base, &node->task->task, task, sizeof(task)),
			hang_doing(p->r, node, doing, sizeof(doing)));
		if (node->waits)
			fprintf(p->out, ", for %s", hang_since(p->r, node->task, since, sizeof(since)));
		fputc('\n', p->out);
		if (p->r->base.all || p->r->pid)
			print_stack(p, node->task, 2);
	}
	if (count > max)
		fprintf(p->out, "... and %zu more waits of these kinds (--all shows them)\n", count - max);
	if (count)
		fputc('\n', p->out);
}

int text_stall(const struct hang_report *r, const struct hang_stall *stall, FILE *out)
{
	struct page page = { .r = r, .out = out };

	fprintf(out, "%s%s\nFinding: %s detected [%s]%s\n", colour(&page, "\033[1m"), RULE,
		stall->cycle ? "deadlock, happening now," : "stall", stall->cycle ? "deadlock" : "danger",
		colour(&page, "\033[0m"));
	print_head(&page);
	fprintf(out, "%s\n", RULE_THIN);
	print_lines(&page, 0, "", hang_stall_sentence(r, stall));
	for (size_t i = 0; i < r->graph->cycle_count; i++)
		if (r->graph->cycles[i].shown)
			print_cycle(&page, i + 1, &r->graph->cycles[i]);
	print_roots(&page);
	print_lines(&page, 0, "", hang_counts(r));
	fprintf(out, "%s\n\n", RULE);
	return fflush(out) || ferror(out) ? -EIO : 0;
}

int text_hang(const struct hang_report *r, FILE *out)
{
	struct page page = { .r = r, .out = out };
	size_t number = 0;

	print_head(&page);
	for (size_t i = 0; i < r->graph->cycle_count; i++)
		if (r->graph->cycles[i].shown)
			print_cycle(&page, ++number, &r->graph->cycles[i]);
	print_roots(&page);
	print_plain(&page);
	print_lines(&page, 0, "", hang_counts(r));
	return fflush(out) || ferror(out) ? -EIO : 0;
}
