// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * What rules make of records: forbidden calls, broken orders, nestings that no rule
 * allows, findings that are known or ignored; and calls that are wrong without any rule.
 */
#include "chain_builder.h"

#include <errno.h>

#include "model/object.h"

/* Places in functions. */
#define IN_DESTROY 0xffffffff91000010ULL
#define IN_DESTROY_PART 0xffffffff91001010ULL
#define IN_DESTROYER 0xffffffff91002010ULL
#define IN_COPY 0xffffffff91003010ULL

static const struct {
	uint64_t start;
	const char *name;
} functions[] = {
	{ 0xffffffff91000000, "destroy" },   { 0xffffffff91001000, "destroy.part.0" },
	{ 0xffffffff91002000, "destroyer" }, { 0xffffffff91003000, "copy" },
	{ 0xffffffff91004000, "other" },
};

static int find_function(void *context, uint64_t address, struct symbol *out)
{
	size_t i = sizeof(functions) / sizeof(functions[0]);

	(void)context;
	while (i-- > 0) {
		if (address < functions[i].start)
			continue;
		memset(out, 0, sizeof(*out));
		snprintf(out->name, sizeof(out->name), "%s", functions[i].name);
		out->offset = address - functions[i].start;
		out->type = 't';
		return 0;
	}
	return -ENOENT;
}

static const struct symbol_source source = { NULL, find_function };

enum { DESTROY, PUT, PUT_KVM };

/* Classes of the user's own but K, V and W: kvm.lock, kvm_vcpu.mutex, kvm.slots_lock; foreign ones: F to H.
 */
static void begin(struct scene *scene, const char *rules)
{
	char letter;

	scene_begin_ruled(scene, source, rules);
	scene->class_id['K' - 'A'] = LT_CLASS_KVM_LOCK;
	scene->class_id['V' - 'A'] = LT_CLASS_KVM_VCPU_MUTEX;
	scene->class_id['W' - 'A'] = LT_CLASS_KVM_SLOTS_LOCK;
	for (letter = 'F'; letter <= 'H'; letter++)
		scene->class_id[letter - 'A'] = LT_CLASS_FOREIGN;
	/* Far behind the functions: "at other+0x..." */
	scene->ip['F' - 'A'] = 0xffffffff91004001;
	scene->ip['G' - 'A'] = 0xffffffff91004002;
	scene->ip['H' - 'A'] = 0xffffffff91004003;
	assert_int_equal(model_name_function(scene->model, DESTROY, "destroy"), 0);
	assert_int_equal(model_name_function(scene->model, PUT, "put"), 0);
	assert_int_equal(model_name_function(scene->model, PUT_KVM, "kvm_put_kvm"), 0);
}

#define AT_F "\"at other+0x1\""
#define AT_G "\"at other+0x2\""
#define AT_H "\"at other+0x3\""

/* Shows that what is taken at the place of one foreign class is taken at that of another. */
static void unite(struct scene *scene, char a, char b)
{
	char text[] = { a, '\0' };
	uint64_t ip = scene->ip[a - 'A'];

	scene->ip[a - 'A'] = scene->ip[b - 'A'];
	task_takes(scene, 9, text);
	scene->ip[a - 'A'] = ip;
}

static uint64_t ignored(const struct scene *scene)
{
	struct model_counts counts;

	model_count(scene->model, &counts);
	return counts.ignored;
}

static uint32_t findings_of(const struct scene *scene, enum finding_kind kind)
{
	uint32_t id, count = 0, all = findings(scene);

	for (id = 1; id <= all; id++)
		count += model_finding(scene->model, id)->kind == kind;
	return count;
}

/* --- calls --- */

static void a_forbidden_call_is_a_danger(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call destroy under A\nforbid call destroy under B\nnote call destroy under A\n"
		      "forbid call put under A\n");
	task_calls(&scene, 1, DESTROY, "C A1 D");
	f = the_finding(&scene);
	assert_int_equal(f->kind, FINDING_FORBIDDEN_CALL);
	assert_int_equal(f->grade, GRADE_DANGER);
	assert_string_equal(f->function, "destroy");
	assert_string_equal(f->edges[0].from->name, "A");
	assert_int_equal(f->edges[0].from_lock->addr, lock_address('A', 1));
	assert_int_equal(f->edges[0].from_index, 1);
	assert_int_equal(f->edges[0].sighting->held_count, 3);
	assert_int_equal(f->rule_count, 1);
	assert_int_equal(f->rules[0]->line, 1);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->edges[0].count, 1);
	/* Again, by another task: counted. */
	task_calls(&scene, 2, DESTROY, "A2");
	assert_int_equal(scene.told_count, 1);
	assert_int_equal(f->count, 2);
	model_refresh(scene.model, f);
	assert_int_equal(f->edges[0].count, 2);
	assert_true(f->edges[0].many_tasks);
	assert_int_equal(f->edges[0].from_lock->addr, lock_address('A', 1));
	/* Another class is another finding; so is another function. */
	task_calls(&scene, 1, DESTROY, "B");
	assert_int_equal(findings(&scene), 2);
	task_calls(&scene, 1, PUT, "A");
	assert_int_equal(findings(&scene), 3);
	assert_string_equal(model_finding(scene.model, 3)->function, "put");
	scene_end(&scene);
}

static void the_hits_of_a_call_are_asked_for(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call destroy under A\n");
	scene.hits = 7;
	task_calls(&scene, 1, DESTROY, "A");
	assert_int_equal(the_finding(&scene)->edges[0].count, 7);
	assert_int_equal(the_finding(&scene)->count, 7);
	task_calls(&scene, 1, DESTROY, "A1 B");
	scene.hits = 9;
	model_refresh(scene.model, the_finding(&scene));
	assert_int_equal(the_finding(&scene)->count, 18);
	scene_end(&scene);
}

static void the_hits_of_orders_and_misuses_are_asked_for(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;

	(void)state;
	begin(&scene, "order A > B\n");
	scene.hits = 5;
	task_takes(&scene, 1, "B A");
	assert_int_equal(the_finding(&scene)->count, 5);
	call_begin(&scene, &chain, 1, LT_CALL_UNLOCK, 0, "C");
	assert_int_equal(scene_feed(&scene, &chain), 0);
	assert_int_equal(findings(&scene), 2);
	assert_int_equal(model_finding(scene.model, 2)->count, 5);
	scene.hits = 6;
	model_refresh(scene.model, model_finding(scene.model, 1));
	assert_int_equal(model_finding(scene.model, 1)->count, 6);
	scene_end(&scene);
}

/* No pairs of locks are counted where no dependency is what shows it; tasks are, where records tell. */
static void what_is_not_counted_is_not_told(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "order A > B\nforbid call destroy under C\n");
	task_takes(&scene, 1, "B A");
	f = the_finding(&scene);
	assert_int_equal(f->edges[0].instances, 0);
	assert_false(f->edges[0].many_tasks);
	scene.flags = LT_CHAIN_SECOND_TASK; /* the kernel side sends a chain again for that */
	task_takes(&scene, 2, "B A");
	scene.flags = 0;
	model_refresh(scene.model, f);
	assert_true(f->edges[0].many_tasks);
	task_calls(&scene, 1, DESTROY, "C1");
	task_calls(&scene, 2, DESTROY, "C2");
	f = model_finding(scene.model, 2);
	model_refresh(scene.model, f);
	assert_int_equal(f->edges[0].instances, 0);
	assert_true(f->edges[0].many_tasks);
	task_takes(&scene, 1, "K K!");
	assert_int_equal(model_finding(scene.model, 3)->edges[0].instances, 0);
	assert_int_equal(findings(&scene), 3);
	scene_end(&scene);
}

static void calls_that_no_rule_speaks_of(void **state)
{
	struct model_counts counts;
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call destroy under A\n"
		      "forbid call put under B if absent\n"
		      "known 0123456789ab v6.3 \"title\": call put under A\n"
		      "ignore call put under A\n"
		      "nest A in put\n");
	task_calls(&scene, 1, DESTROY, "B");     /* not that class */
	task_calls(&scene, 1, DESTROY, "");      /* no lock at all */
	task_calls(&scene, 1, PUT, "A");         /* not that function; patterns forbid nothing */
	task_calls(&scene, 1, PUT, "B");         /* not in force */
	task_calls(&scene, 1, PUT_KVM + 1, "A"); /* of no name */
	assert_int_equal(findings(&scene), 0);
	model_count(scene.model, &counts);
	assert_int_equal(counts.chains, 0);
	assert_int_equal(counts.dependencies, 0);
	scene_end(&scene);
	begin(&scene, NULL);
	task_calls(&scene, 1, DESTROY, "A");
	assert_int_equal(findings(&scene), 0);
	scene_end(&scene);
}

static void however_the_lock_is_held(void **state)
{
	static const char *const held[] = { "A?", "A*", "Ar", "A0x5", "B A C" };
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		begin(&scene, "note call destroy under A\n");
		task_calls(&scene, 1, DESTROY, held[i]);
		assert_int_equal(the_finding(&scene)->grade, GRADE_INFORMATION);
		scene_end(&scene);
	}
}

static void names_of_functions(void **state)
{
	struct scene scene;
	char name[] = "three";

	(void)state;
	begin(&scene, "forbid call three under A\n");
	assert_int_equal(model_name_function(scene.model, MODEL_FUNCTIONS_MAX, "far"), -EINVAL);
	assert_int_equal(model_name_function(scene.model, 5, NULL), -EINVAL);
	assert_int_equal(model_name_function(scene.model, 5, ""), -EINVAL);
	assert_int_equal(model_name_function(scene.model, MODEL_FUNCTIONS_MAX - 1, name), 0);
	name[0] = 'T'; /* it was copied */
	assert_int_equal(model_name_function(scene.model, MODEL_FUNCTIONS_MAX - 1, "three"), 0);
	assert_int_equal(model_name_function(scene.model, MODEL_FUNCTIONS_MAX - 1, "four"), -EINVAL);
	assert_int_equal(model_name_function(scene.model, 6, "three"), 0);
	task_calls(&scene, 1, MODEL_FUNCTIONS_MAX - 1, "A");
	assert_string_equal(the_finding(&scene)->function, "three");
	task_calls(&scene, 1, 6, "A"); /* the same by its name */
	assert_int_equal(the_finding(&scene)->count, 2);
	scene_end(&scene);
}

static void a_note_rises_to_danger_when_its_condition_comes_true(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "note call destroy under A\n"
		      "forbid call destroy under A because \"it hangs\" if hook\n"
		      "known 0123456789ab v6.3 \"title\": call destroy under A if hook\n");
	task_calls(&scene, 1, DESTROY, "A1");
	f = the_finding(&scene);
	assert_int_equal(f->grade, GRADE_INFORMATION);
	assert_int_equal(f->rules[0]->kind, RULE_NOTE);
	assert_null(f->known);
	assert_int_equal(scene.refreshed, 1);
	scene.present = "hook"; /* is asked for anew before the call is judged */
	task_calls(&scene, 2, DESTROY, "A2");
	assert_int_equal(the_finding(&scene)->grade, GRADE_DANGER);
	assert_int_equal(scene.refreshed, 2);
	assert_int_equal(scene.told_count, 2);
	assert_int_equal(scene.told[1].grade, GRADE_DANGER);
	assert_int_equal(scene.told[1].previous_grade, GRADE_INFORMATION);
	assert_int_equal(f->rule_count, 1);
	assert_string_equal(f->rules[0]->because, "it hangs");
	assert_non_null(f->known);
	assert_int_equal(f->edges[0].from_lock->addr, lock_address('A', 2));
	/* No grade falls. */
	scene.present = NULL;
	task_calls(&scene, 3, DESTROY, "A3");
	assert_int_equal(f->grade, GRADE_DANGER);
	assert_int_equal(f->rules[0]->kind, RULE_FORBID);
	assert_int_equal(f->count, 3);
	assert_int_equal(scene.told_count, 2);
	scene_end(&scene);
}

static const char *called_under(const char *rules, const char *held)
{
	static char name[16];
	struct scene scene;

	begin(&scene, rules);
	task_calls(&scene, 1, DESTROY, held);
	snprintf(name, sizeof(name), "%s", the_finding(&scene)->edges[0].from->name);
	scene_end(&scene);
	return name;
}

static void one_call_under_two_locks_is_one_finding(void **state)
{
	const char *both = "forbid call destroy under A\nforbid call destroy under B\n";
	const char *notes = "note call destroy under A\nnote call destroy under B\n";
	const char *mixed = "note call destroy under A\nforbid call destroy under B\n";

	(void)state;
	/* That of the first rule, in whatever order they are held. */
	assert_string_equal(called_under(both, "A B"), "A");
	assert_string_equal(called_under(both, "B A"), "A");
	assert_string_equal(called_under(notes, "A B"), "A");
	assert_string_equal(called_under(notes, "B A"), "A");
	/* But the graver one first. */
	assert_string_equal(called_under(mixed, "A B"), "B");
	assert_string_equal(called_under(mixed, "B A"), "B");
	assert_string_equal(called_under(mixed, "A C"), "A");
}

static void all_rules_of_the_grade_are_named(void **state)
{
	char text[1024] = "note call destroy under B\nnote call put under A\n";
	const struct finding *f;
	struct scene scene;
	int i;

	(void)state;
	for (i = 0; i < FINDING_RULES_MAX + 2; i++)
		strcat(text, "note call destroy under A\n");
	begin(&scene, text);
	task_calls(&scene, 1, DESTROY, "A");
	f = the_finding(&scene);
	assert_int_equal(f->rule_count, FINDING_RULES_MAX);
	for (i = 0; i < FINDING_RULES_MAX; i++)
		assert_int_equal(f->rules[i]->line, i + 3);
	scene_end(&scene);
}

static void the_outermost_of_a_class_is_shown(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call destroy under A\n");
	task_calls(&scene, 1, DESTROY, "B A1 C A2");
	assert_int_equal(the_finding(&scene)->edges[0].from_index, 1);
	scene_end(&scene);
}

/* --- what a call is made on --- */

#define OBJECT 0xffff888300001000ULL

static void calls_on(struct scene *scene, uint64_t argument)
{
	struct lt_record_chain chain;

	call_begin(scene, &chain, 1, LT_CALL_FUNCTION, DESTROY, "A");
	chain.call.argument = argument;
	assert_int_equal(scene_feed(scene, &chain), 0);
}

static void expect_object(struct scene *scene, const char *expected)
{
	const struct model_object *object = the_finding(scene)->edges[0].sighting->object;
	char text[60] = "none";

	if (object)
		model_object_describe(scene->model, object, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void a_call_is_made_on_an_object(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call destroy under A\n");
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, OBJECT, 0, 42, 0, NULL);
	calls_on(&scene, OBJECT);
	expect_object(&scene, "VM 42");
	/* It stays what it was when it is dead, and when another one lives there. */
	object_event(&scene, LT_OBJECT_DEAD, LT_OBJECT_VM, OBJECT, 0, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, OBJECT, 0, 43, 0, NULL);
	expect_object(&scene, "VM 42");
	scene_end(&scene);
}

static void what_a_call_is_made_on_may_have_died_just_now(void **state)
{
	static const uint64_t later[] = { 0, OBJECT_JUST_DEAD_NS / 2, 2 * OBJECT_JUST_DEAD_NS };
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		begin(&scene, "forbid call destroy under A\n");
		object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_GROUP, OBJECT, 0, 0, 0, "7");
		object_event(&scene, LT_OBJECT_DEAD, LT_OBJECT_GROUP, OBJECT, 0, 0, 0, NULL);
		scene.now += later[i];
		calls_on(&scene, OBJECT);
		expect_object(&scene, i < 2 ? "group 7" : "none");
		scene_end(&scene);
	}
}

static void what_a_call_is_made_on_may_be_no_object(void **state)
{
	static const uint64_t arguments[] = { 0, 1, OBJECT + 8, UINT64_MAX };
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		begin(&scene, "forbid call destroy under A\n");
		object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, OBJECT, 0, 42, 0, NULL);
		calls_on(&scene, arguments[i]);
		expect_object(&scene, "none");
		scene_end(&scene);
	}
	/* Known by a lock of it alone: what it is nobody said. */
	begin(&scene, "forbid call destroy under A\n");
	scene.object['K' - 'A'] = OBJECT;
	task_takes(&scene, 1, "K");
	calls_on(&scene, OBJECT);
	expect_object(&scene, "none");
	scene_end(&scene);
}

/* --- what is taken inside --- */

static void takes_in(struct scene *scene, unsigned int task, uint64_t in, const char *text)
{
	scene->in = in;
	task_takes(scene, task, text);
	scene->in = 0;
}

static void locks_taken_inside_the_call(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call destroy under A\n");
	takes_in(&scene, 1, IN_DESTROY, "A B"); /* before it is known */
	task_calls(&scene, 1, DESTROY, "A");
	f = the_finding(&scene);
	assert_int_equal(f->inside_count, 0);
	task_takes(&scene, 1, "A C");             /* in no function */
	takes_in(&scene, 1, IN_DESTROYER, "A C"); /* in another one */
	takes_in(&scene, 2, IN_DESTROY, "A C");   /* another task */
	takes_in(&scene, 1, IN_DESTROY, "C");     /* not under the lock any more */
	assert_int_equal(f->inside_count, 0);
	takes_in(&scene, 1, IN_DESTROY, "A D");
	takes_in(&scene, 1, IN_DESTROY, "A D2");
	takes_in(&scene, 1, IN_DESTROY_PART, "A D E");
	takes_in(&scene, 1, IN_DESTROY, "A D E K?");
	assert_int_equal(f->inside_count, 3);
	assert_string_equal(f->inside[0]->name, "D");
	assert_string_equal(f->inside[1]->name, "E");
	assert_string_equal(f->inside[2]->name, "kvm.lock");
	/* The last caller counts. */
	task_calls(&scene, 2, DESTROY, "A");
	takes_in(&scene, 1, IN_DESTROY, "A B");
	assert_int_equal(f->inside_count, 3);
	takes_in(&scene, 2, IN_DESTROY, "A B");
	assert_int_equal(f->inside_count, 4);
	assert_int_equal(scene.told_count, 1);
	scene_end(&scene);
}

static void inside_has_room_for_so_many(void **state)
{
	struct scene scene;
	char text[] = "A B", letter;

	(void)state;
	begin(&scene, "forbid call destroy under A\n");
	task_calls(&scene, 1, DESTROY, "A");
	for (letter = 'B'; letter <= 'Z'; letter++) {
		text[2] = letter;
		takes_in(&scene, 1, IN_DESTROY, text);
	}
	assert_int_equal(the_finding(&scene)->inside_count, FINDING_INSIDE_MAX);
	scene_end(&scene);
}

static void classes_inside_unite(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call destroy under A\n");
	task_calls(&scene, 1, DESTROY, "A");
	takes_in(&scene, 1, IN_DESTROY, "A F");
	takes_in(&scene, 1, IN_DESTROY, "A B");
	takes_in(&scene, 1, IN_DESTROY, "A G");
	f = the_finding(&scene);
	assert_int_equal(f->inside_count, 3);
	unite(&scene, 'F', 'G');
	findings(&scene);
	assert_int_equal(f->inside_count, 2);
	assert_string_equal(f->inside[0]->name, "at other+0x1");
	assert_string_equal(f->inside[1]->name, "B");
	scene_end(&scene);
}

static void the_class_of_a_call_unites(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call destroy under " AT_F "\nforbid call destroy under " AT_G "\n");
	task_takes(&scene, 1, "G");
	task_takes(&scene, 1, "F");
	task_calls(&scene, 1, DESTROY, "F");
	task_calls(&scene, 1, DESTROY, "G");
	assert_int_equal(findings(&scene), 2);
	unite(&scene, 'F', 'G');
	assert_int_equal(findings(&scene), 2);
	/* The name that stays is that of G, and the first finding. */
	task_calls(&scene, 1, DESTROY, "F");
	assert_int_equal(model_finding(scene.model, 1)->count, 2);
	assert_int_equal(model_finding(scene.model, 2)->count, 1);
	scene_end(&scene);
}

/* --- references that were not the last --- */

static void drops(struct scene *scene, uint32_t function, const char *text)
{
	struct lt_record_chain chain;

	call_begin(scene, &chain, 1, LT_CALL_NOT_LAST, function, text);
	assert_int_equal(scene_feed(scene, &chain), 0);
}

static void references_that_were_not_the_last(void **state)
{
	struct model_not_last seen;
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call put under E\nforbid call kvm_destroy_vm under A\n"
		      "note call kvm_arch_destroy_vm under B\n"
		      "forbid call kvm_destroy_vm under C if absent\nignore call kvm_destroy_vm under D\n");
	assert_false(model_not_last(scene.model, 0, &seen));
	drops(&scene, PUT_KVM, "");
	drops(&scene, PUT_KVM, "C D E"); /* nothing that the last one calls is forbidden under these */
	drops(&scene, PUT, "A");         /* no function that puts references */
	drops(&scene, PUT_KVM + 1, "A"); /* of no name */
	assert_false(model_not_last(scene.model, 0, &seen));
	drops(&scene, PUT_KVM, "D B A");
	drops(&scene, PUT_KVM, "E A B");
	drops(&scene, PUT_KVM, "B C");
	assert_true(model_not_last(scene.model, 0, &seen));
	assert_string_equal(seen.function, "kvm_put_kvm");
	assert_string_equal(seen.under->name,
			    "A"); /* the one whose rule stands first, held outside or inside */
	assert_int_equal(seen.count, 2);
	assert_true(model_not_last(scene.model, 1, &seen));
	assert_string_equal(seen.function, "kvm_put_kvm");
	assert_string_equal(seen.under->name, "B"); /* by the function that the other is inlined into */
	assert_int_equal(seen.count, 1);
	assert_false(model_not_last(scene.model, 2, &seen));
	scene.hits = 5; /* as the chain cache has it now */
	assert_true(model_not_last(scene.model, 0, &seen));
	assert_int_equal(seen.count, 10);
	assert_int_equal(findings(&scene), 0);
	assert_true(scene.refreshed > 0);
	scene_end(&scene);
	begin(&scene, NULL);
	drops(&scene, PUT_KVM, "A");
	assert_false(model_not_last(scene.model, 0, &seen));
	scene_end(&scene);
}

static void many_of_them_and_uniting(void **state)
{
	struct model_not_last seen;
	struct scene scene;
	char text[600] = "", line[60], letter;
	uint32_t i;

	(void)state;
	for (letter = 'A'; letter <= 'E'; letter++) {
		snprintf(line, sizeof(line), "forbid call kvm_destroy_vm under %c\n", letter);
		strcat(text, line);
	}
	strcat(text,
	       "forbid call kvm_destroy_vm under " AT_F "\nforbid call kvm_destroy_vm under " AT_G "\n");
	begin(&scene, text);
	for (letter = 'A'; letter <= 'G'; letter++) {
		line[0] = letter, line[1] = '\0';
		drops(&scene, PUT_KVM, line);
	}
	for (i = 0; model_not_last(scene.model, i, &seen); i++)
		assert_int_equal(seen.count, 1);
	assert_int_equal(i, 7);
	task_takes(&scene, 1, "F");
	task_takes(&scene, 1, "G");
	unite(&scene, 'F', 'G');
	for (i = 0; model_not_last(scene.model, i, &seen); i++) {
		assert_null(seen.under->united_with);
		assert_int_equal(seen.count, i < 5 ? 1 : 2);
	}
	assert_int_equal(i, 6);
	scene_end(&scene);
}

/* --- misuse --- */

static void misuses(struct scene *scene, uint32_t what, uint32_t owner_tid, const char *text)
{
	struct lt_record_chain chain;

	call_begin(scene, &chain, 1, what, 0, text);
	chain.call.owner = owner_tid ? 0xffff888200000000ULL : 0;
	chain.call.owner_tid = owner_tid;
	chain.call.function = UINT32_MAX; /* means nothing here */
	assert_int_equal(scene_feed(scene, &chain), 0);
}

static void misuse_is_a_danger(void **state)
{
	static const struct {
		uint32_t what;
		enum finding_kind kind;
	} kinds[] = {
		{ LT_CALL_FREED, FINDING_FREED_HELD },
		{ LT_CALL_REINIT, FINDING_REINIT_HELD },
		{ LT_CALL_UNLOCK, FINDING_BAD_UNLOCK },
	};
	const struct finding *f;
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		begin(&scene, i ? "order A > B\n" : NULL);
		misuses(&scene, kinds[i].what, 77, "B A1");
		f = the_finding(&scene);
		assert_int_equal(f->kind, kinds[i].kind);
		assert_int_equal(f->grade, GRADE_DANGER);
		assert_string_equal(f->edges[0].from->name, "A");
		assert_int_equal(f->edges[0].from_lock->addr, lock_address('A', 1));
		assert_int_equal(f->edges[0].from_index, 1);
		assert_int_equal(f->owner_tid, 77);
		assert_true(f->owner != 0);
		assert_int_equal(f->rule_count, 0);
		/* One for each class: the first stays. */
		misuses(&scene, kinds[i].what, 78, "A2");
		assert_int_equal(the_finding(&scene)->count, 2);
		assert_int_equal(f->owner_tid, 77);
		assert_int_equal(scene.told_count, 1);
		misuses(&scene, kinds[i].what, 0, "B");
		assert_int_equal(findings(&scene), 2);
		assert_int_equal(model_finding(scene.model, 2)->owner_tid, 0);
		assert_int_equal(model_finding(scene.model, 2)->owner, 0);
		/* A lock that is on the stack too. */
		misuses(&scene, kinds[i].what, 79, "C D C");
		assert_int_equal(model_finding(scene.model, 3)->edges[0].from_index, 2);
		assert_int_equal(findings(&scene), 3);
		assert_int_equal(model_confirm_deadlock(scene.model, 1), -ENOENT);
		scene_end(&scene);
	}
}

static void each_misuse_is_of_its_own(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, NULL);
	misuses(&scene, LT_CALL_FREED, 1, "A");
	misuses(&scene, LT_CALL_REINIT, 1, "A");
	misuses(&scene, LT_CALL_UNLOCK, 1, "A");
	assert_int_equal(findings(&scene), 3);
	scene_end(&scene);
}

static void a_freed_lock_is_shown_after_its_death(void **state)
{
	struct lt_record_chain chain;
	const struct finding *f;
	struct scene scene;
	char text[60];

	(void)state;
	begin(&scene, NULL);
	scene.object['K' - 'A'] = 0x1000;
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, 0x1000, 0, 42, 0, NULL);
	call_begin(&scene, &chain, 1, LT_CALL_FREED, 0, "K K");
	chain.call.argument = 0x1000;
	assert_int_equal(scene_feed(&scene, &chain), 0);
	object_event(&scene, LT_OBJECT_DEAD, LT_OBJECT_VM, 0x1000, 0, 42, 0, NULL);
	f = the_finding(&scene);
	assert_string_equal(f->edges[0].from->name, "kvm.lock");
	assert_string_equal(model_object_describe(scene.model, f->edges[0].from_lock->object, text,
						  sizeof(text)),
			    "VM 42");
	assert_ptr_equal(f->edges[0].sighting->object, f->edges[0].from_lock->object);
	assert_int_equal(findings(&scene), 1);
	scene_end(&scene);
}

/* --- orders --- */

static void one_wrong_order_is_enough(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "order A > B > C\n");
	task_nests(&scene, 1, "A B C");
	task_takes(&scene, 1, "A C");
	assert_int_equal(findings(&scene), 0);
	task_takes(&scene, 1, "B1 D A2");
	f = the_finding(&scene);
	assert_int_equal(f->kind, FINDING_ORDER);
	assert_int_equal(f->grade, GRADE_POSSIBLE);
	assert_string_equal(f->edges[0].from->name, "B");
	assert_string_equal(f->edges[0].to->name, "A");
	assert_int_equal(f->edges[0].from_lock->addr, lock_address('B', 1));
	assert_int_equal(f->edges[0].to_lock->addr, lock_address('A', 2));
	assert_int_equal(f->edges[0].from_index, 0);
	assert_int_equal(f->rule_count, 1);
	assert_int_equal(f->rules[0]->line, 1);
	task_takes(&scene, 2, "B2 A1");
	assert_int_equal(f->count, 2);
	model_refresh(scene.model, f);
	assert_int_equal(f->edges[0].count, 2);
	assert_true(f->edges[0].many_tasks);
	assert_int_equal(findings_of(&scene, FINDING_ORDER), 1);
	scene_end(&scene);
}

static void an_order_and_its_circle_are_both_told(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "order A > B\n");
	task_takes(&scene, 1, "B A");
	assert_int_equal(findings(&scene), 1);
	task_takes(&scene, 2, "A B");
	assert_int_equal(findings(&scene), 2);
	assert_int_equal(model_finding(scene.model, 2)->kind, FINDING_CIRCULAR);
	scene_end(&scene);
}

static void an_order_through_others_names_the_rules(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "order C > D\norder A > B\norder B > C\n");
	task_takes(&scene, 1, "D A");
	f = the_finding(&scene);
	assert_int_equal(f->rule_count, 3);
	assert_int_equal(f->rules[0]->line, 2);
	assert_int_equal(f->rules[1]->line, 3);
	assert_int_equal(f->rules[2]->line, 1);
	scene_end(&scene);
}

static void a_path_longer_than_there_is_room(void **state)
{
	char text[400] = "", line[20];
	struct scene scene;
	int i;

	(void)state;
	for (i = 0; i < 12; i++) {
		snprintf(line, sizeof(line), "order %c > %c\n", "ABCDEIJLMNOPQ"[i], "ABCDEIJLMNOPQ"[i + 1]);
		strcat(text, line);
	}
	begin(&scene, text);
	task_takes(&scene, 1, "Q A");
	assert_int_equal(the_finding(&scene)->rule_count, FINDING_RULES_MAX);
	scene_end(&scene);
}

static void every_broken_pair_is_told(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "order A > B\norder A > C\n");
	task_takes(&scene, 1, "B1 C B2 D A");
	assert_int_equal(findings(&scene), 2);
	assert_string_equal(model_finding(scene.model, 1)->edges[0].from->name, "B");
	assert_int_equal(model_finding(scene.model, 1)->edges[0].from_index, 0);
	model_refresh(scene.model, model_finding(scene.model, 1));
	assert_int_equal(model_finding(scene.model, 1)->edges[0].count, 1); /* one record */
	assert_string_equal(model_finding(scene.model, 2)->edges[0].from->name, "C");
	scene_end(&scene);
	/* Rules may contradict each other: the other way round is another order. */
	begin(&scene, "order A > B\norder B > A\n");
	task_takes(&scene, 1, "A1 A2");
	assert_int_equal(findings(&scene), 0);
	task_takes(&scene, 1, "B A");
	task_takes(&scene, 1, "A B");
	assert_int_equal(findings_of(&scene, FINDING_ORDER), 2);
	scene_end(&scene);
}

static void what_breaks_an_order(void **state)
{
	static const char *const broken[] = { "B A", "B? A", "B* A", "Br A", "B Ar", "B0x3 A", "B C? A" };
	static const char *const fine[] = { "A B", "B A?", "B C", "A", "B B2", "A B A", "B A!", "Ar B A" };
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		begin(&scene, "order A > B\n");
		task_takes(&scene, 1, broken[i]);
		if (findings_of(&scene, FINDING_ORDER) != 1)
			fail_msg("%s: no finding", broken[i]);
		scene_end(&scene);
	}
	for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		begin(&scene, "order A > B\n");
		task_takes(&scene, 1, fine[i]);
		if (findings_of(&scene, FINDING_ORDER))
			fail_msg("%s: a finding", fine[i]);
		scene_end(&scene);
	}
	begin(&scene, "order A > B if absent\n");
	task_takes(&scene, 1, "B A");
	assert_int_equal(findings(&scene), 0);
	scene_end(&scene);
}

static void orders_of_classes_that_unite(void **state)
{
	struct scene scene;

	(void)state;
	/* With B each, and among themselves. */
	begin(&scene, "order B > " AT_F " > " AT_G "\n");
	task_takes(&scene, 1, "F B");
	task_takes(&scene, 1, "G B");
	task_takes(&scene, 1, "G F");
	assert_int_equal(findings_of(&scene, FINDING_ORDER), 3);
	unite(&scene, 'G', 'F');
	assert_int_equal(findings_of(&scene, FINDING_ORDER), 3);
	task_takes(&scene, 1, "G B");
	assert_int_equal(model_finding(scene.model, 1)->count, 2);
	assert_int_equal(model_finding(scene.model, 2)->count, 1);
	task_takes(&scene, 1, "G F");
	assert_int_equal(model_finding(scene.model, 3)->count, 1);
	assert_int_equal(findings_of(&scene, FINDING_ORDER), 3);
	scene_end(&scene);
}

static void both_names_of_a_class_will_do(void **state)
{
	static const char *const rules[] = {
		"order \"&x->m\" > B\nforbid call destroy under \"&x->m\"\n",
		"order \"&x->m (0xffffffff80000001)\" > B\n"
		"forbid call destroy under \"&x->m (0xffffffff80000001)\"\n",
	};
	struct lt_record_lock hint = {
		.header = { LT_RECORD_LOCK, sizeof(hint), 1 },
		.addr = lock_address('F', 0),
		.generation = 1,
		.init_ip = 0xffffffff80000001,
		.init_name = "&x->m",
	};
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin(&scene, rules[i]);
		assert_int_equal(model_feed(scene.model, &hint.header, sizeof(hint)), 0);
		task_takes(&scene, 1, "B F");
		assert_string_equal(the_finding(&scene)->edges[0].to->name, "&x->m");
		assert_int_equal(the_finding(&scene)->kind, FINDING_ORDER);
		task_calls(&scene, 1, DESTROY, "F");
		assert_int_equal(findings(&scene), 2);
		scene_end(&scene);
	}
}

/* --- locks of one class --- */

static void a_nesting_that_no_rule_allows(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "");
	task_takes(&scene, 1, "K1 K2");
	f = the_finding(&scene);
	assert_int_equal(f->kind, FINDING_RECURSIVE);
	assert_int_equal(f->grade, GRADE_POSSIBLE);
	assert_false(f->same_instance);
	assert_int_equal(f->edge_count, 1);
	assert_ptr_equal(f->edges[0].from, f->edges[0].to);
	assert_int_equal(f->edges[0].from_lock->addr, lock_address('K', 1));
	assert_int_equal(f->edges[0].to_lock->addr, lock_address('K', 2));
	task_takes(&scene, 1, "K1 K3");
	assert_int_equal(the_finding(&scene)->count, 2);
	model_refresh(scene.model, f);
	assert_int_equal(f->edges[0].instances, 2);
	assert_int_equal(f->edges[0].count, 2);
	assert_int_equal(scene.told_count, 1);
	/* The other order too, by one task: known already. By two: it can happen. */
	task_takes(&scene, 1, "K2 K1");
	assert_int_equal(scene.told_count, 1);
	assert_int_equal(f->edge_count, 1);
	task_takes(&scene, 2, "K2 K1");
	assert_int_equal(scene.told_count, 2);
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	assert_int_equal(scene.told[1].previous_grade, GRADE_POSSIBLE);
	assert_int_equal(f->edge_count, 2);
	assert_int_equal(f->count, 4);
	scene_end(&scene);
}

static void which_nestings_are_wrong(void **state)
{
	static const char *const wrong[] = { "K1 K2",  "K1? K2", "K1* K2",  "K1 A K2", "V0x3 V3",
					     "K1 K2r", "K1r K2", "K1r K2r", "A K1 K2" };
	static const char *const fine[] = { "K1 K2?",   "K1 K1",   "K1 K1!",  "A1 A2",   "F1 F2",
					    "K1 K2 K1", "K1r K2?", "V0x3 V2", "V0x3 V0", "K1 V1" };
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin(&scene, "nest V under K\nnest \"kvm.lock\" under B\n");
		task_takes(&scene, 1, wrong[i]);
		if (findings(&scene) != 1)
			fail_msg("%s: no finding", wrong[i]);
		assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
		scene_end(&scene);
		begin(&scene, NULL); /* without rules it is not known what is right */
		task_takes(&scene, 1, wrong[i]);
		assert_int_equal(findings(&scene), 0);
		scene_end(&scene);
	}
	for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		begin(&scene, "");
		task_takes(&scene, 1, fine[i]);
		assert_int_equal(findings(&scene), strchr(fine[i], '!') != NULL);
		scene_end(&scene);
	}
}

static void a_run_that_has_the_lock_itself(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;

	(void)state;
	/* Its generation may have been unknown when the run began. */
	begin(&scene, "");
	chain_begin(&scene, &chain, 1);
	chain.held_count = chain_read(&scene, "V0x3 V0", &chain) - 1;
	chain.held[1].generation = 0;
	assert_int_equal(scene_feed(&scene, &chain), 0);
	assert_int_equal(findings(&scene), 0);
	scene_end(&scene);
}

static uint32_t nested(const char *rules, uint64_t in, const char *text)
{
	struct scene scene;
	uint32_t count;

	begin(&scene, rules);
	takes_in(&scene, 1, in, text);
	count = findings(&scene);
	scene_end(&scene);
	return count;
}

static void what_allows_a_nesting(void **state)
{
	const char *under = "nest kvm_vcpu.mutex under kvm.lock\n", *in = "nest kvm.lock in destroy\n";

	(void)state;
	assert_int_equal(nested(under, 0, "K V1 V2"), 0);
	assert_int_equal(nested(under, 0, "A K B V1 V2"), 0);
	assert_int_equal(nested(under, 0, "K V1 B V2"), 0);
	assert_int_equal(nested(under, 0, "K V1x5 V7"), 0);
	assert_int_equal(nested(under, 0, "K V2 V3"), 0); /* hand over hand: V1 was let go */
	assert_int_equal(nested(under, 0, "K? V1 V2"), 0);
	assert_int_equal(nested(under, 0, "K* V1* V2"), 0);
	assert_int_equal(nested(under, 0, "V1* K* V2"), 0); /* in what order is not known */
	assert_int_equal(nested(under, 0, "V1 K* V2"), 0);
	assert_int_equal(nested(under, 0, "V1 K V2"), 1);
	assert_int_equal(nested(under, 0, "V1 V2"), 1);
	assert_int_equal(nested(under, 0, "V1 K V2 V3"), 1); /* V1 was not taken under K */
	assert_int_equal(nested(under, 0, "K1 K2"), 1);
	assert_int_equal(nested("nest kvm_vcpu.mutex under kvm.lock if absent\n", 0, "K V1 V2"), 1);
	assert_int_equal(nested(in, IN_DESTROY, "K1 K2"), 0);
	assert_int_equal(nested(in, IN_DESTROY_PART, "K1 K2"), 0);
	assert_int_equal(nested(in, IN_DESTROYER, "K1 K2"), 1);
	assert_int_equal(nested(in, 0, "K1 K2"), 1);
	assert_int_equal(nested(in, IN_DESTROY, "W1 W2"), 1);
}

static void an_allowed_nesting_is_no_dependency(void **state)
{
	struct model_counts counts;
	struct scene scene;

	(void)state;
	begin(&scene, "nest kvm_vcpu.mutex under kvm.lock\nnest A under B\nnest C in copy\n");
	/* Both orders, of several tasks. */
	task_takes(&scene, 1, "K V1 V2");
	task_takes(&scene, 2, "K2 V2 V1");
	task_takes(&scene, 1, "B A1 A2");
	task_takes(&scene, 2, "B2 A2 A1");
	takes_in(&scene, 1, IN_COPY, "C1 C2");
	takes_in(&scene, 2, IN_COPY, "C2 C1");
	assert_int_equal(findings(&scene), 0);
	model_count(scene.model, &counts);
	assert_int_equal(counts.dependencies, 2); /* K V, B A: what is outside has its own */
	/* Where the rule does not hold they count. */
	task_takes(&scene, 1, "A1 A2");
	assert_int_equal(findings(&scene), 0);
	task_takes(&scene, 2, "A2 A1");
	assert_int_equal(the_finding(&scene)->kind, FINDING_RECURSIVE);
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static void half_an_order_may_be_allowed(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "nest F in copy\nnest " AT_F " in copy\n");
	takes_in(&scene, 1, IN_COPY, "F1 F2");
	task_takes(&scene, 2, "F2 F1");
	assert_int_equal(findings(&scene), 0);
	task_takes(&scene, 1, "F1 F2");
	assert_int_equal(findings(&scene), 1);
	scene_end(&scene);
}

static void other_dependencies_of_an_allowed_nesting_stay(void **state)
{
	struct scene scene;

	(void)state;
	/* What is outside of both, with the inner one. */
	begin(&scene, "nest A under B\n");
	task_takes(&scene, 1, "B X A1 A2");
	task_takes(&scene, 2, "A2 X");
	assert_classes(the_finding(&scene), "X A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
	/* Both with what is inside; the outer one too, though the inner one is no trylock. */
	begin(&scene, "nest A under B\n");
	task_takes(&scene, 1, "B A1 A2 C");
	task_takes(&scene, 2, "C A1");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
	begin(&scene, "nest A under B\n");
	task_takes(&scene, 1, "B A1 A2 C");
	task_takes(&scene, 2, "C A2");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
	/* But no more than that: A to C goes by D. */
	begin(&scene, "nest A under B\n");
	task_takes(&scene, 1, "B A1 D C");
	task_takes(&scene, 2, "C A1");
	assert_int_equal(findings(&scene), 0);
	scene_end(&scene);
}

/* --- known and ignored --- */

#define KNOWN(n) "known 00000000000" #n " v6." #n " \"title\": "

static unsigned int known_line(const struct finding *finding)
{
	return finding->known ? finding->known->line : 0;
}

static void patterns_of_a_call(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene,
	      "forbid call destroy under A\n" KNOWN(1) "call put under A\n" KNOWN(2) "call destroy under B\n" KNOWN(3) "A > B\n" KNOWN(
		      4) "call destroy under A if absent\n" KNOWN(5) "call destroy under A\n" KNOWN(6) "call destroy under A\n");
	task_calls(&scene, 1, DESTROY, "B A");
	assert_int_equal(known_line(the_finding(&scene)), 6); /* the first that fits */
	assert_int_equal(scene.told[0].known->line, 6);       /* when it was told */
	scene_end(&scene);
}

static void patterns_of_pairs(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene,
	      "order A > B\n" KNOWN(1) "A > B\n" KNOWN(2) "call destroy under B\n" KNOWN(3) "B > B\n" KNOWN(
		      4) "B > A > B\n" KNOWN(5) "B > A > C\n" KNOWN(6) "D > A\n" KNOWN(7) "B > A\n");
	task_takes(&scene, 1, "D B A"); /* D is held too */
	assert_int_equal(the_finding(&scene)->kind, FINDING_ORDER);
	assert_int_equal(known_line(the_finding(&scene)), 7);
	task_takes(&scene, 2, "E C");
	task_takes(&scene, 2, "C E");
	assert_int_equal(findings(&scene), 2);
	assert_int_equal(known_line(model_finding(scene.model, 2)), 0);
	scene_end(&scene);
	/* Each pair by an edge of the circle. */
	begin(&scene, KNOWN(1) "A > C\n" KNOWN(2) "A > B > C > D\n" KNOWN(3) "A > B > C\n");
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B C");
	task_takes(&scene, 3, "C A");
	assert_int_equal(known_line(the_finding(&scene)), 3);
	scene_end(&scene);
}

static void patterns_of_circles(void **state)
{
	static const struct {
		const char *pattern;
		bool fits;
	} tries[] = {
		{ "A > B > A", true },     { "B > A > B", true },      { "A > B > C > A", true },
		{ "C > A > B > C", true }, { "A > C > A", true },      { "A > B > C > D > A", true },
		{ "D > A > C > D", true }, { "A > C > B > A", false }, { "A > B > C > D > E > A", false },
		{ "A > E > A", false },    { "D > C > A > D", false }, { "A > A", false },
	};
	char rules[200];
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		snprintf(rules, sizeof(rules), KNOWN(1) "%s\n", tries[i].pattern);
		begin(&scene, rules);
		task_takes(&scene, 1, "C D");
		task_takes(&scene, 2, "D A");
		task_takes(&scene, 3, "A B");
		task_takes(&scene, 4, "B C");
		if (known_line(the_finding(&scene)) != tries[i].fits)
			fail_msg("%s", tries[i].pattern);
		scene_end(&scene);
	}
}

static void patterns_of_one_class(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "nest B in copy\n" KNOWN(1) "B > B\n" KNOWN(2) "kvm.lock > kvm.lock in destroy\n" KNOWN(
			      3) "A > A\n" KNOWN(4) "kvm.lock > kvm.lock\n");
	task_takes(&scene, 1, "A1 A!"); /* twice, first taken unseen */
	task_takes(&scene, 1, "K1 K2");
	assert_int_equal(findings(&scene), 2);
	assert_int_equal(known_line(model_finding(scene.model, 1)), 4);
	assert_int_equal(known_line(model_finding(scene.model, 2)), 5);
	takes_in(&scene, 1, IN_DESTROY, "K1 K1!");
	assert_int_equal(known_line(model_finding(scene.model, 3)), 3);
	scene_end(&scene);
}

static void patterns_with_a_function(void **state)
{
	const char *rules = KNOWN(1) "A > B > A in destroy\n" KNOWN(2) "A > B > A in copy\n";
	struct scene scene;

	(void)state;
	begin(&scene, rules);
	task_takes(&scene, 1, "A B");
	takes_in(&scene, 2, IN_COPY, "B A");
	assert_int_equal(known_line(the_finding(&scene)), 2);
	scene_end(&scene);
	begin(&scene, rules);
	takes_in(&scene, 1, IN_DESTROY_PART, "A B");
	takes_in(&scene, 2, IN_COPY, "B A");
	assert_int_equal(known_line(the_finding(&scene)), 1);
	scene_end(&scene);
	begin(&scene, rules);
	task_takes(&scene, 1, "A B");
	takes_in(&scene, 2, IN_DESTROYER, "B A");
	assert_int_equal(known_line(the_finding(&scene)), 0);
	scene_end(&scene);
}

static void what_is_ignored_is_counted_not_told(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "forbid call destroy under A\nignore call destroy under A\nignore A > B > A\n"
		      "order C > D\nignore D > C\n" KNOWN(1) "call destroy under A\n");
	task_calls(&scene, 1, DESTROY, "A");
	task_calls(&scene, 1, DESTROY, "A");
	f = the_finding(&scene);
	assert_int_equal(f->ignored->line, 2);
	assert_int_equal(f->known->line, 6);
	assert_int_equal(f->count, 2);
	assert_int_equal(ignored(&scene), 1);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 1, "B A");
	task_takes(&scene, 2, "B A");
	assert_int_equal(model_finding(scene.model, 2)->grade, GRADE_LIKELY);
	task_takes(&scene, 1, "D C");
	assert_int_equal(findings(&scene), 3);
	assert_int_equal(ignored(&scene), 3);
	assert_int_equal(scene.told_count, 0);
	/* And others are told. */
	task_takes(&scene, 1, "D B");
	task_takes(&scene, 1, "B D");
	assert_int_equal(scene.told_count, 1);
	assert_int_equal(ignored(&scene), 3);
	scene_end(&scene);
}

static void ignored_as_long_as_the_rule_is_in_force(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "ignore A > B > A in copy if there\n");
	scene.present = "there";
	scene_refresh(&scene);
	takes_in(&scene, 1, IN_COPY, "A1 B1");
	task_takes(&scene, 1, "B1 A1");
	assert_int_equal(scene.told_count, 0);
	/* Rises, and shows other evidence: still. */
	task_takes(&scene, 2, "G A2 B2");
	task_takes(&scene, 3, "G B2 A2");
	task_takes(&scene, 3, "G B3 A3");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	assert_int_equal(scene.told_count, 0);
	assert_int_equal(ignored(&scene), 1);
	scene.present = NULL;
	scene_refresh(&scene);
	task_takes(&scene, 2, "A2 B2");
	task_takes(&scene, 3, "B2 A2");
	assert_int_equal(scene.told_count, 1);
	assert_int_equal(scene.told[0].grade, GRADE_LIKELY);
	assert_int_equal(scene.told[0].previous_grade, GRADE_NONE); /* nobody was told */
	assert_int_equal(ignored(&scene), 0);
	scene_end(&scene);
}

/* Each finding is told, ignored or left out; a grade that rises can make it told. */
static void findings_are_counted_by_what_was_told(void **state)
{
	struct model_counts counts;
	struct scene scene;

	(void)state;
	begin(&scene, "note call destroy under A\nforbid call destroy under A if hook\n"
		      "forbid call put under B\nignore call put under B\norder C > D\n");
	task_calls(&scene, 1, PUT, "B");
	task_calls(&scene, 1, DESTROY, "A");
	scene.deaf = true;
	task_takes(&scene, 1, "D C");
	task_takes(&scene, 1, "E F");
	task_takes(&scene, 1, "F E");
	model_count(scene.model, &counts);
	assert_int_equal(counts.findings, 4);
	assert_int_equal(counts.told, 1);
	assert_int_equal(counts.information, 1);
	assert_int_equal(counts.ignored, 1);
	assert_int_equal(counts.left_out, 2);
	scene.deaf = false;
	scene.present = "hook";
	task_calls(&scene, 1, DESTROY, "A2");
	task_takes(&scene, 2, "F E");
	assert_int_equal(scene.told_count, 3);
	assert_int_equal(scene.told[1].previous_grade, GRADE_INFORMATION);
	assert_int_equal(scene.told[2].previous_grade, GRADE_NONE); /* nobody was told before */
	model_count(scene.model, &counts);
	assert_int_equal(counts.told, 2);
	assert_int_equal(counts.information, 0);
	assert_int_equal(counts.ignored, 1);
	assert_int_equal(counts.left_out, 1);
	scene_end(&scene);
}

static void nothing_is_known_without_rules(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, NULL);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A");
	assert_null(the_finding(&scene)->known);
	assert_int_equal(ignored(&scene), 0);
	scene_end(&scene);
}

/* --- a lock taken twice --- */

static void an_owned_lock_with_nothing_held(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene, "");
	task_takes(&scene, 1, "K!");
	f = the_finding(&scene);
	assert_int_equal(f->kind, FINDING_RECURSIVE);
	assert_int_equal(f->grade, GRADE_DEADLOCK);
	assert_true(f->same_instance);
	assert_int_equal(f->edges[0].from_index, 0);
	assert_int_equal(f->edges[0].sighting->held_count, 0);
	task_takes(&scene, 1, "A K!");
	assert_int_equal(the_finding(&scene)->count, 2);
	scene_end(&scene);
}

static void the_seed_bug(void **state)
{
	const struct finding *f;
	struct scene scene;

	(void)state;
	begin(&scene,
	      "forbid call destroy under A if hook\nnote call destroy under A\n"
	      "order B > A\n" KNOWN(1) "A > A in destroy\n" KNOWN(2) "call destroy under A if hook\n");
	scene.present = "hook";
	task_takes(&scene, 1, "A");
	task_calls(&scene, 1, DESTROY, "A");
	takes_in(&scene, 1, IN_DESTROY, "A C");
	takes_in(&scene, 1, IN_DESTROY, "A D A!");
	assert_int_equal(findings(&scene), 2);
	f = model_finding(scene.model, 1);
	assert_int_equal(f->grade, GRADE_DANGER);
	assert_int_equal(known_line(f), 5);
	assert_int_equal(f->inside_count, 2);
	assert_string_equal(f->inside[0]->name, "C");
	assert_string_equal(f->inside[1]->name, "A");
	f = model_finding(scene.model, 2);
	assert_int_equal(f->grade, GRADE_DEADLOCK);
	assert_int_equal(known_line(f), 4);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_forbidden_call_is_a_danger),
		cmocka_unit_test(the_hits_of_a_call_are_asked_for),
		cmocka_unit_test(the_hits_of_orders_and_misuses_are_asked_for),
		cmocka_unit_test(what_is_not_counted_is_not_told),
		cmocka_unit_test(calls_that_no_rule_speaks_of),
		cmocka_unit_test(however_the_lock_is_held),
		cmocka_unit_test(names_of_functions),
		cmocka_unit_test(a_note_rises_to_danger_when_its_condition_comes_true),
		cmocka_unit_test(one_call_under_two_locks_is_one_finding),
		cmocka_unit_test(all_rules_of_the_grade_are_named),
		cmocka_unit_test(the_outermost_of_a_class_is_shown),
		cmocka_unit_test(a_call_is_made_on_an_object),
		cmocka_unit_test(what_a_call_is_made_on_may_have_died_just_now),
		cmocka_unit_test(what_a_call_is_made_on_may_be_no_object),
		cmocka_unit_test(locks_taken_inside_the_call),
		cmocka_unit_test(inside_has_room_for_so_many),
		cmocka_unit_test(classes_inside_unite),
		cmocka_unit_test(the_class_of_a_call_unites),
		cmocka_unit_test(references_that_were_not_the_last),
		cmocka_unit_test(many_of_them_and_uniting),
		cmocka_unit_test(misuse_is_a_danger),
		cmocka_unit_test(each_misuse_is_of_its_own),
		cmocka_unit_test(a_freed_lock_is_shown_after_its_death),
		cmocka_unit_test(one_wrong_order_is_enough),
		cmocka_unit_test(an_order_and_its_circle_are_both_told),
		cmocka_unit_test(an_order_through_others_names_the_rules),
		cmocka_unit_test(a_path_longer_than_there_is_room),
		cmocka_unit_test(every_broken_pair_is_told),
		cmocka_unit_test(what_breaks_an_order),
		cmocka_unit_test(orders_of_classes_that_unite),
		cmocka_unit_test(both_names_of_a_class_will_do),
		cmocka_unit_test(a_nesting_that_no_rule_allows),
		cmocka_unit_test(which_nestings_are_wrong),
		cmocka_unit_test(a_run_that_has_the_lock_itself),
		cmocka_unit_test(what_allows_a_nesting),
		cmocka_unit_test(an_allowed_nesting_is_no_dependency),
		cmocka_unit_test(half_an_order_may_be_allowed),
		cmocka_unit_test(other_dependencies_of_an_allowed_nesting_stay),
		cmocka_unit_test(patterns_of_a_call),
		cmocka_unit_test(patterns_of_pairs),
		cmocka_unit_test(patterns_of_circles),
		cmocka_unit_test(patterns_of_one_class),
		cmocka_unit_test(patterns_with_a_function),
		cmocka_unit_test(what_is_ignored_is_counted_not_told),
		cmocka_unit_test(ignored_as_long_as_the_rule_is_in_force),
		cmocka_unit_test(findings_are_counted_by_what_was_told),
		cmocka_unit_test(nothing_is_known_without_rules),
		cmocka_unit_test(an_owned_lock_with_nothing_held),
		cmocka_unit_test(the_seed_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
