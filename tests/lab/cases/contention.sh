# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The attach kind of last resort: only waits for locks are seen, and what the task that waits
# holds is found by asking the watched locks. Cycles of which both halves are waited for are
# found, with locks of the user's own, foreign ones and those of a VM that was made later; halves
# that nobody waited for are not, and the report says so; what dies and is made anew is followed.
# lab: kernels=bookworm,bookworm-backports timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer
PINNER=lt_locks_state.inner

# waited TASK NAME... LAST: steps in which the task takes these locks and has to wait for the last one.
waited() {
	waited_task=$1
	shift
	waited_take='' waited_release=''
	for waited_lock in "$@"; do
		waited_take="$waited_take, lock $waited_lock"
		waited_release=", unlock $waited_lock$waited_release"
	done
	echo "@holder locks lock $waited_lock; @$waited_task& locks ${waited_take#, }$waited_release
		hangs $waited_task 200; @holder locks unlock $waited_lock; join $waited_task 10000"
}

# no_wait TASK NAME...: the same, and nobody else has any of them.
no_wait() {
	waited "$@" | sed -n "s/^.*@$1& \(locks .*\)/@$1 \1/p"
}

start() {
	tracer_start "$@" --attach contention --watch "$OUTER@lt_locks_state" --watch "$PINNER@*lt_locks_pointer"
}

load_fixture take_locks=0
load_objects
start loud --json --check-unlock
check "the loud scenario runs" ltguest -name guest=demo -c "
	# both watched
	$(waited t1 outer pinner); $(waited t2 pinner outer)
	# a foreign lock that is first met as the one that is waited for
	$(waited t1 outer a); $(waited t2 a outer)
	# the same, and the second half has no wait: not seen
	$(waited t1 outer b); $(no_wait t2 b outer)
	# and the first one
	$(no_wait t1 outer c); $(waited t2 c outer)
	# three locks are held, the first two of them are watched
	$(waited t1 outer pinner d)
	# a task that waits for itself
	@t4 locks lock outer; @t4& - locks lock_interruptible outer
	hangs t4 300; interrupt t4; join t4 5000; @t4 locks unlock outer
	# a VM that comes after the tracer, goes, and another one in its place. The tracer
	# looks each second, later where much else runs
	vm v; sleep 10000; @holder locks lock pinner
	@t1 objects lock kvm.irq_lock v; @t1& locks lock pinner, unlock pinner
	hangs t1 200; @holder locks unlock pinner; join t1 10000; @t1 objects unlock kvm.irq_lock v
	close v; sleep 10000; vm w; sleep 10000; @holder objects lock kvm.irq_lock w; @t2 locks lock pinner
	@t2& objects lock kvm.irq_lock w, unlock kvm.irq_lock w
	hangs t2 200; @holder objects unlock kvm.irq_lock w; join t2 10000; @t2 locks unlock pinner
	close w; sleep 10000"
tracer_stop loud 1
cat /tmp/loud.err
check_json /tmp/loud.out \
	"ready names the kind" 'ready.attach == "contention"' \
	"two watched locks: likely" "cycle(\"$OUTER\"; \"$PINNER\") | map(.grade) == [\"likely\"]" \
	"each half by its task, with the lock that it held and no order claimed" \
	"cycle(\"$OUTER\"; \"$PINNER\")[0] | [edge(\"$OUTER\"; \"$PINNER\"), edge(\"$PINNER\"; \"$OUTER\")] |
		map([.task.comm, (.held | map([.class, .order_known, .before_start, .at])), .taking.order_known]) ==
		[[\"t1\", [[\"$OUTER\", false, false, null]], true], [\"t2\", [[\"$PINNER\", false, false, null]], true]]" \
	"with the place of the call, and a stack that begins in the mutex code" \
	"cycle(\"$OUTER\"; \"$PINNER\")[0].edges | all((.taking.at | startswith(\"lt_do_lock+\")) and
		(.stack[0] | startswith(\"__mutex_lock\")) and (.stack | functions | index(\"lt_do_lock\") != null))" \
	"a foreign lock" "cycle(\"$OUTER\"; \"lt_lock_a\") | map(.grade) == [\"likely\"]" \
	"a half without a wait is not seen" "(cycle(\"$OUTER\"; \"lt_lock_b\") == []) and cycle(\"$OUTER\"; \"lt_lock_c\") == []" \
	"a task that waits for itself" "[findings[] | select(.kind == \"recursive\") | [.classes, .same_instance, .grade]] ==
		[[[\"$OUTER\"], true, \"deadlock\"]]" \
	"the VM's lock and the one that was in its place: not the same one" \
	"cycle(\"kvm.irq_lock\"; \"$PINNER\") | map(.grade) == [\"possible\"]" \
	"each with its VM" "cycle(\"kvm.irq_lock\"; \"$PINNER\")[0] |
		(edge(\"kvm.irq_lock\"; \"$PINNER\").held[0].object | test(\"^VM [0-9]+ .demo.\")) and
		(edge(\"$PINNER\"; \"kvm.irq_lock\").taking.object | test(\"^VM [0-9]+ .demo.\"))" \
	"they are gone now" 'summary.seen.objects | .vm == 0' \
	"no other" 'findings | map(.id) | unique | length == 4' \
	"never complete, and why" 'summary.complete == false and (summary.not_seen | test("locks that a task waits for")) and
		(summary.trust | startswith("NOT complete") and test("order"))' \
	"nothing was lost" 'summary.lost | all(. == 0)'
check_contains "it says what it does not see" /tmp/loud.err 'NOT all is seen: by contention only locks that a task waits for'
check_contains "and that an option is not possible" /tmp/loud.err "check-unlock is not possible"

start quiet --json
check "the quiet scenario runs" ltguest -c "
	$(waited t1 outer pinner); $(waited t2 outer pinner); $(waited t3 outer pinner a); $(waited t1 pinner a)
	$(waited t2 outer a b); $(waited t3 a b)
	# a lock on no held stack any more
	@t1 locks lock outer, unlock outer; $(waited t1 pinner c); $(waited t2 c d); $(waited t3 d outer)
	# memory that was a lock and has the address of the task for another reason is not held by it
	locks new ghost; $(waited t1 outer ghost); @t1 locks ghost ghost; $(waited t1 pinner); locks free ghost
	# a ww_mutex is none of those that are followed
	@holder locks ww_lock; @t1& locks lock outer, ww_lock, ww_unlock, unlock outer
	hangs t1 200; @holder locks ww_unlock; join t1 10000
	@holder locks lock outer; @t2& locks ww_lock, lock outer, unlock outer, ww_unlock
	hangs t2 200; @holder locks unlock outer; join t2 10000"
tracer_stop quiet 0
check_json /tmp/quiet.out "no finding" 'findings == []' "and yet it saw the orders" 'summary.seen.dependencies == 8' \
	"nothing was lost" 'summary.lost | all(. == 0)'
pass
