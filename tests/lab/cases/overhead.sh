# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# --max-overhead: a tracer with a small bound goes on as long as little happens; under a heavy load
# it detaches, says why, and ends with its summary; one with a large bound goes on. By two attach kinds.
# lab: kernels=bookworm,bookworm-backports,sid timeout=300
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

refuses() {
	refuses_status=0
	/lab/bin/locktrace watch --max-overhead "$1" --duration 1 >/tmp/refused.out 2>&1 || refuses_status=$?
	check "--max-overhead $1 is refused" [ $refuses_status = 2 ]
	check_contains "with what is expected" /tmp/refused.out "max-overhead $1: expected a number above 0, at most 100"
}

# Two tasks on one of the two CPUs, until be_idle: more than 50 % of all time they cannot take.
hammer() {
	rm -f /tmp/hammering
	ltguest -name guest=demo -c "
		vm v; vcpu c v; vcpu d v 1; @t1 pin 1; @t2 pin 1; touch /tmp/hammering
		@t1& hammer c 200000; @t2& hammer d 200000; join t1 300000" &
	load=$!
	wait_for 60 [ -e /tmp/hammering ] || fail "the load does not begin"
}

be_idle() {
	kill $load || fail "the load has ended by itself"
	wait $load || true
}

refuses 0
refuses 101
refuses 1e1
refuses five

load_kvm
for kind in fentry kprobe; do
	tracer_start "large_$kind" --json -v --attach "$kind" --max-overhead 60
	tracer_start "small_$kind" --json -v --attach "$kind" --max-overhead 0.5
	sleep 4 # two samples
	check "$kind: while nothing happens it stays" kill -0 "$(tracer_pid "small_$kind")"
	hammer
	tracer_wait "small_$kind" 0 100
	be_idle
	check "the other one goes on" kill -0 "$(tracer_pid "large_$kind")"
	tracer_stop "large_$kind" 0
	grep 'programs take' "/tmp/large_$kind.err" "/tmp/small_$kind.err" || true
	check_contains "$kind: it says so" "/tmp/small_$kind.err" \
		"^locktrace: The tracer's programs took [0-9.]+ % of the time of all 2 CPUs, more than the 0.5 % of --max-overhead"
	check_json "/tmp/small_$kind.out" \
		"$kind: and in the summary" 'summary.ended == "overhead" and
			(summary.ended_why | test("^The tracer.s programs took [0-9.]+ % .*: all of them were detached"))' \
		"$kind: which has what was seen" 'summary.seen.dependencies > 0 and summary.complete != null'
	check_json "/tmp/large_$kind.out" \
		"$kind: with a large bound nothing happens" 'summary.ended == "interrupted" and summary.ended_why == null'
	check "$kind: but it was measured" grep -qE 'programs take [0-9.]+ % of the time of 2 CPUs' "/tmp/large_$kind.err"
done

tracer_start text --max-overhead 0.001
hammer
tracer_wait text 0 100
be_idle
check_contains "the text says how it ended" /tmp/text.out '^overhead after [0-9]+ s: 0 findings'
check_contains "and why" /tmp/text.out "^The tracer's programs took [0-9.]+ % of the time of all 2 CPUs"
pass
