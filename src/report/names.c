/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* How things are called in every report; see report.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

static const char *vm_name(const struct report_context *c, uint32_t pid)
{
	return c->vm_name && pid ? c->vm_name(c->context, pid) : NULL;
}

/* The VM that an object is or belongs to; NULL: none. */
static const struct model_object *vm_of(const struct report_context *c, const struct model_object *object)
{
	for (int i = 0; object && i < 4; i++) {
		if (object->kind == LT_OBJECT_VM)
			return object;
		object = object->parent ? model_object(c->model, object->parent) : NULL;
	}
	return NULL;
}

const char *report_object(const struct report_context *c, const struct model_object *object, char *out,
			  size_t size)
{
	const struct model_object *vm = vm_of(c, object);
	const char *name = vm ? vm_name(c, vm->pid) : NULL;
	size_t length;

	out[0] = '\0';
	if (!object)
		return out;
	model_object_describe(c->model, object, out, size);
	length = strlen(out);
	if (name && length < size)
		snprintf(out + length, size - length, " '%s'", name);
	return out;
}

const char *report_lock(const struct report_context *c, const struct model_lock *lock, char *out, size_t size)
{
	char object[REPORT_TEXT_LEN];

	report_object(c, lock->object, object, sizeof(object));
	snprintf(out, size, "%s%s%s", lock->class->name, *object ? " of " : "", object);
	return out;
}

const char *report_mode(const struct lt_held *held)
{
	if (held->flags & LT_HELD_READ)
		return " for reading";
	return held->flags & LT_HELD_RWSEM ? " for writing" : "";
}

/* A task may call itself anything, also what a terminal would obey. */
static const char *comm(const struct lt_task *task, char out[LT_COMM_LEN + 1])
{
	snprintf(out, LT_COMM_LEN + 1, "%.*s", LT_COMM_LEN, task->comm);
	for (char *p = out; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return out;
}

const char *report_task_short(const struct lt_task *task, char *out, size_t size)
{
	char name[LT_COMM_LEN + 1];

	snprintf(out, size, "%s/%u", comm(task, name), task->tid);
	return out;
}

const char *report_task(const struct report_context *c, const struct lt_task *task, char *out, size_t size)
{
	const char *name = vm_name(c, task->pid);
	char own[LT_COMM_LEN + 1];

	snprintf(out, size, "%s/%u (process %u%s%s%s)", comm(task, own), task->tid, task->pid,
		 name ? ", VM '" : "", name ? name : "", name ? "'" : "");
	return out;
}

const char *report_class(const struct lock_class *class, char *out, size_t size)
{
	if (class->lockdep_name && strcmp(class->lockdep_name, class->name) != 0)
		snprintf(out, size, "%s (%s)", class->name, class->lockdep_name);
	else
		snprintf(out, size, "%s", class->name);
	return out;
}

/* Offset of a call's return address in a function that a trampoline was patched into at its start. */
#define PATCHED_HEAD 16

/*
 * What of a raw stack is shown. A trampoline shows up as an address in no known
 * function, followed by the head of the function it traces: both are left out.
 */
struct frame {
	bool known;
	struct symbol symbol;
};

/* No function is longer; beyond the last one of a module there may be anything. */
#define FUNCTION_MAX 0x10000

static bool find_function(const struct report_context *c, uint64_t address, struct symbol *symbol)
{
	return !c->symbols.find(c->symbols.context, address, symbol) && strchr("tTwW", symbol->type) &&
	       symbol->offset < FUNCTION_MAX && strcmp(symbol->module, "bpf") != 0;
}

static bool is_trampoline_return(const struct frame *frame, const struct frame *before_trampoline)
{
	return frame->known && before_trampoline->known && frame->symbol.offset <= PATCHED_HEAD &&
	       !strcmp(frame->symbol.name, before_trampoline->symbol.name);
}

/* Index of the hooked function's frame, or count when there is none (a lock taken seen at return). */
static size_t hooked_frame(const struct report_context *c, const struct sighting *s,
			   const struct frame *frames)
{
	for (size_t i = 0; i < s->stack_count; i++) {
		if (!frames[i].known)
			continue;
		if (c->is_lock_function && c->is_lock_function(frames[i].symbol.name))
			return i;
		if (s->what && c->is_call_function && c->is_call_function(c->context, frames[i].symbol.name))
			return i;
	}
	return s->stack_count;
}

/* The hooked function's own offset is that of the hook, another one for each kind: it is not told. */
static char *frame_text(const struct symbol *symbol, bool hooked)
{
	char offset[24] = "", *text;

	if (!hooked)
		snprintf(offset, sizeof(offset), "+0x%" PRIx64, symbol->offset);
	if (asprintf(&text, "%s%s%s%s%s", symbol->name, offset, *symbol->module ? " [" : "", symbol->module,
		     *symbol->module ? "]" : "") < 0)
		return NULL;
	return text;
}

size_t report_stack(const struct report_context *c, const struct sighting *sighting, char **out, size_t size)
{
	struct frame *frames = calloc(sighting->stack_count + 1, sizeof(*frames));
	size_t count = 0, first, hooked;

	if (!frames)
		return 0;
	for (size_t i = 0; i < sighting->stack_count; i++)
		frames[i].known = find_function(c, sighting->stack[i], &frames[i].symbol);
	hooked = hooked_frame(c, sighting, frames);
	first = hooked < sighting->stack_count ? hooked : 0;
	for (size_t i = first; i < sighting->stack_count && count < size; i++) {
		if (!frames[i].known)
			continue;
		if (i >= first + 2 && !frames[i - 1].known &&
		    is_trampoline_return(&frames[i], &frames[i - 2]))
			continue;
		out[count] = frame_text(&frames[i].symbol, i == hooked);
		count += out[count] != NULL;
	}
	free(frames);
	return count;
}

void report_stack_free(char **frames, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(frames[i]);
}
