# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# A rule file of the user's own, about locks and a function of a module that is not
# there yet when the tracer starts: it is followed as soon as it is, and, with
# kprobes, which let it go, also after it went and came back. Then what is said to
# rule files that are not right.
# lab: kernels=bookworm,bookworm-backports timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer
INNER=lt_locks_state.inner

cat >/tmp/own.rules <<'END'
# Line 1. What the driver's author says.
source "the fixture's own book"
watch lt_locks_state.outer at *lt_locks_pointer
watch lt_locks_state.inner at *lt_locks_pointer
order lt_locks_state.outer > lt_locks_state.inner because "outer means outer"
forbid call lt_locks_called under lt_locks_state.outer
ignore lt_locks_state.inner > lt_lock_b > lt_locks_state.inner because "b is harmless"
END

# load_and_wait NAME: until this tracer says that it has attached to the module.
load_and_wait() {
	attached_before=$(times_attached "$1")
	insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
	wait_for 120 has_attached "$1" || tracer_fail "$1" "did not attach to lt_locks"
}

times_attached() {
	grep -c '^locktrace: modules were loaded and attached to; so far: .*lt_locks' "/tmp/$1.err" || true
}

has_attached() {
	[ "$(times_attached "$1")" -gt "$attached_before" ]
}

check_order() {
	check_json "$1" \
		"the classes wait at first" "ready.waiting | contains([\"$OUTER\", \"$INNER\"])" \
		"the order is a finding, once" "of_kind(\"order\") | map([.classes, .edges[0].to]) == [[[\"$INNER\"], \"$OUTER\"]]" \
		"it quotes the user's line" 'of_kind("order")[0].rules == [{file: "/tmp/own.rules", line: 5,
			text: "order lt_locks_state.outer > lt_locks_state.inner because \"outer means outer\"",
			source: "the fixture'\''s own book", because: "outer means outer"}]' \
		"the call is a danger, and quotes the user's line" \
		"of_kind(\"forbidden_call\") | map([.function, .grade, .classes, (.rules | map([.file, .line]))]) ==
			[[\"lt_locks_called\", \"danger\", [\"$OUTER\"], [[\"/tmp/own.rules\", 6]]]]" \
		"not by an interrupt that came in a task's way" \
		'of_kind("forbidden_call")[0].edges | map(.task.comm) == ["t1"] and .[0].count == 1' \
		"from the function that called it" 'of_kind("forbidden_call")[0].edges[0].stack | functions |
			.[0] == "lt_locks_called" and index("lt_locks_write") > 0' \
		"the ignored cycle is counted, not told" 'of_kind("circular") == [] and summary.ignored == 1' \
		"no other finding" 'findings | length == 2'
}

WRONG_ORDER='@t1 locks lock pinner, lock pouter, unlock pouter, unlock pinner'
CALL='@irq locks lock pouter, call_irq, unlock pouter
	@t1 locks lock pouter, call, unlock pouter; @t1 locks lock pinner, call, unlock pinner'
IGNORED='@t1 locks lock pinner, lock b, unlock b, unlock pinner; @t2 locks lock b, lock pinner, unlock pinner, unlock b'

tracer_start fentry --json --attach fentry --rules /tmp/own.rules
load_and_wait fentry
check "the load runs" ltguest -c "$WRONG_ORDER; $CALL; $IGNORED"
tracer_stop fentry 1
check_order /tmp/fentry.out
check_json /tmp/fentry.out "nothing was lost" 'summary.lost | all(. == 0)'
check "lt_locks goes" rmmod lt_locks

# What is held when it comes to be watched is known as that: no tick of the tracer meanwhile.
tracer_start held --json --rules /tmp/own.rules
kill -STOP "$(tracer_pid held)"
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
ltguest -c "@t1 locks lock pinner; touch /tmp/held; await /tmp/go 300000
	@t1 locks lock pouter, unlock pouter, unlock pinner" &
guest=$!
wait_for 120 test -e /tmp/held || fail "the lock was not taken"
attached_before=0
kill -CONT "$(tracer_pid held)"
wait_for 120 has_attached held || tracer_fail held "did not attach to lt_locks"
touch /tmp/go
wait $guest
tracer_stop held 1
check_json /tmp/held.out \
	"the order is broken by a lock that was held before" "of_kind(\"order\") | map([.classes, .edges[0].to]) == [[[\"$INNER\"], \"$OUTER\"]]" \
	"it is said that the module came later" 'summary.trust | test("not seen[^.]*: lt_locks\\.")' \
	"nothing was lost" 'summary.lost | all(. == 0)'
check "lt_locks goes" rmmod lt_locks

tracer_start kprobe --json --attach kprobe --rules /tmp/own.rules
load_and_wait kprobe
check "the order is broken" ltguest -c "$WRONG_ORDER"
# At once: that it was away is noticed all the same.
check "lt_locks goes while it is traced" rmmod lt_locks
load_and_wait kprobe
check "the rest happens when it came back" ltguest -c "$WRONG_ORDER; $CALL; $IGNORED"
tracer_stop kprobe 1
check_order /tmp/kprobe.out

# A second file adds to the first; the module is there by now.
echo 'ignore call lt_locks_called under lt_locks_state.outer' >/tmp/more.rules
tracer_start more --json --rules /tmp/own.rules --rules /tmp/more.rules
check "the load runs" ltguest -c "$WRONG_ORDER; $CALL; $IGNORED"
tracer_stop more 1
check_json /tmp/more.out \
	"the call is ignored too" 'findings | map(.kind) == ["order"]' \
	"and counted" 'summary.ignored == 2' \
	"nothing waits" 'ready.waiting | contains(["lt_locks_state"]) | not'
check_json /tmp/more.out "every rule is counted" "ready.rules > 6"

tracer_start text --rules /tmp/own.rules
check "the load runs" ltguest -c "$WRONG_ORDER; $CALL; $IGNORED"
tracer_stop text 1
for words in '/tmp/own\.rules:5' "the fixture's own book" 'outer means outer' '/tmp/own\.rules:6' 'lt_locks_called'; do
	check_contains "the text has: $words" /tmp/text.out "$words"
done

# Two names for one lock: it keeps the first.
echo 'watch lt_locks_state.outer at *lt_locks_twin' >/tmp/twin.rules
tracer_start twin --json --rules /tmp/own.rules --rules /tmp/twin.rules
sleep 1
check "the load runs" ltguest -c "$WRONG_ORDER"
tracer_stop twin 1
check_json /tmp/twin.out \
	"one is watched, the other is missing" "ready | (.classes | index(\"$OUTER\") != null) and .missing == [\"$OUTER\"]" \
	"the order is a finding" "of_kind(\"order\") | length == 1"
check "the refusal is told once, and why" [ "$(grep -c "$OUTER is not watched: it is the same lock as $OUTER@\*lt_locks_pointer\." /tmp/twin.err)" = 1 ]

# bad_file NAME ARGUMENT...: the tracer must end at once with status 2.
bad_file() {
	bad_status=0
	/lab/bin/locktrace "$@" >/tmp/bad.out 2>/tmp/bad.err || bad_status=$?
	[ "$bad_status" = 2 ] || fail "status $bad_status, not 2, of: $*"
	[ ! -s /tmp/bad.out ] || fail "it wrote something to standard output: $*"
}

printf '# fine\norder kvm.lock kvm_vcpu.mutex\norder kvm.lock > kvm_vcpu.mutex\nfobid call f under g\n' >/tmp/bad.rules
for command in watch rules; do
	bad_file $command --rules /tmp/own.rules --rules /tmp/bad.rules
	check_contains "$command: a bad line is told with line and column" /tmp/bad.err '/tmp/bad\.rules:2:16: '
	check_contains "$command: and so is the next one" /tmp/bad.err '/tmp/bad\.rules:4:1: '
	check_not "$command: but not the good one" grep '/tmp/bad.rules:3' /tmp/bad.err
	bad_file $command --rules /tmp/none.rules
	check_contains "$command: a file that is not there is named" /tmp/bad.err '/tmp/none\.rules'
done

# What is in force, and where it comes from.
/lab/bin/locktrace rules --rules /tmp/own.rules >/tmp/rules.txt
/lab/bin/locktrace rules --rules /tmp/own.rules --json >/tmp/rules.json
check_contains "rules: the user's line, with its place" /tmp/rules.txt \
	'^[a-z ]+ /tmp/own\.rules:5: order lt_locks_state\.outer > lt_locks_state\.inner'
check_contains "rules: and built-in ones" /tmp/rules.txt 'order kvm\.lock > kvm_vcpu\.mutex'
check_json /tmp/rules.json \
	"rules --json: one object a line" 'all(.type == "rule" and .version == 1 and .line > 0 and
		(.state | IN("in_force", "not_here", "unknown")) and (.kind | length > 0) and (.text | length > 0))' \
	"rules --json: the user's file" 'map(select(.file == "/tmp/own.rules") | [.line, .kind, .state]) ==
		[[3, "watch", "in_force"], [4, "watch", "in_force"], [5, "order", "in_force"],
		[6, "forbid", "in_force"], [7, "ignore", "in_force"]]'
check "as many as in the text" [ "$(grep -vc '^ ' /tmp/rules.txt)" = "$(wc -l </tmp/rules.json)" ]
check_contains "and under each its source" /tmp/rules.txt '^ +source: Documentation/virt/kvm/locking\.rst'
pass
