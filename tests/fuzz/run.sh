#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Runs a fuzzer: run.sh PROGRAM SECONDS. PROGRAM is .../fuzz_NAME; it begins with
# corpus/NAME and NAME.dict of this folder. What it finds, its log and the input of
# a crash stay beside the program. Says in one line how it went; exit status 1 when
# it crashed, hung, leaked or took too much memory.
set -uo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROGRAM=$1 SECONDS_MAX=$2
NAME=$(basename "$PROGRAM")
NAME=${NAME#fuzz_}
PLACE=$(cd "$(dirname "$PROGRAM")" && pwd)
LOG=$PLACE/$NAME.log
# libFuzzer writes to the first folder only.
CORPUS=$PLACE/$NAME.corpus

rm -rf "$CORPUS" && mkdir -p "$CORPUS" || exit 1
# A small quarantine: freed memory is kept back for a while, which is most of what a fuzzer takes.
if ASAN_OPTIONS=quarantine_size_mb=64 "$PLACE/fuzz_$NAME" -max_total_time="$SECONDS_MAX" -timeout=10 \
	-rss_limit_mb=1024 -print_final_stats=1 -dict="$HERE/$NAME.dict" -artifact_prefix="$PLACE/$NAME-" \
	"$CORPUS" "$HERE/corpus/$NAME" >"$LOG" 2>&1; then
	count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$LOG")
	echo "fuzz $NAME: ${count:-0} executions in $SECONDS_MAX s, no crash"
	[ "${count:-0}" -gt 0 ]
else
	grep -m 1 -A 30 -E 'ERROR|runtime error|^broken' "$LOG" || tail -n 30 "$LOG"
	echo "fuzz $NAME: FAILED; the input is $PLACE/$NAME-*, all it said in $LOG"
	exit 1
fi
