# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# A busy host: two tasks that take all the time there is, one of them by making
# processes, 2,000 others, locks that change hands all the time, and among these a few graphs that hang. "locktrace
# hang" tells just the latter, and with --timeout what there is by then. Last, 5,000
# tasks and 100,000 open files.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# measured NAME STATUS OPTION...: hang_run, with time and memory.
measured() {
	HANG_WRAP='busybox time -v -o /tmp/measured'
	hang_run "$@"
	HANG_WRAP=''
	note "measured: $((HANG_CS / 100)).$((HANG_CS / 10 % 10)) s, $(($(resident) / resident_unit)) kB at most; $(
		/lab/bin/jq -r 'select(.type == "summary") | "\(.tasks) tasks, \(.waits) waits, \(.passing) passing, \(.other) others"' "/tmp/$1.out")"
}

resident() {
	sed -n 's/.*Maximum resident set size (kbytes): //p' /tmp/measured
}

# busybox takes kilobytes for pages, in some versions: the unit is 1 or 4.
busybox time -v -o /tmp/measured dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null
resident_unit=$(($(resident) / 65536))

load_waits

ltguest -c 'threads 1900; touch /tmp/crowd; sleep 600000' &
wait_for 120 test -e /tmp/crowd || fail "the crowd does not come"
sh -c 'while :; do :; done' &
hog1=$!
sh -c 'while :; do :; /bin/true; done' &
hog2=$!
waits "churn 12; queue 3; random 1 12 5; random 2 12 5; random 3 12 5; random 4 12 5"
waits_truth
grep -q '^cycle' /tmp/truth || fail "no graph with a deadlock"
note "$(grep -c '^wait' /tmp/truth) waits, $(grep -c '^cycle' /tmp/truth) deadlocks; $(set -- /proc/[0-9]*/task/[0-9]*; echo $#) tasks"
for round in 1 2 3; do
	# From here on a lock is kept for a while now and then: who waits for it then may be told, if it is true.
	[ $round != 3 ] || waits "churn 10 700"
	measured busy 1 --json
	# What churn did meanwhile is known a while after.
	sleep 1
	waits_truth
	check_waits busy
	[ $round != 2 ] || grep '^churned' /tmp/truth
done
note "$WAITS_LONG waits of churn lasted and were told"
hang_within 300 short any --json --timeout 1
check_json /tmp/short.out "--timeout 1 gives an answer, which says what is missing" \
	'summary.type == "summary" and (summary.partial or (findings | length > 0))'
kill $hog1 $hog2
waits release

ltguest -c 'threads 1550; fork one files 50000, touch /tmp/one; fork two files 50000, touch /tmp/two
	threads 1550; touch /tmp/more; sleep 600000' &
for file in more one two; do
	wait_for 120 test -e /tmp/$file || fail "the files are not open"
done
note "$(set -- /proc/[0-9]*/task/[0-9]*; echo $#) tasks, $(cut -f 1 /proc/sys/fs/file-nr) open files"
waits "queue 3"
waits_truth
measured many 0 --json
check_json /tmp/many.out "complete, with 5,000 tasks and 100,000 open files" '(summary.partial | not) and summary.tasks >= 5000'
waits release
pass
