// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* Malformed rule files and the exact messages about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/rules.h"

#define STATEMENTS "expected 'order', 'nest', 'forbid', 'note', 'watch', 'ignore', 'known' or 'source'"
#define QUOTES "; a name with other characters than letters, digits, _ and . goes in quotes"

/* Texts can hold NULs. The messages are LINE:COLUMN: MESSAGE, one a line. */
struct row {
	const char *text;
	size_t size;
	const char *messages;
};

/* clang-format off */
#define ROW(text, messages) { text, sizeof(text) - 1, messages }

static const struct row rows[] = {
	/* The statement */
	ROW("forbit call f under A",
	    "1:1: " STATEMENTS ", found 'forbit'; did you mean 'forbid'?"),
	ROW("Order A > B",
	    "1:1: " STATEMENTS ", found 'Order'; did you mean 'order'?"),
	ROW("nets A in f",
	    "1:1: " STATEMENTS ", found 'nets'; did you mean 'nest'?"),
	ROW("xyz",
	    "1:1: " STATEMENTS ", found 'xyz'"),
	ROW("\"order\" A > B",
	    "1:1: " STATEMENTS ", found \"order\""),
	ROW("> A",
	    "1:1: " STATEMENTS ", found '>'"),
	ROW("*",
	    "1:1: " STATEMENTS ", found '*'"),
	ROW("order: A > B",
	    "1:6: expected a class after 'order', found ':'"),
	ROW("order\0A > B",
	    "1:1: " STATEMENTS ", found 'order\\x00A'; did you mean 'order'?"),
	ROW("\x1b[31morder A > B",
	    "1:1: " STATEMENTS ", found '\\x1b[31morder'"),
	ROW("\xff\xfe",
	    "1:1: " STATEMENTS ", found '\\xff\\xfe'"),
	ROW("\rorder A > B",
	    "1:1: " STATEMENTS ", found '\\x0dorder'; did you mean 'order'?"),
	ROW("order A > B\rorder A > B",
	    "1:11: expected a class after '>', found 'B\\x0dorder'" QUOTES),
	ROW("order A > B\n\xef\xbb\xbforder A > B",
	    "2:1: " STATEMENTS ", found '\\xef\\xbb\\xbforder'"),
	ROW("orderA > B",
	    "1:1: " STATEMENTS ", found 'orderA'; did you mean 'order'?"),
	ROW("\f\v",
	    "1:1: " STATEMENTS ", found '\\x0c\\x0b'"),
	ROW("a_very_long_word_that_goes_on_and_on_until_it_is_cut_off_somewhere A > B",
	    "1:1: " STATEMENTS ", found 'a_very_long_word_that_goes_on_and_on_until_it_is...'"),
	ROW("\n\n  # c\n   what is this?\n",
	    "4:4: " STATEMENTS ", found 'what'"),

	/* order */
	ROW("order",
	    "1:6: expected a class after 'order', found end of line"),
	ROW("order A",
	    "1:8: expected '>' after the class 'A', found end of line"),
	ROW("order A >",
	    "1:10: expected a class after '>', found end of line"),
	ROW("order kvm.lock > kvm_vcpu.mutex >",
	    "1:34: expected a class after '>', found end of line"),
	ROW("order A > B >",
	    "1:14: expected a class after '>', found end of line"),
	ROW("order A B",
	    "1:9: expected '>' after the class 'A', found 'B'"),
	ROW("order A > B C",
	    "1:13: expected '>', 'because', 'if' or end of line after the class 'B', found 'C'"),
	ROW("order A > > B",
	    "1:11: expected a class after '>', found '>'"),
	ROW("order > B",
	    "1:7: expected a class after 'order', found '>'"),
	ROW("order A > #B",
	    "1:11: expected a class after '>', found end of line"),
	ROW("order A # > B",
	    "1:9: expected '>' after the class 'A', found end of line"),
	ROW("order A -> B",
	    "1:9: expected '>' after the class 'A', found '-'"),
	ROW("order &pipe->mutex > B",
	    "1:7: expected a class after 'order', found '&pipe-'" QUOTES),
	ROW("order A < B",
	    "1:9: expected '>' after the class 'A', found '<'"),
	ROW("order 1A > B",
	    "1:7: expected a class after 'order', found '1A'" QUOTES),
	ROW("order A. > B",
	    "1:7: expected a class after 'order', found 'A.'" QUOTES),
	ROW("order A..b > B",
	    "1:7: expected a class after 'order', found 'A..b'" QUOTES),
	ROW("order .A > B",
	    "1:7: expected a class after 'order', found '.A'" QUOTES),
	ROW("order A.1 > B",
	    "1:7: expected a class after 'order', found 'A.1'" QUOTES),
	ROW("order A-b > B",
	    "1:7: expected a class after 'order', found 'A-b'" QUOTES),
	ROW("order k\xc3\xbc > B",
	    "1:7: expected a class after 'order', found 'k\\xc3\\xbc'" QUOTES),
	ROW("order A\0 > B",
	    "1:7: expected a class after 'order', found 'A\\x00'" QUOTES),
	ROW("order \"\" > B",
	    "1:7: expected a class after 'order', found \"\""),
	ROW("order A > \"\"",
	    "1:11: expected a class after '>', found \"\""),
	ROW("order A > B > A",
	    "1:15: the class 'A' was named before in this statement"),
	ROW("order A > B > C > B",
	    "1:19: the class 'B' was named before in this statement"),
	ROW("order A > A",
	    "1:11: the class 'A' was named before in this statement"),
	ROW("order A > \"A\"",
	    "1:11: the class \"A\" was named before in this statement"),
	ROW("order A > B in f",
	    "1:13: expected '>', 'because', 'if' or end of line after the class 'B', found 'in'"),
	ROW("order a > b > c > d > e > f > g > h > i > j > k > l > m > n > o > p > q",
	    "1:71: a statement can have 16 classes, this is one more"),
	ROW("order A > B avoid \"x\"",
	    "1:13: expected '>', 'because', 'if' or end of line after the class 'B', found 'avoid'"),
	ROW("order A > B > C becuase \"x\"",
	    "1:17: expected '>', 'because', 'if' or end of line after the class 'C', found 'becuase'; did you mean 'because'?"),
	ROW("order A > B : C",
	    "1:13: expected '>', 'because', 'if' or end of line after the class 'B', found ':'"),

	/* nest */
	ROW("nest",
	    "1:5: expected a class after 'nest', found end of line"),
	ROW("nest A",
	    "1:7: expected 'under' or 'in' after the class 'A', found end of line"),
	ROW("nest A > B",
	    "1:8: expected 'under' or 'in' after the class 'A', found '>'"),
	ROW("nest A undr B",
	    "1:8: expected 'under' or 'in' after the class 'A', found 'undr'; did you mean 'under'?"),
	ROW("nest A on f",
	    "1:8: expected 'under' or 'in' after the class 'A', found 'on'"),
	ROW("nest A under",
	    "1:13: expected a class after 'under', found end of line"),
	ROW("nest A in",
	    "1:10: expected a function after 'in', found end of line"),
	ROW("nest A in 1f",
	    "1:11: expected a function after 'in', found '1f'"),
	ROW("nest A in \"f\"",
	    "1:11: expected a function after 'in', found \"f\""),
	ROW("nest A under B in f",
	    "1:16: expected 'because', 'if' or end of line after the class 'B', found 'in'"),
	ROW("nest A in f under B",
	    "1:13: expected 'because', 'if' or end of line after the function 'f', found 'under'"),

	/* forbid, note */
	ROW("forbid",
	    "1:7: expected 'call' after 'forbid', found end of line"),
	ROW("forbid f under A",
	    "1:8: expected 'call' after 'forbid', found 'f'"),
	ROW("forbid cal f under A",
	    "1:8: expected 'call' after 'forbid', found 'cal'; did you mean 'call'?"),
	ROW("forbid call",
	    "1:12: expected a function after 'call', found end of line"),
	ROW("forbid call f",
	    "1:14: expected 'under' after the function 'f', found end of line"),
	ROW("forbid call f() under A",
	    "1:13: expected a function after 'call', found 'f()'"),
	ROW("forbid call \"f\" under A",
	    "1:13: expected a function after 'call', found \"f\""),
	ROW("forbid call f under",
	    "1:20: expected a class after 'under', found end of line"),
	ROW("forbid call f under A > B",
	    "1:23: expected 'because', 'if' or end of line after the class 'A', found '>'"),
	ROW("forbid call f under A B",
	    "1:23: expected 'because', 'if' or end of line after the class 'A', found 'B'"),
	ROW("note cll f under A",
	    "1:6: expected 'call' after 'note', found 'cll'; did you mean 'call'?"),
	ROW("note call f in A",
	    "1:13: expected 'under' after the function 'f', found 'in'"),

	/* watch */
	ROW("watch",
	    "1:6: expected STRUCT.MEMBER after 'watch', found end of line"),
	ROW("watch kvm",
	    "1:7: expected STRUCT.MEMBER after 'watch', found 'kvm'"),
	ROW("watch kvm at v",
	    "1:7: expected STRUCT.MEMBER after 'watch', found 'kvm'"),
	ROW("watch \"kvm.lock\" at v",
	    "1:7: expected STRUCT.MEMBER after 'watch', found \"kvm.lock\""),
	ROW("watch kvm. at v",
	    "1:7: expected STRUCT.MEMBER after 'watch', found 'kvm.'"),
	ROW("watch kvm.lock",
	    "1:15: expected 'at' after 'kvm.lock', found end of line"),
	ROW("watch kvm.lock v",
	    "1:16: expected 'at' after 'kvm.lock', found 'v'"),
	ROW("watch kvm.lock@v",
	    "1:7: expected STRUCT.MEMBER after 'watch', found 'kvm.lock@v'"),
	ROW("watch kvm.lock at",
	    "1:18: expected '*' or a symbol after 'at', found end of line"),
	ROW("watch kvm.lock at *",
	    "1:20: expected a symbol after '*', found end of line"),
	ROW("watch kvm.lock at **v",
	    "1:20: expected a symbol after '*', found '*'"),
	ROW("watch kvm.lock at 0xffff",
	    "1:19: expected '*' or a symbol after 'at', found '0xffff'"),
	ROW("watch kvm.lock at \"v\"",
	    "1:19: expected '*' or a symbol after 'at', found \"v\""),
	ROW("watch kvm.lock at .v",
	    "1:19: expected '*' or a symbol after 'at', found '.v'"),
	ROW("watch kvm.lock at v w",
	    "1:21: expected 'because', 'if' or end of line after the symbol 'v', found 'w'"),

	/* ignore */
	ROW("ignore",
	    "1:7: expected 'call' or a class after 'ignore', found end of line"),
	ROW("ignore A",
	    "1:9: expected '>' after the class 'A', found end of line"),
	ROW("ignore A in f",
	    "1:10: expected '>' after the class 'A', found 'in'"),
	ROW("ignore A >",
	    "1:11: expected a class after '>', found end of line"),
	ROW("ignore A > B > C > B",
	    "1:20: the class 'B' was named before in this statement"),
	ROW("ignore A > A > A",
	    "1:12: the first class can come again only as the last one"),
	ROW("ignore A > B > A > C",
	    "1:16: the first class can come again only as the last one"),
	ROW("ignore A > B > A >",
	    "1:16: the first class can come again only as the last one"),
	ROW("ignore A > B > B > A",
	    "1:16: the class 'B' was named before in this statement"),
	ROW("ignore A > B under C",
	    "1:14: expected '>', 'in', 'because', 'if' or end of line after the class 'B', found 'under'"),
	ROW("ignore A > B in",
	    "1:16: expected a function after 'in', found end of line"),
	ROW("ignore A > B in f g",
	    "1:19: expected 'because', 'if' or end of line after the function 'f', found 'g'"),
	ROW("ignore call",
	    "1:12: expected a function after 'call', found end of line"),
	ROW("ignore call f",
	    "1:14: expected 'under' after the function 'f', found end of line"),
	ROW("ignore call f > A",
	    "1:15: expected 'under' after the function 'f', found '>'"),
	ROW("ignore cal f under A",
	    "1:12: expected '>' after the class 'cal', found 'f'"),
	ROW("ignore a > b > c > d > e > f > g > h > i > j > k > l > m > n > o > p > a",
	    "1:72: a statement can have 16 classes, this is one more"),
	ROW("ignore A > B avoid \"x\"",
	    "1:14: expected '>', 'in', 'because', 'if' or end of line after the class 'B', found 'avoid'"),

	/* known */
	ROW("known",
	    "1:6: expected a commit of 7 to 40 hex digits after 'known', found end of line"),
	ROW("known v6.3",
	    "1:7: expected a commit of 7 to 40 hex digits after 'known', found 'v6.3'"),
	ROW("known 012345 v6.3 \"t\": A > B",
	    "1:7: expected a commit of 7 to 40 hex digits after 'known', found '012345'"),
	ROW("known 0123456789012345678901234567890123456789a v6.3 \"t\": A > B",
	    "1:7: expected a commit of 7 to 40 hex digits after 'known', found '0123456789012345678901234567890123456789a'"),
	ROW("known 012345g v6.3 \"t\": A > B",
	    "1:7: expected a commit of 7 to 40 hex digits after 'known', found '012345g'"),
	ROW("known \"0123456\" v6.3 \"t\": A > B",
	    "1:7: expected a commit of 7 to 40 hex digits after 'known', found \"0123456\""),
	ROW("known 0123456",
	    "1:14: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found end of line"),
	ROW("known 0123456 6.3 \"t\": A > B",
	    "1:15: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found '6.3'"),
	ROW("known 0123456 v6 \"t\": A > B",
	    "1:15: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found 'v6'"),
	ROW("known 0123456 v6. \"t\": A > B",
	    "1:15: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found 'v6.'"),
	ROW("known 0123456 v6.3. \"t\": A > B",
	    "1:15: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found 'v6.3.'"),
	ROW("known 0123456 v6.3.1.2 \"t\": A > B",
	    "1:15: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found 'v6.3.1.2'"),
	ROW("known 0123456 v.3 \"t\": A > B",
	    "1:15: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found 'v.3'"),
	ROW("known 0123456 v6.3-rc1 \"t\": A > B",
	    "1:15: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found 'v6.3-rc1'"),
	ROW("known 0123456 -- \"t\": A > B",
	    "1:15: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found '--'"),
	ROW("known 0123456 \"t\": A > B",
	    "1:15: expected a release like v6.3 or v6.12.4 (- while none has it) after the commit '0123456', found \"t\""),
	ROW("known 0123456 v6.3 t: A > B",
	    "1:20: expected a text in quotes after the release 'v6.3', found 't'"),
	ROW("known 0123456 v6.3 : A > B",
	    "1:20: expected a text in quotes after the release 'v6.3', found ':'"),
	ROW("known 0123456 v6.3 \"\": A > B",
	    "1:20: expected a text in quotes after the release 'v6.3', found \"\""),
	ROW("known 0123456 v6.3 \"t\" A > B",
	    "1:24: expected ':' after the text \"t\", found 'A'"),
	ROW("known 0123456 v6.3 \"t\":",
	    "1:24: expected 'call' or a class after ':', found end of line"),
	ROW("known 0123456 v6.3 \"t\": A",
	    "1:26: expected '>' after the class 'A', found end of line"),
	ROW("known 0123456 v6.3 \"t\": A > B avoid",
	    "1:36: expected a text in quotes after 'avoid', found end of line"),
	ROW("known 0123456 v6.3 \"t\": A > B avoid x",
	    "1:37: expected a text in quotes after 'avoid', found 'x'"),
	ROW("known 0123456 v6.3 \"t\": A > B avoid \"x\" avoid \"y\"",
	    "1:41: a statement can have one 'avoid', this is the second"),
	ROW("known 0123456 v6.3 \"t\": A > B because \"x\" avoid \"y\"",
	    "1:43: 'avoid' goes before 'because' and 'if'"),
	ROW("known 0123456 v6.3 \"t\": A > B if x avoid \"y\"",
	    "1:36: 'avoid' goes before 'because' and 'if'"),
	ROW("known 0123456 v6.3 \"t\": A > B aviod \"x\"",
	    "1:31: expected '>', 'in', 'avoid', 'because', 'if' or end of line after the class 'B', found 'aviod'; did you mean 'avoid'?"),

	/* source */
	ROW("source",
	    "1:7: expected a text in quotes after 'source', found end of line"),
	ROW("source book",
	    "1:8: expected a text in quotes after 'source', found 'book'"),
	ROW("source \"\"",
	    "1:8: expected a text in quotes after 'source', found \"\""),
	ROW("source \"a\" \"b\"",
	    "1:12: expected end of line after the text \"a\", found \"b\""),
	ROW("source \"a\" because \"b\"",
	    "1:12: expected end of line after the text \"a\", found 'because'"),
	ROW("source \"a\" if b",
	    "1:12: expected end of line after the text \"a\", found 'if'"),

	/* because */
	ROW("order A > B because",
	    "1:20: expected a text in quotes after 'because', found end of line"),
	ROW("order A > B because x",
	    "1:21: expected a text in quotes after 'because', found 'x'"),
	ROW("order A > B because \"\"",
	    "1:21: expected a text in quotes after 'because', found \"\""),
	ROW("order A > B because \"x\" because \"y\"",
	    "1:25: a statement can have one 'because', this is the second"),
	ROW("order A > B because \"x\" \"y\"",
	    "1:25: expected 'if' or end of line after the text \"x\", found \"y\""),
	ROW("order A > B because \"x\" is",
	    "1:25: expected 'if' or end of line after the text \"x\", found 'is'"),
	ROW("order A > B if x because \"y\"",
	    "1:18: 'because' goes before 'if'"),
	ROW("order A > B if x.y because \"y\"",
	    "1:20: 'because' goes before 'if'"),
	ROW("order A > B because \"x\" order B > C",
	    "1:25: expected 'if' or end of line after the text \"x\", found 'order'"),

	/* if */
	ROW("order A > B if",
	    "1:15: expected 'not' or a name (STRUCT.MEMBER or SYMBOL) after 'if', found end of line"),
	ROW("order A > B if not",
	    "1:19: expected a name (STRUCT.MEMBER or SYMBOL) after 'not', found end of line"),
	ROW("order A > B if not not x",
	    "1:24: expected 'and' or end of line after 'not', found 'x'"),
	ROW("order A > B if x y",
	    "1:18: expected 'and' or end of line after 'x', found 'y'"),
	ROW("order A > B if x,y",
	    "1:16: expected 'not' or a name (STRUCT.MEMBER or SYMBOL) after 'if', found 'x,y'"),
	ROW("order A > B if \"x\"",
	    "1:16: expected 'not' or a name (STRUCT.MEMBER or SYMBOL) after 'if', found \"x\""),
	ROW("order A > B if 1",
	    "1:16: expected 'not' or a name (STRUCT.MEMBER or SYMBOL) after 'if', found '1'"),
	ROW("order A > B if x.",
	    "1:16: expected 'not' or a name (STRUCT.MEMBER or SYMBOL) after 'if', found 'x.'"),
	ROW("order A > B if f.isra.0",
	    "1:16: expected 'not' or a name (STRUCT.MEMBER or SYMBOL) after 'if', found 'f.isra.0'"),
	ROW("order A > B if x and",
	    "1:21: expected 'not' or a name (STRUCT.MEMBER or SYMBOL) after 'and', found end of line"),
	ROW("order A > B if x adn y",
	    "1:18: expected 'and' or end of line after 'x', found 'adn'; did you mean 'and'?"),
	ROW("order A > B if x a y",
	    "1:18: expected 'and' or end of line after 'x', found 'a'"),
	ROW("order A > B if x if y",
	    "1:18: a statement can have one 'if'; join conditions by 'and'"),
	ROW("order A > B if x or y",
	    "1:18: expected 'and' or end of line after 'x', found 'or'"),
	ROW("order A > B if x at v",
	    "1:16: expected STRUCT.MEMBER before 'at', found 'x'"),
	ROW("order A > B if x.y at",
	    "1:22: expected '*' or a symbol after 'at', found end of line"),
	ROW("order A > B if x.y at *",
	    "1:24: expected a symbol after '*', found end of line"),
	ROW("order A > B if x.y at \"v\"",
	    "1:23: expected '*' or a symbol after 'at', found \"v\""),
	ROW("order A > B if x.y at v w",
	    "1:25: expected 'and' or end of line after the symbol 'v', found 'w'"),
	ROW("order A > B if *v",
	    "1:16: expected 'not' or a name (STRUCT.MEMBER or SYMBOL) after 'if', found '*'"),
	ROW("order A > B if a and b and c and d and e and f and g and h and i",
	    "1:64: a statement can have 8 conditions, this is one more"),

	/* texts */
	ROW("order \"",
	    "1:7: expected '\"' at the end of the text that begins here, found end of line"),
	ROW("order \"A",
	    "1:7: expected '\"' at the end of the text that begins here, found end of line"),
	ROW("order A > \"B # C",
	    "1:11: expected '\"' at the end of the text that begins here, found end of line"),
	ROW("order A > B because \"",
	    "1:21: expected '\"' at the end of the text that begins here, found end of line"),
	ROW("order A > B because \"x\\\"",
	    "1:21: expected '\"' at the end of the text that begins here, found end of line"),
	ROW("order A > B because \"x\\",
	    "1:23: expected '\"' or '\\' after a '\\' in a text, found end of line"),
	ROW("order A > B because \"x\\n\"",
	    "1:23: expected '\"' or '\\' after a '\\' in a text, found 'n'"),
	ROW("order A > B because \"x\0y\"",
	    "1:23: the control character U+0000 cannot stand in a text"),
	ROW("order A > B because \"x\x1b[1my\"",
	    "1:23: the control character U+001B cannot stand in a text"),
	ROW("order A > B because \"x\x7fy\"",
	    "1:23: the control character U+007F cannot stand in a text"),
	ROW("order A > B because \"x\ry\"",
	    "1:23: the control character U+000D cannot stand in a text"),
	ROW("order A > B because \"\xc2\x85\"",
	    "1:22: the control character U+0085 cannot stand in a text"),
	ROW("order A > B because \"\xff\"",
	    "1:22: the byte \\xff in a text is not UTF-8"),
	ROW("order A > B because \"\x80\"",
	    "1:22: the byte \\x80 in a text is not UTF-8"),
	ROW("order A > B because \"\xc0\xaf\"",
	    "1:22: the byte \\xc0 in a text is not UTF-8"),
	ROW("order A > B because \"\xc3\"",
	    "1:22: the byte \\xc3 in a text is not UTF-8"),
	ROW("order A > B because \"\xc3",
	    "1:22: the byte \\xc3 in a text is not UTF-8"),
	ROW("order A > B because \"\xe0\x80\x80\"",
	    "1:22: the byte \\xe0 in a text is not UTF-8"),
	ROW("order A > B because \"\xed\xa0\x80\"",
	    "1:22: the byte \\xed in a text is not UTF-8"),
	ROW("order A > B because \"\xf0\x80\x80\x80\"",
	    "1:22: the byte \\xf0 in a text is not UTF-8"),
	ROW("order A > B because \"\xf4\x90\x80\x80\"",
	    "1:22: the byte \\xf4 in a text is not UTF-8"),
	ROW("order A > B because \"\xf5\x80\x80\x80\"",
	    "1:22: the byte \\xf5 in a text is not UTF-8"),
	ROW("order A > B because \"\xe2\x82 \"",
	    "1:22: the byte \\xe2 in a text is not UTF-8"),
	ROW("order A > B \"\xc3\xbc\xc3\xbc\"",
	    "1:13: expected '>', 'because', 'if' or end of line after the class 'B', found \"\\xc3\\xbc\\xc3\\xbc\""),
	ROW("order A > B \"0123456789012345678901234567890123456789012345678901234567890123456789\"",
	    "1:13: expected '>', 'because', 'if' or end of line after the class 'B', found \"012345678901234567890123456789012345678901234567...\""),
	ROW("\"unterminated",
	    "1:1: expected '\"' at the end of the text that begins here, found end of line"),

	/* Several lines */
	ROW("nest A\r\norder A > B\r\nwatch x\r\n",
	    "1:7: expected 'under' or 'in' after the class 'A', found end of line\n"
	  "3:7: expected STRUCT.MEMBER after 'watch', found 'x'"),
	ROW("order A\n\nforbid\n\n\n   note  \nsource",
	    "1:8: expected '>' after the class 'A', found end of line\n"
	  "3:7: expected 'call' after 'forbid', found end of line\n"
	  "6:10: expected 'call' after 'note', found end of line\n"
	  "7:7: expected a text in quotes after 'source', found end of line"),
	ROW("order A > B\n\torder A > A",
	    "2:12: the class 'A' was named before in this statement"),
	ROW("order A > B\norder B >",
	    "2:10: expected a class after '>', found end of line"),
};
/* clang-format on */

struct told {
	char messages[8192];
	size_t used;
	int errors;
};

static void on_error(void *context, const char *file, unsigned int line, unsigned int column,
		     const char *message)
{
	struct told *told = context;

	assert_string_equal(file, "some/file.rules");
	for (const char *c = message; *c; c++)
		assert_true(*c >= ' ' && *c <= '~');
	told->used += (size_t)snprintf(told->messages + told->used, sizeof(told->messages) - told->used,
				       "%s%u:%u: %s", told->errors ? "\n" : "", line, column, message);
	assert_true(told->used < sizeof(told->messages));
	told->errors++;
}

static struct rules *read_told(const char *text, size_t size, struct told *told)
{
	struct rules *rules = rules_new();
	int errors;

	assert_non_null(rules);
	memset(told, 0, sizeof(*told));
	errors = rules_parse(rules, "some/file.rules", text, size, on_error, told);
	assert_int_equal(errors, told->errors);
	return rules;
}

static void expect_messages(const char *text, size_t size, const char *messages)
{
	struct told told;
	struct rules *rules = read_told(text, size, &told);

	assert_string_equal(told.messages, messages);
	rules_free(rules);
}

static void each_row_has_its_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* A copy without what ends a literal: the sanitizer sees what is read past the end. */
		char *copy = malloc(rows[i].size);

		memcpy(copy, rows[i].text, rows[i].size);
		expect_messages(copy, rows[i].size, rows[i].messages);
		free(copy);
	}
}

static void the_rest_of_a_file_is_taken_in(void **state)
{
	static const char text[] = "order A > B\nnest A\n\"\nsource \"good\"\nsource bad\norder B > C\n"
				   "order C > A > C\nwatch a.b at c if d if e\nignore call f under A";
	struct told told;
	struct rules *rules = read_told(text, sizeof(text) - 1, &told);

	(void)state;
	assert_int_equal(told.errors, 5);
	assert_int_equal(rules_count(rules), 3);
	assert_string_equal(rules_get(rules, 0)->text, "order A > B");
	assert_string_equal(rules_get(rules, 1)->text, "order B > C");
	assert_string_equal(rules_get(rules, 1)->source, "good");
	assert_int_equal(rules_get(rules, 1)->line, 6);
	assert_string_equal(rules_get(rules, 2)->text, "ignore call f under A");
	rules_free(rules);
}

/* A name of a byte more than there can be, at each place of a name. */
static void a_name_too_long_is_told(void **state)
{
	static const struct {
		const char *format, *message;
	} places[] = {
		{ "order %s > B", "1:7: this name has 512 bytes; a name can have 511" },
		{ "order \"%s\" > B", "1:7: this name has 512 bytes; a name can have 511" },
		{ "order A > %s", "1:11: this name has 512 bytes; a name can have 511" },
		{ "nest A in %s", "1:11: this name has 512 bytes; a name after 'in' can have 127" },
		{ "ignore A > B in %s", "1:17: this name has 512 bytes; a name after 'in' can have 127" },
		{ "nest A in %.128s", "1:11: this name has 128 bytes; a name after 'in' can have 127" },
		{ "note call %s under A", "1:11: this name has 512 bytes; a name can have 511" },
		{ "watch a.b at %s", "1:14: this name has 512 bytes; a name can have 511" },
		{ "order A > B if %s", "1:16: this name has 512 bytes; a name can have 511" },
		{ "order A > B if a.b at *%s", "1:24: this name has 512 bytes; a name can have 511" },
	};
	char name[RULES_NAME_MAX + 2], text[2 * RULES_NAME_MAX];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(text, sizeof(text), places[i].format, name);
		expect_messages(text, strlen(text), places[i].message);
	}
	snprintf(text, sizeof(text), "nest A in %.127s", name);
	expect_messages(text, strlen(text), "");
	name[1] = '.';
	snprintf(text, sizeof(text), "watch %s at v", name);
	expect_messages(text, strlen(text), "1:7: this name has 512 bytes; a name can have 511");
}

/* A text has no largest length of its own; a line of any length is read in its time. */
static void a_very_long_line_is_one_line(void **state)
{
	size_t size = RULES_FILE_MAX;
	char *text = malloc(size);
	struct rules *rules;
	struct told told;

	(void)state;
	memset(text, 'x', size);
	memcpy(text, "source \"", 8);
	text[size - 1] = '"';
	rules = read_told(text, size, &told);
	assert_string_equal(told.messages, "");
	rules_free(rules);

	text[size - 1] = 'x';
	expect_messages(text, size,
			"1:8: expected '\"' at the end of the text that begins here, found end of line");

	memset(text, '>', size);
	expect_messages(text, size, "1:1: " STATEMENTS ", found '>'");
	free(text);
}

static void a_file_too_large_is_told_and_not_read(void **state)
{
	size_t size = RULES_FILE_MAX + 1;
	char *text = malloc(size);
	struct rules *rules;
	struct told told;

	(void)state;
	memset(text, '\n', size);
	memcpy(text, "order A > B", 11);
	rules = read_told(text, size, &told);
	assert_string_equal(told.messages, "0:0: a rule file can have 1048576 bytes, this one has more");
	assert_int_equal(rules_count(rules), 0);
	rules_free(rules);

	rules = read_told(text, size - 1, &told);
	assert_int_equal(told.errors, 0);
	assert_int_equal(rules_count(rules), 1);
	rules_free(rules);
	free(text);
}

static void errors_are_counted_without_a_callback(void **state)
{
	struct rules *rules = rules_new();

	(void)state;
	assert_int_equal(rules_parse(rules, "f", "a\nb\norder A > B\nc", 18, NULL, NULL), 3);
	assert_int_equal(rules_count(rules), 1);
	rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_message),
		cmocka_unit_test(the_rest_of_a_file_is_taken_in),
		cmocka_unit_test(a_name_too_long_is_told),
		cmocka_unit_test(a_very_long_line_is_one_line),
		cmocka_unit_test(a_file_too_large_is_told_and_not_read),
		cmocka_unit_test(errors_are_counted_without_a_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
