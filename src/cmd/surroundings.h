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

/* With lockdown in confidentiality mode no BPF program may read the kernel. 0, or -EPERM after a message. */
int surroundings_check_lockdown(void);

/* The same, tried with a program: the mode cannot always be read. 0, or -EPERM after a message. */
int surroundings_check_reading(void);

/* As kallsyms_open_by(), with a message; none for -ETIMEDOUT. */
int surroundings_open_symbols(struct kallsyms **out, uint64_t deadline_ns);
/* Says what is not known where there are no data symbols; nothing where there are. */
void surroundings_say_symbols(struct kallsyms *symbols);
/*
 * As types_open() or, btf not NULL (--btf), types_open_from(), with a message; also when those are not the
 * types of this kernel.
 */
int surroundings_open_types(const char *btf, struct types **out);

/* "not tainted", "tainted 4096". Returns out. */
const char *surroundings_taint(char *out, size_t size);

#endif
