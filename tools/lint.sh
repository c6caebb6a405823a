#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The linters, on what git knows. Called by "make lint" after a build (clang-tidy
# needs the generated skeleton). Ends with an error when one of them complains.
set -eu
cd "$(dirname "$0")/.."

status=0
# shellcheck disable=SC2046 # file names without blanks
{
	echo "clang-format"
	clang-format --dry-run -Werror $(git ls-files '*.c' '*.h') || status=1
	echo "cppcheck"
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --suppress=missingIncludeSystem \
		--suppress=unusedStructMember --enable=warning,portability,performance -D_GNU_SOURCE \
		'-DLIBBPF_OPTS(type, name, ...)=struct type name' '-Dbpf_object__for_each_program(p, o)=while ((p = next(o)))' \
		-Iinclude -Isrc \
		$(git ls-files 'src/*.c') || status=1
	echo "no decision by the kernel's version"
	tools/no_versions.sh || status=1
	echo "clang-tidy"
	clang-tidy --quiet $(git ls-files 'src/*.c') -- -std=gnu11 -D_GNU_SOURCE -Iinclude -Isrc -Ibuild ||
		status=1
	echo "shellcheck"
	shellcheck -x $(git ls-files '*.sh' .ci/run) || status=1
}
exit $status
