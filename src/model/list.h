/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * A doubly linked list whose links lie inside the things it links, as the
 * kernel's list_head. A list head and a link are the same type; an unlinked
 * link points at itself, so unlinking twice is harmless.
 */
#ifndef LOCKTRACE_MODEL_LIST_H
#define LOCKTRACE_MODEL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *previous;
};

/* The structure of a type that contains, as the named member, the thing pointed at. */
#define list_entry(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Runs over a list; the body must not unlink the current link. */
#define list_for_each(link, head) for ((link) = (head)->next; (link) != (head); (link) = (link)->next)

/* Runs over a list; the body may unlink the current link, no other. */
#define list_for_each_safe(link, following, head)                                 \
	for ((link) = (head)->next, (following) = (link)->next; (link) != (head); \
	     (link) = (following), (following) = (link)->next)

static inline void list_init(struct list *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list *head, struct list *link)
{
	link->previous = head->previous;
	link->next = head;
	head->previous->next = link;
	head->previous = link;
}

static inline void list_remove(struct list *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	list_init(link);
}

#endif
