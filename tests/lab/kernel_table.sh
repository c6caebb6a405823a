#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Make the table of what works on which kernel, docs/kernels.md, of what the case
# "matrix" said on each. Called by check_kernels.sh and tests/run.sh, and by hand. What
# comes out depends on the results alone: no dates, no names of hosts.
# Exit status: 0, 1 the file is not what the results say, 2 results are missing.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"

# The steps of cases/matrix.sh, in the order of the table, and what stands above them.
STEPS=(watch classes cycle_2023 foreign_cycle hang list check)
declare -A TITLES=([watch]='watch' [classes]='lock classes' [cycle_2023]='the 2023 cycle'
	[foreign_cycle]='a foreign-lock cycle' [hang]='hang' [list]='list' [check]='check')

usage() {
	cat <<-END
	Usage: kernel_table.sh [--check FILE] DIRECTORY
	Print the table of the results in DIRECTORY (matrix.SUITE.log).
	  --check FILE   print nothing, but compare it with FILE; the kernels' versions may differ, and
	                 what is untested in one of them is not compared
	Example: tests/lab/kernel_table.sh build/kernels
	END
}

# The suites that the case is for, in the order of the lab.
matrix_suites() {
	local suite named
	named=" $("$LAB_DIR/run.sh" --kernels matrix) "
	for suite in "${LAB_SUITES[@]}"; do
		[[ $named != *" $suite "* ]] || echo "$suite"
	done
}

# said LOG STEP: "WORD: TEXT" of the step.
said() {
	sed -n "s/^matrix: $2 \(\(ok\|degraded\|no\|untested\): ..*\)$/\1/p" "$1" | tail -n 1
}

# A cell of the table is a word; a kernel's name is its series and where it is from.
kernel_name() {
	local suite=$1 log=$2 kind=''
	case $suite in
	*-rt) kind=', PREEMPT_RT' ;;
	*-arm64) kind=', arm64' ;;
	esac
	echo "Linux $(sed -n 's/^matrix: kernel \([0-9.]*\)$/\1/p' "$log" | tail -n 1)$kind, Debian $(suite_release "$suite")"
}

print_head() {
	local step titles='' line=''
	for step in "${STEPS[@]}"; do
		titles="$titles ${TITLES[$step]} |"
		line="$line---|"
	done
	cat <<-END
	# What works on which kernel

	Made by \`make check-kernels\` of what the lab's virtual machines said (\`tests/lab/cases/matrix.sh\`, on each kernel the same); do not
	edit. ok: all of it. degraded: it works, but not all of it; why is below, in locktrace's own words. no: it does not work there. untested: the
	lab cannot do it on that kernel.

	| kernel |$titles
	|---|$line
	END
}

print_row() {
	local suite=$1 log=$2 step row
	row="| $(kernel_name "$suite" "$log") |"
	for step in "${STEPS[@]}"; do
		row="$row $(said "$log" "$step" | cut -d: -f1) |"
	done
	echo "$row"
}

print_details() {
	local suite=$1 log=$2 step
	printf '\n## %s\n\n' "$(kernel_name "$suite" "$log")"
	for step in "${STEPS[@]}"; do
		echo "- ${TITLES[$step]}: $(said "$log" "$step")"
	done
}

print_table() {
	local directory=$1 suite
	shift
	print_head
	for suite in "$@"; do
		print_row "$suite" "$directory/matrix.$suite.log"
	done
	for suite in "$@"; do
		print_details "$suite" "$directory/matrix.$suite.log"
	done
}

# Each step of each kernel must have said something.
check_results() {
	local directory=$1 suite step
	shift
	for suite in "$@"; do
		[ -r "$directory/matrix.$suite.log" ] || die "there is no result of $suite in $directory"
		for step in "${STEPS[@]}"; do
			[ -n "$(said "$directory/matrix.$suite.log" "$step")" ] ||
				die "the case matrix on $suite said nothing of '$step'"
		done
	done
}

# Debian's sid moves on: which version it has is no difference.
without_versions() {
	sed 's/Linux [0-9.]*[0-9]/Linux/g'
}

# What a file says, one thing a line: what stands above the tables, and for each kernel
# "KERNEL | STEP | WORD" of its row and "KERNEL | STEP: WORD: TEXT" of its details.
flatten() {
	awk '
		/^## / { kernel = substr($0, 4); next }
		kernel && /^- / { print kernel " | " substr($0, 3); next }
		/^\| kernel \|/ { split($0, title, / *\| */) }
		/^\| Linux/ {
			count = split($0, cell, / *\| */)
			for (i = 3; i < count; i++)
				print cell[2] " | " title[i] " | " cell[i]
			next
		}
		{ print }' "$1"
}

# without_untested FILE OTHER: the flattened file, without the steps that it or the other calls untested.
without_untested() {
	awk -F ' [|] |: ' '
		NR == FNR || FILENAME != ARGV[3] { if ($3 == "untested") untested[$1 "|" $2] = 1; next }
		!(NF > 2 && ($1 "|" $2) in untested)' "$1" "$2" "$1"
}

# compare FILE DIRECTORY SUITE...: is the file the table of the results?
compare() {
	local file=$1 scratch status=0
	shift
	scratch=$(mktemp -d)
	without_versions <"$file" >"$scratch/file"
	print_table "$@" | without_versions >"$scratch/said"
	flatten "$scratch/file" >"$scratch/file.flat"
	flatten "$scratch/said" >"$scratch/said.flat"
	diff -u --label "$file" --label said \
		<(without_untested "$scratch/file.flat" "$scratch/said.flat") \
		<(without_untested "$scratch/said.flat" "$scratch/file.flat") || status=1
	rm -r "$scratch"
	return $status
}

main() {
	local file='' directory='' suites
	while [ $# -gt 0 ]; do
		case $1 in
		--check)
			[ $# -gt 1 ] || die "$1 wants a value"
			file=$2
			shift
			;;
		-h | --help) usage; exit 0 ;;
		-*) usage >&2; die "unknown option $1" ;;
		*) directory=$1 ;;
		esac
		shift
	done
	[ -n "$directory" ] || { usage >&2; exit 2; }
	mapfile -t suites < <(matrix_suites)
	check_results "$directory" "${suites[@]}"
	if [ -z "$file" ]; then
		print_table "$directory" "${suites[@]}"
	elif ! compare "$file" "$directory" "${suites[@]}"; then
		note "FAIL: $file is not what the kernels said (above, + is what they said); make it anew: make check-kernels"
		exit 1
	fi
}

main "$@"
