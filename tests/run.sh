#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Runs tests and counts them: unit programs, what can be tested on this machine's
# own kernel, and every case of the lab on every kernel it names. Called by
# "make unit" and "make check". Ends with "N passed, N failed, N skipped"; exit
# status 1 when one failed. LAB_FILES, LAB_FILES_arm64: what the lab's machines get;
# FUZZERS: programs; JOBS: how many machines side by side.
set -uo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/jobs.sh
. "$HERE/jobs.sh"
RESULTS=$(mktemp -d)
trap 'job_end; rm -rf "$RESULTS"' EXIT
job_signals
PASSED=0 FAILED=0 SKIPPED=0
# What did not pass, with its last complaint: told again at the end, where one looks first.
REMARKS=()

# count STATUS NAME [LOG]
count() {
	case $1 in
	0) PASSED=$((PASSED + 1)) ;;
	77) SKIPPED=$((SKIPPED + 1)) REMARKS+=("skipped: $2$(complaint SKIP "${3-}")") ;;
	*) FAILED=$((FAILED + 1)) REMARKS+=("failed: $2$(complaint 'FAIL|TROUBLE|said nothing of|no result of' "${3-}")") ;;
	esac
}

complaint() {
	[ -r "$2" ] || return 0
	grep -E "$1" "$2" | head -n 1 | sed 's/^/: /'
}

# A cmocka program: its own tests are counted.
run_unit() {
	local program=$1 output status=0 passed failed
	output=$("$program" 2>&1) || status=$?
	passed=$(grep -c '^\[       OK \]' <<<"$output")
	failed=$(grep '^\[  FAILED  \] [^0-9]' <<<"$output" | sort -u | wc -l)
	echo "unit $(basename "$program"): $passed passed, $failed failed"
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
	SKIPPED=$((SKIPPED + $(grep -c '^\[  SKIPPED \]' <<<"$output")))
	if [ "$status" -ne 0 ]; then
		echo "$output"
		# It ended without telling which test: a sanitizer, a crash.
		if [ "$failed" -gt 0 ]; then
			REMARKS+=("failed: $failed in $(basename "$program")")
		else
			count 1 "$(basename "$program")"
		fi
	fi
}

# A script of tests/native: on this machine's own kernel.
run_native() {
	local status=0
	"$1" || status=$?
	count "$status" "native $(basename "$1" .sh)"
}

# A fuzzer, for a minute beside the lab; it is one test.
run_fuzzer() {
	local status=0
	"$HERE/fuzz/run.sh" "$1" 60 || status=$?
	echo "$status" >"$RESULTS/$(basename "$1").status"
}

# One case on one kernel, in the background; its output is kept until its end.
run_case() {
	local name=$1 kernel=$2 status=0
	"$HERE/lab/run.sh" --kernel "$kernel" "$name" >"$RESULTS/$name.$kernel.log" 2>&1 || status=$?
	echo "$status" >"$RESULTS/$name.$kernel.status"
	if [ "$status" -eq 0 ]; then
		tail -n 1 "$RESULTS/$name.$kernel.log"
	else
		cat "$RESULTS/$name.$kernel.log"
	fi
}

# Kernels and fixtures first, one after the other: the machines then only boot.
prepare_lab() {
	local suite
	for suite in "$@"; do
		"$HERE/lab/kernels.sh" "$suite" >/dev/null || echo "the kernel of $suite could not be had"
	done
	"$HERE/lab/guest.sh" >/dev/null
	"$HERE/lab/guest.sh" arm64 >/dev/null
}

# "TIMEOUT CASE KERNEL" of all, those that may take longest first: none of them is left to the end.
list_cases() {
	local case_file name kernel timeout
	for case_file in "$HERE"/lab/cases/*.sh; do
		name=$(basename "$case_file" .sh)
		[ "$name" != lib ] || continue
		timeout=$(sed -n 's/^# lab:.* timeout=\([0-9]*\).*/\1/p' "$case_file")
		for kernel in $("$HERE/lab/run.sh" --kernels "$name"); do
			echo "${timeout:-0} $name $kernel"
		done
	done | sort -s -k 1,1nr
}

run_lab() {
	local cases name kernel status
	job_start prepare_lab bookworm bookworm-backports sid bullseye bookworm-backports-rt bookworm-backports-arm64
	wait $!
	mapfile -t cases < <(list_cases)
	for name in "${cases[@]}"; do
		read -r _ name kernel <<<"$name"
		job_room
		job_start run_case "$name" "$kernel"
	done
	wait
	for status in "$RESULTS"/*.status; do
		name=$(basename "$status" .status)
		count "$(cat "$status")" "$name" "$RESULTS/$name.log"
	done
}

# docs/kernels.md is what the kernels have just said.
check_table() {
	local status=0
	"$HERE/lab/kernel_table.sh" --check "$HERE/../docs/kernels.md" "$RESULTS" >"$RESULTS/table" 2>&1 || status=$?
	cat "$RESULTS/table"
	count "$status" "docs/kernels.md" "$RESULTS/table"
}

MODE=$1
shift
for program in "$@"; do
	run_unit "$program"
done
if [ "$MODE" = all ]; then
	for script in "$HERE"/native/*.sh; do
		run_native "$script"
	done
	for fuzzer in ${FUZZERS-}; do
		job_start run_fuzzer "$fuzzer"
	done
	run_lab # waits for the fuzzers too, and counts them
	check_table
fi
[ ${#REMARKS[@]} -eq 0 ] || printf '%s\n' "${REMARKS[@]}"
echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
[ "$FAILED" -eq 0 ]
