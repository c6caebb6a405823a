#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Writes rule files as a C header: embed.sh FILE... > header. The Makefile makes
# builtin_rules.h with it. The text goes in line by line as string literals, byte for
# byte (a last line without its end gets one).
set -eu
export LC_ALL=C

[ $# -gt 0 ] || {
	echo "usage: embed.sh FILE..." >&2
	exit 2
}

echo '/* Made by tools/embed.sh: change the rule files instead. */'
echo '#include <stddef.h>'
echo
for file in "$@"; do
	[ -s "$file" ] || {
		echo "embed.sh: $file: no such file, or empty" >&2
		exit 1
	}
	echo "static const char builtin_rules_text_$(basename "$file" | tr -c 'A-Za-z0-9\n' _)[] ="
	# Bytes other than printable ASCII as octal; a "?" too, for there are trigraphs.
	awk '
		BEGIN {
			for (i = 0; i < 256; i++)
				octal[sprintf("%c", i)] = sprintf("\\%03o", i)
		}
		{
			out = ""
			for (i = 1; i <= length($0); i++) {
				c = substr($0, i, 1)
				if (c == "\\" || c == "\"")
					out = out "\\" c
				else if (c < " " || c > "~" || c == "?")
					out = out octal[c]
				else
					out = out c
			}
			print "\t\"" out "\\n\""
		}
		END { print "\t;" }
	' "$file"
	echo
done

echo 'static const struct {'
printf '\tconst char *name;\n\tconst char *text;\n\tsize_t size;\n'
echo '} builtin_rules[] = {'
for file in "$@"; do
	text=builtin_rules_text_$(basename "$file" | tr -c 'A-Za-z0-9\n' _)
	printf '\t{ "%s", %s, sizeof(%s) - 1 },\n' "$(basename "$file")" "$text" "$text"
done
echo '};'
