# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# No silent loss. While the tracers are stopped, a burst of new dependencies
# comes: what does not fit into a ring buffer of one page is counted and makes
# the report say that it is not complete; the default one holds all of it. What
# was lost comes when it happens again: dependencies, the halves of cycles,
# names. And a task with more locks than a held stack has room for is counted.
# lab: kernels=bookworm,bookworm-backports timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer
PAIRS=200
# Pairs 0 .. 199 are those of the first lock with the 127 others and 73 of the
# second: 200 dependencies. From outer to these two, to a and to lossy; inner to lost.
BURST=205

launch() {
	tracer_launch "$@" --watch $OUTER@lt_locks_state --watch lt_locks_state.inner@lt_locks_state
}

signal_all() {
	for signal_name in text page roomy deep; do
		kill "$1" "$(tracer_pid $signal_name)"
	done
}

load_kvm
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
launch text --attach fentry --ring-size 4096
launch page --attach fentry --ring-size 4K --json
launch roomy --attach fentry --json
launch deep --attach kprobe --json
for name in text page roomy deep; do
	tracer_ready $name
done

signal_all -STOP
check "a burst of new dependencies" ltguest -c "
	locks pairs_under outer $PAIRS 0
	locks lock outer, lock a, unlock a, unlock outer
	locks new lossy, lock outer, lock lossy, unlock lossy, unlock outer
	locks new lost, lock inner, lock lost, unlock lost, unlock inner"
signal_all -CONT
sleep 1
tracer_interrupt text
tracer_interrupt roomy
tracer_wait text 0 120
tracer_wait roomy 0 120
check_json /tmp/roomy.out \
	"the default ring buffer holds it all" 'summary.lost.ring_buffer == 0 and summary.complete == true' \
	"every dependency" "summary.seen.dependencies == $BURST" \
	"the trust line says so" 'summary.trust | test("^complete for mutex: nothing was lost")'
check_contains "one page does not: the trust line says so" /tmp/text.out \
	'^Trust: NOT complete for mutex.*: [0-9]+ records did not fit into the ring buffer'
seen=$(sed -n 's/.* \([0-9]*\) dependencies between .*/\1/p' /tmp/text.out)
check "of $BURST dependencies it saw $seen" [ "$seen" -lt $BURST ]

check "the reverse of what was lost" ltguest -c "
	locks lock a, lock outer, unlock outer, unlock a
	locks lock lossy, lock outer, unlock outer, unlock lossy"
sleep 1
check_not "is no cycle yet" grep -q '"type":"finding"' /tmp/page.out
check "all of the burst again, slowly" ltguest -c "
	locks lock outer, lock a, unlock a, unlock outer; sleep 300
	locks lock outer, lock lossy, unlock lossy, unlock outer; sleep 300
	locks lock a, lock outer, unlock outer, unlock a; sleep 300
	locks lock lossy, lock outer, unlock outer, unlock lossy; sleep 300
	locks lock inner, lock lost, unlock lost, unlock inner; sleep 300
	locks lock lost, lock outer, unlock outer, unlock lost; sleep 300
	$(seq 0 $((PAIRS - 1)) | sed 's/.*/locks pairs_under outer 1 &; sleep 5/')
	$(seq 0 $((PAIRS - 1)) | sed 's/.*/locks pairs_under outer 1 &; sleep 5/')"
tracer_stop page 1

# 4 + 16 + 16 locks, of which 32 are followed.
names="outer inner pouter pinner a b c d e f g h i j k l m n o p"
for number in $(seq 16); do
	echo "new deep$number" >/dev/lt_locks
	names="$names deep$number"
done
# shellcheck disable=SC2086 # a list
{
	printf 'lock %s;' $names
	printf 'unlock %s;' $names
} >/tmp/deep_locks
check "one task takes 36 locks" dd if=/tmp/deep_locks of=/dev/lt_locks bs=4096 count=1 status=none
tracer_stop deep 1
check_json /tmp/deep.out \
	"what is too deep is counted" 'summary.lost.depth == 4' \
	"and nothing else was lost" 'summary.lost | to_entries | all(.key == "depth" or .value == 0)' \
	"so it is not complete" 'summary.complete == false' \
	"and says why" 'summary.trust | test("^NOT complete for mutex.*: 4 lock calls came while the task held more locks than are followed")'

check_json /tmp/page.out \
	"it was counted" 'summary.lost.ring_buffer > 0 and summary.complete == false' \
	"and in words" 'summary.trust | test("^NOT complete for mutex.*records did not fit into the ring buffer")' \
	"what was lost came when it happened again: a cycle" "cycle(\"$OUTER\"; \"lt_lock_a\") | length == 1" \
	"a name" "cycle(\"$OUTER\"; \"lossy\") | length == 1" \
	"every dependency; two locks whose names were lost are not taken for one" \
	"summary.seen.dependencies == $BURST + 3" \
	"nothing else was found" 'findings | map(.id) | unique | length == 2'
pass
