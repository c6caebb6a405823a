/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of a task; 0: it runs, or is about to. */
#ifndef LOCKTRACE_TASK_STATE_BPF_H
#define LOCKTRACE_TASK_STATE_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

static __always_inline __u32 task_state(struct task_struct *task)
{
	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state);
	return BPF_CORE_READ((struct task_struct___with_state *)task, state);
}

#endif
