# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Rwsems: who waits for reading or writing, and whom a report may blame. Readers
# are counted, never named: an rwsem does not know them.
# lab: kernels=bookworm,bookworm-backports,bookworm-backports-arm64 timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_waits

# one WORD FILTER PATTERN...: the rwsem case, the JSON filter of the array of its
# waits, and what the text says.
one() {
	one_case=$1
	one_filter=$2
	shift 2
	waits "rwsem $one_case"
	waits_truth
	hang_run json 0 --json
	check_waits json
	check_json /tmp/json.out "$one_case" "waits | map(select(.lock)) | $one_filter"
	hang_run text 0
	cat /tmp/text.out
	for one_pattern in "$@"; do
		check_contains "$one_case: $one_pattern" /tmp/text.out "$one_pattern"
	done
	waits release
}

one writer_behind_readers 'length == 1 and (.[0] | .kind == "rwsem_write" and .owner == null and
		.lock.held_by == "readers" and .lock.readers == 2 and (.text | test("^an rwsem, for writing, held by 2 readers")))' \
	'is held by 2 readers, and holds up 1 task\.' 'lt_w[0-9]+/[0-9]+ .*for writing,'
one readers_behind_writer 'length == 2 and all(.kind == "rwsem_read" and .owner.comm != null and
		.lock.held_by == "task" and .lock.readers == 0 and (.text | test("^an rwsem, for reading, held for writing by lt_w")))' \
	'an rwsem it holds for writing\); 2 tasks wait|an rwsem it holds for writing; 2 tasks wait' 'holds up 2 tasks'
one writer_behind_writer 'length == 1 and (.[0] | .kind == "rwsem_write" and .owner.comm != null and
		.lock.held_by == "task" and (.text | test("^an rwsem, for writing, held for writing by lt_w")))' \
	'holds up 1 task'
one reader_behind_writer_behind_reader 'length == 2 and all(.owner == null and .lock.readers == 1) and
		(map(select(.kind == "rwsem_read"))[0].text | test("queued behind the waiting writer lt_w[0-9]+/[0-9]+, held by 1 reader"))' \
	'is held by 1 reader, and holds up 2 tasks'
pass
