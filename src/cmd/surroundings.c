/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See surroundings.h. */
#include "cmd/surroundings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/lockdown.h"
#include "kernel/probes.h"
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

void surroundings_say_symbols(struct kallsyms *symbols)
{
	if (!kallsyms_has_data(symbols))
		message_info(
			"/proc/kallsyms has functions only (no CONFIG_KALLSYMS_ALL): static locks (kvm_lock) are "
			"not known, VMs and groups are found by their files only, no lock is named by its slab "
			"cache, and rules about variables are not in force.");
}

static int refuse_lockdown(void)
{
	message_error(
		"kernel lockdown is in confidentiality mode: it forbids everybody to read the kernel's memory "
		"with BPF, and kprobes. Boot with lockdown=integrity on the kernel's command line, which is as "
		"much as Secure Boot asks for; the mode cannot be lowered while the kernel runs.");
	return -EPERM;
}

int surroundings_check_lockdown(void)
{
	return lockdown_mode() == LOCKDOWN_CONFIDENTIALITY ? refuse_lockdown() : 0;
}

/* The mode cannot be read where securityfs is not mounted; what it does can be tried. */
int surroundings_check_reading(void)
{
	uint32_t ignored;

	return probe_read_own_task(0, sizeof(ignored), &ignored) == -EPERM && !probe_load()
		       ? refuse_lockdown()
		       : 0;
}

/* --btf: what is wrong would give wrong results. */
static int open_types_from(const char *btf, struct types **out)
{
	int err = types_open_from(btf, out);
	char why[256];

	if (err) {
		message_error(
			"--btf %s: no types can be read from it (%s). Expected BTF, raw or in an ELF file, "
			"of the kernel that runs, or a folder with such files, \"vmlinux\" among them.",
			btf, err == -EINVAL ? "it is no BTF" : strerror(-err));
		return err;
	}
	err = types_fit(*out, why, sizeof(why));
	if (!err)
		return 0;
	message_error(
		"--btf %s: this is not the BTF of the running kernel: %s. It must be made from the very "
		"build that runs.",
		btf, why);
	types_close(*out);
	*out = NULL;
	return err;
}

int surroundings_open_types(const char *btf, struct types **out)
{
	int err;

	if (btf)
		return open_types_from(btf, out);
	err = types_open(out);
	if (err)
		message_error(
			"this kernel has no type information (/sys/kernel/btf/vmlinux: %s). locktrace needs a "
			"kernel built with CONFIG_DEBUG_INFO_BTF, as those of all current distributions are, or "
			"its types in a file (--btf).",
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
