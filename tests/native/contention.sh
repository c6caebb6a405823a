#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# On this machine's own kernel, as root: "watch --attach contention" sees a task that waits for
# one lock of KVM while it holds another (kvm_helper.c): no finding by KVM's own order, one by a
# rule that has it the other way round; with a VM that was there at the start, and with one that is
# made in its place. Skipped without root, /dev/kvm, userfaultfd or the tracepoint.
# Called by tests/run.sh.
set -euo pipefail
NAME=$(basename "$0" .sh)
BUILD=$(cd "$(dirname "$0")/../../build" && pwd)
WORK=$(mktemp -d)
HELPER='' TRACERS=()

# shellcheck disable=SC2317 # called by the trap
clean() {
	local pid
	for pid in $HELPER "${TRACERS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$WORK"
}
trap clean EXIT

fail() {
	echo "native $NAME: FAIL: $*"
	tail -n 20 "$WORK"/*.err
	cut -c 1-1000 "$WORK"/*.out
	exit 1
}

skip() {
	echo "native $NAME: SKIP: $*"
	exit 77
}

# until_true COMMAND...: for ten seconds at most.
until_true() {
	for _ in $(seq 100); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# helper COMMAND...: and wait until each is done.
ANSWERS=0
helper() {
	local command status
	for command in "$@"; do
		ANSWERS=$((ANSWERS + 1))
		echo "$command" >&3
		until_true answered && continue
		kill -0 "$HELPER" 2>/dev/null && fail "kvm_helper does not '$command'"
		status=0
		wait "$HELPER" || status=$?
		[ $status = 77 ] && skip "this machine's KVM cannot do it: $(cat "$WORK/helper.err")"
		fail "kvm_helper: status $status"
	done
}

answered() {
	[ "$(wc -l <"$WORK/answers")" -ge $ANSWERS ]
}

# tracer NAME [OPTION]...: starts one, and waits until it is ready.
tracer() {
	local name=$1
	shift
	"$BUILD/locktrace" watch --json --attach contention "$@" >"$WORK/$name.out" 2>"$WORK/$name.err" &
	TRACERS+=($!)
	until_true grep -q '"type":"ready"' "$WORK/$name.out" && return
	! grep -q 'no tracepoint' "$WORK/$name.err" || skip "this kernel has no tracepoint contention_begin"
	fail "tracer $name is not ready"
}

# stop NUMBER STATUS
stop() {
	local status=0
	kill -INT "${TRACERS[$1]}"
	wait "${TRACERS[$1]}" || status=$?
	[ $status = "$2" ] || fail "tracer $1: status $status, expected $2"
}

# expect NAME WHAT FILTER: true for the array of all lines.
expect() {
	jq -e -s "[.[] | select(.type == \"finding\")] as \$findings | .[-1] as \$summary | $3" \
		"$WORK/$1.out" >/dev/null || fail "$1: not so: $2"
}

[ "$(id -u)" = 0 ] || skip "needs root"
[ -c /dev/kvm ] || skip "needs /dev/kvm"
mkfifo "$WORK/in"
"$BUILD/kvm_helper" <"$WORK/in" >"$WORK/answers" 2>"$WORK/helper.err" &
HELPER=$!
exec 3>"$WORK/in"
helper make
echo 'order kvm.slots_lock > kvm.lock' >"$WORK/reverse.rules"
tracer right
tracer reverse --no-builtin-rules --rules "$WORK/reverse.rules"
helper hold wait release close
sleep 2.5
helper make
sleep 2.5
helper hold wait release
stop 0 0
stop 1 1
helper close make
tracer stall --stall 2
helper hold wait
until_true grep -q '"kind":"stall"' "$WORK/stall.out" || fail "a wait that lasts is not told"
helper release
stop 2 1

# shellcheck disable=SC2016 # variables of jq
{
	expect right "the VM was there at the start" '.[0].attach == "contention" and .[0].objects.vm >= 1'
	expect right "no finding, and yet the dependency was seen" '$findings == [] and $summary.seen.dependencies >= 1'
	expect reverse "one order is broken, by the waiter, who holds kvm.lock" '($findings | length == 1) and
		($findings[0] | .kind == "order" and (.edges[0] | .from == "kvm.lock" and .to == "kvm.slots_lock" and
		.task.comm == "waiter" and (.held | map([.class, .order_known]) == [["kvm.lock", false]])))'
	expect reverse "with its place and its stack" '$findings[0].edges[0] | (.taking.at | startswith("kvm_")) and
		(.stack[0] | startswith("__mutex_lock"))'
	expect reverse "seen with both VMs" '$summary.counts[0].count == 2'
	expect stall "who waits, and who holds it up" '($findings | length == 1) and ($findings[0] |
		.lock.class == "kvm.slots_lock" and .waiter.comm == "waiter" and .root.task.comm == "holder")'
	expect reverse "nothing was lost" '$summary.lost | all(. == 0)'
}
echo "native $NAME: pass"
