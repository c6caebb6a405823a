# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The deadlock of 2023 as it was met: the task that closes is a process that was
# killed. It is in its exit, so its files and its memory are gone; "locktrace hang"
# says who it is all the same, and that its locks are those of its VM.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture open_delay_ms=3000
ltguest -name guest=demo -c "
	vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k
	fork opener await /tmp/go 300000, device x g lt_vfio.0
	kvmvfio d v; groupadd d g; touch /tmp/ready; sleep 600000" &
closer=$!
wait_for 120 test -e /tmp/ready || fail "the VM is not there"
opener=$(threads_named opener)
in_stack() {
	grep -q "$2" "/proc/$1/stack"
}

hangs_in() {
	[ "$(thread_state "$1")" = D ] && in_stack "$1" "$2" && ! in_stack "$1" msleep
}

touch /tmp/go
wait_for 120 in_stack "$opener" lt_vfio_open_device || fail "the opener does not open the device"
kill -9 $closer
wait_for 120 hangs_in $closer vfio_file_set_kvm || fail "the closer does not hang in its exit, but in $(cat /proc/$closer/stack)"
wait_for 120 hangs_in "$opener" lt_vfio_open_device || fail "the opener does not wait for the lock"
cat /proc/$closer/stack
[ -z "$(cat /proc/$closer/cmdline)" ] || fail "the closer's memory is still there"
[ -z "$(ls /proc/$closer/fd)" ] || fail "the closer's files are still open"
note "ok: the closer hangs in its exit, without files and memory"
check_hang_2023 ltguest
check_json /tmp/json.out \
	"the closer is known as exiting" "wait_of(\"ltguest\") | .exiting and .task.pid == $closer" \
	"the VM is that of the process that is gone" "wait_of(\"opener\").lock.object | test(\"^VM $closer\")"
check_contains "the text says so" /tmp/text.out 'is exiting'
pass
