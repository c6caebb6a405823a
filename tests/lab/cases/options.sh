# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What options do to one and the same load, seen by six tracers at a time:
# weak findings in one line or in full, ending by itself, --pid and --vm,
# --every-lock. Process p1 takes two locks in both orders (one_task); p2 and p3
# take two others in one order each (likely); p1 and p2 have a VM.
# lab: kernels=bookworm,bookworm-backports timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

WATCH=lt_locks_state.outer@lt_locks_state
WATCH_TOO=lt_locks_state.inner@lt_locks_state
OUTER=lt_locks_state.outer
INNER=lt_locks_state.inner

load_kvm
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
ltguest -c '
	%p1 vm v; %p2 vm v; touch /tmp/made; await /tmp/go 300000
	%p1 locks lock outer, lock a, unlock a, unlock outer
	%p1 locks lock a, lock outer, unlock outer, unlock a
	await /tmp/go_on 300000
	%p2 locks lock inner, lock b, unlock b, unlock inner
	%p3 locks lock b, lock inner, unlock inner, unlock b
' &
guest=$!
check "two VMs are made" wait_for 120 [ -e /tmp/made ]
p1=$(threads_named p1)

tracer_launch text --watch $WATCH --watch $WATCH_TOO
tracer_launch all --watch $WATCH --watch $WATCH_TOO --all --exit-on-finding
tracer_launch pid --watch $WATCH --watch $WATCH_TOO --json --pid "$p1"
tracer_launch none --watch $WATCH --watch $WATCH_TOO --pid 1
tracer_launch every --json --every-lock
tracer_launch vm --watch $WATCH --watch $WATCH_TOO --json --vm p2
for name in text all pid none every vm; do
	tracer_ready $name
done

touch /tmp/go
wait_for 120 grep -q 'Finding 1' /tmp/all.out || tracer_fail all "tells no finding"
check "the other tracers go on" kill -0 "$(tracer_pid text)" "$(tracer_pid pid)" "$(tracer_pid vm)"
touch /tmp/go_on
check "the load ends well" wait $guest
tracer_wait all 1 120
for name in text pid none every vm; do
	tracer_interrupt $name
done
tracer_wait text 1 120
tracer_wait pid 1 120
tracer_wait none 0 120
tracer_wait every 1 120
tracer_wait vm 1 120

check_contains "--exit-on-finding says why it ended" /tmp/all.out '^first finding after [0-9]+ s: 1 finding;'
check_contains "--all gives the weak finding in full" /tmp/all.out 'possible circular locking dependency detected \[one_task\]'
check_contains "with its evidence" /tmp/all.out "^#1: $OUTER.* -> lt_lock_a "
check_not "--all knows no finding in one line" grep -E '^Finding [0-9]+ \[[a-z_]+\]: ' /tmp/all.out

check_contains "without --all the weak finding is one line" /tmp/text.out \
	"^Finding 1 \[one_task\]: $OUTER -> lt_lock_a -> $OUTER: only p1/$p1 .*"
check_not "and only that" grep -E '^#[0-9]+: .*lt_lock_a' /tmp/text.out
check_contains "the strong one is in full" /tmp/text.out '^Finding 2: possible circular locking dependency detected \[likely\]'
for words in "^p2/.* can hold $INNER and wait for lt_lock_b, while p3/.* holds lt_lock_b and waits for $INNER: both then wait for ever" \
	"^#1: $INNER.* -> lt_lock_b " "^#2: lt_lock_b -> $INNER" "while it held 1 lock:" "lt_locks_write\+0x" \
	'\*\*\* DEADLOCK \*\*\*' '^Grade:      likely, because ' '^What to do: ' '^Trust:      complete for mutex: nothing was lost'; do
	check_contains "with $words" /tmp/text.out "$words"
done
# The end of the two VMs may still be seen: it takes text_mutex under jump_label_mutex.
check_contains "and a summary" /tmp/text.out '^interrupted after [0-9]+ s: 2 findings; [4-6] dependencies between [4-6] lock classes'

check_json /tmp/pid.out \
	"--pid: only what that process did" \
	"findings | map(.classes) == [[\"$OUTER\", \"lt_lock_a\"]] and all(.[].edges[]; .task.pid == $p1)" \
	"the other is counted" 'summary.findings == 1 and summary.outside == 1'
check_contains "--pid of a process that did nothing: all is counted" /tmp/none.out \
	'^Findings that --pid or --vm leaves out: 2\.$'
check_contains "and none is told" /tmp/none.out '^interrupted after [0-9]+ s: 0 findings; '
check_not "not even by name" grep lt_lock_ /tmp/none.out
check_json /tmp/vm.out \
	"--vm: only what the process of that VM took part in" \
	"findings | map(.classes) == [[\"$INNER\", \"lt_lock_b\"]]" \
	"the VM is named" 'findings[0].edges | map(.task.vm) | sort == [null, "p2"]' \
	"the other is counted" 'summary.findings == 1 and summary.outside == 1'
check_json /tmp/every.out \
	"--every-lock needs nothing named" \
	'findings | map(.classes | map(sub("\\+.*"; "")) | sort) ==
		[["lt_lock_a", "lt_locks_state"], ["lt_lock_b", "lt_locks_state"]]' \
	"--every-lock sees what goes on elsewhere" 'summary.seen.dependencies > 4'

tracer_start duration --json --duration 3
tracer_wait duration 0 120
check_json /tmp/duration.out "--duration ends it" 'summary.ended == "duration over" and summary.seconds >= 3'
pass
