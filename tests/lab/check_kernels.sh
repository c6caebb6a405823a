#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Run the case "matrix" on each kernel that it is for, and make the table of the results.
# Called by "make check-kernels". JOBS machines at a time; LAB_FILES as for run.sh.
# Exit status: 0, or 1 if the case failed on a kernel; the table is then left as it is.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"
# shellcheck source=../jobs.sh
. "$LAB_DIR/../jobs.sh"

usage() {
	cat <<-END
	Usage: check_kernels.sh DIRECTORY FILE
	Leave each kernel's results in DIRECTORY, and the table of them in FILE.
	Example: tests/lab/check_kernels.sh build/kernels docs/kernels.md
	END
}

run_kernel() {
	local suite=$1 log=$2/matrix.$1.log
	if "$LAB_DIR/run.sh" --kernel "$suite" matrix >"$log" 2>&1; then
		tail -n 1 "$log"
	else
		cat "$log"
		rm -f "$log"
	fi
}

main() {
	local directory=${1:-} file=${2:-} suite
	[ $# -eq 2 ] || { usage >&2; exit 2; }
	trap job_end EXIT
	job_signals
	mkdir -p "$directory"
	rm -f "$directory"/matrix.*.log
	for suite in $("$LAB_DIR/run.sh" --kernels matrix); do
		job_room
		job_start run_kernel "$suite" "$directory"
	done
	wait
	"$LAB_DIR/kernel_table.sh" "$directory" >"$directory/kernels.md" || exit 1
	cp "$directory/kernels.md" "$file"
	note "$file is made of the results in $directory"
}

main "$@"
