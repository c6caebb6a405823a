/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* kprobe.multi: kprobe programs attached by fprobe (0dcac2725406, 5.18), not by breakpoint. */
#ifndef LOCKTRACE_KERNEL_KPROBE_MULTI_H
#define LOCKTRACE_KERNEL_KPROBE_MULTI_H

#include <stdbool.h>

#include "kernel/kallsyms.h"

struct bpf_link;
struct bpf_program;

/*
 * Whether programs can be attached so here: tries it, with an empty one on a function that
 * is seldom called. 0, or negative errno: -EOPNOTSUPP or -EINVAL where the kernel does not have it.
 */
int kprobe_multi_try(struct kallsyms *symbols);

/* To be called before the program is loaded. */
void kprobe_multi_prepare(struct bpf_program *program);

/* Attaches it to the function at this address. As libbpf's: NULL and errno on failure. */
struct bpf_link *kprobe_multi_attach(const struct bpf_program *program, uint64_t address, bool at_return);

#endif
