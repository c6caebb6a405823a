// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Rule files to rules; the language is in rules.h. A line is a statement; its first
 * error is told and the line left out. From then on each function does nothing, so
 * that the grammar below reads without error checks.
 *
 * Messages derive from the grammar: what accept() tried in vain at a token is what
 * was expected there.
 */
#include "model/rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/rules_internal.h"
#include "model/symbols.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
/* Of a token in a message, bytes: a line of an error stays readable. */
#define SHOWN_MAX 48
/* The most that is tried at one token: the statements, and "source". */
#define TRIED_MAX (RULE_KINDS + 1)
/* A word this far from a keyword is taken for a slip of it. */
#define SLIP_MAX 2
/* Longest word looked at for slips. */
#define SLIP_LENGTH 16

enum token_kind {
	TOKEN_END,
	TOKEN_WORD, /* what neither blanks nor signs nor quotes part */
	TOKEN_TEXT, /* with its quotes; proper UTF-8 without control characters but tabs */
	TOKEN_SIGN, /* > : * */
};

struct token {
	enum token_kind kind;
	const char *at;
	size_t length;
};

struct parser {
	struct rules *rules;
	const char *file;
	rules_on_error on_error;
	void *context;
	int errors;
	const char *source; /* the last one said */

	unsigned int line;
	const char *start, *end; /* the line's, without its end */
	const char *next;        /* where the next token is looked for */
	struct token token, previous;
	const char *role; /* what the previous one is, "the class " */
	const char *tried[TRIED_MAX];
	size_t tried_count;

	/* Of the statement. */
	int error; /* 0, -EINVAL: told, -ENOMEM */
	struct rule rule;
	const char *classes[RULES_CLASSES_MAX];
	struct rule_condition conditions[RULES_CONDITIONS_MAX];
};

/* Messages */

struct message {
	char text[1024];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void message_add(struct message *message, const char *format,
							      ...)
{
	size_t left = sizeof(message->text) - message->used;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(message->text + message->used, left, format, arguments);
	va_end(arguments);
	if (length > 0)
		message->used += (size_t)length < left ? (size_t)length : left - 1;
}

/* Escaped but for printable ASCII: a terminal must not see what a file brings. */
static void message_add_bytes(struct message *message, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		message_add(message, byte >= ' ' && byte <= '~' ? "%c" : "\\x%02x", byte);
	}
}

static void message_add_token(struct message *message, const struct token *token)
{
	const char *quote = token->kind == TOKEN_TEXT ? "\"" : "'";
	size_t skip = token->kind == TOKEN_TEXT; /* its own quotes */
	size_t length = token->length - 2 * skip;

	if (token->kind == TOKEN_END) {
		message_add(message, "end of line");
		return;
	}
	message_add(message, "%s", quote);
	message_add_bytes(message, token->at + skip, length < SHOWN_MAX ? length : SHOWN_MAX);
	message_add(message, "%s%s", length > SHOWN_MAX ? "..." : "", quote);
}

static void tell(struct parser *parser, const char *at, const struct message *message)
{
	if (parser->error)
		return;
	parser->error = -EINVAL;
	parser->errors++;
	if (parser->on_error)
		parser->on_error(parser->context, parser->file, parser->line,
				 at ? (unsigned int)(at - parser->start) + 1 : 0, message->text);
}

__attribute__((format(printf, 3, 4))) static void fail(struct parser *parser, const char *at,
						       const char *format, ...)
{
	struct message message = { .used = 0 };
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message.text, sizeof(message.text), format, arguments);
	va_end(arguments);
	tell(parser, at, &message);
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, a row at a time. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t row[SLIP_LENGTH + 1];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t changed = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = smallest(changed, row[j] + 1, row[j - 1] + 1);
		}
	}
	return row[b_length];
}

/* The nearest of what was tried, if the word found can be a slip of it; "in" is too short to tell. */
static const char *slip_of(const struct parser *parser)
{
	const char *nearest = NULL;
	size_t least = SLIP_MAX + 1;

	if (parser->token.kind != TOKEN_WORD || parser->token.length > SLIP_LENGTH)
		return NULL;
	for (size_t i = 0; i < parser->tried_count; i++) {
		size_t length = strlen(parser->tried[i]);
		size_t distance =
			edit_distance(parser->tried[i], length, parser->token.at, parser->token.length);

		if (distance < least && distance < parser->token.length && length > SLIP_MAX) {
			least = distance;
			nearest = parser->tried[i];
		}
	}
	return nearest;
}

/* "'because', 'if' or end of line" */
static void message_add_expected(struct message *message, const struct parser *parser, const char *what)
{
	size_t count = parser->tried_count + (what != NULL);

	message_add(message, "expected ");
	for (size_t i = 0; i < count; i++) {
		if (i)
			message_add(message, i + 1 < count ? ", " : " or ");
		if (i < parser->tried_count)
			message_add(message, "'%s'", parser->tried[i]);
		else
			message_add(message, "%s", what);
	}
}

/* The token is none of those that were tried, nor what: "a class", NULL where there is no more. */
static void fail_expected(struct parser *parser, const char *what, const char *hint)
{
	struct message message = { .used = 0 };
	const char *slip = slip_of(parser);

	message_add_expected(&message, parser, what);
	if (parser->previous.at) {
		message_add(&message, " after %s", parser->role);
		message_add_token(&message, &parser->previous);
	}
	message_add(&message, ", found ");
	message_add_token(&message, &parser->token);
	if (slip)
		message_add(&message, "; did you mean '%s'?", slip);
	else if (hint && parser->token.kind == TOKEN_WORD)
		message_add(&message, "; %s", hint);
	tell(parser, parser->token.at, &message);
}

/* Tokens */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_sign(char c)
{
	return c == '>' || c == ':' || c == '*';
}

static bool ends_word(char c)
{
	return is_blank(c) || is_sign(c) || c == '"' || c == '#';
}

/*
 * Reads one character of UTF-8 (RFC 3629: no surrogates, no longer form than need
 * be). Returns its length, 0 when there is none.
 */
static size_t utf8_read(const char *at, const char *end, uint32_t *code)
{
	/* By the first byte's range: the second byte's range, the length. */
	static const struct {
		unsigned char first, last, second_min, second_max;
		size_t length;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const unsigned char *byte = (const unsigned char *)at;
	size_t form = 0, i;

	while (form < ARRAY_SIZE(forms) && (byte[0] < forms[form].first || byte[0] > forms[form].last))
		form++;
	if (form == ARRAY_SIZE(forms) || forms[form].length > (size_t)(end - at))
		return 0;
	*code = forms[form].length == 1 ? byte[0] : byte[0] & (0x7fU >> forms[form].length);
	for (i = 1; i < forms[form].length; i++) {
		if (byte[i] < (i == 1 ? forms[form].second_min : 0x80) ||
		    byte[i] > (i == 1 ? forms[form].second_max : 0xbf))
			return 0;
		*code = *code << 6 | (byte[i] & 0x3fU);
	}
	return i;
}

/* The controls of ASCII and of ISO 6429, which terminals obey. */
static bool is_control(uint32_t code)
{
	return (code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0);
}

static void fail_escape(struct parser *parser, const char *at)
{
	struct token found = { .kind = at + 1 < parser->end ? TOKEN_WORD : TOKEN_END,
			       .at = at + 1,
			       .length = 1 };
	struct message message = { .used = 0 };

	message_add(&message, "expected '\"' or '\\' after a '\\' in a text, found ");
	message_add_token(&message, &found);
	tell(parser, at, &message);
}

/* The length of what a text may hold at this place; 0: it may not, and that is told. */
static size_t lex_character(struct parser *parser, const char *at)
{
	uint32_t code = 0;
	size_t length = utf8_read(at, parser->end, &code);

	if (!length) {
		fail(parser, at, "the byte \\x%02x in a text is not UTF-8", (unsigned char)*at);
		return 0;
	}
	if (is_control(code)) {
		fail(parser, at, "the control character U+%04X cannot stand in a text", (unsigned int)code);
		return 0;
	}
	if (code != '\\')
		return length;
	if (at + 1 < parser->end && (at[1] == '"' || at[1] == '\\'))
		return 2;
	fail_escape(parser, at);
	return 0;
}

static void lex_text(struct parser *parser)
{
	const char *at = parser->token.at + 1;

	while (at < parser->end && *at != '"') {
		size_t length = lex_character(parser, at);

		if (!length)
			return;
		at += length;
	}
	if (at == parser->end) {
		fail(parser, parser->token.at,
		     "expected '\"' at the end of the text that begins here, found end of line");
		return;
	}
	parser->token.kind = TOKEN_TEXT;
	parser->token.length = (size_t)(at + 1 - parser->token.at);
}

static void lex_word(struct parser *parser)
{
	const char *at = parser->token.at;

	while (at < parser->end && !ends_word(*at))
		at++;
	parser->token.kind = TOKEN_WORD;
	parser->token.length = (size_t)(at - parser->token.at);
}

static void lex(struct parser *parser)
{
	const char *at = parser->next;

	while (at < parser->end && is_blank(*at))
		at++;
	parser->tried_count = 0;
	parser->token = (struct token){ .kind = TOKEN_END, .at = at };
	if (at == parser->end || *at == '#')
		return;
	if (*at == '"') {
		lex_text(parser);
	} else if (is_sign(*at)) {
		parser->token.kind = TOKEN_SIGN;
		parser->token.length = 1;
	} else {
		lex_word(parser);
	}
	parser->next = at + parser->token.length;
}

/* The token is good: to the next one. */
static void take(struct parser *parser, const char *role)
{
	parser->previous = parser->token;
	parser->role = role;
	lex(parser);
}

static bool token_is(const struct token *token, const char *spelling)
{
	return (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) &&
	       token->length == strlen(spelling) && !memcmp(token->at, spelling, token->length);
}

/* Takes a keyword or a sign if it is there. */
static bool accept(struct parser *parser, const char *spelling)
{
	if (parser->error)
		return false;
	if (token_is(&parser->token, spelling)) {
		take(parser, "");
		return true;
	}
	if (parser->tried_count < TRIED_MAX)
		parser->tried[parser->tried_count++] = spelling;
	return false;
}

static void expect(struct parser *parser, const char *spelling)
{
	if (!accept(parser, spelling))
		fail_expected(parser, NULL, NULL);
}

/* Names and texts */

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Names of C, joined by dots. */
static bool is_class(const char *word, size_t length)
{
	bool at_start = true;

	for (size_t i = 0; i < length; i++) {
		if (at_start ? !is_letter(word[i])
			     : !is_letter(word[i]) && !is_digit(word[i]) && word[i] != '.')
			return false;
		at_start = word[i] == '.';
	}
	return !at_start;
}

static bool is_member(const char *word, size_t length)
{
	return is_class(word, length) && memchr(word, '.', length);
}

/* The compiler's copies of a function have a suffix: .isra.0, .part.0, .cold */
static bool is_symbol(const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!is_letter(word[i]) && (!i || (!is_digit(word[i]) && word[i] != '.')))
			return false;
	}
	return length > 0;
}

static bool is_commit(const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!is_hex_digit(word[i]))
			return false;
	}
	return length >= 7 && length <= 40;
}

/* "v" and two or three numbers, or "-". */
static bool is_release(const char *word, size_t length)
{
	size_t dots = 0, digits = 0;

	if (length == 1 && word[0] == '-')
		return true;
	if (!length || word[0] != 'v')
		return false;
	for (size_t i = 1; i < length; i++) {
		if (word[i] == '.' && digits && dots < 2) {
			dots++;
			digits = 0;
		} else if (is_digit(word[i])) {
			digits++;
		} else {
			return false;
		}
	}
	return dots && digits;
}

/* What stands for a name or a text. */
struct item {
	const char *what;                                 /* in "expected ..." */
	const char *role;                                 /* in "after ..." */
	bool (*is_word)(const char *word, size_t length); /* NULL: not without quotes */
	bool in_quotes;
	const char *hint; /* where there is another word; may be NULL */
};

static const struct item item_class = {
	"a class", "the class ", is_class, true,
	"a name with other characters than letters, digits, _ and . goes in quotes"
};
static const struct item item_member = { "STRUCT.MEMBER", "", is_member, false, NULL };
static const struct item item_function = { "a function", "the function ", is_symbol, false, NULL };
/* After "in". */
static const struct item item_place = { "a function", "the function ", is_symbol, false, NULL };
static const struct item item_symbol = { "a symbol", "the symbol ", is_symbol, false, NULL };
static const struct item item_condition = { "a name (STRUCT.MEMBER or SYMBOL)", "", is_class, false, NULL };
static const struct item item_commit = { "a commit of 7 to 40 hex digits", "the commit ", is_commit, false,
					 NULL };
static const struct item item_release = { "a release like v6.3 or v6.12.4 (- while none has it)",
					  "the release ", is_release, false, NULL };
static const struct item item_text = { "a text in quotes", "the text ", NULL, true, NULL };

/* Stack traces have no longer names of functions: one would match nothing. */
static size_t name_max(const struct item *item)
{
	return item == &item_place ? SYMBOL_NAME_LEN - 1 : RULES_NAME_MAX;
}

static bool token_fits(const struct token *token, const struct item *item)
{
	if (token->kind == TOKEN_TEXT)
		return item->in_quotes && token->length > 2;
	return token->kind == TOKEN_WORD && item->is_word && item->is_word(token->at, token->length);
}

/* What a text says: without its quotes, \" and \\ as they are meant. */
static size_t unquote(const struct token *token, char *to)
{
	size_t length = 0;

	for (size_t i = 1; i + 1 < token->length; i++) {
		if (token->at[i] == '\\')
			i++;
		to[length++] = token->at[i];
	}
	to[length] = '\0';
	return length;
}

/* NULL after an error. */
static char *parse_item(struct parser *parser, const struct item *item)
{
	const struct token *token = &parser->token;
	size_t length = token->length;
	char *copy;

	if (parser->error)
		return NULL;
	if (!token_fits(token, item)) {
		fail_expected(parser, item->what, item->hint);
		return NULL;
	}
	copy = rules_copy(parser->rules, token->at, length);
	if (!copy) {
		parser->error = -ENOMEM;
		return NULL;
	}
	if (token->kind == TOKEN_TEXT)
		length = unquote(token, copy);
	if (item->is_word && length > name_max(item)) {
		fail(parser, token->at, "this name has %zu bytes; a name%s can have %zu", length,
		     item == &item_place ? " after 'in'" : "", name_max(item));
		return NULL;
	}
	take(parser, item->role);
	return copy;
}

/* "kvm.arch.lock" to "kvm" and "arch.lock", in place. */
static void split_member(char *name, const char **structure, const char **member)
{
	char *dot = strchr(name, '.');

	*dot = '\0';
	*structure = name;
	*member = dot + 1;
}

/* The grammar */

static void parse_class(struct parser *parser)
{
	const char *name = parse_item(parser, &item_class);

	if (name)
		parser->classes[parser->rule.class_count++] = name;
}

/* Does the last class repeat one from this index on? */
static bool repeats_from(const struct parser *parser, size_t index)
{
	size_t last = parser->rule.class_count - 1;

	for (size_t i = index; i < last; i++) {
		if (!strcmp(parser->classes[i], parser->classes[last]))
			return true;
	}
	return false;
}

static void fail_repeated(struct parser *parser, const char *at)
{
	struct message message = { .used = 0 };

	message_add(&message, "the class ");
	message_add_token(&message, &parser->previous);
	message_add(&message, " was named before in this statement");
	tell(parser, at, &message);
}

/* CLASS > CLASS [> CLASS]...; may_close: the last class may be the first one again. */
static void parse_sequence(struct parser *parser, bool may_close)
{
	parse_class(parser);
	expect(parser, ">");
	while (!parser->error) {
		const char *at = parser->token.at;
		bool closed;

		if (parser->rule.class_count == RULES_CLASSES_MAX) {
			fail(parser, at, "a statement can have %d classes, this is one more",
			     RULES_CLASSES_MAX);
			return;
		}
		parse_class(parser);
		if (parser->error)
			return;
		closed = !strcmp(parser->classes[0], parser->classes[parser->rule.class_count - 1]);
		if (repeats_from(parser, may_close)) {
			fail_repeated(parser, at);
			return;
		}
		if (!accept(parser, ">"))
			return;
		if (closed) {
			fail(parser, at, "the first class can come again only as the last one");
			return;
		}
	}
}

/* FUNCTION under CLASS, after "call" */
static void parse_call(struct parser *parser)
{
	parser->rule.is_call = true;
	parser->rule.function = parse_item(parser, &item_function);
	expect(parser, "under");
	parse_class(parser);
}

/* "call" is a class where ">" follows it. */
static bool call_is_class(const struct parser *parser)
{
	const char *at = parser->next;

	while (at < parser->end && is_blank(*at))
		at++;
	return at < parser->end && *at == '>';
}

static void parse_pattern(struct parser *parser)
{
	if (!call_is_class(parser) && accept(parser, "call")) {
		parse_call(parser);
		return;
	}
	parse_sequence(parser, true);
	if (accept(parser, "in"))
		parser->rule.function = parse_item(parser, &item_place);
}

static void parse_order(struct parser *parser)
{
	parse_sequence(parser, false);
}

static void parse_nest(struct parser *parser)
{
	parse_class(parser);
	if (accept(parser, "under"))
		parse_class(parser);
	else if (accept(parser, "in"))
		parser->rule.function = parse_item(parser, &item_place);
	else
		fail_expected(parser, NULL, NULL);
}

/* forbid, note */
static void parse_call_statement(struct parser *parser)
{
	expect(parser, "call");
	parse_call(parser);
}

/* [*]SYMBOL, after "at" */
static const char *parse_variable(struct parser *parser, bool *pointer)
{
	*pointer = accept(parser, "*");
	return parse_item(parser, &item_symbol);
}

static void parse_watch(struct parser *parser)
{
	struct token token = parser->token;
	char *name = parse_item(parser, &item_member), *class;

	expect(parser, "at");
	parser->rule.symbol = parse_variable(parser, &parser->rule.pointer);
	if (parser->error)
		return;
	class = rules_copy(parser->rules, token.at, token.length);
	if (!class) {
		parser->error = -ENOMEM;
		return;
	}
	parser->classes[parser->rule.class_count++] = class;
	split_member(name, &parser->rule.structure, &parser->rule.member);
}

static void parse_known(struct parser *parser)
{
	parser->rule.commit = parse_item(parser, &item_commit);
	parser->rule.release = parse_item(parser, &item_release);
	parser->rule.title = parse_item(parser, &item_text);
	expect(parser, ":");
	parse_pattern(parser);
	if (accept(parser, "avoid"))
		parser->rule.avoid = parse_item(parser, &item_text);
}

/* [not] STRUCT.MEMBER, [not] SYMBOL, [not] STRUCT.MEMBER at [*]SYMBOL */
static void parse_condition(struct parser *parser)
{
	struct rule_condition *condition = &parser->conditions[parser->rule.condition_count];
	const char *at = parser->token.at;
	char *name;

	if (parser->rule.condition_count == RULES_CONDITIONS_MAX) {
		fail(parser, at, "a statement can have %d conditions, this is one more",
		     RULES_CONDITIONS_MAX);
		return;
	}
	*condition = (struct rule_condition){ .kind = CONDITION_SYMBOL, .negated = accept(parser, "not") };
	at = parser->token.at;
	name = parse_item(parser, &item_condition);
	if (!name)
		return;
	parser->rule.condition_count++;
	if (!strchr(name, '.')) {
		condition->symbol = name;
		if (token_is(&parser->token, "at"))
			fail(parser, at, "expected STRUCT.MEMBER before 'at', found '%s'", name);
		return;
	}
	condition->kind = CONDITION_MEMBER;
	split_member(name, &condition->structure, &condition->member);
	if (accept(parser, "at")) {
		condition->kind = CONDITION_VALUE;
		condition->symbol = parse_variable(parser, &condition->pointer);
	}
}

static void parse_clauses(struct parser *parser)
{
	if (accept(parser, "because"))
		parser->rule.because = parse_item(parser, &item_text);
	if (accept(parser, "if")) {
		do {
			parse_condition(parser);
		} while (accept(parser, "and"));
	}
}

/* Clauses that are twice there or at the wrong place: more than "found 'because'" can be said of them. */
static void fail_clause(struct parser *parser)
{
	const struct rule *rule = &parser->rule;
	const struct {
		const char *word;
		bool is_so;
		const char *message;
	} slips[] = {
		{ "because", rule->because != NULL,
		  "a statement can have one 'because', this is the second" },
		{ "because", rule->condition_count > 0, "'because' goes before 'if'" },
		{ "avoid", rule->avoid != NULL, "a statement can have one 'avoid', this is the second" },
		{ "avoid", rule->kind == RULE_KNOWN, "'avoid' goes before 'because' and 'if'" },
		{ "if", rule->condition_count > 0,
		  "a statement can have one 'if'; join conditions by 'and'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(slips); i++) {
		if (slips[i].is_so && token_is(&parser->token, slips[i].word))
			fail(parser, parser->token.at, "%s", slips[i].message);
	}
}

static void expect_end(struct parser *parser)
{
	if (parser->error || parser->token.kind == TOKEN_END)
		return;
	fail_clause(parser);
	fail_expected(parser, "end of line", NULL);
}

static void parse_source(struct parser *parser)
{
	const char *source = parse_item(parser, &item_text);

	expect_end(parser);
	if (!parser->error)
		parser->source = source;
}

/* By kind; the name of the kind is the keyword. */
static void (*const statements[RULE_KINDS])(struct parser *parser) = {
	[RULE_ORDER] = parse_order,         [RULE_NEST] = parse_nest,   [RULE_FORBID] = parse_call_statement,
	[RULE_NOTE] = parse_call_statement, [RULE_WATCH] = parse_watch, [RULE_IGNORE] = parse_pattern,
	[RULE_KNOWN] = parse_known,
};

/* The keyword was taken. */
static void parse_rule(struct parser *parser, enum rule_kind kind)
{
	const char *start = parser->previous.at;
	struct rule *rule = &parser->rule;

	*rule = (struct rule){
		.kind = kind,
		.file = parser->file,
		.line = parser->line,
		.source = parser->source,
		.classes = parser->classes,
		.conditions = parser->conditions,
	};
	statements[kind](parser);
	parse_clauses(parser);
	expect_end(parser);
	if (parser->error)
		return;
	rule->text = rules_copy(parser->rules, start,
				(size_t)(parser->previous.at + parser->previous.length - start));
	parser->error = rule->text ? rules_add(parser->rules, rule) : -ENOMEM;
}

static void parse_statement(struct parser *parser)
{
	for (int kind = 0; kind < RULE_KINDS; kind++) {
		if (accept(parser, rule_kind_name((enum rule_kind)kind))) {
			parse_rule(parser, (enum rule_kind)kind);
			return;
		}
	}
	if (accept(parser, "source"))
		parse_source(parser);
	else
		fail_expected(parser, NULL, NULL);
}

/* One line, without its end. 0 or -ENOMEM. */
static int parse_line(struct parser *parser, const char *start, const char *end)
{
	if (end > start && end[-1] == '\r')
		end--;
	parser->line++;
	parser->error = 0;
	parser->start = start;
	parser->next = start;
	parser->end = end;
	parser->previous = (struct token){ .kind = TOKEN_END };
	lex(parser);
	if (!parser->error && parser->token.kind != TOKEN_END)
		parse_statement(parser);
	return parser->error == -ENOMEM ? -ENOMEM : 0;
}

/* Windows editors begin a file with this. */
static size_t byte_order_mark(const char *text, size_t size)
{
	static const char mark[] = { '\xef', '\xbb', '\xbf' };

	return size >= sizeof(mark) && !memcmp(text, mark, sizeof(mark)) ? sizeof(mark) : 0;
}

static int parse_lines(struct parser *parser, const char *text, const char *end)
{
	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));

		if (parse_line(parser, text, line_end ? line_end : end))
			return -ENOMEM;
		text = line_end ? line_end + 1 : end;
	}
	return parser->errors;
}

int rules_parse(struct rules *rules, const char *file, const char *text, size_t size, rules_on_error on_error,
		void *context)
{
	struct parser parser = { .rules = rules, .on_error = on_error, .context = context };
	size_t mark;

	parser.file = rules_copy(rules, file, strlen(file));
	if (!parser.file)
		return -ENOMEM;
	if (size > RULES_FILE_MAX) {
		fail(&parser, NULL, "a rule file can have %d bytes, this one has more", RULES_FILE_MAX);
		return parser.errors;
	}
	if (!size)
		return 0;
	mark = byte_order_mark(text, size);
	return parse_lines(&parser, text + mark, text + size);
}
