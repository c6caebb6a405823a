#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Nothing in the program is decided by the kernel's version: tools/no_versions.sh finds no such line, and it does find
# those that are planted here. Called by tests/run.sh.
set -euo pipefail
NAME=$(basename "$0" .sh)
RULE=$(cd "$(dirname "$0")/../../tools" && pwd)/no_versions.sh
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

fail() {
	echo "native $NAME: FAIL: $*"
	exit 1
}

"$RULE" || fail "the program looks at the kernel's version (above)"

PLANTED=('if (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))'
	'extern int LINUX_KERNEL_VERSION __kconfig;'
	'version = atoi(system.release);'
	'major = strtoul(h->system.release, &end, 10);'
	'sscanf(uts.release, "%d.%d", &major, &minor);'
	'if (!strncmp(report.kernel, "6.1.", 4))'
	'if (strcmp(uts->release, "5.10") == 0)'
	'if (strverscmp(system.release, "6.2") < 0)'
	'f = fopen("/proc/version", "r");'
	'f = fopen("/proc/sys/kernel/osrelease", "r");')
for line in "${PLANTED[@]}"; do
	echo "$line" >"$WORK/planted.c"
	! "$RULE" "$WORK" >/dev/null || fail "not found: $line"
done
echo 'say(a, "Linux %s", system.release); strcmp(known->release, "-");' >"$WORK/planted.c"
"$RULE" "$WORK" || fail "this only prints it, or is another release"
! "$RULE" "$WORK/none" 2>/dev/null || fail "it passes when it cannot read"
echo "native $NAME: pass"
