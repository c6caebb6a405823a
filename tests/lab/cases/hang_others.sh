# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Waits that are not for a mutex or an rwsem: "locktrace hang" says what they are, and
# blames nobody. The semaphore's waiter has on its stack, and before the semaphore,
# all that makes up a wait for a mutex, except the mutex. A ww_mutex is a mutex.
# lab: kernels=bookworm,bullseye,bookworm-backports timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_waits
waits others
waits_truth
cat /tmp/truth
hang_run text 0 --all
cat /tmp/text.out
hang_run json 0 --json
check_waits json
while read -r _ tid kind; do
	case $kind in
	semaphore) function=down ;;
	completion) function=wait_for ;;
	srcu) function=synchronize_srcu ;;
	rt_mutex) function=rt_mutex ;;
	percpu_rwsem) function=percpu_down_write ;;
	work) function=flush_work ;;
	esac
	check_json /tmp/json.out \
		"$kind: told, for no lock, with nobody to blame" "[waits[] | select(.task.tid == $tid)] | length == 1 and
			all(.kind == \"other\" and .lock == null and .owner == null)" \
		"$kind: in $function" "waits[] | select(.task.tid == $tid) | .text | test(\"$function.*not analysed\")"
done <<-END
	$(grep '^other ' /tmp/truth)
END
waits release
pass
