# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# A hang made from user space alone, so on kernels for which no module can be built
# here: writers of a pipe behind one that sleeps in a page fault nobody answers,
# the same with a file and with a directory (tests/native/hang_helper.c).
# lab: kernels=sid,bookworm-backports,bookworm-backports-arm64 timeout=240
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

[ -x /lab/bin/hang_helper ] || skip "needs hang_helper in LAB_FILES"
mkdir /tmp/dir /tmp/in_dir
mkfifo /tmp/in
hang_helper /tmp/dir </tmp/in >/tmp/tasks 2>/tmp/helper.err &
helper=$!
exec 3>/tmp/in
wait_for 120 grep -q '^ready' /tmp/tasks || fail "the helper is not ready: $(cat /tmp/helper.err)"
note "$(cat /tmp/tasks)"
# pid_of KIND ROLE: the process ids, as a JSON array.
pid_of() {
	sed -n "s/^\\([0-9]*\\) $1 $2\$/\\1/p" /tmp/tasks | tr '\n' ',' | sed 's/,$/]/; s/^/[/'
}
hang_run text 0
cat /tmp/text.out
hang_run json 0 --json
check_json /tmp/json.out \
	"three wait for the pipe's mutex, whose holder is known" "[waits[] | select(.task.pid | IN($(pid_of pipe mutex)[]))] | length == 3 and
		all(.kind == \"mutex\" and [.owner.pid] == $(pid_of pipe holder) and (.owner_stack | functions | index(\"handle_userfault\") != null))" \
	"one waits for the file's rwsem, for writing, held for writing" "[waits[] | select(.task.pid | IN($(pid_of file write)[]))] | length == 1 and
		all(.kind == \"rwsem_write\" and [.owner.pid] == $(pid_of file holder))" \
	"one for the directory's, for writing, held by a reader" "[waits[] | select(.task.pid | IN($(pid_of directory write)[]))] | length == 1 and
		all(.kind == \"rwsem_write\" and .owner == null and .lock.held_by == \"readers\" and .lock.readers == 1)" \
	"and one behind that, for reading" "[waits[] | select(.task.pid | IN($(pid_of directory read)[]))] | length == 1 and
		all(.kind == \"rwsem_read\" and .owner == null and (.text | test(\"queued behind the waiting writer\")))" \
	"three roots, no deadlock" 'findings == [] and (roots | map(.behind) | sort) == [1, 2, 3]' \
	"all of it is sure" 'summary.unverified == 0 and summary.waits == 6'
[ "$LAB_SUITE" != sid ] || check_json /tmp/json.out "7.x says itself who waits for what, if no signal ends it" \
	'waits | map(select(.lock and .signal == "none")) | length == 5 and all(.proof == "blocked_on")'
[ "$LAB_ARCH" != arm64 ] || check_json /tmp/json.out "frame pointers lead through a stack: no function is there twice" \
	'waits | all(.stack | functions | length == (unique | length))' \
	"and the lock's own are there" '[waits[] | select(.kind == "mutex") | .stack | functions] | length == 3 and all(index("mutex_lock") > 0)'
kill $helper
pass
