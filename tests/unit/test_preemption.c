/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* How a kernel's preemption is told, and which kinds of attaching follow from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/attach_order.h"
#include "kernel/mutex_layout.h"
#include "kernel/preemption.h"

static bool realtime;

/* In place of the kernel's types. */
int mutex_layout_find(struct types *types, struct mutex_layout *out)
{
	(void)types;
	*out = (struct mutex_layout){ .realtime = realtime };
	return 0;
}

/* In place of the kernel. */
uint64_t kallsyms_address(struct kallsyms *symbols, const char *module, const char *name)
{
	(void)symbols, (void)module, (void)name;
	return 0;
}

int probe_read_word(uint64_t address, uint32_t *out)
{
	(void)address, (void)out;
	return -EFAULT;
}

static void debugfs_has_the_mode_in_brackets(void **state)
{
	(void)state;
	assert_int_equal(preemption_of_debugfs("(none) voluntary full\n"), PREEMPTION_NONE);
	assert_int_equal(preemption_of_debugfs("none (voluntary) full \n"), PREEMPTION_VOLUNTARY);
	assert_int_equal(preemption_of_debugfs("none voluntary (full)\n"), PREEMPTION_FULL);
	assert_int_equal(preemption_of_debugfs("full (lazy)"), PREEMPTION_LAZY);
}

static void what_debugfs_says_otherwise_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(preemption_of_debugfs(""), PREEMPTION_UNKNOWN);
	assert_int_equal(preemption_of_debugfs("none voluntary full"), PREEMPTION_UNKNOWN);
	assert_int_equal(preemption_of_debugfs("none (ful"), PREEMPTION_UNKNOWN);
	assert_int_equal(preemption_of_debugfs("(fuller)"), PREEMPTION_UNKNOWN);
	assert_int_equal(preemption_of_debugfs("(ful)"), PREEMPTION_UNKNOWN);
	assert_int_equal(preemption_of_debugfs("(unknown)"), PREEMPTION_UNKNOWN);
	assert_int_equal(preemption_of_debugfs("()"), PREEMPTION_UNKNOWN);
}

static void the_variable_has_them_in_order(void **state)
{
	(void)state;
	assert_int_equal(preemption_of_variable(0), PREEMPTION_NONE);
	assert_int_equal(preemption_of_variable(1), PREEMPTION_VOLUNTARY);
	assert_int_equal(preemption_of_variable(2), PREEMPTION_FULL);
	assert_int_equal(preemption_of_variable(3), PREEMPTION_LAZY);
	assert_int_equal(preemption_of_variable(4), PREEMPTION_UNKNOWN);
	assert_int_equal(preemption_of_variable((uint32_t)-1), PREEMPTION_UNKNOWN);
}

static void a_version_string_tells(void **state)
{
	const char *how = NULL;

	(void)state;
	assert_int_equal(preemption_of_version("#1 SMP Debian 5.10.223-1 (2024-08-10)", "", &how),
			 PREEMPTION_NONE);
	assert_non_null(how);
	assert_int_equal(preemption_of_version("#1 SMP PREEMPT Fri", "", &how), PREEMPTION_FULL);
	assert_int_equal(preemption_of_version("#1 SMP PREEMPT_RT Debian", "preempt=none", &how),
			 PREEMPTION_RT);
	assert_int_equal(preemption_of_version("#1 SMP MY_PREEMPT_X", "", &how), PREEMPTION_NONE);
}

static void a_mode_chosen_at_boot_is_on_the_command_line(void **state)
{
	static const char version[] = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1";
	const char *how = NULL;

	(void)state;
	assert_int_equal(preemption_of_version(version, "quiet preempt=full ro\n", &how), PREEMPTION_FULL);
	assert_int_equal(preemption_of_version(version, "preempt=none preempt=lazy\n", &how),
			 PREEMPTION_LAZY);
	assert_int_equal(preemption_of_version(version, "preempt=voluntary preempt=often", &how),
			 PREEMPTION_VOLUNTARY);
	assert_string_equal(how, "preempt= on the kernel's command line");
}

static void without_it_there_the_mode_is_unknown(void **state)
{
	static const char version[] = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1";
	const char *how = NULL;

	(void)state;
	assert_int_equal(preemption_of_version(version, "", &how), PREEMPTION_UNKNOWN);
	assert_string_equal(how, "it can be changed at run time, and debugfs cannot be read");
	assert_int_equal(preemption_of_version(version, "xpreempt=full preempt= preempt=rt", &how),
			 PREEMPTION_UNKNOWN);
}

static void real_time_mutexes_come_first(void **state)
{
	const char *how = NULL;

	(void)state;
	realtime = true;
	assert_int_equal(preemption_mode(NULL, NULL, &how), PREEMPTION_RT);
	realtime = false;
	assert_non_null(how);
	assert_int_not_equal(preemption_mode(NULL, NULL, &how), PREEMPTION_RT);
}

static void unknown_counts_as_preempting(void **state)
{
	(void)state;
	assert_true(preemption_preempts(PREEMPTION_UNKNOWN));
	assert_true(preemption_preempts(PREEMPTION_FULL));
	assert_true(preemption_preempts(PREEMPTION_LAZY));
	assert_true(preemption_preempts(PREEMPTION_RT));
	assert_false(preemption_preempts(PREEMPTION_NONE));
	assert_false(preemption_preempts(PREEMPTION_VOLUNTARY));
	assert_string_equal(preemption_name(PREEMPTION_LAZY), "lazy");
	assert_string_equal(preemption_name(PREEMPTION_RT), "rt");
}

static void fentry_is_first_only_where_it_skips_nothing(void **state)
{
	(void)state;
	assert_int_equal(attach_order(ATTACH_AUTO, PREEMPTION_VOLUNTARY, false)[0], ATTACH_FENTRY);
	assert_int_equal(attach_order(ATTACH_AUTO, PREEMPTION_NONE, false)[1], ATTACH_KPROBE_MULTI);
	assert_int_equal(attach_order(ATTACH_AUTO, PREEMPTION_LAZY, false)[0], ATTACH_KPROBE_MULTI);
	assert_int_equal(attach_order(ATTACH_AUTO, PREEMPTION_UNKNOWN, false)[1], ATTACH_KPROBE);
	assert_int_equal(attach_order(ATTACH_AUTO, PREEMPTION_UNKNOWN, false)[2], ATTACH_FENTRY);
	/* Nor where the kernel refuses it; one that was asked for stays. */
	assert_int_equal(attach_order(ATTACH_AUTO, PREEMPTION_NONE, true)[0], ATTACH_KPROBE_MULTI);
	assert_int_equal(attach_order(ATTACH_AUTO, PREEMPTION_LAZY, true)[2], ATTACH_AUTO);
	assert_int_equal(attach_order(ATTACH_FENTRY, PREEMPTION_NONE, true)[0], ATTACH_FENTRY);
}

static void each_order_ends(void **state)
{
	(void)state;
	for (enum attach_kind wanted = ATTACH_AUTO; wanted < ATTACH_KINDS; wanted++) {
		for (enum preemption mode = PREEMPTION_UNKNOWN; mode <= PREEMPTION_RT; mode++) {
			const enum attach_kind *kind = attach_order(wanted, mode, false);
			size_t length = 0;

			for (; kind[length] != ATTACH_AUTO; length++)
				assert_true(length < ATTACH_KINDS);
			if (wanted == ATTACH_CONTENTION) /* hooks no function */
				assert_int_equal(length, 0);
			else
				assert_true(wanted == ATTACH_AUTO ? length == 3
								  : length == 1 && kind[0] == wanted);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debugfs_has_the_mode_in_brackets),
		cmocka_unit_test(what_debugfs_says_otherwise_is_unknown),
		cmocka_unit_test(the_variable_has_them_in_order),
		cmocka_unit_test(a_version_string_tells),
		cmocka_unit_test(a_mode_chosen_at_boot_is_on_the_command_line),
		cmocka_unit_test(without_it_there_the_mode_is_unknown),
		cmocka_unit_test(real_time_mutexes_come_first),
		cmocka_unit_test(unknown_counts_as_preempting),
		cmocka_unit_test(fentry_is_first_only_where_it_skips_nothing),
		cmocka_unit_test(each_order_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
