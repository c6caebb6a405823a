#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# On this machine's own kernel, as root: tasks that hang in a pipe's mutex, a file's
# rwsem held for writing and a directory's held for reading, made from user space
# alone (hang_helper.c), and what "locktrace hang" says of each: which lock, which
# owner. No deadlock among them: exit status 0. Skipped without root or userfaultfd.
# Called by tests/run.sh.
set -euo pipefail
NAME=$(basename "$0" .sh)
BUILD=$(cd "$(dirname "$0")/../../build" && pwd)
WORK=$(mktemp -d)
HELPER=''

# shellcheck disable=SC2317 # called by the trap
clean() {
	if [ -n "$HELPER" ]; then
		kill -KILL "$HELPER" 2>/dev/null || true
		wait "$HELPER" 2>/dev/null || true
	fi
	rm -rf "$WORK"
}
trap clean EXIT

fail() {
	echo "native $NAME: FAIL: $*"
	[ ! -s "$WORK/out" ] || cut -c 1-1000 "$WORK/out"
	exit 1
}

skip() {
	echo "native $NAME: SKIP: $*"
	exit 77
}

# expect WHAT FILTER: true for the array of all lines; $pipe and so on are process ids.
expect() {
	jq -e -s "[.[] | select(.type == \"wait\")] as \$waits |
		def wait(\$pid): \$waits[] | select(.task.pid == \$pid);
		$2" --argjson pids "$PIDS" "$WORK/out" >/dev/null || fail "$1"
}

[ "$(id -u)" = 0 ] || skip "needs root"
mkdir "$WORK/dir"
# Its standard input stays open: it ends when that does.
mkfifo "$WORK/in"
"$BUILD/hang_helper" "$WORK/dir" <"$WORK/in" >"$WORK/tasks" 2>"$WORK/err" &
HELPER=$!
exec 3>"$WORK/in"
for _ in $(seq 100); do
	! grep -q '^ready' "$WORK/tasks" || break
	kill -0 $HELPER 2>/dev/null || break
	sleep 0.1
done
if ! grep -q '^ready' "$WORK/tasks"; then
	status=0
	wait $HELPER || status=$?
	HELPER=''
	[ $status = 77 ] && skip "no userfaultfd here: $(cat "$WORK/err")"
	fail "hang_helper: status $status: $(cat "$WORK/err")"
fi
# {"pipe holder": [PID], "pipe mutex": [PID, PID, PID], ...}
PIDS=$(jq -R -s 'split("\n") | map(split(" ") | select(length == 3)) |
	reduce .[] as $t ({}; .[$t[1] + " " + $t[2]] += [$t[0] | tonumber])' "$WORK/tasks")

status=0
"$BUILD/locktrace" hang --json --timeout 60 >"$WORK/out" 2>"$WORK/err" || status=$?
# A kernel that keeps processes back from BPF: then to have found no deadlock says less, and so does the status.
expected=0
! grep -q 'does not show [0-9]* of the processes' "$WORK/out" || expected=2
[ $status = $expected ] || fail "status $status, expected $expected: $(cat "$WORK/err")"

# shellcheck disable=SC2016 # variables of jq
{
	expect "three wait for one mutex, which the pipe's holder owns" '
		[$pids["pipe mutex"][] as $p | wait($p)] | length == 3 and (map(.lock.addr) | unique | length == 1) and
		all(.kind == "mutex" and .signal == "none" and .state == "D" and .owner.pid == $pids["pipe holder"][0])'
	expect "a writer waits behind a writer" '
		wait($pids["file write"][0]) | .kind == "rwsem_write" and .owner.pid == $pids["file holder"][0]'
	expect "a writer waits behind one reader, who is not named" '
		wait($pids["directory write"][0]) | .kind == "rwsem_write" and .owner == null and
		.lock.held_by == "readers" and .lock.readers == 1'
	expect "a reader waits behind that writer, for the same lock, and can be killed" '
		[wait($pids["directory write"][0], $pids["directory read"][0])] | map(.lock.addr) as [$a, $b] |
		$a == $b and .[1].kind == "rwsem_read" and .[1].signal == "kill"'
	expect "each has waited for some seconds and less than five minutes" '
		[$pids | to_entries[] | select(.key | endswith("holder") | not) | .value[] as $p | wait($p)] |
		length == 6 and all(.waited_ns > 100000000 and .waited_ns < 300000000000)'
	expect "their stacks begin with the locks" '
		[$pids["pipe mutex"][] as $p | wait($p) | .stack[0]] | all(test("mutex_lock"))'
	expect "no deadlock" 'all(.[]; .kind != "deadlock")'
}
echo "native $NAME: pass"
