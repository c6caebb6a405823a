# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The fixture lt_waits by itself, without locktrace: its threads sleep where it
# says that they wait, its graphs have what they shall have, and all of them end
# when they are released, deadlocks too.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_waits

# lines WORD: how many lines of the truth begin with it.
lines() {
	grep -c "^$1 " /tmp/truth || true
}

# expect WHAT WORD COUNT...
expect() {
	expect_what=$1
	shift
	waits_truth
	while [ $# -gt 0 ]; do
		[ "$(lines "$1")" = "$2" ] || {
			cat /tmp/truth
			fail "$expect_what: $(lines "$1") lines '$1', not $2"
		}
		shift 2
	done
	note "ok: $expect_what"
}

# asleep: each thread that waits sleeps as deeply as it was told to; a stack in eight is looked at.
asleep() {
	asleep_number=0
	grep '^wait ' /tmp/truth >/tmp/waiting || true
	while read -r _ tid _ _ _ _ signal; do
		read -r _ name state _ <"/proc/$tid/stat" || fail "no thread $tid"
		case $name$state$signal in
		'(lt_w'*')Snone' | '(lt_w'*')Skill' | '(lt_w'*')Dany') fail "$tid $name is in state $state, for a wait of kind '$signal'" ;;
		'(lt_w'*')Dnone' | '(lt_w'*')Dkill' | '(lt_w'*')Sany') ;;
		*) fail "$tid is $name in state $state" ;;
		esac
		asleep_number=$((asleep_number + 1))
		[ $((asleep_number % 8)) = 0 ] || continue
		grep -q 'lt_wait_deep' "/proc/$tid/stack" || fail "$tid does not wait in lt_wait_deep: $(cat "/proc/$tid/stack")"
	done </tmp/waiting
	note "ok: all $asleep_number threads that wait sleep there"
}

release() {
	waits release
	waits_truth
	[ "$(grep -cv '^churned' /tmp/truth)" = 0 ] || fail "after release there are still: $(cat /tmp/truth)"
	[ -z "$(threads_named_like lt_w)" ] || fail "after release there are still threads"
}

threads_named_like() {
	grep -l "^$1[0-9]" /proc/[0-9]*/comm 2>/dev/null || true
}

waits "queue 3 static"
expect "a queue" wait 3 root 1 hold 1 cycle 0
check_contains "three behind one" /tmp/truth '^root [0-9]+ 3 3$'
asleep
waits "chain 5"
expect "and a chain of five" wait 8 root 2 hold 6
check_contains "five behind the first, one of them directly" /tmp/truth '^root [0-9]+ 1 5$'
waits "two_queues 2 3; handoff; others; queue 1 slab"
expect "and more" wait 16 handed 1 root 6 other 6 slablock 1 cycle 0
asleep
release
note "ok: all of them end"

rwsems='writer_behind_readers readers_behind_writer writer_behind_writer'
# 5.10 lets a reader pass a writer that waits for other readers, if it comes in the right moment.
[ "$LAB_SUITE" = bullseye ] || rwsems="$rwsems reader_behind_writer_behind_reader"
for rwsem in $rwsems; do
	waits "rwsem $rwsem"
done
waits_truth
asleep
release

cycles=0 edges=0
for round in 1 2 3; do
	for graph in 1 2 3 4 5 6 7 8 9 10; do
		waits "random $((round * 100 + graph)) $((2 + graph)) $((1 + graph / 2))"
	done
	waits_truth
	asleep
	cycles=$((cycles + $(lines cycle)))
	edges=$((edges + $(lines wait)))
	release
done
note "$edges waits and $cycles deadlocks came and went"
[ $cycles -ge 5 ] || fail "hardly any deadlock among the random graphs"

sleep 1000 &
pid=$!
wait_for 120 grep -q sleep /proc/$pid/comm || fail "no sleep"
waits "mmap $pid"
(cat /proc/$pid/cmdline >/dev/null; touch /tmp/read) &
sleep 0.5
[ ! -e /tmp/read ] || fail "the command line could be read while mmap_lock is held"
release
wait_for 120 test -e /tmp/read || fail "the command line cannot be read after release"
note "ok: mmap_lock is held, and let go"
kill $pid

has_churned() {
	waits_truth
	[ "$(sed -n 's/^churned \([0-9]*\) .*/\1/p' /tmp/truth)" -gt 100 ]
}

waits "churn 8"
wait_for 120 has_churned || fail "the locks do not change hands"
grep -E "^(churned|longwait|longhold) " /tmp/truth
release
check "the module can be removed" rmmod lt_waits
check_not "the kernel has nothing to complain of" sh -c 'dmesg | grep -E "WARNING:|BUG:|Oops|DEBUG_LOCKS|rcu.*stall"'
pass
