// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Thousands of small random histories against a reference that is slow and
 * obviously right: it keeps every observation, tries every sequence of classes and
 * every choice of locks, and remembers nothing between two questions.
 *
 * LOCKTRACE_SEED=n repeats a run; the seed is printed with each failure.
 */
#include "chain_builder.h"

#include <time.h>

#define CLASSES 6
#define LOCKS 3 /* of each class */
#define OBSERVATIONS 64
#define GATES 3 /* G, H, I: held besides, never in a cycle */

struct observed {
	unsigned int from_class, from_lock, to_class, to_lock, task, gates; /* gates: bits */
	bool dead; /* one of the two locks died since */
};

struct history {
	struct scene scene;
	struct observed observed[OBSERVATIONS];
	uint32_t count;
	uint64_t generation[CLASSES][LOCKS];
	enum finding_grade expected[TOLD_MAX]; /* of each finding, by id */
};

static uint64_t the_seed;

static unsigned int below(uint64_t *random, unsigned int limit)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return (unsigned int)((*random * 0x2545f4914f6cdd1dULL >> 33) % limit);
}

#define check(condition)                                                                               \
	do {                                                                                           \
		if (!(condition))                                                                      \
			fail_msg("LOCKTRACE_SEED=%llu: %s", (unsigned long long)the_seed, #condition); \
	} while (0)

static void history_begin(struct history *history)
{
	unsigned int class, lock;

	scene_begin(&history->scene);
	history->count = 0;
	for (class = 0; class < CLASSES; class ++)
		for (lock = 0; lock < LOCKS; lock++)
			history->generation[class][lock] = 1;
	memset(history->expected, 0, sizeof(history->expected));
}

static void history_held(const struct history *history, struct lt_held *held, unsigned int class,
			 unsigned int lock)
{
	char text[8];
	uint32_t flags = 0;

	snprintf(text, sizeof(text), "%c%u", 'A' + class, lock);
	held_read(&history->scene, text, held, &flags);
	held->generation = history->generation[class][lock];
}

/* Gates outermost, then "from", then "to": gives the one dependency. */
static void history_observe(struct history *history, const struct observed *observed)
{
	struct lt_record_chain chain;
	uint32_t gate, flags = 0, count = 0;

	chain_begin(&history->scene, &chain, observed->task);
	for (gate = 0; gate < GATES; gate++) {
		char text[2] = { (char)('G' + gate), '\0' };

		if (observed->gates & 1u << gate)
			held_read(&history->scene, text, &chain.held[count++], &flags);
	}
	history_held(history, &chain.held[count++], observed->from_class, observed->from_lock);
	history_held(history, &chain.held[count], observed->to_class, observed->to_lock);
	chain.held_count = (uint16_t)count;
	history->observed[history->count++] = *observed;
	check(scene_feed(&history->scene, &chain) == 0);
}

/* A lock dies: the next one at its address has another generation, and shows itself. */
static void history_kill(struct history *history, unsigned int class, unsigned int lock)
{
	struct lt_record_chain chain;
	uint32_t i;

	history->generation[class][lock]++;
	chain_begin(&history->scene, &chain, 1);
	history_held(history, &chain.held[0], class, lock);
	check(scene_feed(&history->scene, &chain) == 0);
	for (i = 0; i < history->count; i++) {
		struct observed *o = &history->observed[i];

		o->dead |= (o->from_class == class && o->from_lock == lock) ||
			   (o->to_class == class && o->to_lock == lock);
	}
}

/* What all observations that fit have in common. */
struct common {
	bool any, many_tasks;
	unsigned int task, gates;
};

static void common_add(struct common *common, const struct observed *observed)
{
	if (!common->any) {
		common->any = true;
		common->task = observed->task;
		common->gates = observed->gates;
	}
	common->many_tasks |= common->task != observed->task;
	common->gates &= observed->gates;
}

static enum finding_grade common_grade(const struct common *common, enum finding_grade strong)
{
	if (!common->many_tasks)
		return GRADE_ONE_TASK;
	return common->gates ? GRADE_GUARDED : strong;
}

static bool seen_classes(const struct history *history, unsigned int from, unsigned int to,
			 struct common *common)
{
	bool seen = false;
	uint32_t i;

	for (i = 0; i < history->count; i++) {
		const struct observed *o = &history->observed[i];

		if (o->from_class != from || o->to_class != to)
			continue;
		seen = true;
		if (common)
			common_add(common, o);
	}
	return seen;
}

static bool seen_locks(const struct history *history, unsigned int from, unsigned int from_lock,
		       unsigned int to, unsigned int to_lock, struct common *common)
{
	bool seen = false;
	uint32_t i;

	for (i = 0; i < history->count; i++) {
		const struct observed *o = &history->observed[i];

		if (o->dead || o->from_class != from || o->from_lock != from_lock || o->to_class != to ||
		    o->to_lock != to_lock)
			continue;
		seen = true;
		if (common)
			common_add(common, o);
	}
	return seen;
}

/* Whether any choice of living locks, one of each class of a cycle, is "likely". */
static bool some_locks_are_likely(const struct history *history, const unsigned int *classes, uint32_t count)
{
	unsigned int choices = 1, choice, lock[CLASSES], rest;
	uint32_t i;

	for (i = 0; i < count; i++)
		choices *= LOCKS;
	for (choice = 0; choice < choices; choice++) {
		struct common common = { 0 };

		for (i = 0, rest = choice; i < count; i++, rest /= LOCKS)
			lock[i] = rest % LOCKS;
		for (i = 0; i < count; i++) {
			uint32_t next = (i + 1) % count;

			if (!seen_locks(history, classes[i], lock[i], classes[next], lock[next], &common))
				break;
		}
		if (i == count && common_grade(&common, GRADE_LIKELY) == GRADE_LIKELY)
			return true;
	}
	return false;
}

static enum finding_grade slow_grade(const struct history *history, const unsigned int *classes,
				     uint32_t count)
{
	struct common common = { 0 };
	uint32_t i;

	for (i = 0; i < count; i++)
		check(seen_classes(history, classes[i], classes[(i + 1) % count], &common));
	if (some_locks_are_likely(history, classes, count))
		return GRADE_LIKELY;
	return common_grade(&common, GRADE_POSSIBLE);
}

/* All simple cycles of classes through an edge. */
struct slow_cycles {
	const struct history *history;
	unsigned int path[CLASSES];
	unsigned int goal;
	uint32_t shortest;      /* 0: none */
	unsigned int last_hops; /* bits: classes from which a cycle comes back to the goal */
};

static void slow_walk(struct slow_cycles *cycles, uint32_t length, unsigned int visited)
{
	unsigned int here = cycles->path[length - 1], next;

	if (seen_classes(cycles->history, here, cycles->goal, NULL)) {
		cycles->last_hops |= 1u << here;
		if (!cycles->shortest || length + 1 < cycles->shortest)
			cycles->shortest = length + 1;
	}
	for (next = 0; next < CLASSES; next++) {
		if (visited & 1u << next || next == cycles->goal ||
		    !seen_classes(cycles->history, here, next, NULL))
			continue;
		cycles->path[length] = next;
		slow_walk(cycles, length + 1, visited | 1u << next);
	}
}

static struct slow_cycles slow_cycles_through(const struct history *history, unsigned int from,
					      unsigned int to)
{
	struct slow_cycles cycles = { .history = history, .path = { to }, .goal = from };

	if (from != to)
		slow_walk(&cycles, 1, 1u << to);
	return cycles;
}

static uint32_t read_classes(const struct finding *finding, unsigned int *classes)
{
	uint32_t i;

	for (i = 0; i < finding->edge_count; i++)
		classes[i] = (unsigned int)(finding->edges[i].from->name[0] - 'A');
	return finding->edge_count;
}

static bool classes_repeat(const struct finding *finding)
{
	uint32_t i, j;

	for (i = 0; i < finding->edge_count; i++)
		for (j = 0; j < i; j++)
			if (finding->edges[i].from == finding->edges[j].from)
				return true;
	return false;
}

static bool same_cycle(const struct finding *a, const struct finding *b)
{
	uint32_t shift, i, n = a->edge_count;

	if (a->kind != b->kind || n != b->edge_count)
		return false;
	for (shift = 0; shift < n; shift++) {
		for (i = 0; i < n && a->edges[i].from == b->edges[(i + shift) % n].from; i++)
			;
		if (i == n)
			return true;
	}
	return false;
}

/* What is shown must be true: the sighting's locks are these, and of "likely" the locks meet. */
static void check_shown(const struct finding *finding)
{
	struct common common = { 0 };
	uint32_t i, n = finding->edge_count;

	finding_assert_sound(finding);
	if (finding->grade != GRADE_LIKELY)
		return;
	for (i = 0; i < n; i++) {
		struct observed shown = { .task = finding->edges[i].sighting->task.pid };

		check(finding->edges[i].to_lock == finding->edges[(i + 1) % n].from_lock);
		common_add(&common, &shown);
	}
	check(common.many_tasks || n > 2);
}

/* Every simple finding has the very grade that the reference gives it now, or gave it before. */
static void check_grades(struct history *history)
{
	const struct finding *finding;
	unsigned int classes[MODEL_CYCLE_MAX];
	uint32_t id, other;

	for (id = 1; (finding = model_finding(history->scene.model, id)); id++) {
		enum finding_grade grade;

		check_shown(finding);
		for (other = 1; other < id; other++)
			check(!same_cycle(finding, model_finding(history->scene.model, other)));
		if (finding->kind == FINDING_RECURSIVE)
			continue;
		if (classes_repeat(finding)) {
			check(finding->grade == GRADE_LIKELY);
			continue;
		}
		grade = slow_grade(history, classes, read_classes(finding, classes));
		if (grade > history->expected[id])
			history->expected[id] = grade;
		check(finding->grade == history->expected[id]);
	}
}

/* The record told of a cycle if and only if there is one; the shortest first; each is real. */
static void check_new_edge(struct history *history, const struct observed *observed, uint32_t before)
{
	struct slow_cycles slow = slow_cycles_through(history, observed->from_class, observed->to_class);
	unsigned int hops = (unsigned int)__builtin_popcount(slow.last_hops), told = 0, last_hops = 0;
	const struct finding *finding;
	uint32_t id;

	for (id = before + 1; (finding = model_finding(history->scene.model, id)); id++) {
		unsigned int classes[MODEL_CYCLE_MAX];
		uint32_t n = read_classes(finding, classes), i;

		if (finding->kind == FINDING_RECURSIVE || classes_repeat(finding))
			continue;
		for (i = 0; i < n; i++)
			check(seen_classes(history, classes[i], classes[(i + 1) % n], NULL));
		if (!told++)
			check(n == slow.shortest);
		check(classes[n - 1] == observed->from_class && classes[0] == observed->to_class);
		last_hops |= 1u << classes[n - 2];
	}
	/* Four of the last hops; the search among locks may add to these. */
	check(told >= (hops < 4 ? hops : 4));
	check((last_hops & ~slow.last_hops) == 0);
	check(hops > 4 || last_hops == slow.last_hops);
}

static struct observed random_observation(uint64_t *random, unsigned int classes, unsigned int locks,
					  unsigned int tasks, unsigned int gates)
{
	struct observed observed = {
		.from_class = below(random, classes),
		.to_class = below(random, classes),
		.from_lock = below(random, locks),
		.to_lock = below(random, locks),
		.task = 1 + below(random, tasks),
		/* Mostly gates: else nothing is ever guarded. */
		.gates = below(random, 1u << gates) | below(random, 1u << gates),
	};

	return observed;
}

/* Runs one random history; locks: of each class, 1 for graphs of classes alone. */
static void random_history(struct history *history, uint64_t *random, unsigned int locks, bool deaths)
{
	unsigned int classes = 2 + below(random, CLASSES - 1), tasks = 1 + below(random, 3);
	unsigned int gates = below(random, GATES + 1), steps = 4 + below(random, OBSERVATIONS - 4);

	history_begin(history);
	while (steps--) {
		struct observed observed = random_observation(random, classes, locks, tasks, gates);
		uint32_t before = history->scene.told_count ? findings(&history->scene) : 0;
		bool is_new = !seen_classes(history, observed.from_class, observed.to_class, NULL);

		if (observed.from_class == observed.to_class && observed.from_lock == observed.to_lock)
			continue;
		history_observe(history, &observed);
		if (is_new && observed.from_class != observed.to_class)
			check_new_edge(history, &observed, before);
		check_grades(history);
		if (deaths && !below(random, 6)) {
			history_kill(history, below(random, classes), below(random, locks));
			check_grades(history);
		}
	}
	scene_end(&history->scene);
}

static void random_histories(unsigned int runs, unsigned int locks, bool deaths)
{
	struct history *history = malloc(sizeof(*history));
	unsigned int run;

	for (run = 0; run < runs; run++) {
		uint64_t random = (the_seed + run) * 0x9e3779b97f4a7c15ULL | 1;

		random_history(history, &random, locks, deaths);
	}
	free(history);
}

static void cycles_of_classes(void **state)
{
	(void)state;
	random_histories(1200, 1, false);
}

static void grades_of_locks(void **state)
{
	(void)state;
	random_histories(600, 2, false);
	random_histories(250, 3, false);
}

static void grades_when_locks_die(void **state)
{
	(void)state;
	random_histories(600, 2, true);
}

/* Two or three locks of one class alone. */
static enum finding_grade slow_nesting_grade(const struct history *history)
{
	static const unsigned int circles[][4] = {
		{ 2, 0, 1 }, { 2, 0, 2 }, { 2, 1, 2 }, { 3, 0, 1, 2 }, { 3, 0, 2, 1 }
	};
	enum finding_grade best = GRADE_NONE, grade;
	unsigned int circle, i;

	for (circle = 0; circle < sizeof(circles) / sizeof(circles[0]); circle++) {
		unsigned int n = circles[circle][0];
		const unsigned int *lock = &circles[circle][1];
		struct common common = { 0 };

		for (i = 0; i < n && seen_locks(history, 0, lock[i], 0, lock[(i + 1) % n], &common); i++)
			;
		grade = i == n ? common_grade(&common, GRADE_LIKELY) : GRADE_NONE;
		if (grade > best)
			best = grade;
	}
	return best;
}

static void nesting_of_one_class(void **state)
{
	struct history *history = malloc(sizeof(*history));
	unsigned int run, steps;

	(void)state;
	for (run = 0; run < 1200; run++) {
		uint64_t random = (the_seed + run) * 0xd1342543de82ef95ULL | 1;
		unsigned int tasks = 1 + below(&random, 3), gates = below(&random, GATES + 1);

		history_begin(history);
		for (steps = 0; steps < 16; steps++) {
			struct observed observed = random_observation(&random, 1, LOCKS, tasks, gates);
			const struct finding *finding;

			if (observed.from_lock == observed.to_lock)
				continue;
			history_observe(history, &observed);
			finding = model_finding(history->scene.model, 1);
			check((finding ? finding->grade : GRADE_NONE) == slow_nesting_grade(history));
			check(!model_finding(history->scene.model, 2));
		}
		scene_end(&history->scene);
	}
	free(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cycles_of_classes),
		cmocka_unit_test(grades_of_locks),
		cmocka_unit_test(grades_when_locks_die),
		cmocka_unit_test(nesting_of_one_class),
	};
	const char *text = getenv("LOCKTRACE_SEED");
	struct timespec now;

	timespec_get(&now, TIME_UTC);
	the_seed = (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
	if (text)
		the_seed = strtoull(text, NULL, 0);
	printf("LOCKTRACE_SEED=%llu\n", (unsigned long long)the_seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
