# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Kernels that preempt: eight tasks hammer watched mutexes on one CPU while two real-time
# tasks come in between. As attached by default nothing is lost, and the report is
# complete. With fentry calls are lost: they are counted, the report says so, and
# no dependency is made up (the load takes locks in one order only).
# lab: kernels=bookworm-backports,sid timeout=500 append.bookworm-backports=preempt=full
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

MS=6000

# shellcheck disable=SC2046 # a list
hammer() {
	ltguest -name guest=demo -c "
		vm v
		$(for i in 0 1 2 3 4 5 6 7; do echo "vcpu c$i v $i; @t$i pin 1;"; done)
		$(for i in 0 1; do echo "@f$i pin 1; @f$i fifo 10; @f$i& hammer c$i $MS 700;"; done)
		$(for i in 0 1 2 3 4 5 6 7; do echo "@t$i& hammer c$i $MS;"; done)
		$(for i in t0 t1 t2 t3 t4 t5 t6 t7 f0 f1; do echo "join $i 60000;"; done)"
}

run() {
	run_name=$1
	shift
	tracer_start "$run_name" --json -v "$@"
	check "the load" hammer
	tracer_stop "$run_name" 0
	grep -E 'preemption|attached in' "/tmp/$run_name.err" || true
	check_json "/tmp/$run_name.out" \
		"its dependencies are seen" 'summary.seen.dependencies > 0' \
		"none is made up" 'findings == [] and summary.outside == 0 and summary.ignored == 0'
	note "$run_name: $(/lab/bin/jq -c 'select(.type == "summary") | [.lost, .complete, .seen]' "/tmp/$run_name.out")"
}

load_kvm
case $LAB_SUITE in
sid) mode=lazy ;;
*) mode=full ;;
esac
run auto
check_contains "the mode is known" /tmp/auto.err "preemption: $mode .debugfs sched/preempt."
check_json /tmp/auto.out \
	"kprobe.multi is used here" 'ready.attach == "kprobe.multi"' \
	"nothing is lost" 'summary.lost | all(. == 0)' \
	"and that is sure" 'summary.complete == true'
run kprobe --attach kprobe
check_json /tmp/kprobe.out \
	"by kprobes nothing is lost" 'summary.lost | all(. == 0)' \
	"and that is sure, too" 'summary.complete == true'
run fentry --attach fentry
check_json /tmp/fentry.out \
	"by fentry calls are lost" 'summary.lost.recursion > 0' \
	"so it is not complete" 'summary.complete == false' \
	"and says why" 'summary.trust | test("^NOT complete for mutex.*recursion guard")'

umount /sys/kernel/debug
tracer_start blind --json -v
tracer_stop blind 0
case $LAB_SUITE in
sid) said=lazy ;;
*) said=full ;;
esac
check_contains "without debugfs it reads the kernel's variable" /tmp/blind.err \
	"preemption: $said .the kernel.s variable preempt_dynamic_mode.: fentry programs can skip calls here"
check_json /tmp/blind.out "and chooses the same" 'ready.attach == "kprobe.multi"'
pass
