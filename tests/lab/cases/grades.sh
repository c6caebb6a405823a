# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What makes a finding and which grade it gets, and what makes none: orders of
# the fixture's locks, which never hang. Two locks are watched; all others are
# foreign to the tracer and met under these. Each lock serves one scenario. By
# each attach kind there is a run in which every scenario must be found and no
# other cycle, and one in which nothing must be found.
# Arguments: attach kinds instead of both.
# lab: kernels=bookworm,bookworm-backports,bookworm-backports-rt timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# The fixture's "outer", and its "pinner" in another object, behind a pointer.
OUTER=lt_locks_state.outer
PINNER=lt_locks_state.inner

# in_order TASK NAME...: a step that takes these locks in this order and lets go
# of them. TASK as in ltguest, @thread or %process; VERB:NAME for another way to
# take one.
in_order() {
	order_task=$1
	shift
	order_take=''
	order_release=''
	for order_word in "$@"; do
		case $order_word in
		*:*) order_verb=${order_word%%:*} ;;
		*) order_verb=lock ;;
		esac
		order_take="$order_take, $order_verb ${order_word##*:}"
		order_release=", unlock ${order_word##*:}$order_release"
	done
	echo "$order_task locks ${order_take#, }$order_release"
}

loud() {
	ltguest -c "
		# one task, both orders
		$(in_order @t1 outer a); $(in_order @t1 a outer)
		# two tasks that cannot meet, both come through outer; then a third without it
		$(in_order @t1 outer b c); $(in_order @t2 outer c b); $(in_order @t3 b c)
		# two tasks, the same locks
		$(in_order @t1 pinner d); $(in_order @t2 d pinner)
		# one task, then a second one does one of the two
		$(in_order @t1 pinner e); $(in_order @t1 e pinner); $(in_order @t2 e pinner)
		# each half by another lock of the class: it was freed and made again in between
		locks new twin; $(in_order @t1 outer twin); locks free twin, new twin
		$(in_order @t1 pinner twin); $(in_order @t2 twin outer)
		# the lock that is held was taken by a trylock
		$(in_order @t1 trylock:outer g); $(in_order @t2 g outer)
		# each way to take a mutex, as the lock that is taken and as the one that is held
		$(in_order @t1 outer lock_killable:h); $(in_order @t2 h lock_killable:outer)
		$(in_order @t1 outer lock_interruptible:i); $(in_order @t2 i lock_interruptible:outer)
		$(in_order @t1 outer lock_io:j); $(in_order @t2 j lock_io:outer)
		$(in_order @t1 outer dec_and_lock:k); $(in_order @t2 k dec_and_lock:outer)
		$(in_order @t1 lock_killable:outer l); $(in_order @t2 lock_killable:l outer)
		$(in_order @t1 lock_interruptible:outer m); $(in_order @t2 lock_interruptible:m outer)
		$(in_order @t1 lock_io:outer o); $(in_order @t2 lock_io:o outer)
		$(in_order @t1 dec_and_lock:outer p); $(in_order @t2 dec_and_lock:p outer)
		$self_deadlock
		# processes; a lock made after the tracer came, and one from before
		locks new late; $(in_order %p1 outer late); $(in_order %p2 late outer)
		$(in_order %p1 outer early); $(in_order %p2 early outer)
		# memory used again for another lock: each for itself, and never the two mixed
		locks new first; $(in_order @t1 outer first); $(in_order @t1 first outer)
		locks again first; $(in_order @t1 pinner first_again)
		$(in_order @t1 first_again pinner); $(in_order @t2 first_again outer)
	"
}

check_loud() {
	check_json "$1" \
		"one task, both orders: one_task" \
		"cycle(\"$OUTER\"; \"lt_lock_a\") | map(.grade) == [\"one_task\"]" \
		"under a common lock: guarded by it; likely as soon as one half goes without" \
		"cycle(\"lt_lock_b\"; \"lt_lock_c\") | map([.grade, .guard, .previous_grade]) ==
			[[\"guarded\", \"$OUTER\", null], [\"likely\", null, \"guarded\"]]" \
		"two tasks, the same locks: likely" \
		"cycle(\"$PINNER\"; \"lt_lock_d\") | map(.grade) == [\"likely\"]" \
		"each half with its own task" \
		"cycle(\"$PINNER\"; \"lt_lock_d\")[0] | [edge(\"$PINNER\"; \"lt_lock_d\"), edge(\"lt_lock_d\"; \"$PINNER\")] |
			map(.task.comm) == [\"t1\", \"t2\"]" \
		"one_task, told again as likely when a second task does it too" \
		"cycle(\"$PINNER\"; \"lt_lock_e\") | map([.grade, .previous_grade]) ==
			[[\"one_task\", null], [\"likely\", \"one_task\"]] and .[0].id == .[1].id" \
		"two tasks, other locks of the class: possible" \
		"cycle(\"$OUTER\"; \"twin\") | map(.grade) == [\"possible\"]" \
		"a trylock as the lock that is held" \
		"cycle(\"$OUTER\"; \"lt_lock_g\") | map(.grade) == [\"likely\"] and
			(.[0] | edge(\"$OUTER\"; \"lt_lock_g\") | .held | map(.trylock) == [true])"
	[ -z "$self_deadlock" ] || set -- "$@" "a task that waits for itself: deadlock" \
		"[findings[] | select(.kind == \"recursive\") | [.classes, .same_instance, .grade]] == [[[\"$OUTER\"], true, \"deadlock\"]]"
	for letter in h i j k l m o p; do
		set -- "$@" "lock $letter of those taken each in its way" \
			"cycle(\"$OUTER\"; \"lt_lock_$letter\") | map(.grade) == [\"likely\"]"
	done
	check_json "$@"
	check_json "$1" \
		"a lock made after the tracer came has the name from its initialiser" \
		"cycle(\"$OUTER\"; \"late\") | map(.grade) == [\"likely\"]" \
		"by two processes" "cycle(\"$OUTER\"; \"late\")[0].edges | map(.task.comm) | sort == [\"p1\", \"p2\"]" \
		"a lock from before is named by the place where it is taken" \
		"[findings[] | select(.classes - [\"$OUTER\"] | length == 1 and (.[0] | test(\"^at lt_do_lock\\\\+\")))] |
			map(.grade) == [\"likely\"]" \
		"two locks at one address, one after the other" \
		"(cycle(\"$OUTER\"; \"first\")[0] | edge(\"$OUTER\"; \"first\").to_addr) as \$first |
			(cycle(\"$PINNER\"; \"first_again\")[0] | edge(\"$PINNER\"; \"first_again\").to_addr) as \$second |
			\$first == \$second" \
		"no other cycle" "[findings[].id] | unique | length == $loud_findings" \
		"nothing was lost" "summary.lost | all(. == 0)" \
		"complete, as far as this kind can know" \
		"summary.complete == (if ready.attach == \"kprobe\" and \"$LAB_SUITE\" == \"bookworm\" then \"unknown\" else true end)"
}

quiet() {
	ltguest -c "
		# consistent orders by many tasks
		$(for task in @t1 @t2 @t3 %p1 %p2 %p3; do
			in_order "$task" outer a b
			in_order "$task" pinner outer b c
		done)
		# a trylock waits for nobody: d -> outer is none
		$(in_order @t1 outer d); $(in_order @t2 d trylock:outer)
		# a count that does not become zero takes nothing: outer -> e is none
		$(in_order @t1 pinner e); @t1 locks lock outer, dec e, unlock outer
		$(in_order @t2 e outer)
		# outer is let go before f is taken, another task has it by then: outer -> f is
		# none. (g by a trylock, or outer -> g -> f were one.)
		$(in_order @t1 pinner f)
		@t1 locks lock outer, trylock g, unlock outer; @t2 locks lock outer
		@t1 locks lock f, unlock f, unlock g; @t2 locks unlock outer; $(in_order @t2 f outer)
		# a signal ended the wait for outer: outer -> h is none
		$(in_order @t1 pinner h); @t1 locks lock outer
		@t2& expect EINTR locks lock_interruptible outer
		hangs t2 100; interrupt t2; join t2 5000
		$(in_order @t2 h); @t1 locks unlock outer; $(in_order @t1 h outer)
		# memory used again: outer -> first is no outer -> first_again
		locks new first; $(in_order @t1 outer first); locks again first
		$(in_order @t1 pinner first_again); $(in_order @t2 first_again outer)
	"
}

check_quiet() {
	check_json "$1" \
		"no finding" 'findings == [] and summary.outside == 0' \
		"and yet it saw the orders" 'summary.seen.dependencies >= 16' \
		"nothing was lost" "summary.lost | all(. == 0)"
}

load_kvm
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
# With PREEMPT_RT fentry misses calls, and a task that waits for itself does so for ever (realtime has that).
case $LAB_SUITE in
*-rt)
	[ $# -gt 0 ] || set -- auto
	self_deadlock='' loud_findings=18
	;;
*)
	[ $# -gt 0 ] || set -- fentry kprobe
	# One task waits for itself; a signal ends that.
	self_deadlock='@t4 locks lock outer; @t4& - locks lock_interruptible outer
		hangs t4 300; interrupt t4; join t4 5000; @t4 locks unlock outer'
	loud_findings=19
	;;
esac
for kind in "$@"; do
	ltguest -c "locks new early"
	tracer_start "loud_$kind" --json --attach "$kind" --watch "$OUTER@lt_locks_state" --watch "$PINNER@*lt_locks_pointer"
	check "the loud scenario runs" loud
	tracer_stop "loud_$kind" 1
	check_loud "/tmp/loud_$kind.out"
	ltguest -c "locks free early, free late, free first_again, free twin"

	tracer_start "quiet_$kind" --json --attach "$kind" --watch "$OUTER@lt_locks_state" --watch "$PINNER@*lt_locks_pointer"
	check "the quiet scenario runs" quiet
	tracer_stop "quiet_$kind" 0
	check_quiet "/tmp/quiet_$kind.out"
	ltguest -c "locks free first_again"
done
pass
