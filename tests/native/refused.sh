#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# On this machine's own kernel, as root: where it refuses BPF trampolines (EPERM
# with an empty log), that is what the message says, and the exit status is 2.
# Skipped where it does not refuse them, or without root. Called by tests/run.sh.
set -euo pipefail
NAME=$(basename "$0" .sh)
LOCKTRACE=$(dirname "$0")/../../build/locktrace

if [ "$(id -u)" != 0 ]; then
	echo "native $NAME: SKIP: needs root"
	exit 77
fi
status=0
messages=$("$LOCKTRACE" watch --duration 1 2>&1 >/dev/null) || status=$?
if [ $status -lt 2 ]; then
	echo "native $NAME: SKIP: this kernel accepts trampolines (it is tested in the lab then)"
	exit 77
fi
for expected in 'refuses BPF trampolines \(fentry, fexit\)' 'EPERM' 'not of memory limits'; do
	if [ $status != 2 ] || ! grep -Eq "$expected" <<<"$messages"; then
		echo "native $NAME: FAIL: status $status, expected 2 and '$expected' in: $messages"
		exit 1
	fi
done
echo "native $NAME: pass"
