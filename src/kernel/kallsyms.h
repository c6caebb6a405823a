/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The running kernel's symbols, from /proc/kallsyms: by address for names in
 * reports, by name for addresses to hook and watch. Read once, and again when
 * told that modules came or went.
 */
#ifndef LOCKTRACE_KERNEL_KALLSYMS_H
#define LOCKTRACE_KERNEL_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/symbols.h"

struct kallsyms;

/*
 * Reads the symbols. On success returns 0 and a table to be freed with
 * kallsyms_close(). -EPERM: the kernel shows no addresses to this user
 * (kernel.kptr_restrict, no CAP_SYSLOG); other negative errno from reading.
 */
int kallsyms_open(struct kallsyms **out);

/* The same, but -ETIMEDOUT once CLOCK_MONOTONIC is past deadline_ns; 0: whenever. */
int kallsyms_open_by(struct kallsyms **out, uint64_t deadline_ns);
void kallsyms_close(struct kallsyms *symbols);

/* Reads the symbols again: modules came or went. On failure the old ones stay. 0 or negative errno. */
int kallsyms_reload(struct kallsyms *symbols);

/* The same, but only when next an address near the modules is looked up. */
void kallsyms_invalidate(struct kallsyms *symbols);

/* The same, and also when next a name is looked up that can be a module's. */
void kallsyms_modules_changed(struct kallsyms *symbols);

/* Whether symbols of a module were there when they were last read. */
bool kallsyms_knows_module(const struct kallsyms *symbols, const char *module);

/* Whether data symbols are there too (CONFIG_KALLSYMS_ALL). */
bool kallsyms_has_data(struct kallsyms *symbols);

/*
 * The kernel image: its first address, and the first one behind it. Where data symbols are missing
 * (no CONFIG_KALLSYMS_ALL) the end is that of its text.
 */
void kallsyms_image(const struct kallsyms *symbols, uint64_t *start, uint64_t *end);

/*
 * Address of a symbol. module: "" for the kernel image, a name for that module or,
 * where there is no such module, for the kernel image (built in); NULL: anywhere.
 * 0 when there is none.
 */
uint64_t kallsyms_address(struct kallsyms *symbols, const char *module, const char *name);

/*
 * All symbols of a name (as for kallsyms_address()): fills at most size
 * addresses, returns how many there are.
 */
size_t kallsyms_addresses(struct kallsyms *symbols, const char *module, const char *name, uint64_t *out,
			  size_t size);

struct named_symbol {
	uint64_t address;
	char module[SYMBOL_MODULE_LEN]; /* "" for the kernel image */
	char type;                      /* as in struct symbol */
};

/* Looks a name up in the image and all modules: fills *out with the first symbol. Returns how many there are.
 */
size_t kallsyms_named(struct kallsyms *symbols, const char *name, struct named_symbol *out);

/* Whose symbol is at an address: fills module ("" for the image). 0 or -ENOENT. */
int kallsyms_find(struct kallsyms *symbols, uint64_t address, struct symbol *out);

/* The same as a source of symbols for the model. Valid as long as the table. */
struct symbol_source kallsyms_source(struct kallsyms *symbols);

#endif
