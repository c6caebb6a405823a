// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* The helpers of "hang": what they tell arrives; one that is stuck is left behind in time. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/hang_wire.h"

#define MESSAGES 20000

struct taken {
	size_t count;
	size_t refuse_at; /* 0: never */
};

static int take(void *context, uint32_t type, const void *bytes, size_t size)
{
	struct taken *taken = context;

	assert_int_equal((uintptr_t)bytes % 8, 0);
	assert_int_equal(type, taken->count % 7);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(((const char *)bytes)[i], 'x');
	assert_int_equal(size, taken->count % 100);
	taken->count++;
	return taken->count == taken->refuse_at ? -22 : 0;
}

static void send_all(FILE *out, size_t count)
{
	char bytes[100];

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < count; i++)
		wire_send_parts(out, (uint32_t)(i % 7), bytes, i % 100 / 2, bytes, i % 100 - i % 100 / 2);
}

static int run_all(FILE *out, const void *argument)
{
	wire_stage(out, "telling");
	send_all(out, *(const size_t *)argument);
	return 0;
}

static int run_stuck(FILE *out, const void *argument)
{
	send_all(out, *(const size_t *)argument);
	wire_stage(out, "being stuck");
	sleep(1000);
	return 0;
}

static int run_failing(FILE *out, const void *argument)
{
	send_all(out, *(const size_t *)argument);
	return -5;
}

static int run_torn(FILE *out, const void *argument)
{
	const uint32_t header[2] = { 3, (uint32_t) * (const size_t *)argument };

	fwrite(header, sizeof(header), 1, out);
	return 0;
}

static void all_that_is_told_arrives(void **state)
{
	const size_t count = MESSAGES;
	struct taken taken = { 0 };
	struct helper helper = { .take = take, .context = &taken };
	struct helper *const helpers[] = { &helper };

	(void)state;
	assert_int_equal(helper_start(&helper, run_all, &count), 0);
	helpers_read(helpers, 1, wire_now_ms() + 10000, NULL, NULL);
	assert_true(helper.done);
	assert_int_equal(helper.err, 0);
	assert_int_equal(helper.fd, -1);
	assert_int_equal(taken.count, MESSAGES);
	assert_string_equal(helper.stage, "telling");
	helper_end(&helper);
}

static void a_stuck_helper_is_left_behind_and_what_it_told_is_kept(void **state)
{
	const size_t count = 300;
	struct taken stuck_taken = { 0 }, other_taken = { 0 };
	struct helper stuck = { .take = take, .context = &stuck_taken },
		      other = { .take = take, .context = &other_taken };
	struct helper *const helpers[] = { &stuck, &other };
	uint64_t start = wire_now_ms();
	pid_t pid;

	(void)state;
	assert_int_equal(helper_start(&stuck, run_stuck, &count), 0);
	assert_int_equal(helper_start(&other, run_all, &count), 0);
	helpers_read(helpers, 2, start + 400, NULL, NULL);
	assert_true(wire_now_ms() - start >= 400);
	assert_true(wire_now_ms() - start < 3000);
	assert_false(stuck.done);
	assert_true(stuck.fd >= 0);
	assert_int_equal(stuck_taken.count, 300);
	assert_string_equal(stuck.stage, "being stuck");
	assert_true(other.done);
	pid = stuck.pid;
	helper_end(&stuck);
	helper_end(&other);
	/* It was killed. */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static bool is_enough(const void *context)
{
	return ((const struct taken *)context)->count >= 300;
}

static void no_more_is_waited_for_than_is_enough(void **state)
{
	const size_t count = 300;
	struct taken taken = { 0 };
	struct helper helper = { .take = take, .context = &taken };
	struct helper *const helpers[] = { &helper };
	uint64_t start = wire_now_ms();

	(void)state;
	assert_int_equal(helper_start(&helper, run_stuck, &count), 0);
	helpers_read(helpers, 1, start + 10000, is_enough, &taken);
	assert_true(wire_now_ms() - start < 5000);
	assert_int_equal(taken.count, 300);
	helper_end(&helper);
}

static int run_looking_at_itself(FILE *out, const void *argument)
{
	const int *kept = argument;
	char open_files = fcntl(*kept, F_GETFD) >= 0 ? 1 : 0;

	fputs("a warning\n", stderr);
	wire_send(out, 1, &open_files, 1);
	return 0;
}

static int take_open_files(void *context, uint32_t type, const void *bytes, size_t size)
{
	assert_int_equal(type, 1);
	assert_int_equal(size, 1);
	*(char *)context = *(const char *)bytes;
	return 0;
}

static void a_helper_keeps_no_file_open_and_its_warnings_come_out_here(void **state)
{
	char open_files = 2, said[32] = "";
	struct helper helper = { .take = take_open_files, .context = &open_files };
	struct helper *const helpers[] = { &helper };
	int ends[2], own = dup(STDERR_FILENO);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	assert_int_equal(helper_start(&helper, run_looking_at_itself, &ends[1]), 0);
	helpers_read(helpers, 1, wire_now_ms() + 20000, NULL, NULL);
	helper_end(&helper);
	fflush(stderr);
	dup2(own, STDERR_FILENO);
	close(own);
	close(ends[1]);
	assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
	close(ends[0]);
	assert_string_equal(said, "a warning\n");
	assert_int_equal(open_files, 0);
}

static void a_helper_that_fails_is_not_done(void **state)
{
	const size_t count = 5;
	struct taken taken = { 0 };
	struct helper helper = { .take = take, .context = &taken };
	struct helper *const helpers[] = { &helper };

	(void)state;
	assert_int_equal(helper_start(&helper, run_failing, &count), 0);
	helpers_read(helpers, 1, wire_now_ms() + 10000, NULL, NULL);
	assert_false(helper.done);
	assert_int_equal(helper.fd, -1);
	assert_int_equal(taken.count, 5);
	helper_end(&helper);
}

static void a_torn_message_is_not_taken(void **state)
{
	static const size_t sizes[] = { 64, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct taken taken = { 0 };
		struct helper helper = { .take = take, .context = &taken };
		struct helper *const helpers[] = { &helper };

		assert_int_equal(helper_start(&helper, run_torn, &sizes[i]), 0);
		helpers_read(helpers, 1, wire_now_ms() + 10000, NULL, NULL);
		assert_int_equal(taken.count, 0);
		assert_int_equal(helper.err, i ? -22 : 0);
		assert_false(helper.done);
		helper_end(&helper);
	}
}

static void a_message_that_is_refused_ends_it(void **state)
{
	const size_t count = 50;
	struct taken taken = { .refuse_at = 10 };
	struct helper helper = { .take = take, .context = &taken };
	struct helper *const helpers[] = { &helper };

	(void)state;
	assert_int_equal(helper_start(&helper, run_stuck, &count), 0);
	helpers_read(helpers, 1, wire_now_ms() + 10000, NULL, NULL);
	assert_int_equal(helper.err, -22);
	assert_int_equal(taken.count, 10);
	helper_end(&helper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_told_arrives),
		cmocka_unit_test(a_stuck_helper_is_left_behind_and_what_it_told_is_kept),
		cmocka_unit_test(no_more_is_waited_for_than_is_enough),
		cmocka_unit_test(a_helper_keeps_no_file_open_and_its_warnings_come_out_here),
		cmocka_unit_test(a_helper_that_fails_is_not_done),
		cmocka_unit_test(a_torn_message_is_not_taken),
		cmocka_unit_test(a_message_that_is_refused_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
