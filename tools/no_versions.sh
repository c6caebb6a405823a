#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# no_versions.sh [FOLDER]...: ends with an error, and shows the lines, where the program (or these folders) looks
# at the kernel's version as more than a text to print: it asks for what it needs, and never for a number.
# Called by lint.sh and tests/native/no_versions.sh.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- src bpf vmlinux include

# The version of uname(), and what the reports carry of it.
RELEASE='(\.|uts[a-z_]*->|system->)release|(report|base|c|r)(\.|->)kernel'
PARSERS='(sscanf|ato[a-z]+|strto[a-z]+|str[a-z_]*cmp|str[a-z]*str|strchr|mem[a-z]*cmp|fnmatch|regexec)'
PATTERN="LINUX_VERSION_CODE|LINUX_KERNEL_VERSION|KERNEL_VERSION\\(|bpf_core_[a-z_]*version|libbpf_[a-z_]*kernel_version\
|/proc/version|osrelease|\\<$PARSERS\\([^;]*($RELEASE)\\>"

status=0
grep -rnE "$PATTERN" "$@" || status=$?
[ $status = 1 ] # nothing found; 2 is trouble
