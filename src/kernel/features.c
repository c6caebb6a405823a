/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See features.h. Probes that load programs are in probes.c, with the commits that brought what they try. */
#include "kernel/features.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/hooks.h"
#include "kernel/kallsyms.h"
#include "kernel/kprobe_multi.h"
#include "kernel/lockdown.h"
#include "kernel/misses.h"
#include "kernel/modules.h"
#include "kernel/mutex_layout.h"
#include "kernel/preemption.h"
#include "kernel/probes.h"
#include "kernel/types.h"
#include "kernel/waiters.h"

/* Inode of the first PID namespace: PROC_PID_INIT_INO in include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCUL

/* A row of the table that is being asked. */
struct ask {
	const struct feature_source *source;
	const char *argument;
	struct feature *feature;
};

#define NO_BTF_ID "it is not in the kernel's own BTF"

static void __attribute__((format(printf, 2, 3))) say(struct ask *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(a->feature->detail, sizeof(a->feature->detail), format, args);
	va_end(args);
}

/* What a probe of probes.h returned; absent: what -ENOENT means. */
static enum feature_state judge(struct ask *a, int err, const char *absent)
{
	if (!err)
		return FEATURE_YES;
	say(a, "%s", err == -ENOENT && absent ? absent : strerror(-err));
	return FEATURE_NO;
}

/* What is not known without symbols or types. */
static enum feature_state not_known(struct ask *a, const char *what)
{
	say(a, "not known without %s", what);
	return FEATURE_UNKNOWN;
}

static enum feature_state ask_release(struct ask *a)
{
	struct utsname system;

	uname(&system);
	say(a, "Linux %s %s", system.release, system.machine);
	return FEATURE_YES;
}

static enum feature_state ask_pid_namespace(struct ask *a)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status)) {
		say(a, "/proc/self/ns/pid: %s", strerror(errno));
		return FEATURE_UNKNOWN;
	}
	if (status.st_ino == FIRST_PID_NAMESPACE)
		return FEATURE_YES;
	say(a, "a container with process numbers of its own");
	return FEATURE_NO;
}

/*
 * What of root's power is used: CAP_SYS_ADMIN holds the first two, and alone gives BTF objects by id, as
 * fentry in modules needs them.
 */
static enum feature_state ask_capabilities(struct ask *a)
{
	enum { BPF, PERFMON, SYSLOG, ADMIN, COUNT };
	static const struct {
		int number;
		const char *name;
	} wanted[COUNT] = {
		[BPF] = { 39, "CAP_BPF" },         /* a17b53c4a4b5, 5.8 */
		[PERFMON] = { 38, "CAP_PERFMON" }, /* 980737282232, 5.8 */
		[SYSLOG] = { CAP_SYSLOG, "CAP_SYSLOG" },
		[ADMIN] = { CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
	};
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	bool has[COUNT];
	size_t length = 0;

	syscall(SYS_capget, &header, data);
	for (size_t i = 0; i < COUNT; i++) {
		has[i] = data[wanted[i].number / 32].effective >> wanted[i].number % 32 & 1;
		if (has[i])
			length += (size_t)snprintf(a->feature->detail + length,
						   sizeof(a->feature->detail) - length, "%s%s",
						   length ? ", " : "", wanted[i].name);
	}
	if (!length)
		say(a, "none that locktrace uses");
	return has[SYSLOG] && (has[ADMIN] || (has[BPF] && has[PERFMON])) ? FEATURE_YES : FEATURE_NO;
}

static enum feature_state ask_lockdown(struct ask *a)
{
	enum lockdown mode = lockdown_mode();

	say(a, "%s", mode ? lockdown_name(mode) : "no lockdown here, or securityfs is not mounted");
	return mode == LOCKDOWN_UNKNOWN           ? FEATURE_UNKNOWN
	       : mode == LOCKDOWN_CONFIDENTIALITY ? FEATURE_NO
						  : FEATURE_YES;
}

static enum feature_state ask_preemption(struct ask *a)
{
	enum preemption mode;
	const char *how;

	if (!a->source->types)
		return not_known(a, "types");
	mode = preemption_mode(a->source->types, a->source->symbols, &how);
	if (mode)
		say(a, "%s (%s)", preemption_name(mode), how);
	else
		say(a, "%s: taken as if it preempted", how);
	return mode ? FEATURE_YES : FEATURE_UNKNOWN;
}

/* A list of CPUs, as "2-7"; "" for none, and where there is no such file. */
static void read_cpus(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "re");

	if (!file || !fgets(out, (int)size, file))
		*out = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* isolcpus= and nohz_full=: what is attached to patches the kernel's text, and no CPU is left out then. */
static enum feature_state ask_isolated(struct ask *a)
{
	char isolated[64], full[64];

	read_cpus("/sys/devices/system/cpu/isolated", isolated, sizeof(isolated));
	read_cpus("/sys/devices/system/cpu/nohz_full", full, sizeof(full));
	if (*full == '(') /* "(null)": none */
		*full = '\0';
	if (!*isolated && !*full)
		say(a, "none; a watch interrupts all CPUs for moments when it attaches and detaches");
	else
		say(a, "%s%s%s: they are interrupted too, for moments, when a watch attaches and detaches",
		    isolated, *isolated && *full ? ", nohz_full " : "", full);
	return FEATURE_YES;
}

/*
 * A function can be live-patched and have a trampoline at a time since 53cd885bc5c3 and 00963a2e75a8 (6.0),
 * which brought the function that is looked for.
 */
static enum feature_state ask_livepatch(struct ask *a)
{
	DIR *folder = opendir("/sys/kernel/livepatch");
	const struct dirent *entry;
	char names[96] = "";

	while (folder && (entry = readdir(folder)))
		if (*entry->d_name != '.')
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%.60s",
				 *names ? ", " : "", entry->d_name);
	if (folder)
		closedir(folder);
	if (!a->source->symbols)
		return not_known(a, "addresses");
	if (kallsyms_address(a->source->symbols, "", a->argument))
		return FEATURE_YES;
	say(a, "%s%s", *names ? "in use: " : "no patch is in use", names);
	return *names ? FEATURE_NO : FEATURE_UNKNOWN;
}

static enum feature_state ask_addresses(struct ask *a)
{
	if (a->source->symbols)
		return FEATURE_YES;
	say(a, "/proc/kallsyms: %s",
	    a->source->symbols_err == -EPERM ? "shows no addresses to this user"
					     : strerror(-a->source->symbols_err));
	return FEATURE_NO;
}

/* CONFIG_KALLSYMS_ALL */
static enum feature_state ask_data_symbols(struct ask *a)
{
	if (!a->source->symbols)
		return not_known(a, "addresses");
	if (kallsyms_has_data(a->source->symbols))
		return FEATURE_YES;
	say(a, "/proc/kallsyms has functions only");
	return FEATURE_NO;
}

static enum feature_state ask_btf(struct ask *a)
{
	if (a->source->btf)
		say(a, "%s%s", a->source->btf,
		    a->source->types && !types_of_kernel_itself(a->source->types)
			    ? "; the kernel itself has none"
			    : "");
	if (a->source->types)
		return FEATURE_YES;
	if (!a->source->btf)
		say(a, "/sys/kernel/btf/vmlinux: %s", strerror(-a->source->types_err));
	return FEATURE_NO;
}

static enum feature_state ask_btf_own(struct ask *a)
{
	if (!a->source->types && a->source->btf)
		return not_known(a, "types");
	return a->source->types && types_of_kernel_itself(a->source->types) ? FEATURE_YES : FEATURE_NO;
}

/* By id, as fentry in modules needs them: for CAP_SYS_ADMIN only. The types themselves are files, too. */
static enum feature_state ask_btf_objects(struct ask *a)
{
	return judge(a, probe_btf_objects(), NULL);
}

/* Types of modules: 36e68442d1af, 5.11. */
static enum feature_state ask_btf_module(struct ask *a)
{
	enum module_state state;

	if (!a->source->symbols || !a->source->types)
		return not_known(a, a->source->symbols ? "types" : "addresses");
	state = module_state(a->source->symbols, a->argument);
	if (state == MODULE_ABSENT) {
		say(a, "the module is not loaded");
		return FEATURE_WAITING;
	}
	if (a->source->btf && types_has_module(a->source->types, a->argument)) {
		say(a, "in what --btf names");
		return FEATURE_YES;
	}
	if (state == MODULE_BUILT_IN) {
		say(a, "built into the kernel");
		return FEATURE_YES;
	}
	if (types_has_module(a->source->types, a->argument)) {
		say(a, "a module, loaded");
		return FEATURE_YES;
	}
	say(a, "a module, loaded, without BTF");
	return FEATURE_NO;
}

static enum feature_state ask_load(struct ask *a)
{
	return judge(a, probe_load(), NULL);
}

static enum feature_state ask_test_run(struct ask *a)
{
	return judge(a, probe_test_run(), NULL);
}

static enum feature_state ask_read_memory(struct ask *a)
{
	if (!a->source->symbols)
		return not_known(a, "addresses");
	return judge(a, probe_read_memory(kallsyms_address(a->source->symbols, "", a->argument)), NULL);
}

static enum feature_state ask_ring_buffer(struct ask *a)
{
	return judge(a, probe_ring_buffer(), NULL);
}

static enum feature_state ask_iterator(struct ask *a)
{
	return a->source->types ? judge(a, probe_iterator(a->source->types, a->argument), NO_BTF_ID)
				: not_known(a, "types");
}

static enum feature_state ask_raw_tracepoint(struct ask *a)
{
	return judge(a, probe_raw_tracepoint(a->argument), "this kernel has no such tracepoint");
}

static enum feature_state ask_fentry(struct ask *a)
{
	return a->source->types ? judge(a, probe_fentry(a->source->types, "", a->argument), NO_BTF_ID)
				: not_known(a, "types");
}

static enum feature_state ask_fexit(struct ask *a)
{
	return a->source->types ? judge(a, probe_fexit(a->source->types, "", a->argument), NO_BTF_ID)
				: not_known(a, "types");
}

/* At the first function that is hooked in a module that is loaded, and has BTF. */
static enum feature_state ask_fentry_module(struct ask *a)
{
	int err = 1;

	if (!a->source->types || !a->source->symbols)
		return not_known(a, a->source->types ? "addresses" : "types");
	for (size_t i = 0; i < hook_count && (err == 1 || err == -ENOENT); i++) {
		if (!*hooks[i].module || module_state(a->source->symbols, hooks[i].module) != MODULE_LIVE ||
		    !kallsyms_address(a->source->symbols, hooks[i].module, hooks[i].function))
			continue;
		err = probe_fentry(a->source->types, hooks[i].module, hooks[i].function);
	}
	if (err != 1)
		return judge(a, err, "they have no BTF");
	say(a, "no module of KVM or VFIO is loaded");
	return FEATURE_WAITING;
}

static enum feature_state ask_fentry_misses(struct ask *a)
{
	return judge(a, probe_recursion_misses(), NULL);
}

static enum feature_state ask_kprobe(struct ask *a)
{
	int err = probe_kprobe_type();

	return err < 0 ? judge(a, err, "this kernel has no kprobe events")
		       : judge(a, probe_kprobe(a->argument),
			       "this kernel does not have the function it is tried on");
}

/* As a watch tries it. */
static enum feature_state ask_kprobe_multi(struct ask *a)
{
	if (!a->source->symbols)
		return not_known(a, "addresses");
	return judge(a, kprobe_multi_try(a->source->symbols), NULL);
}

static enum feature_state ask_kprobe_misses(struct ask *a)
{
	struct misses_layout layout;

	if (!a->source->types)
		return not_known(a, "types");
	misses_find(a->source->types, &layout);
	return layout.counted ? FEATURE_YES : FEATURE_NO;
}

/*
 * blocked_on: "locking/mutex: Rework task_struct::blocked_on" (before, with CONFIG_DEBUG_MUTEXES only);
 * blocker: 3cf67d61ff98, "hung_task: Show the blocker task if the task is hung on mutex".
 */
static enum feature_state ask_task_member(struct ask *a)
{
	struct type_member found;

	if (!a->source->types)
		return not_known(a, "types");
	return types_member(a->source->types, NULL, "task_struct", a->argument, &found) ? FEATURE_NO
											: FEATURE_YES;
}

/* What a watch needs of a mutex. */
static enum feature_state ask_mutex_owner(struct ask *a)
{
	struct mutex_layout layout;

	if (!a->source->types)
		return not_known(a, "types");
	return mutex_layout_find(a->source->types, &layout) ? FEATURE_NO : FEATURE_YES;
}

static enum feature_state ask_waiter_records(struct ask *a)
{
	struct scan_layout layout = { 0 };

	if (!a->source->types)
		return not_known(a, "types");
	waiters_find_layout(a->source->types, &layout);
	if (layout.of[strcmp(a->argument, "mutex") ? SCAN_RWSEM : SCAN_MUTEX].known)
		return FEATURE_YES;
	say(a, "not as known here (PREEMPT_RT?)");
	return FEATURE_NO;
}

static const struct {
	struct feature feature;
	enum feature_state (*ask)(struct ask *a);
	const char *argument;
} rows[FEATURE_COUNT] = {
#define FEATURE_ROW(id, group, name, words, function, argument) \
	{ { GROUP_##group, name, words, FEATURE_UNKNOWN, "" }, ask_##function, argument },
	LT_FEATURES(FEATURE_ROW)
#undef FEATURE_ROW
};

void features_probe(const struct feature_source *source, struct feature out[FEATURE_COUNT])
{
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		struct ask ask = { .source = source, .argument = rows[i].argument, .feature = &out[i] };

		out[i] = rows[i].feature;
		out[i].state = rows[i].ask(&ask);
	}
}
