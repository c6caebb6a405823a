/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See surroundings.h. */
#include "cmd/surroundings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

/* Inode of the first PID namespace: PROC_PID_INIT_INO in include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCUL

int surroundings_check_namespace(void)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status) || status.st_ino == FIRST_PID_NAMESPACE)
		return 0;
	message_error(
		"this is a container with process numbers of its own; locktrace looks at the host. Run it on "
		"the host, or in a container with the host's PID namespace (--pid=host).");
	return -EPERM;
}

int surroundings_open_symbols(struct kallsyms **out, uint64_t deadline_ns)
{
	int err = kallsyms_open_by(out, deadline_ns);

	if (err == -EPERM && geteuid() == 0)
		message_error("the kernel hides the addresses in /proc/kallsyms from root too. Set sysctl "
			      "kernel.kptr_restrict=1 (or 0) while locktrace runs.");
	else if (err == -EPERM)
		message_error("the kernel shows no addresses in /proc/kallsyms to this user. locktrace needs "
			      "root (or CAP_BPF, CAP_PERFMON and CAP_SYSLOG).");
	else if (err && err != -ETIMEDOUT)
		message_error("cannot read /proc/kallsyms: %s", strerror(-err));
	return err;
}

int surroundings_open_types(struct types **out)
{
	int err = types_open(out);

	if (err)
		message_error(
			"this kernel has no type information (/sys/kernel/btf/vmlinux: %s). locktrace needs a "
			"kernel built with CONFIG_DEBUG_INFO_BTF, as those of all current distributions are.",
			strerror(-err));
	return err;
}

const char *surroundings_taint(char *out, size_t size)
{
	FILE *file = fopen("/proc/sys/kernel/tainted", "re");
	unsigned long value = 0;

	if (file && fscanf(file, "%lu", &value) != 1)
		value = 0;
	if (file)
		fclose(file);
	if (value)
		snprintf(out, size, "tainted %lu", value);
	else
		snprintf(out, size, "not tainted");
	return out;
}
