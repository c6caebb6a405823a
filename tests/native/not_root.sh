#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# On this machine's own kernel, as an ordinary user: exit status 2 and a message
# that says what is needed. Called by tests/run.sh.
set -euo pipefail
NAME=$(basename "$0" .sh)

as_nobody=()
if [ "$(id -u)" = 0 ]; then
	as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
fi
# A copy: the tree may lie where nobody may go.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp "$(dirname "$0")/../../build/locktrace" "$copy/locktrace"
chmod 755 "$copy"
status=0
messages=$("${as_nobody[@]}" "$copy/locktrace" watch --duration 1 2>&1 >/dev/null) || status=$?
if [ $status != 2 ] || ! grep -q 'needs root' <<<"$messages"; then
	echo "native $NAME: FAIL: status $status, expected 2 and 'needs root' in: $messages"
	exit 1
fi
echo "native $NAME: pass"
