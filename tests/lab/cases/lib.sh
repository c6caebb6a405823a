# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What the lab's cases share. Runs inside the guest under busybox sh; a case
# starts with ". /lab/lib.sh" and ends with "pass". Set: LAB_CASE, LAB_SUITE.
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

load_kvm() {
	modprobe kvm-amd || fail "cannot load kvm-amd"
	[ -c /dev/kvm ] || fail "no /dev/kvm with kvm-amd loaded"
}

load_vfio() {
	modprobe vfio || fail "cannot load vfio"
	modprobe vfio_iommu_type1 || fail "cannot load vfio_iommu_type1"
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
	tracer_wait "$1" "$2" 30
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
		'(summary.counts | map(.id)) == (findings | map(.id) | unique) and
			summary.findings == (summary.counts | length) and
			summary.information == (summary.counts | map(select(.grade == "information")) | length) and
			all(summary.counts[]; .count > 0 and all(.edges[]; . > 0))' \
		"a finding is of a known kind and grade" "findings | all(
			(.kind | IN(\"circular\", \"recursive\", \"order\", $REPORT_CALLS)) and
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
			map(select(.grade | IN(\"information\", \"danger\"))) | all(.kind | IN($REPORT_CALLS))" \
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
