#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# On this machine's own kernel, as root: where it refuses BPF trampolines (EPERM with an empty
# log) and has no kprobes, each attach kind that was asked for says so, with exit status 2, and
# "auto" goes on by the tracepoint contention_begin and says what that does not see.
# Skipped where either can be attached, or without root. Called by tests/run.sh.
set -euo pipefail
NAME=$(basename "$0" .sh)
LOCKTRACE=$(dirname "$0")/../../build/locktrace
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

fail() {
	echo "native $NAME: FAIL: $*"
	cat "$WORK/err"
	exit 1
}

skip() {
	echo "native $NAME: SKIP: $*"
	exit 77
}

# watch STATUS [OPTION]...: locktrace must end with this status. Its messages are in $WORK/err.
watch() {
	local expected=$1 status=0
	shift
	"$LOCKTRACE" watch --json --duration 1 "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
	[ $status = "$expected" ] || fail "watch $*: status $status, expected $expected"
}

# says PATTERN...: all of them are among the messages.
says() {
	local pattern
	for pattern in "$@"; do
		grep -Eq -e "$pattern" "$WORK/err" || fail "no '$pattern' in the messages:"
	done
}

[ "$(id -u)" = 0 ] || skip "needs root"
for kind in fentry kprobe; do
	status=0
	"$LOCKTRACE" watch --duration 1 --attach $kind >/dev/null 2>"$WORK/err" || status=$?
	[ $status -ge 2 ] || skip "this kernel accepts $kind (it is tested in the lab then)"
done

watch 2 --attach fentry
says 'refuses BPF trampolines \(fentry, fexit\)' 'EPERM' 'not of memory limits'
watch 2 --attach kprobe
says 'no lock function could be attached to \(--attach kprobe\)'
watch 0
says 'refuses BPF trampolines \(fentry, fexit: EPERM\) and has no kprobes' \
	'NOT all is seen: by contention only locks that a task waits for are seen'
jq -e -s '.[0].attach == "contention" and (.[-1] | .complete == false and (.trust | startswith("NOT complete")) and
	(.not_seen | test("waits for")) and (.lost | all(. == 0)))' "$WORK/out" >/dev/null ||
	fail "not so: ready names the kind, the summary is not complete and says why: $(cat "$WORK/out")"
watch 0 --every-lock --check-unlock
says '--every-lock is not possible' '--check-unlock is not possible'
echo "native $NAME: pass"
