/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The kernel's lockdown mode (000d388ed3bb, 5.4): what it keeps from root too. */
#ifndef LOCKTRACE_KERNEL_LOCKDOWN_H
#define LOCKTRACE_KERNEL_LOCKDOWN_H

enum lockdown {
	LOCKDOWN_UNKNOWN, /* no lockdown, or securityfs is not mounted */
	LOCKDOWN_NONE,
	LOCKDOWN_INTEGRITY,       /* locktrace does nothing that it forbids */
	LOCKDOWN_CONFIDENTIALITY, /* no kprobes, and BPF does not read the kernel */
};

enum lockdown lockdown_mode(void);

/* "unknown", "none", "integrity", "confidentiality". */
const char *lockdown_name(enum lockdown mode);

#endif
