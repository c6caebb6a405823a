// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * See class.h. Each class has one or more keys: texts that say how it was told
 * ("init", name, function of the initialiser, module). A call-site class gets
 * further keys, one for each other site at which one of its locks was taken.
 */
#include "model/class.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/lock.h"

/* Room for a key: two symbols with modules, or a name, plus a few words. */
#define KEY_LEN 512

/*
 * Symbols are found as "the nearest below": an address far behind the start of
 * a variable belongs to something else. The largest variables of the kernel with
 * locks in them are below this.
 */
#define SYMBOL_OFFSET_MAX (1 << 20)

struct class_key {
	struct hash_node by_key;
	struct class *class;
	char text[];
};

/* A class about to be made or found. */
struct class_draft {
	enum class_source source;
	uint32_t declared;
	char key[KEY_LEN];
	char name[KEY_LEN];
	char long_name[KEY_LEN];    /* "": none */
	char lockdep_name[KEY_LEN]; /* "": not known */
};

static const struct {
	uint32_t kind;
	const char *name, *lockdep_name;
} declared_classes[LT_CLASS_DECLARED_END] = {
#define MEMBER_CLASS(id, kind, type, member, lockdep) \
	[LT_CLASS_##id] = { LT_OBJECT_##kind, #type "." #member, lockdep },
	LT_MEMBER_CLASSES(MEMBER_CLASS) LT_RWSEM_CLASSES(MEMBER_CLASS)
#undef MEMBER_CLASS
#define STATIC_CLASS(id, module, name, symbol, type, member, lockdep) [LT_CLASS_##id] = { 0, name, lockdep },
		LT_STATIC_CLASSES(STATIC_CLASS)
#undef STATIC_CLASS
};

void class_table_init(struct class_table *table, const struct symbol_source *symbols)
{
	*table = (struct class_table){ .symbols = *symbols };
}

static void class_free(struct class *class)
{
	if (!class)
		return;
	free(class->short_name);
	free(class->long_name);
	free(class->lockdep_name);
	free(class);
}

void class_table_release(struct class_table *table)
{
	struct hash_node *node;
	uint32_t i;

	while ((node = hash_any(&table->by_key))) {
		hash_remove(&table->by_key, node);
		free(list_entry(node, struct class_key, by_key));
	}
	for (i = 0; i < table->count; i++)
		class_free(table->classes[i]);
	for (i = 0; i < LT_CLASS_USER_MAX - LT_CLASS_USER; i++)
		free(table->user_names[i]);
	free(table->classes);
	hash_release(&table->by_key);
	hash_release(&table->by_name);
}

static bool class_id_is_user(uint32_t class_id)
{
	return class_id >= LT_CLASS_USER && class_id < LT_CLASS_USER_MAX;
}

bool class_id_valid(uint32_t class_id)
{
	return class_id < LT_CLASS_DECLARED_END || class_id_is_user(class_id);
}

uint32_t class_object_kind(uint32_t class_id)
{
	return class_id < LT_CLASS_DECLARED_END ? declared_classes[class_id].kind : 0;
}

int class_name_user(struct class_table *table, uint32_t class_id, const char *name)
{
	uint32_t slot = class_id - LT_CLASS_USER;
	char *copy;

	if (!class_id_is_user(class_id) || !name || !name[0] || table->user_used[slot])
		return -EINVAL;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(table->user_names[slot]);
	table->user_names[slot] = copy;
	return 0;
}

static __attribute__((format(printf, 2, 3))) void text_set(char text[KEY_LEN], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, KEY_LEN, format, arguments);
	va_end(arguments);
}

static struct class_key *class_find_key(const struct class_table *table, const char *text)
{
	struct hash_node *node = hash_first(&table->by_key, hash_bytes(text, strlen(text)));

	for (; node; node = hash_next(node)) {
		struct class_key *key = list_entry(node, struct class_key, by_key);

		if (!strcmp(key->text, text))
			return key;
	}
	return NULL;
}

static int class_add_key(struct class_table *table, const char *text, struct class *class)
{
	size_t length = strlen(text);
	struct class_key *key = malloc(sizeof(*key) + length + 1);

	if (!key)
		return -ENOMEM;
	key->class = class;
	memcpy(key->text, text, length + 1);
	if (hash_insert(&table->by_key, &key->by_key, hash_bytes(text, length))) {
		free(key);
		return -ENOMEM;
	}
	return 0;
}

struct class *class_final(struct class *class)
{
	return class->public.united_with ? (struct class *)class->public.united_with : class;
}

bool class_has_name(const struct lock_class *class, const char *name)
{
	const struct class *whole = list_entry(class, struct class, public);

	return !strcmp(whole->short_name, name) || (whole->long_name && !strcmp(whole->long_name, name));
}

static void class_use_long_name(struct class *class)
{
	if (class->long_name)
		class->public.name = class->long_name;
}

/* Where another class has the same short name, both are shown by their long one from now on. */
static int class_index_name(struct class_table *table, struct class *class)
{
	uint64_t hash = hash_bytes(class->short_name, strlen(class->short_name));
	struct hash_node *node = hash_first(&table->by_name, hash);

	for (; node; node = hash_next(node)) {
		struct class *other = list_entry(node, struct class, by_name);

		if (!strcmp(other->short_name, class->short_name)) {
			class_use_long_name(other);
			class_use_long_name(class);
		}
	}
	return hash_insert(&table->by_name, &class->by_name, hash);
}

static struct class *class_from_draft(const struct class_draft *draft)
{
	struct class *class = calloc(1, sizeof(*class));

	if (!class)
		return NULL;
	class->source = draft->source;
	class->public.declared = draft->declared;
	class->short_name = strdup(draft->name);
	class->long_name = draft->long_name[0] ? strdup(draft->long_name) : NULL;
	class->lockdep_name = draft->lockdep_name[0] ? strdup(draft->lockdep_name) : NULL;
	if (!class->short_name || (draft->long_name[0] && !class->long_name) ||
	    (draft->lockdep_name[0] && !class->lockdep_name)) {
		class_free(class);
		return NULL;
	}
	class->public.name = class->short_name;
	class->public.lockdep_name = class->lockdep_name;
	graph_node_init(&class->node);
	list_init(&class->locks);
	return class;
}

static int class_table_grow(struct class_table *table)
{
	uint32_t room = table->room ? table->room * 2 : 64;
	struct class **classes;

	if (table->count < table->room)
		return 0;
	classes = realloc(table->classes, room * sizeof(*classes));
	if (!classes)
		return -ENOMEM;
	table->classes = classes;
	table->room = room;
	return 0;
}

static int class_find_or_new(struct class_table *table, const struct class_draft *draft, struct class **out)
{
	struct class_key *key = class_find_key(table, draft->key);
	struct class *class;

	if (key) {
		*out = class_final(key->class);
		return 0;
	}
	if (class_table_grow(table) || hash_reserve(&table->by_name))
		return -ENOMEM;
	class = class_from_draft(draft);
	if (!class)
		return -ENOMEM;
	if (class_add_key(table, draft->key, class)) {
		class_free(class);
		return -ENOMEM;
	}
	(void)class_index_name(table, class); /* cannot fail: reserved above */
	class->public.index = table->count;
	table->classes[table->count++] = class;
	*out = class;
	return 0;
}

static bool class_find_symbol(const struct class_table *table, uint64_t address, struct symbol *symbol)
{
	if (!address || !table->symbols.find)
		return false;
	return !table->symbols.find(table->symbols.context, address, symbol);
}

static bool class_by_declaration(struct class_table *table, const struct class_query *query,
				 struct class_draft *draft)
{
	uint32_t id = query->declared, slot = id - LT_CLASS_USER;

	if (id == LT_CLASS_FOREIGN)
		return false;
	text_set(draft->key, "declared %" PRIu32, id);
	draft->declared = id;
	if (id < LT_CLASS_DECLARED_END) {
		text_set(draft->name, "%s", declared_classes[id].name);
		text_set(draft->lockdep_name, "%s", declared_classes[id].lockdep_name);
		return true;
	}
	table->user_used[slot] = true;
	if (table->user_names[slot])
		text_set(draft->name, "%s", table->user_names[slot]);
	else
		text_set(draft->name, "user class %" PRIu32, id);
	return true;
}

/* Types of data in kallsyms; 'a' (absolute, per CPU), text and weak text are none. */
static bool symbol_is_data(const struct symbol *symbol)
{
	return symbol->type && strchr("bBdDgGrRsSuvV", symbol->type);
}

static bool class_by_symbol(struct class_table *table, const struct class_query *query,
			    struct class_draft *draft)
{
	struct symbol symbol;
	char offset[24] = "";

	if (!class_find_symbol(table, query->addr, &symbol) || !symbol_is_data(&symbol) ||
	    symbol.offset > SYMBOL_OFFSET_MAX)
		return false;
	if (symbol.offset)
		snprintf(offset, sizeof(offset), "+0x%" PRIx64, symbol.offset);
	text_set(draft->key, "symbol %s%s [%s]", symbol.name, offset, symbol.module);
	text_set(draft->name, "%s%s", symbol.name, offset);
	if (symbol.module[0])
		text_set(draft->long_name, "%s%s [%s]", symbol.name, offset, symbol.module);
	/* Inside a larger variable lockdep's name is that of the member: the initialiser told it, or not. */
	if (!symbol.offset)
		text_set(draft->lockdep_name, "%s", symbol.name);
	else if (query->hint)
		text_set(draft->lockdep_name, "%s", query->hint->init_name);
	return true;
}

static bool class_by_init_name(struct class_table *table, const struct class_query *query,
			       struct class_draft *draft)
{
	char function[SYMBOL_NAME_LEN + SYMBOL_MODULE_LEN + 8] = "unknown";
	const struct lt_record_lock *hint = query->hint;
	struct symbol symbol;

	if (!hint || !hint->init_name[0])
		return false;
	if (class_find_symbol(table, hint->init_ip, &symbol))
		snprintf(function, sizeof(function), "%s%s%s%s", symbol.name, symbol.module[0] ? " [" : "",
			 symbol.module, symbol.module[0] ? "]" : "");
	else if (hint->init_ip)
		snprintf(function, sizeof(function), "0x%" PRIx64, (uint64_t)hint->init_ip);
	text_set(draft->key, "init %s (%s)", hint->init_name, function);
	text_set(draft->name, "%s", hint->init_name);
	text_set(draft->long_name, "%s (%s)", hint->init_name, function);
	text_set(draft->lockdep_name, "%s", hint->init_name);
	return true;
}

/* General caches hold objects of any type: slab and offset would unite what has nothing in common. */
bool class_slab_is_dedicated(const char *slab)
{
	return slab[0] && strncmp(slab, "kmalloc-", 8) && strncmp(slab, "dma-kmalloc-", 12);
}

static bool class_by_slab(struct class_table *table, const struct class_query *query,
			  struct class_draft *draft)
{
	const struct lt_record_lock *hint = query->hint;

	(void)table;
	if (!hint || !class_slab_is_dedicated(hint->slab))
		return false;
	text_set(draft->name, "slab %s+0x%" PRIx32, hint->slab, hint->slab_offset);
	text_set(draft->key, "%s", draft->name);
	return true;
}

/* "at foo+0x12 [bar]", key and name in one. */
static void class_site_name(const struct class_table *table, uint64_t ip, char name[KEY_LEN])
{
	char site[KEY_LEN - 8];

	symbol_format(&table->symbols, ip, 1, site, sizeof(site));
	text_set(name, "at %s", site);
}

static bool class_by_site(struct class_table *table, const struct class_query *query,
			  struct class_draft *draft)
{
	uint64_t ip = query->hint && query->hint->first_ip ? query->hint->first_ip : query->ip;

	if (!ip)
		return false;
	class_site_name(table, ip, draft->name);
	text_set(draft->key, "%s", draft->name);
	return true;
}

static bool class_by_address(struct class_table *table, const struct class_query *query,
			     struct class_draft *draft)
{
	(void)table;
	text_set(draft->key, "lock 0x%" PRIx64 " %" PRIu64, query->addr, query->generation);
	text_set(draft->name, "lock 0x%" PRIx64, query->addr);
	return true;
}

int class_of_lock(struct class_table *table, const struct class_query *query, struct class **out)
{
	static bool (*const ways[])(struct class_table *, const struct class_query *,
				    struct class_draft *) = {
		[CLASS_BY_DECLARATION] = class_by_declaration,
		[CLASS_BY_SYMBOL] = class_by_symbol,
		[CLASS_BY_INIT_NAME] = class_by_init_name,
		[CLASS_BY_SLAB] = class_by_slab,
		[CLASS_BY_SITE] = class_by_site,
		[CLASS_BY_ADDRESS] = class_by_address,
	};
	struct class_draft draft;
	uint32_t source = 0;

	draft.declared = LT_CLASS_FOREIGN;
	draft.name[0] = draft.long_name[0] = draft.lockdep_name[0] = '\0';
	while (!ways[source](table, query, &draft))
		source++;
	draft.source = source;
	return class_find_or_new(table, &draft, out);
}

int class_note_site(struct class_table *table, struct class *class, uint64_t ip, struct class **other)
{
	struct class_key *key;
	char name[KEY_LEN];

	*other = NULL;
	if (class->source != CLASS_BY_SITE || !ip)
		return 0;
	class_site_name(table, ip, name);
	key = class_find_key(table, name);
	if (!key)
		return class_add_key(table, name, class);
	if (class_final(key->class) != class)
		*other = class_final(key->class);
	return 0;
}

void class_unite(struct class_table *table, struct class *winner, struct class *loser)
{
	struct list *link, *following;
	uint32_t i;

	for (i = 0; i < table->count; i++) {
		if (class_final(table->classes[i]) == loser)
			table->classes[i]->public.united_with = &winner->public;
	}
	hash_remove(&table->by_name, &loser->by_name);
	table->united++;
	list_for_each_safe (link, following, &loser->locks) {
		struct lock *lock = list_entry(link, struct lock, class_link);

		list_remove(link);
		list_add_tail(&winner->locks, link);
		lock->public.class = &winner->public;
		lock->class = winner;
	}
}
