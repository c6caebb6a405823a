/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What the model asks of whoever knows symbols: /proc/kallsyms on a live host,
 * a table in a recording, a few fixed names in a unit test. The model itself
 * reads no file.
 */
#ifndef LOCKTRACE_MODEL_SYMBOLS_H
#define LOCKTRACE_MODEL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMBOL_NAME_LEN 128
#define SYMBOL_MODULE_LEN 64

struct symbol {
	char name[SYMBOL_NAME_LEN];
	char module[SYMBOL_MODULE_LEN]; /* "" for the kernel image */
	uint64_t offset;                /* of the address asked for, from the symbol's start, bytes */
	char type;                      /* as in kallsyms: 't' and 'T' text, 'd' 'D' 'b' 'B' data, ... */
};

struct symbol_source {
	void *context;
	/*
	 * Finds the symbol at or below an address, in the same module or in
	 * the kernel image. Fills *out and returns 0, or returns -ENOENT and
	 * leaves *out alone. Must not keep any pointer.
	 */
	int (*find)(void *context, uint64_t address, struct symbol *out);
};

/*
 * Writes "name+0x12 [module]" for an address, or "0xffff..." where the source
 * knows nothing. Without "+0x0" when offset_always is 0 and the offset is 0.
 * Always ends with a NUL, cut to size. Returns 0, or -ENOENT for the number.
 */
int symbol_format(const struct symbol_source *source, uint64_t address, int offset_always, char *out,
		  size_t size);

/* Whether it is a function, or a part of it that the compiler made ("name.isra.0"). */
bool symbol_is_of(const struct symbol *symbol, const char *function);

#endif
