/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* What follows from what a kernel offers: a table of what each thing that is missing means. See check.h. */
#include <string.h>

#include "report/check.h"

#define FULL CHECK_FULL
#define DEGRADED CHECK_DEGRADED
#define IMPOSSIBLE CHECK_IMPOSSIBLE

#define LOCKDOWN_FIX                                                                                          \
	"Boot with lockdown=integrity, which is as much as Secure Boot asks for; it cannot be lowered while " \
	"the kernel runs."
#define OWN_BTF "A kernel with CONFIG_DEBUG_INFO_BTF."
#define MODULE_TYPES_LOSS                                                                                          \
	"Lock classes whose types only this module has are not watched, nor objects of these types followed; its " \
	"functions are reached by kprobes."
#define MODULE_TYPES_FIX "A kernel with CONFIG_DEBUG_INFO_BTF_MODULES, or a folder with its types (--btf)."

/* Nothing is the reason of its own missing. */
#define NO_REASON FEATURE_COUNT

/* What is missing (state FEATURE_NO), unless the reason is missing too, which then tells it. */
static const struct {
	enum feature_id feature, reason;
	enum check_level level[CHECK_COMMANDS];
	const char *means, *fix;
} rows[] = {
	{ FEATURE_PID_NAMESPACE_ID,
	  NO_REASON,
	  { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE },
	  "From inside a container most of the host's tasks cannot be seen.",
	  "Run it on the host, or in a container with the host's PID namespace (--pid=host)." },
	{ FEATURE_LIVEPATCH_ID,
	  NO_REASON,
	  { DEGRADED, FULL, FULL },
	  "fentry cannot be attached to a function that is live-patched, nor one be live-patched that fentry is "
	  "attached to.",
	  "--attach kprobe, which can be beside live patches." },
	{ FEATURE_LOCKDOWN_ID,
	  NO_REASON,
	  { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE },
	  "Lockdown in confidentiality mode forbids everybody to read the kernel's memory with BPF, and kprobes.",
	  LOCKDOWN_FIX },
	{ FEATURE_ADDRESSES_ID,
	  NO_REASON,
	  { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE },
	  "Nothing can be attached to, and no place be named.",
	  "Run it as root, or with CAP_SYSLOG; where root sees none either, set sysctl kernel.kptr_restrict=1 (or "
	  "0). /proc must be mounted, and the kernel have CONFIG_KALLSYMS." },
	{ FEATURE_DATA_SYMBOLS_ID,
	  NO_REASON,
	  { DEGRADED, DEGRADED, DEGRADED },
	  "Static locks (kvm_lock, vfio.group_lock) are neither watched nor named; VMs and groups are found by "
	  "their files only; no lock is named by its slab cache; rules about variables are not in force.",
	  "A kernel with CONFIG_KALLSYMS_ALL." },
	{ FEATURE_BTF_ID,
	  NO_REASON,
	  { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE },
	  "Where the members of the kernel's structs are is not known.",
	  "A kernel with CONFIG_DEBUG_INFO_BTF, or its types in a file (--btf)." },
	{ FEATURE_BTF_OWN_ID,
	  FEATURE_BTF_ID,
	  { DEGRADED, IMPOSSIBLE, DEGRADED },
	  "It has no BPF iterators then and no fentry: tasks are not looked at; VMs and groups are found by the "
	  "kernel's lists only; what is held when a watch starts is not known.",
	  OWN_BTF },
	{ FEATURE_BTF_KVM_ID,
	  NO_REASON,
	  { DEGRADED, DEGRADED, DEGRADED },
	  MODULE_TYPES_LOSS,
	  MODULE_TYPES_FIX },
	{ FEATURE_BTF_VFIO_ID,
	  NO_REASON,
	  { DEGRADED, DEGRADED, DEGRADED },
	  MODULE_TYPES_LOSS,
	  MODULE_TYPES_FIX },
	{ FEATURE_BTF_VFIO_PCI_ID,
	  NO_REASON,
	  { DEGRADED, DEGRADED, DEGRADED },
	  MODULE_TYPES_LOSS,
	  MODULE_TYPES_FIX },
	{ FEATURE_BTF_TYPE1_ID,
	  NO_REASON,
	  { DEGRADED, DEGRADED, DEGRADED },
	  MODULE_TYPES_LOSS,
	  MODULE_TYPES_FIX },
	{ FEATURE_LOAD_ID,
	  NO_REASON,
	  { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE },
	  "BPF programs cannot be loaded.",
	  "Run it as root, or with CAP_BPF, CAP_PERFMON and CAP_SYSLOG." },
	{ FEATURE_TEST_RUN_ID,
	  NO_REASON,
	  { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE },
	  "The kernel's memory is read by programs that run on request.",
	  "Linux 5.10 or later." },
	{ FEATURE_READ_MEMORY_ID,
	  FEATURE_LOCKDOWN_ID,
	  { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE },
	  "No lock can be looked at. Where it is said to be not permitted, lockdown in confidentiality mode does this.",
	  LOCKDOWN_FIX },
	{ FEATURE_RING_BUFFER_ID,
	  NO_REASON,
	  { IMPOSSIBLE, FULL, IMPOSSIBLE },
	  "What is seen cannot be handed over.",
	  "Linux 5.8 or later. Where it is said to be not permitted: CAP_SYS_RESOURCE too, as before 5.11 the memory of "
	  "maps counts against a limit." },
	{ FEATURE_ITERATE_TASKS_ID,
	  FEATURE_BTF_OWN_ID,
	  { IMPOSSIBLE, IMPOSSIBLE, DEGRADED },
	  "The tasks cannot be looked at.",
	  "Linux 5.8 or later." },
	{ FEATURE_ITERATE_FILES_ID,
	  FEATURE_BTF_OWN_ID,
	  { IMPOSSIBLE, DEGRADED, IMPOSSIBLE },
	  "The objects that live cannot be looked for.",
	  "Linux 5.8 or later." },
	{ FEATURE_ITERATE_MAP_ID,
	  FEATURE_BTF_OWN_ID,
	  { IMPOSSIBLE, FULL, FULL },
	  "What is held when a watch starts cannot be found out.",
	  "Linux 5.9 or later." },
	{ FEATURE_TASK_END_ID,
	  NO_REASON,
	  { IMPOSSIBLE, FULL, FULL },
	  "When a task is over is not seen.",
	  "A kernel with tracepoints." },
	{ FEATURE_MUTEX_OWNER_ID,
	  NO_REASON,
	  { IMPOSSIBLE, DEGRADED, DEGRADED },
	  "Who holds a mutex cannot be told here, as on PREEMPT_RT before 5.15.",
	  "A kernel without PREEMPT_RT, or a later one." },
	{ FEATURE_MUTEX_WAITERS_ID,
	  FEATURE_MUTEX_OWNER_ID,
	  { FULL, DEGRADED, DEGRADED },
	  "Who waits for a mutex is named, not analysed.",
	  "A kernel whose struct mutex and mutex_waiter locktrace knows." },
	{ FEATURE_RWSEM_WAITERS_ID,
	  NO_REASON,
	  { FULL, DEGRADED, FULL },
	  "Rwsems are not as known here, as on PREEMPT_RT: a watch cannot follow them (--rwsem), and who waits for "
	  "them is named, not analysed.",
	  "A kernel without PREEMPT_RT." },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool has(const struct feature *features, enum feature_id id)
{
	return features[id].state == FEATURE_YES;
}

/* Where no program loads, that is what is told, and not each thing that programs do. */
static bool is_told_of_loading(const struct feature *features, enum feature_id id)
{
	return features[id].group == GROUP_BPF && id != FEATURE_LOAD_ID &&
	       features[FEATURE_LOAD_ID].state == FEATURE_NO;
}

static bool lacks(const struct feature *features, enum feature_id id)
{
	return id != NO_REASON && features[id].state == FEATURE_NO;
}

static void append(char *text, size_t size, const char *separator, const char *more)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, "%s%s", length ? separator : "", more);
}

/* What means the same as the one before is told with it. */
static void add(struct check_verdict *v, const char *name, const char *what, const enum check_level *level,
		const char *means, const char *fix)
{
	struct check_problem *p = v->problem_count ? &v->problems[v->problem_count - 1] : NULL;

	if (!p || strcmp(p->means, means) != 0) {
		if (v->problem_count == CHECK_PROBLEMS_MAX)
			return;
		p = &v->problems[v->problem_count++];
		*p = (struct check_problem){ .means = means, .fix = fix };
		memcpy(p->level, level, sizeof(p->level));
	}
	append(p->what, sizeof(p->what), ", ", what);
	append(p->name, sizeof(p->name), " ", name);
	for (int i = 0; i < CHECK_COMMANDS; i++)
		v->level[i] = level[i] > v->level[i] ? level[i] : v->level[i];
}

bool check_can(const struct feature *features, const char *kind)
{
	static const struct {
		const char *kind;
		enum feature_id needs, too;
	} kinds[] = {
		{ "fentry", FEATURE_FENTRY_ID, FEATURE_FEXIT_ID },
		{ "kprobe", FEATURE_KPROBE_ID, FEATURE_KPROBE_ID },
		{ "kprobe.multi", FEATURE_KPROBE_MULTI_ID, FEATURE_KPROBE_MULTI_ID },
	};

	for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kind, kinds[i].kind))
			return has(features, kinds[i].needs) && has(features, kinds[i].too);
	return false;
}

const char *check_attach(const struct feature *features, const char *planned)
{
	if (check_can(features, planned))
		return planned;
	return check_can(features, "kprobe") ? "kprobe" : check_can(features, "fentry") ? "fentry" : NULL;
}

/* What is left when functions cannot be attached to at all. */
static void judge_without_functions(const struct feature *features, const struct plan *plan,
				    struct check_verdict *v)
{
	static const enum check_level degraded[CHECK_COMMANDS] = { DEGRADED, FULL, FULL };
	static const enum check_level impossible[CHECK_COMMANDS] = { IMPOSSIBLE, FULL, FULL };

	if (has(features, FEATURE_CONTENTION_ID) && !(plan && plan->realtime)) {
		v->attach = "contention";
		add(v, "fentry kprobe", "trampolines, kprobes", degraded,
		    "Only the tracepoint at contention is left (--attach contention): locks that nobody has to "
		    "wait for are not seen.",
		    "A kernel that allows fentry or kprobes.");
		return;
	}
	add(v, "fentry kprobe contention", "trampolines, kprobes, contention", impossible,
	    "There is no way to see a lock being taken.",
	    "A kernel that allows fentry or kprobes (CONFIG_KPROBES).");
}

static bool any_by(const struct plan *plan, const char *attach)
{
	for (size_t i = 0; i < plan->function_count; i++)
		if (plan->functions[i].attach && !strcmp(plan->functions[i].attach, attach))
			return true;
	return false;
}

static bool any_refused(const struct plan *plan)
{
	for (size_t i = 0; i < plan->function_count; i++)
		if (plan->functions[i].state == FUNCTION_REFUSED)
			return true;
	return false;
}

static void judge_attach(const struct feature *features, const struct plan *plan, struct check_verdict *v)
{
	static const enum check_level degraded[CHECK_COMMANDS] = { DEGRADED, FULL, FULL };
	static const enum check_level impossible[CHECK_COMMANDS] = { IMPOSSIBLE, FULL, FULL };

	if (lacks(features, FEATURE_LOAD_ID) || lacks(features, FEATURE_LOCKDOWN_ID))
		return;
	if (plan && plan->locks_missing) {
		add(v, "mutex_lock", "mutex_lock()", impossible,
		    "A kernel with lockdep (CONFIG_DEBUG_LOCK_ALLOC) has other functions in its place, which are "
		    "not followed.",
		    "Such a kernel finds its own lock-order bugs: see dmesg.");
		return;
	}
	if (!check_attach(features, NULL))
		judge_without_functions(features, plan, v);
	if (!plan || v->attach || v->level[CHECK_WATCH] == IMPOSSIBLE)
		return;
	v->attach = plan->attach ? plan->kinds : NULL;
	if (plan->preempts && any_by(plan, "fentry"))
		add(v, "preemption", "preemption", degraded,
		    "This kernel preempts tasks in its own code, and then skips calls of fentry programs, under load "
		    "most of them. They are counted as lost.",
		    "A kernel with kprobes, or without preemption (preempt=none or preempt=voluntary).");
	if (any_refused(plan))
		add(v, "kprobe", "kprobes", degraded,
		    "What fentry does not reach is not attached to: functions of modules without BTF, or, without "
		    "CAP_SYS_ADMIN, of all modules. Births and deaths of objects are then not seen.",
		    "Run it as root. Where a sysctl keeps kprobes from other users: kernel.perf_event_paranoid=2.");
	else if (!plan->misses_counted)
		add(v, "kprobe_misses", "counting what kprobes miss", degraded,
		    "Whether calls were missed cannot be told: a report says that it is not known whether it is "
		    "complete.",
		    "A kernel where all functions can be reached by fentry (in modules with CAP_SYS_ADMIN only), and that "
		    "does not preempt (preempt=none or preempt=voluntary).");
}

void check_judge(const struct feature *features, const struct plan *plan, struct check_verdict *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ROWS; i++)
		if (lacks(features, rows[i].feature) && !lacks(features, rows[i].reason) &&
		    !is_told_of_loading(features, rows[i].feature))
			add(out, features[rows[i].feature].name, features[rows[i].feature].words,
			    rows[i].level, rows[i].means, rows[i].fix);
	judge_attach(features, plan, out);
	if (out->level[CHECK_WATCH] == CHECK_IMPOSSIBLE)
		out->attach = NULL;
}

int check_status(const struct check_verdict *verdict)
{
	bool full = true, impossible = true;

	for (int i = 0; i < CHECK_COMMANDS; i++) {
		full = full && verdict->level[i] == CHECK_FULL;
		impossible = impossible && verdict->level[i] == CHECK_IMPOSSIBLE;
	}
	return full ? 0 : impossible ? 2 : 1;
}
