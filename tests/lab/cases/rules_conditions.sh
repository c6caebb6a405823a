# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Rules with conditions, and with what cannot be watched: only what a rule that is in
# force, or may come to be, asks for is hooked; a module's symbols and types count from when
# it comes, any module's; and what is wrong with the rest is said, by "rules" too.
# lab: kernels=bookworm,bookworm-backports timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer
INNER=lt_locks_state.inner
SEM=lt_locks_state.sem

cat >/tmp/own.rules <<'END'
watch lt_locks_state.outer at lt_locks_state if lt_locks_pointer
watch lt_locks_state.inner at lt_locks_state if not lt_locks_pointer
watch lt_locks_state.sem at lt_locks_state
forbid call lt_locks_called under lt_locks_state.outer if lt_locks_state.sem and not lt_locks_state.nosuch
forbid call lt_locks_fault under lt_locks_state.outer if lt_locks_state.nosuch
forbid call lt_locks_state under lt_locks_state.outer
END

# state_is LINE STATE: of the user's rule in this line.
state_is() {
	/lab/bin/locktrace rules --json --no-builtin-rules --rules /tmp/own.rules >/tmp/rules.json
	check_json /tmp/rules.json "line $1 is $2" ".[$1 - 1].state == \"$2\""
}

RUN='@t1 locks lock outer, lock inner, call, unlock inner, unlock outer
	@t2 locks lock inner, lock outer, unlock outer, unlock inner'

# check_run NAME WHEN
check_run() {
	check_json "/tmp/$1.out" \
		"$2: the call is forbidden" "of_kind(\"forbidden_call\") | map(.classes) == [[\"$OUTER\"]]" \
		"$2: the lock of a rule that is not in force has no name by it" \
		"of_kind(\"circular\") | length == 1 and all(.classes | contains([\"$OUTER\"]) and index(\"$INNER\") == null)"
	check_contains "$2: the rwsem is refused, and why" "/tmp/$1.err" "$SEM is not watched: .* no struct mutex but 'rw_semaphore'"
	check_not "$2: it is not said to come" grep -q "$SEM is not there yet.*watched" "/tmp/$1.err"
	check_contains "$2: data is no function" "/tmp/$1.err" "lt_locks_state is no function"
	check "$2: that is told once" [ "$(grep -c 'lt_locks_state is no function' "/tmp/$1.err")" = 1 ]
}

# With all modules of the hooks: what is not there then is not here.
load_kvm
load_vfio
modprobe vfio-pci || fail "cannot load vfio-pci"
for line in 1 4 5; do
	state_is $line not_here
done
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
for line in 1 3 4 6; do
	state_is $line in_force
done
for line in 2 5; do
	state_is $line not_here
done

tracer_start there -v --json --rules /tmp/own.rules
check "the load runs" ltguest -c "$RUN"
tracer_stop there 1
check_run there "the module was there"
check_json /tmp/there.out \
	"only what is in force is watched, and what cannot be is missing" \
	"ready | (.classes | index(\"$OUTER\") != null and index(\"$INNER\") == null) and
		(.missing | index(\"$SEM\") != null) and .waiting == []"
check "lt_locks goes" rmmod lt_locks

tracer_start late -v --json --rules /tmp/own.rules
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
wait_for 120 grep -q 'attached to; so far: lt_locks' /tmp/late.err || tracer_fail late "did not attach to lt_locks"
check "the load runs" ltguest -c "$RUN"
tracer_stop late 1
sed -i '/is not there yet/d' /tmp/late.err
check_run late "the module came later"
check_json /tmp/late.out "it is said that its first moments were not seen" 'summary.trust | test("not seen[^.]*: lt_locks\\.")'

# A rule that comes into force later speaks of what was seen before, too, and nothing else is told twice.
cat >/tmp/own.rules <<'END'
watch lt_locks_state.outer at lt_locks_state
watch lt_locks_state.inner at lt_locks_state
order lt_locks_state.outer > lt_locks_state.inner if lt_locks_state.flag at lt_locks_state
forbid call lt_locks_called under lt_locks_state.outer if lt_locks_state.flag at *lt_locks_pointer
forbid call lt_locks_called under lt_locks_state.inner if lt_locks_state.flag at lt_locks_state
END
RUN='@t1 locks lock inner, lock outer, call, unlock outer, unlock inner'
tracer_start value --json --rules /tmp/own.rules
check "the load runs" ltguest -c "$RUN"
sleep 1
check "no rule is in force yet" [ "$(grep -c '"type":"finding"' /tmp/value.out)" = 0 ]
check "a variable is set" ltguest -c 'locks flag 1'
sleep 1
check "the load runs again" ltguest -c "$RUN"
tracer_stop value 1
check_json /tmp/value.out \
	"the order and the call of the rules that are in force now are findings" \
	"findings | map([.kind, .rules[0].line]) | sort == [[\"forbidden_call\", 5], [\"order\", 3]]" \
	"each is told once" 'findings | length == 2' \
	"nothing was lost" 'summary.lost | all(. == 0)'
check "the variable is as before" ltguest -c 'locks flag 0'

# Two modules have a variable of this name: which one is meant cannot be told.
echo 'order a > b if lt_verb.word at lt_verbs' >/tmp/own.rules
state_is 1 in_force
insmod /lab/fixture/lt_objects.ko || fail "cannot load lt_objects"
state_is 1 unknown

# What there is no room for is said by "rules" as by "watch".
for command in rules "watch --duration 1"; do
	for number in $(seq 17); do
		echo "forbid call f$number under a"
	done >/tmp/own.rules
	status=0
	# shellcheck disable=SC2086 # a list
	/lab/bin/locktrace $command --no-builtin-rules --rules /tmp/own.rules 2>/tmp/own.err || status=$?
	check "$command: too many functions" [ $status = 2 ]
	check_contains "$command: which one is named" /tmp/own.err 'own.rules:17: rules can speak of at most 16 functions'
	echo "watch s$(printf '%064d' 0).lock at p" >/tmp/own.rules
	status=0
	# shellcheck disable=SC2086 # a list
	/lab/bin/locktrace $command --no-builtin-rules --rules /tmp/own.rules 2>/tmp/own.err || status=$?
	check "$command: a name that is too long" [ $status = 2 ]
	check_contains "$command: the limit is named" /tmp/own.err 'own.rules:1: a name is too long: at most 63'
done
pass
