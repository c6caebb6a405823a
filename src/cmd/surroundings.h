/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* What a command needs around it, with the words for the user when it is not there. */
#ifndef LOCKTRACE_CMD_SURROUNDINGS_H
#define LOCKTRACE_CMD_SURROUNDINGS_H

#include <stddef.h>

#include "kernel/kallsyms.h"
#include "kernel/types.h"

/* In a container with process numbers of its own most tasks could not be seen. 0, or -EPERM after a message.
 */
int surroundings_check_namespace(void);

/* As kallsyms_open_by() and types_open(), with a message; none for -ETIMEDOUT. */
int surroundings_open_symbols(struct kallsyms **out, uint64_t deadline_ns);
int surroundings_open_types(struct types **out);

/* "not tainted", "tainted 4096". Returns out. */
const char *surroundings_taint(char *out, size_t size);

#endif
