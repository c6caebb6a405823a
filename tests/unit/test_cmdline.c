/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Names of VMs from command lines, also from those nobody would write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cmdline.h"

/* Arguments separated by NUL; the text's own last NUL is left out. */
#define CMDLINE(text) text, sizeof(text) - 1

static void each_hypervisor_is_understood(void **state)
{
	static const struct {
		const char *cmdline;
		size_t length;
		const char *name;
	} cases[] = {
		{ CMDLINE("qemu-system-x86_64\0-name\0demo\0-m\0001024\0"), "demo" },
		{ CMDLINE("qemu\0-name\0guest=web-1,debug-threads=on\0"), "web-1" },
		{ CMDLINE("qemu\0-name\0debug-threads=on,guest=web-2\0"), "web-2" },
		{ CMDLINE("qemu\0-name\0plain,debug-threads=on\0"), "plain" },
		{ CMDLINE("firecracker\0--id\0abc-123\0--api-sock\0/x\0"), "abc-123" },
		{ CMDLINE("firecracker\0--id=abc\0"), "abc" },
		{ CMDLINE("cloud-hypervisor\0--api-socket\0/run/ch/vm7.sock\0"), "vm7" },
		{ CMDLINE("cloud-hypervisor\0--api-socket=/run/ch/vm8\0"), "vm8" },
		{ CMDLINE("lkvm\0run\0--name\0test"), "test" },
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(cmdline_vm_name(cases[i].cmdline, cases[i].length, name, sizeof(name)), 0);
		assert_string_equal(name, cases[i].name);
	}
}

static void without_a_name_there_is_none(void **state)
{
	static const struct {
		const char *cmdline;
		size_t length;
	} cases[] = {
		{ CMDLINE("") },
		{ CMDLINE("bash\0") },
		{ CMDLINE("qemu\0-name\0") },
		{ CMDLINE("qemu\0-name") },
		{ CMDLINE("qemu\0-name\0\0") },
		{ CMDLINE("qemu\0-name\0guest=\0") },
		{ CMDLINE("qemu\0-name\0debug-threads=on\0") },
		{ CMDLINE("qemu\0-names\0x\0") },
		{ CMDLINE("ch\0--api-socket\0/run/dir/\0") },
		{ CMDLINE("\0\0\0\0") },
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(cmdline_vm_name(cases[i].cmdline, cases[i].length, name, sizeof(name)),
				 -ENOENT);
}

static void strange_bytes_and_long_names_are_tamed(void **state)
{
	char name[8];

	(void)state;
	assert_int_equal(cmdline_vm_name(CMDLINE("q\0-name\0a\033[31m\n\0"), name, sizeof(name)), 0);
	assert_string_equal(name, "a?[31m?");
	assert_int_equal(cmdline_vm_name(CMDLINE("q\0-name\0abcdefghijkl\0"), name, sizeof(name)), 0);
	assert_string_equal(name, "abcdefg");
	assert_int_equal(cmdline_vm_name(CMDLINE("q\0-name\0x\0"), name, 0), -EINVAL);
}

/* Any bytes at all: no reading past the end (the sanitizer watches the exact allocation). */
static void any_bytes_do_no_harm(void **state)
{
	static const char *const words[] = { "-name", "--id", "--api-socket", "guest=", ",",
					     "=",     "/",    ".sock",        "\0" };
	char name[16];

	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)(rand() % 40), at = 0;
		char *cmdline = malloc(length + 1);

		while (at < length) {
			const char *word = words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))];
			size_t size = strlen(word) + (size_t)(rand() % 2);

			if (size > length - at)
				size = length - at;
			memcpy(cmdline + at, word, size);
			at += size ? size : 1;
			if (!size)
				cmdline[at - 1] = (char)rand();
		}
		cmdline = realloc(cmdline, length ? length : 1);
		cmdline_vm_name(cmdline, length, name, sizeof(name));

		free(cmdline);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hypervisor_is_understood),
		cmocka_unit_test(without_a_name_there_is_none),
		cmocka_unit_test(strange_bytes_and_long_names_are_tamed),
		cmocka_unit_test(any_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
