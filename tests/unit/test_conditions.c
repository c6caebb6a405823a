/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* What is asked of the kernel again, and when: the kernel is stubs here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/conditions.h"
#include "kernel/modules.h"

#define MODULES_MAX 4

/* A module that is loaded, with one symbol and one struct of one member. */
struct fake_module {
	const char *name; /* "" for the image */
	const char *symbol;
	const char *structure, *member;
	uint64_t id;
};

static struct fake_module modules[MODULES_MAX];
static uint64_t value, value_reads;
static size_t asked; /* look-ups of any kind */

static const struct fake_module *module_find(const char *name)
{
	for (size_t i = 0; i < MODULES_MAX; i++)
		if (modules[i].name && !strcmp(modules[i].name, name))
			return &modules[i];
	return NULL;
}

static bool is_same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

enum module_state module_state(struct kallsyms *symbols, const char *module)
{
	(void)symbols;
	return !*module ? MODULE_BUILT_IN : module_find(module) ? MODULE_LIVE : MODULE_ABSENT;
}

uint64_t module_id(const char *module)
{
	const struct fake_module *found = module_find(module);

	return found ? found->id : 0;
}

uint64_t kallsyms_address(struct kallsyms *symbols, const char *module, const char *name)
{
	(void)symbols;
	asked++;
	for (size_t i = 0; i < MODULES_MAX; i++)
		if (is_same(modules[i].symbol, name) &&
		    (!module || !*modules[i].name || !strcmp(modules[i].name, module)))
			return 0x1000 + i;
	return 0;
}

/* known: in these modules (and the image); else in all others. */
static int find_member(const char *const *known, bool in_known, const char *structure, const char *member)
{
	int err = -ENOENT;

	asked++;
	for (size_t i = 0; i < MODULES_MAX; i++) {
		bool is_known = false;

		for (size_t k = 0; modules[i].name && known[k]; k++)
			is_known = is_known || !strcmp(known[k], modules[i].name);
		if (is_known != in_known || !is_same(modules[i].structure, structure))
			continue;
		err = is_same(modules[i].member, member) ? 0 : -ENOMSG;
		if (!err)
			break;
	}
	return err;
}

int types_member_anywhere(struct types *types, const char *const *known, const char *structure,
			  const char *member, struct type_member *out)
{
	(void)types;
	(void)out;
	return find_member(known, true, structure, member);
}

int types_member_elsewhere(struct types *types, const char *const *known, const char *structure,
			   const char *member, struct type_member *out)
{
	(void)types;
	(void)out;
	return find_member(known, false, structure, member);
}

bool types_has_module(struct types *types, const char *module)
{
	(void)types;
	return module_find(module);
}

int tracer_find_member(struct tracer *tracer, const char *structure, const char *member, const char *symbol,
		       bool pointer, struct tracer_member *out)
{
	(void)tracer;
	(void)structure;
	(void)member;
	(void)pointer;
	*out = (struct tracer_member){ .address = kallsyms_address(NULL, NULL, symbol) };
	return out->address ? 0 : -ENOENT;
}

int tracer_read_member(struct tracer *tracer, const struct tracer_member *member, uint64_t *out)
{
	(void)tracer;
	(void)member;
	value_reads++;
	*out = value;
	return 0;
}

static char something; /* only its address is passed on */

static struct conditions conditions_for_test(void)
{
	memset(modules, 0, sizeof(modules));
	modules[0] = (struct fake_module){ "", "in_image", "image", "lock", 0 };
	value = 0;
	return (struct conditions){ .symbols = (void *)&something,
				    .types = (void *)&something,
				    .tracer = (void *)&something };
}

/* What a change of the modules leaves of the answers is asked for at once, as rule_set.c does. */
static enum rule_answer ask_after_change(struct conditions *c, const struct rule_condition *condition)
{
	conditions_modules_changed(c);
	conditions_begin_pass(c);
	return conditions_ask(c, condition);
}

/* The answer while no module is there; when one that is not the guessed one has it; when that is gone. */
static void any_module_can_have_a_name(void **state)
{
	static const struct {
		struct rule_condition condition;
		struct fake_module own;
		enum rule_answer at_first;
	} rows[] = {
		{ { .kind = CONDITION_SYMBOL, .symbol = "kvm_mine" },
		  { "mine", "kvm_mine", NULL, NULL, 7 },
		  ANSWER_UNKNOWN },
		{ { .kind = CONDITION_SYMBOL, .symbol = "vfio_pci_probe" },
		  { "vfio_pci", "vfio_pci_probe", NULL, NULL, 7 },
		  ANSWER_UNKNOWN },
		{ { .kind = CONDITION_SYMBOL, .symbol = "other" },
		  { "mine", "other", NULL, NULL, 7 },
		  ANSWER_UNKNOWN },
		{ { .kind = CONDITION_MEMBER, .structure = "kvm_mine", .member = "lock" },
		  { "mine", NULL, "kvm_mine", "lock", 7 },
		  ANSWER_UNKNOWN },
		{ { .kind = CONDITION_MEMBER, .structure = "other", .member = "lock" },
		  { "mine", NULL, "other", "lock", 7 },
		  ANSWER_UNKNOWN },
		{ { .kind = CONDITION_MEMBER, .structure = "image", .member = "nosuch" },
		  { "mine", NULL, NULL, NULL, 7 },
		  ANSWER_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conditions c = conditions_for_test();
		enum rule_answer there = rows[i].at_first == ANSWER_NO ? ANSWER_NO : ANSWER_YES;

		assert_int_equal(ask_after_change(&c, &rows[i].condition), rows[i].at_first);
		modules[1] = rows[i].own;
		assert_int_equal(ask_after_change(&c, &rows[i].condition), there);
		modules[1] = (struct fake_module){ 0 };
		assert_int_equal(ask_after_change(&c, &rows[i].condition), rows[i].at_first);
		conditions_release(&c);
	}
}

/* With the module that the name tells there, what is nowhere is not here; but it may still come. */
static void no_is_asked_again(void **state)
{
	static const struct rule_condition symbol = { .kind = CONDITION_SYMBOL, .symbol = "kvm_mine" };
	static const struct rule_condition member = { .kind = CONDITION_MEMBER,
						      .structure = "kvm_mine",
						      .member = "lock" };
	struct conditions c = conditions_for_test();

	(void)state;
	modules[1] = (struct fake_module){ "kvm", "kvm_own", "kvm", "lock", 1 };
	assert_int_equal(ask_after_change(&c, &symbol), ANSWER_NO);
	assert_int_equal(conditions_ask(&c, &member), ANSWER_NO);
	modules[2] = (struct fake_module){ "mine", "kvm_mine", "kvm_mine", "lock", 2 };
	assert_int_equal(conditions_ask(&c, &symbol), ANSWER_NO);
	assert_int_equal(ask_after_change(&c, &symbol), ANSWER_YES);
	assert_int_equal(conditions_ask(&c, &member), ANSWER_YES);
	conditions_release(&c);
}

/* What was found in the image or in its module is kept until one of KVM's or VFIO's comes or goes. */
static void what_was_found_is_kept(void **state)
{
	static const struct rule_condition found[] = {
		{ .kind = CONDITION_SYMBOL, .symbol = "in_image" },
		{ .kind = CONDITION_SYMBOL, .symbol = "kvm_own" },
		{ .kind = CONDITION_MEMBER, .structure = "kvm", .member = "lock" },
		{ .kind = CONDITION_MEMBER, .structure = "image", .member = "lock" },
	};
	struct conditions c = conditions_for_test();

	(void)state;
	modules[1] = (struct fake_module){ "kvm", "kvm_own", "kvm", "lock", 1 };
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		assert_int_equal(ask_after_change(&c, &found[i]), ANSWER_YES);
	modules[2] = (struct fake_module){ "mine", NULL, NULL, NULL, 2 };
	asked = 0;
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		assert_int_equal(ask_after_change(&c, &found[i]), ANSWER_YES);
	assert_int_equal(asked, 0);

	/* Another build of it, loaded in between. */
	modules[1] = (struct fake_module){ "kvm", "kvm_new", "kvm", "mutex", 3 };
	assert_int_equal(ask_after_change(&c, &found[0]), ANSWER_YES);
	assert_int_equal(conditions_ask(&c, &found[1]), ANSWER_NO);
	assert_int_equal(conditions_ask(&c, &found[2]), ANSWER_NO);
	conditions_release(&c);
}

/* A value is read once in each pass, and looked for when modules come. */
static void a_value_is_read_in_each_pass(void **state)
{
	static const struct rule_condition condition = {
		.kind = CONDITION_VALUE, .structure = "mine", .member = "flag", .symbol = "kvm_mine"
	};
	static const struct rule_condition same = {
		.kind = CONDITION_VALUE, .structure = "mine", .member = "flag", .symbol = "kvm_mine"
	};
	struct conditions c = conditions_for_test();

	(void)state;
	assert_int_equal(ask_after_change(&c, &condition), ANSWER_UNKNOWN);
	modules[1] = (struct fake_module){ "mine", "kvm_mine", "mine", "flag", 1 };
	assert_int_equal(ask_after_change(&c, &condition), ANSWER_NO);
	value = 1;
	value_reads = 0;
	assert_int_equal(conditions_ask(&c, &condition), ANSWER_NO);
	assert_int_equal(value_reads, 0);
	conditions_begin_pass(&c);
	asked = 0;
	assert_int_equal(conditions_ask(&c, &condition), ANSWER_YES);
	assert_int_equal(conditions_ask(&c, &same), ANSWER_YES);
	assert_int_equal(value_reads, 1);
	assert_int_equal(asked, 0);
	modules[1] = (struct fake_module){ 0 };
	assert_int_equal(ask_after_change(&c, &condition), ANSWER_UNKNOWN);
	conditions_release(&c);
}

static void without_the_kernel_nothing_is_known(void **state)
{
	static const struct rule_condition condition = { .kind = CONDITION_SYMBOL, .symbol = "in_image" };
	struct conditions c = { 0 };

	(void)state;
	assert_int_equal(ask_after_change(&c, &condition), ANSWER_UNKNOWN);
	conditions_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_module_can_have_a_name),
		cmocka_unit_test(no_is_asked_again),
		cmocka_unit_test(what_was_found_is_kept),
		cmocka_unit_test(a_value_is_read_in_each_pass),
		cmocka_unit_test(without_the_kernel_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
