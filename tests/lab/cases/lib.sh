# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What the lab's cases share. Runs inside the guest under busybox sh; a case
# starts with ". /lab/lib.sh" and ends with "pass". Set: LAB_CASE, LAB_SUITE, LAB_ARCH.
# shellcheck disable=SC3040 # busybox has pipefail
set -euo pipefail

# note TEXT: tell what goes on. pass, fail TEXT, skip TEXT: end the case.
note() {
	echo "$LAB_CASE: $*"
}

pass() {
	note "pass${1:+: $*}"
	exit 0
}

fail() {
	note "FAIL: $*"
	exit 1
}

skip() {
	note "SKIP: $*"
	exit 77
}

# check WHAT COMMAND...: the case fails, naming WHAT, if the command does.
check() {
	check_what=$1
	shift
	"$@" || fail "$check_what (status $? of: $*)"
	note "ok: $check_what"
}

# check_not WHAT COMMAND...: the opposite.
check_not() {
	check_what=$1
	shift
	! "$@" || fail "$check_what (it succeeded: $*)"
	note "ok: $check_what"
}

# check_contains WHAT FILE PATTERN: an extended regular expression.
check_contains() {
	if ! grep -qE -- "$3" "$2"; then
		cat "$2"
		fail "$1: no '$3' in $2 (above)"
	fi
	note "ok: $1"
}

# wait_for SECONDS COMMAND...: until it succeeds; false after that time.
wait_for() {
	wait_left=$(($1 * 10))
	shift
	until "$@"; do
		wait_left=$((wait_left - 1))
		[ $wait_left -gt 0 ] || return 1
		sleep 0.1
	done
}

# Built in on arm64.
load_kvm() {
	[ "$LAB_ARCH" != amd64 ] || modprobe kvm-amd || fail "cannot load kvm-amd"
	[ -c /dev/kvm ] || fail "no /dev/kvm"
}

load_vfio() {
	modprobe vfio || fail "cannot load vfio"
	modprobe vfio_iommu_type1 || fail "cannot load vfio_iommu_type1"
}

# hold_exit: opens now what ends the machine, for a case that is going to forbid it (lockdown).
hold_exit() {
	mkfifo /tmp/exit
	cp /lab/bin/ltexit /tmp/ltexit_held
	/tmp/ltexit_held - <>/tmp/exit >/tmp/exit_held &
	wait_for 30 test -s /tmp/exit_held || fail "the way to end the machine cannot be held open"
	# init.sh calls it by its name.
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/sh\necho "$1" >/tmp/exit\nsleep 60\n' >/tmp/ltexit
	chmod 755 /tmp/ltexit
	mv /tmp/ltexit /lab/bin/ltexit
}

# load_fixture [PARAMETER=VALUE...]: lt_locks, and lt_vfio (if this kernel has
# it) with these parameters. The case's head needs fixture=yes.
load_fixture() {
	insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
	[ -e /lab/fixture/lt_vfio.ko ] || return 0
	load_kvm
	load_vfio
	insmod /lab/fixture/lt_vfio.ko "$@" || fail "cannot load lt_vfio"
}

# load_objects: lt_objects, for the step "objects". Where a case needs it.
load_objects() {
	load_kvm
	insmod /lab/fixture/lt_objects.ko || fail "cannot load lt_objects"
}

# load_waits: lt_waits alone, which needs neither KVM nor VFIO.
load_waits() {
	insmod /lab/fixture/lt_waits.ko || fail "cannot load lt_waits"
}

# waits COMMANDS: to lt_waits. waits_truth: the truth to /tmp/truth.
waits() {
	echo "$1" >/dev/lt_waits || {
		dmesg | grep lt_waits | tail -n 3
		fail "lt_waits cannot do '$1'"
	}
}

waits_truth() {
	cat /dev/lt_waits >/tmp/truth || fail "lt_waits does not tell the truth"
}

# objects_in_order TASK "LOCK HANDLE"...: a step of ltguest that takes these locks
# in this order and lets go of them again. TASK: @thread or %process.
objects_in_order() {
	objects_task=$1
	shift
	objects_take=''
	objects_release=''
	for objects_lock in "$@"; do
		objects_take="$objects_take, lock $objects_lock"
		objects_release=", unlock $objects_lock$objects_release"
	done
	echo "$objects_task objects ${objects_take#, }$objects_release"
}

# Makes kvm-vfio what it was before 51cdc8bc120e: .destroy and not .release.
load_destroy() {
	destroy_ops=$(sed -n 's/^\([0-9a-f]*\) . kvm_vfio_ops\t\[kvm\]$/0x\1/p' /proc/kallsyms)
	insmod /lab/fixture/lt_destroy.ko ops="$destroy_ops" || fail "cannot load lt_destroy"
}

# steps_2023: the steps of ltguest for both sides of the deadlock of 2023, one after the other, so that
# nothing hangs. Needs lt_vfio.
steps_2023() {
	echo "vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
		@opener device x g lt_vfio.0; @closer& close d; join closer 10000
		@opener close x; close g; close k; close v"
}

# The VFIO group's file in /dev/vfio for a device in sysfs: its number, or
# noiommu-NUMBER.
vfio_group_of() {
	group_number=$(basename "$(readlink "$1/iommu_group")")
	if [ -e "/dev/vfio/$group_number" ]; then
		echo "$group_number"
	elif [ -e "/dev/vfio/noiommu-$group_number" ]; then
		echo "noiommu-$group_number"
	else
		fail "group $group_number of $1 has no file in /dev/vfio"
	fi
}

# Group of the fixture's device number $1 (default 0).
lt_vfio_group() {
	vfio_group_of "/sys/bus/platform/devices/lt_vfio.${1:-0}"
}

# Bind QEMU's "edu" PCI device to vfio-pci; sets EDU_ADDRESS and EDU_GROUP.
bind_edu() {
	modprobe vfio-pci || fail "cannot load vfio-pci"
	load_vfio
	EDU_ADDRESS=''
	for edu_device in /sys/bus/pci/devices/*; do
		[ "$(cat "$edu_device/vendor" "$edu_device/device" | tr -d '\n')" = 0x12340x11e8 ] || continue
		EDU_ADDRESS=$(basename "$edu_device")
	done
	[ -n "$EDU_ADDRESS" ] || fail "no edu device on the PCI bus"
	echo vfio-pci >"/sys/bus/pci/devices/$EDU_ADDRESS/driver_override"
	echo "$EDU_ADDRESS" >/sys/bus/pci/drivers_probe
	[ -e "/sys/bus/pci/drivers/vfio-pci/$EDU_ADDRESS" ] || fail "vfio-pci did not take $EDU_ADDRESS"
	# shellcheck disable=SC2034 # for the cases
	EDU_GROUP=$(vfio_group_of "/sys/bus/pci/devices/$EDU_ADDRESS")
}

# The thread ids of all threads called $1.
threads_named() {
	grep -lxF -- "$1" /proc/[0-9]*/task/[0-9]*/comm 2>/dev/null | cut -d/ -f5
}

# State letter of a thread: R, S, D, ...
thread_state() {
	sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status"
}

# thread_stack NAME: the kernel stack of the thread called so.
thread_stack() {
	cat "/proc/$(threads_named "$1" | head -n 1)/stack"
}

# The tracer: for cases run with LAB_FILES="build/locktrace /usr/bin/jq". A run
# has a NAME; its output is in /tmp/NAME.out, its messages in /tmp/NAME.err, its
# process id in /tmp/NAME.pid. Several may run at a time. For example:
#   tracer_start demo --json --attach kprobe
#   ltguest -c '...'
#   tracer_stop demo 1
#   check_json /tmp/demo.out "the cycle is found" 'cycle("a"; "b") | length == 1'

# tracer_launch NAME [OPTION]...: "locktrace watch" with these options in the background.
tracer_launch() {
	tracer_name=$1
	shift
	/lab/bin/locktrace watch "$@" >"/tmp/$tracer_name.out" 2>"/tmp/$tracer_name.err" &
	echo $! >"/tmp/$tracer_name.pid"
}

# tracer_ready NAME: when this returns, it is attached and says so.
tracer_ready() {
	wait_for 60 tracer_is_ready_or_ended "$1" || tracer_fail "$1" "not ready after a minute"
	tracer_is_ready "$1" || tracer_fail "$1" "ended before it was ready"
	note "tracer $1 is ready"
}

# tracer_start NAME [OPTION]...: both.
tracer_start() {
	note "tracer $*"
	tracer_launch "$@"
	tracer_ready "$1"
}

# tracer_interrupt NAME: Ctrl-C.
tracer_interrupt() {
	kill -INT "$(tracer_pid "$1")" || tracer_fail "$1" "has ended by itself"
}

# tracer_stop NAME STATUS: Ctrl-C; it must end with this exit status.
tracer_stop() {
	tracer_interrupt "$1"
	tracer_wait "$1" "$2" 120
}

# tracer_wait NAME STATUS SECONDS: it must end by itself, so and in this time.
# What it wrote as JSON must be as documented.
tracer_wait() {
	wait_for "$3" tracer_has_ended "$1" || tracer_fail "$1" "did not end in $3 seconds"
	tracer_status=0
	wait "$(tracer_pid "$1")" || tracer_status=$?
	[ "$tracer_status" = "$2" ] || tracer_fail "$1" "exit status $tracer_status, not $2"
	note "ok: tracer $1 ended with status $2"
	case $(head -c 1 "/tmp/$1.out") in
	'{') check_report "/tmp/$1.out" ;;
	esac
}

tracer_pid() {
	cat "/tmp/$1.pid"
}

tracer_is_ready() {
	grep -qs '^{"type":"ready"' "/tmp/$1.out" || grep -qs 'Ctrl-C ends' "/tmp/$1.err"
}

# A child that ended stays as a zombie until the shell asks for its status.
tracer_has_ended() {
	tracer_state=$(thread_state "$(tracer_pid "$1")" 2>/dev/null) || return 0
	[ "${tracer_state:-Z}" = Z ]
}

tracer_is_ready_or_ended() {
	tracer_is_ready "$1" || tracer_has_ended "$1"
}

tracer_fail() {
	echo "--- /tmp/$1.err, its last lines ---"
	tail -n 50 "/tmp/$1.err"
	echo "--- /tmp/$1.out, its last lines ---"
	tail -n 50 "/tmp/$1.out" | cut -c 1-2000
	fail "tracer $1: $2"
}

# Names for the filters of check_json; the input is the array of all lines.
# cycle("a"; "b") and cycle("a"; "b"; "c"): the findings about just these
# classes, in whatever rotation; told again is one more.
# shellcheck disable=SC2016 # variables of jq
json_names='
	def ready: .[0];
	def summary: .[-1];
	def findings: [.[] | select(.type == "finding")];
	def cycle_of($classes): [findings[] | select(.classes | sort == ($classes | sort))];
	def cycle($a; $b): cycle_of([$a, $b]);
	def cycle($a; $b; $c): cycle_of([$a, $b, $c]);
	def edge($from; $to): [.edges[] | select(.from == $from and .to == $to)][0];
	def of_kind($kind): [findings[] | select(.kind == $kind)];
	def functions: map(sub("[+ ].*"; ""));
	def waits: [.[] | select(.type == "wait")];
	def roots: [.[] | select(.type == "root")];
	def feature($name): [.[] | select(.type == "feature" and .name == $name)][0].state;
	def problems: [.[] | select(.type == "problem") | .missing | split(" ")[]];
	def classes_of($state): [.[] | select(.type == "class" and .state == $state) | .name];
	def functions_of($state): [.[] | select(.type == "function" and .state == $state) | .name];
	def wait_of($comm): waits[] | select(.task.comm == $comm);
'

# check_json FILE WHAT FILTER [WHAT FILTER]...: each jq filter must give true
# (and nothing else) for the lines of the file. One call of jq for all: it takes
# a third of a second to start here.
check_json() {
	json_file=$1
	shift
	json_filter=''
	json_is_filter=no
	for json_word in "$@"; do
		case $json_is_filter in
		yes) json_filter="$json_filter${json_filter:+, }(try [$json_word] catch [.] | if . == [true] then true else . end)"; json_is_filter=no ;;
		no) json_is_filter=yes ;;
		esac
	done
	[ $json_is_filter = no ] || fail "check_json: a filter is missing after '$json_word'"
	/lab/bin/jq -s -c "$json_names $json_filter" "$json_file" >/tmp/json_results || fail "check_json: jq cannot do it: $*"
	json_number=0
	while [ $# -gt 0 ]; do
		json_number=$((json_number + 1))
		json_result=$(sed -n ${json_number}p /tmp/json_results)
		if [ "$json_result" != true ]; then
			cut -c 1-1000 "$json_file"
			fail "$1: not so in $json_file (above): $2: gives $json_result"
		fi
		[ "${json_quiet:-no}" = yes ] || note "ok: $1"
		shift 2
	done
}

# check_last_put FILE OUTER INNER FUNCTION FUNCTION: the one finding of a last reference put
# by the task "closer" under group_lock, for information; it holds these two classes, and
# the first of these functions was called in the other, in the close of the device.
check_last_put() {
	check_json "$1" \
		"one finding, for information: kvm_destroy_vm under group_lock" \
		'findings | map([.kind, .function, .grade, .classes]) ==
			[["forbidden_call", "kvm_destroy_vm", "information", ["vfio_group.group_lock"]]]' \
		"by the closer, who holds the group's and the device set's lock" \
		"findings[0].edges[0] | .task.comm == \"closer\" and .task.vm == \"demo\" and
			(.held | map(.class)) == [\"$2\", \"$3\"]" \
		"the chain that put the last reference" \
		"findings[0].edges[0].stack | functions | .[0] == \"kvm_destroy_vm\" and
			(index(\"$4\") < index(\"$5\")) and (index(\"$5\") <= index(\"vfio_device_fops_release\"))" \
		"nothing was lost" 'summary.lost | all(. == 0)'
}

# check_not_last FILE: the same call, and another reference is left.
check_not_last() {
	check_json "$1" \
		"no finding, for it was not the last reference" 'findings == []' \
		"and yet the summary counts it" \
		'summary.not_last | map([.function, .under]) == [["kvm_put_kvm", "vfio_group.group_lock"]]' \
		"nothing was lost" 'summary.lost | all(. == 0)'
}

# check_cycle_2023 FILE: the report has the cycle of 2023 with all that lockdep would print of it, from
# the tasks "opener" and "closer" of the VM "demo", on a kernel that has the bug (6.1).
check_cycle_2023() {
	check_json "$1" \
		"the cycle is found, once" \
		'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock") | length == 1' \
		"it names the fix" \
		'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock")[0].known |
			.commit == "2b48f52f2bff" and .release == "v6.3" and (.title | test("deadlock"))' \
		"in the order of 6.1" \
		'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock")[0].classes ==
			["vfio_group.group_lock", "guests_lock", "kvm.lock"]' \
		"it is likely: the same locks, two tasks" \
		'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock")[0].grade == "likely"' \
		"the opener holds dev_set, group_lock and guests_lock, in this order" \
		'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock")[0] | edge("guests_lock"; "kvm.lock") |
			.task.comm == "opener" and (.held | map(.class)) ==
			["vfio_device_set.lock", "vfio_group.group_lock", "guests_lock"]' \
		"the opener comes through the driver" \
		'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock")[0] | edge("guests_lock"; "kvm.lock") |
			.stack | map(sub("\\+.*"; "")) | .[0] == "mutex_lock" and
			(index("lt_vfio_open_device") < index("vfio_group_fops_unl_ioctl"))' \
		"the closer holds kvm.lock and takes group_lock" \
		'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock")[0] | edge("kvm.lock"; "vfio_group.group_lock") |
			.task.comm == "closer" and (.held | map(.class)) == ["kvm.lock"] and
			(.held[0].at | startswith("kvm_device_release+")) and
			(.taking.at | startswith("vfio_file_set_kvm+"))' \
		"the closer comes through kvm_vfio_release and kvm_device_release" \
		'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock")[0] | edge("kvm.lock"; "vfio_group.group_lock") |
			.stack | map(sub("\\+.*"; "")) |
			index("kvm_vfio_release") + 1 == index("kvm_device_release")' \
		"VM, group and device are named" \
		'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock")[0] |
			(.text | test("kvm.lock of VM [0-9]+ .demo.") and test("of group [0-9]+")) and
			(edge("guests_lock"; "kvm.lock").held[0].object == "device set of lt_vfio.0") and
			(.edges | all(.task.vm == "demo"))' \
		"nothing of the tracer is in the stacks" \
		'[findings[].edges[].stack[]] | any(test("bpf|trampoline")) | not' \
		"nothing was lost" 'summary.lost | all(. == 0)'
}

# The other command, "hang": one look, nothing attached.

# hang_run NAME STATUS [OPTION]...: "locktrace hang" with these options; it must end
# by itself with this status ("any": whichever). HANG_WRAP goes before it. Its output is in /tmp/NAME.out, its messages in
# /tmp/NAME.err, its time in HANG_CS, hundredths of a second. JSON must be as documented.
# It may take its time: a virtual machine beside others is many times slower than one alone.
hang_run() {
	hang_name=$1
	hang_status=$2
	shift 2
	case " $* " in
	*' --timeout '*) ;;
	*) set -- "$@" --timeout 60 ;;
	esac
	rm -f "/tmp/$hang_name.done"
	hang_once "$@" &
	wait_for 100 test -e "/tmp/$hang_name.done" || tracer_fail "$hang_name" "hang $* does not end"
	read -r hang_got hang_from hang_to <"/tmp/$hang_name.done"
	HANG_CS=$((${hang_to%.*}${hang_to#*.} - ${hang_from%.*}${hang_from#*.}))
	[ "$hang_got" = "$hang_status" ] || [ "$hang_status" = any ] || tracer_fail "$hang_name" "hang $*: exit status $hang_got, not $hang_status"
	note "ok: hang $* ended with status $hang_got in $((HANG_CS / 100)).$((HANG_CS / 10 % 10)) s"
	case $(head -c 1 "/tmp/$hang_name.out")$* in
	*--task*) ;; # the summary counts more than is told then
	'{'*) check_hang "/tmp/$hang_name.out" ;;
	esac
}

# hang_within CS NAME STATUS [OPTION]...: hang_run, in less than so many hundredths of a second: the
# best of three, as the others on the host may take the processor away for a while.
hang_within() {
	hang_limit=$1
	shift
	for hang_try in 1 2 3; do
		hang_run "$@"
		[ $HANG_CS -ge "$hang_limit" ] || return 0
		note "try $hang_try of 3 took too long"
	done
	fail "hang: none of three took less than $((hang_limit / 100)) s"
}

# The two uptimes are read by the shell itself: a cat would cost as much again.
hang_once() {
	hang_got=0
	read -r hang_from _ </proc/uptime
	# shellcheck disable=SC2086 # a command and its options, or nothing
	${HANG_WRAP:-} /lab/bin/locktrace hang "$@" >"/tmp/$hang_name.out" 2>"/tmp/$hang_name.err" || hang_got=$?
	read -r hang_to _ </proc/uptime
	echo "$hang_got $hang_from $hang_to" >"/tmp/$hang_name.ending"
	mv "/tmp/$hang_name.ending" "/tmp/$hang_name.done"
}

# check_hang FILE: what is true of the JSON output of every hang, whatever it found.
# shellcheck disable=SC2016 # variables of jq
check_hang() {
	json_quiet=yes
	check_json "$1" \
		"$1 is one JSON object a line, of version 1: waits, findings, roots, a summary" \
		"length == $(wc -l <"$1") and all(type == \"object\" and .version == 1) and
			map(.type) == (waits + findings + roots | map(.type)) + [\"summary\"]" \
		"a wait is of a known kind" 'waits | all(.kind | IN("mutex", "rwsem_read", "rwsem_write", "other", "unverified", "none"))' \
		"it has a task and what ends it" 'waits | all(.task.tid > 0 and (.task.comm | length > 0) and
			(.signal | IN("none", "kill", "any")) and (.killable | type == "boolean"))' \
		"it has a lock if it is for one, with a proof" 'waits | all((.kind | IN("mutex", "rwsem_read", "rwsem_write")) as $for_lock |
			(.lock != null) == $for_lock and (.proof | IN("blocked_on", "waiter_record")) == $for_lock)' \
		"a lock has an address, words and a kind that fits" 'waits | map(select(.lock)) | all(
			(.lock.addr | test("^0x[0-9a-f]{16}$")) and (.lock.text | length > 0) and
			(.lock.kind == "mutex") == (.kind == "mutex"))' \
		"an owner is named where one is known, with a stack" 'waits | all(
			(.owner != null) == (.lock != null and .lock.held_by == "task") and (.owner_stack != null) == (.owner != null))' \
		"each task is told once" 'waits | map(.task.tid) | length == (unique | length)' \
		"a finding is a deadlock: each of it waits for the next one" 'findings | all(.kind == "deadlock" and (.cycle as $c |
			all(range($c | length); $c[.].owner.tid == $c[(. + 1) % ($c | length)].task.tid)) and
			(.text | length > 0) and (.advice | length > 0))' \
		"and is told as a wait too" '(waits | map({key: "\(.task.tid)", value: .lock.addr}) | from_entries) as $w |
			all(findings[].cycle[]; $w["\(.task.tid)"] == .waits_for.addr)' \
		"a root is a task or a lock, and somebody is behind" 'roots | all((.task == null) != (.lock == null) and
			.direct > 0 and .behind >= .direct and .depth > 0 and (.text | length > 0))' \
		"the summary counts" 'summary.cycles == (findings | length) and summary.roots == (roots | length) and
			summary.waits == (waits | map(select(.lock)) | length) and
			summary.unverified == (waits | map(select(.kind == "unverified")) | length)'
	json_quiet=no
	note "ok: $1 is as documented"
}

# list_run NAME [OPTION]...: "locktrace list --json"; JSON must be as documented.
# shellcheck disable=SC2016 # variables of jq
list_run() {
	list_name=$1
	shift
	/lab/bin/locktrace list --json --timeout 60 "$@" >"/tmp/$list_name.out" 2>"/tmp/$list_name.err" || tracer_fail "$list_name" "list $*: status $?"
	check_json "/tmp/$list_name.out" \
		"$list_name: objects, then the static locks, a summary" 'all(.version == 1) and .[-1].type == "summary" and .[-2].kind == "static" and
			all(.[:-1][]; .type == "list" and (.kind | IN("vm", "vcpu", "kvm_vfio", "group", "device", "device_set", "pci_device", "iommu", "static")))' \
		"a lock has a class, and an owner if a task has it" 'all(.[:-1][].locks[]; (.addr | test("^0x[0-9a-f]{16}$")) and (.class | length > 0) and
			(.held_by | IN("nobody", "task", "unseen", "unknown")) and (.owner != null) == (.held_by == "task") and .waiters >= 0)' \
		"it is whole" '(summary.partial | not) and summary.trouble == null and summary.locks == ([.[:-1][].locks[]] | length) and
			summary.objects == ([.[] | select(.type == "list" and .kind != "static")] | length)'
}

# check_run NAME STATUS [OPTION]...: "locktrace check --json" must end with this status ("any": whichever).
# CHECK_WRAP goes before it. JSON must be as documented.
# shellcheck disable=SC2016 # variables of jq
check_run() {
	check_name=$1
	check_status=$2
	shift 2
	check_got=0
	# shellcheck disable=SC2086 # a command and its options, or nothing
	${CHECK_WRAP:-} /lab/bin/locktrace check --json "$@" >"/tmp/$check_name.out" 2>"/tmp/$check_name.err" || check_got=$?
	[ "$check_got" = "$check_status" ] || [ "$check_status" = any ] ||
		tracer_fail "$check_name" "check $*: exit status $check_got, not $check_status"
	note "ok: check $* ended with status $check_got"
	json_quiet=yes
	check_json "/tmp/$check_name.out" \
		"$check_name: features, functions, classes, problems, a summary, each one object a line" \
		"length == $(wc -l <"/tmp/$check_name.out") and all(type == \"object\" and .version == 1) and
			map(.type) == (map(.type) | sort_by({feature: 0, function: 1, class: 2, problem: 3, summary: 4}[.])) and
			(map(select(.type == \"summary\")) | length) == 1" \
		"a feature has a group, a name and a state" '[.[] | select(.type == "feature")] | length > 25 and
			all((.group | IN("kernel", "types", "bpf", "attach", "waits")) and (.name | length > 0) and
			(.state | IN("yes", "no", "unknown", "waiting"))) and (map(.name) | length == (unique | length))' \
		"a function has a role and a state, and a kind if it is reached" '[.[] | select(.type == "function")] | all(
			(.role | IN("lock", "init", "object", "scope", "put", "rwsem", "release", "rwsem_init", "container")) and
			(.state | IN("reached", "waiting", "missing", "refused")) and (.attach != null) == (.state == "reached"))' \
		"a class has a state" '[.[] | select(.type == "class")] | all(.state | IN("found", "unfollowed", "waiting", "missing"))' \
		"a problem says what it means, for whom, and what mends it" '[.[] | select(.type == "problem")] | all(
			(.missing | length > 0) and (.means | length > 0) and (.fix | length > 0) and
			any(.watch, .hang, .list; . != "full"))' \
		"the summary is what the problems make it, and the status what it says" "[.[] | select(.type == \"problem\")] as \$p |
			{full: 0, degraded: 1, impossible: 2} as \$level | summary as \$s |
			summary.problems == (\$p | length) and summary.status == $check_got and
			all(\"watch\", \"hang\", \"list\"; . as \$c | \$level[\$s[\$c]] == ([0] + (\$p | map(\$level[.[\$c]])) | max)) and
			([summary.watch, summary.hang, summary.list] | if all(. == \"full\") then 0
				elif all(. == \"impossible\") then 2 else 1 end) == summary.status"
	json_quiet=no
}

# check_hang_2023 CLOSER: "hang" tells the deadlock of 2023, of the task "opener" and
# this one, as text (/tmp/text.out) and as JSON (/tmp/json.out), in five seconds.
check_hang_2023() {
	hang_closer=$1
	hang_group=$(basename "$(readlink /sys/bus/platform/devices/lt_vfio.0/iommu_group)")
	hang_within 500 text 1
	cat /tmp/text.out
	hang_within 500 json 1 --json
	check_json /tmp/json.out \
		"one deadlock, of the opener and the closer" "findings | length == 1 and
			(.[0] | .grade == \"deadlock\" and (.cycle | map(.task.comm) | sort) == ([\"opener\", \"$hang_closer\"] | sort))" \
		"the opener waits for kvm.lock, the closer for the group's lock" "findings[0].cycle | map({(.task.comm): .waits_for.class}) | add ==
			{opener: \"kvm.lock\", \"$hang_closer\": \"vfio_group.group_lock\"}" \
		"each is the owner of what the other one waits for" "wait_of(\"opener\").owner.comm == \"$hang_closer\" and
			wait_of(\"$hang_closer\").owner.comm == \"opener\"" \
		"the lock of the VM is named with it" 'wait_of("opener").lock.object | test("^VM [0-9]+")' \
		"the lock of the group too" "wait_of(\"$hang_closer\").lock.object | test(\"^group (noiommu-)?$hang_group\$\")" \
		"the opener's stack leads through the driver's open" 'wait_of("opener").stack | functions | index("lt_vfio_open_device") != null' \
		"the closer's through the close of kvm-vfio" "wait_of(\"$hang_closer\").stack | functions |
			index(\"vfio_file_set_kvm\") < index(\"kvm_device_release\")" \
		"each is told with the stack of the owner" "wait_of(\"opener\").owner_stack == wait_of(\"$hang_closer\").stack" \
		"no signal ends them" "[wait_of(\"opener\", \"$hang_closer\")] | all(.state == \"D\" and .signal == \"none\" and (.killable | not))" \
		"nobody else waits, and the look was whole" 'roots == [] and summary.confirmed and (summary.partial | not) and
			summary.trouble == null and summary.waits == 2'
	check_contains "the text tells a deadlock" /tmp/text.out '^Deadlock 1: 2 tasks wait for each other'
	check_contains "with the VM's lock" /tmp/text.out 'kvm\.lock of VM [0-9]+'
	check_contains "and the group's" /tmp/text.out "vfio_group\\.group_lock of group (noiommu-)?$hang_group"
	check_contains "both stacks: the opener's" /tmp/text.out '^ +lt_vfio_open_device\+0x'
	check_contains "both stacks: the closer's" /tmp/text.out '^ +kvm_device_release\+0x'
	check_contains "and that only a reboot helps" /tmp/text.out '^What to do: None of these waits ends by a signal.*Closing files does not'
	check_contains "and which known bug it is, with the release that has the fix" /tmp/text.out \
		'^Known bug: fixed by 2b48f52f2bff \("vfio: fix deadlock between group lock and kvm lock"\), which is in Linux v6\.3'
	check_contains "and the way round" /tmp/text.out '^To avoid it until then: do not open or close a VFIO device while'
	check_json /tmp/json.out "the known bug is told" 'findings[0].known | .commit == "2b48f52f2bff" and .release == "v6.3" and (.avoid | length > 0)'
}

# check_waits NAME: the JSON output of hang against the truth of lt_waits, in
# /tmp/truth: each wait, deadlock and root among its threads, no more and no less,
# or "unverified". What churn's threads wait for must be passing, but for what did
# last; the truth is to be from after the look then. Adds to the counts in WAITS_AGREED and WAITS_UNVERIFIED.
# WAITS_LONG has churn's.
WAITS_AGREED=0
WAITS_UNVERIFIED=0
WAITS_LONG=0
# shellcheck disable=SC2016 # variables of jq
check_waits() {
	/lab/bin/jq -n -r --slurpfile told "/tmp/$1.out" --rawfile truth /tmp/truth '
		def ours: .task.comm | startswith("lt_w");
		def lines($word): [$truth | split("\n")[] | split(" ") | select(.[0] == $word) | .[1:]];
		def by_tid: map({key: .[0], value: .}) | from_entries;
		def agreed($what; $true; $said): ($true - $said | map("not told: \($what) \(.)")) +
			($said - $true | map("told and not true: \($what) \(.)"));
		[$told[] | select(.type == "wait" and ours)] as $waits |
		[$waits[] | select(.kind == "unverified") | "\(.task.tid)"] as $unverified |
		[lines("churn")[][]] as $churn |
		[lines("wait")[] | select(.[0] | IN($unverified[]) | not)] as $true |
		$told[-1].boot_ns as $moment |
		# Since the first look, and until after the second one began.
		def lasted($word): [lines($word)[] | select((.[2] | tonumber) + 2e8 <= $moment and
			(.[3] | tonumber | . == 0 or . >= $moment)) | .[:2]];
		lasted("longwait") as $longwaits | lasted("longhold") as $longholds |
		def is_long: ["\(.task.tid)", .lock.addr] as $wait | ["\(.owner.tid)", .lock.addr] as $hold |
			any($longwaits[]; . == $wait) and (.owner == null or any($longholds[]; . == $hold));
		[$waits[] | select(.lock and is_long)] as $long |
		[$waits[] | select(.lock and (is_long | not)) |
			["\(.task.tid)", .lock.addr, .kind, "\(.owner.tid // 0)",
			"\(.lock.readers)", .signal]] as $said |
		[$told[] | select(.type == "finding" and .kind == "deadlock") | .cycle | select(any(.[]; ours)) |
			map("\(.task.tid)")] as $cycles |
		[lines("cycle")[] | select(any(.[1:][]; IN($unverified[])) | not) | .[1:]] as $true_cycles |
		(if $unverified == [] then
			agreed("root"; lines("root"); [$told[] | select(.type == "root" and .task and ours) |
				["\(.task.tid)", "\(.direct)", "\(.behind)"] | select($long == [] or ([.[0]] | inside($churn) | not))]) +
			agreed("root of readers"; lines("rootlock"); lines("rootlock") | map(.[0]) as $locks |
				[$told[] | select(.type == "root" and .lock and (.lock.addr | IN($locks[]))) |
				[.lock.addr, "\(.lock.readers)", "\(.direct)", "\(.behind)"]]) +
			agreed("behind a deadlock"; lines("cycle") | map(.[:2]);
				[$told[] | select(.type == "finding" and (.cycle | any(.[]; ours))) |
				["\(.behind)", "\(.cycle[0].task.tid)"]])
		else [] end) as $roots |
		(agreed("wait"; $true; $said) + agreed("deadlock"; $true_cycles; $cycles) + $roots) as $wrong |
		"\($said | length) \($cycles | length) \($unverified | length) \($wrong | length) \($long | length)", $wrong[]' >/tmp/agreed ||
		fail "check_waits: jq cannot do it"
	read -r waits_said waits_cycles waits_unverified waits_wrong waits_long </tmp/agreed
	WAITS_AGREED=$((WAITS_AGREED + waits_said))
	WAITS_UNVERIFIED=$((WAITS_UNVERIFIED + waits_unverified))
	WAITS_LONG=$((WAITS_LONG + waits_long))
	if [ "$waits_wrong" != 0 ]; then
		sed 1d /tmp/agreed | head -n 40
		fail "hang does not agree with the truth in $waits_wrong points (above)"
	fi
	note "ok: $waits_said waits and $waits_cycles deadlocks are true, and all that there are; unverified: $waits_unverified, of churn: $waits_long"
}

# Kinds of findings that are about a call, not about a lock being taken.
REPORT_CALLS='"forbidden_call", "bad_unlock", "freed_held", "reinit_held"'

# check_report FILE: what is true of the JSON output of every run that ended well.
# shellcheck disable=SC2016 # variables of jq
check_report() {
	json_quiet=yes
	check_json "$1" \
		"$1 is one JSON object a line, from ready to summary, of version 1" \
		"length == $(wc -l <"$1") and all(type == \"object\" and .version == 1) and
			map(.type) == [\"ready\"] + (findings | map(.type)) + [\"summary\"]" \
		"the summary counts the findings that were told, each once" \
		'(findings | map(select(.id == null)) | length) as $stalls |
			(summary.counts | map(.id)) == (findings | map(.id | select(. != null)) | unique) and
			summary.stalls == $stalls and summary.findings == (summary.counts | length) + $stalls and
			summary.information == (summary.counts | map(select(.grade == "information")) | length) and
			all(summary.counts[]; .count > 0 and all(.edges[]; . > 0))' \
		"a finding is of a known kind and grade" "findings | all(
			(.kind | IN(\"circular\", \"recursive\", \"order\", \"stall\", \"deadlock\", $REPORT_CALLS)) and
			(.grade | IN(\"information\", \"one_task\", \"guarded\", \"possible\", \"likely\", \"danger\", \"deadlock\")))" \
		"the classes of a finding are what its edges begin with" 'findings | all(.classes == [.edges[].from])' \
		"the edges of a cycle make a circle" 'findings | map(select(.kind | IN("circular", "recursive"))) |
			all(.edges as $e | all(range($e | length); $e[.].to == $e[(. + 1) % ($e | length)].from))' \
		"a broken order is one edge, between two classes" 'of_kind("order") |
			all((.edges | length == 1) and .edges[0].from != .edges[0].to)' \
		"a call or a misuse is one edge that leads to no lock" "findings | map(select(.kind | IN($REPORT_CALLS))) |
			all((.edges | length == 1) and (.edges[0] | .to == null and .to_addr == null and .taking == null))" \
		"an edge is between the lock taken and one that was held, or that is its own" "all(findings[] |
			select(.kind | IN($REPORT_CALLS) | not) | .edges[];
			.to_addr == .taking.addr and .to == .taking.class and (.taking.trylock | not) and
			(.from_addr == .to_addr or (.from as \$class | .held | any(.class == \$class)) and
			(.from_addr as \$addr | .held | any(.addr == \$addr or .locks > 1))))" \
		"a finding has words, and each edge a stack and a task" 'findings | all(
			(.text | length > 0) and (.why | length > 0) and (.advice | length > 0) and
			(.edges | all((.stack | length > 0) and .task.tid > 0 and .count > 0)))' \
		"rules are quoted where a finding comes from them, and only there" 'findings | all(
			(.rules | length > 0) == (.kind | IN("order", "forbidden_call")) and
			all(.rules[]; (.file | length > 0) and .line > 0 and (.text | length > 0)))' \
		"pairs of locks are counted where dependencies are the evidence" 'all(findings[];
			(.kind == "circular" or (.kind == "recursive" and (.same_instance | not))) as $counted |
			all(.edges[]; (.instances != null) == $counted))' \
		"a forbidden call names the function, and only that" 'findings | all(
			(.function != null) == (.kind == "forbidden_call"))' \
		"a known bug is told with its commit, release and title" 'all(findings[].known | select(. != null);
			all(.commit, .release, .title; length > 0))' \
		"information and danger are for calls and misuses" "findings |
			map(select(.grade | IN(\"information\", \"danger\"))) | all(.kind | IN(\"stall\", $REPORT_CALLS))" \
		"these and no others have a number, but for stalls" 'findings | all((.id == null) == (.kind | IN("stall", "deadlock")))' \
		"a stall or a deadlock says who waits, and either a circle or a root" 'findings | map(select(.kind | IN("stall", "deadlock"))) |
			all(.waiter.tid > 0 and (.lock.addr | length > 0) and (.cycle != null) == (.kind == "deadlock") and
			(.root == null) == (.kind == "deadlock") and (.waiter_stack | length > 0) and .edges == [])' \
		"a guard is named where it is the reason, and only there" \
		'findings | all((.grade == "guarded") == (.guard != null))' \
		"one_task is one task" 'findings | all(.grade != "one_task" or
			((.edges | map(.task.tid) | unique | length == 1) and (.edges | all(.many_tasks | not))))' \
		"likely is the same locks by more than one task" 'findings | all(.grade != "likely" or .kind != "circular" or
			(.edges as $e | ($e | map(.task.tid) | unique | length > 1) and
			all(range($e | length); $e[.].to_addr == $e[(. + 1) % ($e | length)].from_addr)))' \
		"the summary says what was ignored and what was not the last" '(summary.ignored >= 0) and
			all(summary.not_last[]; .function != null and .under != null and .count > 0)'
	json_quiet=no
	note "ok: $1 is as documented"
}
