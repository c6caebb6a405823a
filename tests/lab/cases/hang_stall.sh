# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# "watch --stall": a task that waits for a watched lock for long is told, once, with
# who holds it up and who is behind, and is a finding: exit status 1. (That a deadlock is
# not told twice: cycle_hang.) During it "hang" and "list" name the locks of a rule file,
# and "hang" the bug that the file knows.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

cat >/tmp/own.rules <<'END'
watch lt_locks_state.outer at lt_locks_state
watch lt_locks_state.inner at lt_locks_state
known 123456789abc v9.9 "a bug of the fixture": lt_locks_state.inner > lt_locks_state.outer > lt_locks_state.inner avoid "do not do it"
END

load_fixture take_locks=0
tracer_start stall --json --stall 2 --rules /tmp/own.rules
ltguest -c "
	@holder locks lock outer; @one& locks lock outer, unlock outer; @two& locks lock outer, unlock outer
	hangs two 300; touch /tmp/waits; await /tmp/told 300000
	@three& locks lock outer, unlock outer; hangs three 3000; touch /tmp/more; await /tmp/free 300000
	@holder locks unlock outer; join one; join two; join three; touch /tmp/freed" &
wait_for 120 test -e /tmp/waits || fail "nobody waits"
wait_for 120 grep -q '"kind":"stall"' /tmp/stall.out || tracer_fail stall "no stall was told"
# One more behind the same: that is known.
touch /tmp/told
wait_for 120 test -e /tmp/more || fail "the third does not wait"
note "ok: the stall was told"

hang_run own 0 --json --rules /tmp/own.rules
check_json /tmp/own.out "a lock of the user's own has its name" '[waits[] | select(.lock)] | length == 3 and
	all(.lock.class == "lt_locks_state.outer" and .owner.comm == "holder")'
hang_run plain 0 --json
check_json /tmp/plain.out "without the rules it is named by its symbol" '[waits[] | select(.lock)] | length == 3 and
	all(.lock.class | test("^lt_locks_state"))'
list_run list --rules /tmp/own.rules
check_json /tmp/list.out "list has it among the static locks" '.[] | select(.kind == "static") | .locks |
	any(.class == "lt_locks_state.outer" and .owner.comm == "holder" and .waiters == 3) and
	any(.class == "lt_locks_state.inner" and .held_by == "nobody")'
touch /tmp/free
wait_for 120 test -e /tmp/freed || fail "the two tasks still wait"
tracer_stop stall 1
check_json /tmp/stall.out \
	"the stall is told once, with who holds it up" 'findings | length == 1 and (.[0] |
		.kind == "stall" and .grade == "danger" and .root.task.comm == "holder" and .root.behind == 2 and
		.lock.class == "lt_locks_state.outer" and (.waiter.comm | IN("one", "two")) and
		(.text | test("for more than 2 s")) and (.advice | length > 0))' \
	"the summary counts it" 'summary.stalls == 1 and summary.findings == 1' \
	"nothing was lost meanwhile" 'summary.complete == true'

# Two tasks that wait for each other, one of them killably.
ltguest -c "
	@left locks lock inner; @right locks lock outer
	@left& locks lock_killable outer; @right& locks lock inner; hangs left 300; hangs right 300
	touch /tmp/deadlock; sleep 600000" &
guest=$!
wait_for 120 test -e /tmp/deadlock || fail "no deadlock"
hang_run deadlock 1 --json --rules /tmp/own.rules
check_json /tmp/deadlock.out \
	"the deadlock is told with the locks' names" 'findings | length == 1 and
		(.[0].cycle | map(.waits_for.class) | sort) == ["lt_locks_state.inner", "lt_locks_state.outer"]' \
	"and as the bug that the file knows" 'findings[0].known == {commit: "123456789abc", release: "v9.9", title: "a bug of the fixture", avoid: "do not do it"}' \
	"it says which task can be killed" "findings[0] | (.cycle | map(select(.killable)) | map(.task.comm)) == [\"left\"] and
		(.advice | test(\"kill -9 $guest breaks it: left/\"))"
pass
