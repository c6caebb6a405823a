// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See symbols.h. */
#include "model/symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int symbol_format(const struct symbol_source *source, uint64_t address, int offset_always, char *out,
		  size_t size)
{
	char offset[24] = "";
	struct symbol symbol;

	if (!source || !source->find || source->find(source->context, address, &symbol)) {
		snprintf(out, size, "0x%" PRIx64, address);
		return -ENOENT;
	}
	if (symbol.offset || offset_always)
		snprintf(offset, sizeof(offset), "+0x%" PRIx64, symbol.offset);
	snprintf(out, size, "%.*s%s%s%.*s%s", SYMBOL_NAME_LEN, symbol.name, offset,
		 symbol.module[0] ? " [" : "", SYMBOL_MODULE_LEN, symbol.module, symbol.module[0] ? "]" : "");
	return 0;
}

bool symbol_is_of(const struct symbol *symbol, const char *function)
{
	size_t length = strlen(function);

	return !strncmp(symbol->name, function, length) &&
	       (symbol->name[length] == '\0' || symbol->name[length] == '.');
}
