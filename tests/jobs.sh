# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Jobs side by side, none of which outlives the script. Sourced by run.sh and
# lab/check_kernels.sh; runs nothing. With an EXIT trap that calls job_end, call job_signals.

# One more than the cores: a machine emulates on one core, and waits much of the time.
JOBS=${JOBS:-$(($(nproc) + 1))}

# job_start COMMAND...: in the background, in a process group of its own.
job_start() {
	set -m
	"$@" </dev/null &
	set +m
}

# job_room: wait until one more may run.
job_room() {
	while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do
		wait -n || true
	done
}

# job_signals: a signal ends the script, by way of its EXIT trap.
job_signals() {
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
}

# job_end: end all jobs and what they have started, and wait for that. A machine's script
# ends its machine itself, for which it has ten seconds.
job_end() {
	local group groups tries=100
	trap '' INT TERM HUP
	mapfile -t groups < <(jobs -p)
	for group in "${groups[@]}"; do
		kill -TERM -- "-$group" 2>/dev/null || true
	done
	for group in "${groups[@]}"; do
		while [ $tries -gt 0 ] && kill -0 -- "-$group" 2>/dev/null; do
			tries=$((tries - 1))
			sleep 0.1
		done
		kill -KILL -- "-$group" 2>/dev/null || true
	done
	wait
}
