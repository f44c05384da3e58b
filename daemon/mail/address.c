/*
 * mail/address: RFC 5322 section 3.4 addresses as they are really written.
 *
 *   address      = mailbox / group
 *   mailbox      = [phrase] angle-addr / addr-spec
 *   angle-addr   = "<" [route] addr-spec ">"
 *   route        = 1*("@" domain ",") ":"              ; section 4.4
 *   group        = phrase ":" [address-list] ";"
 *   addr-spec    = local-part "@" domain
 *   phrase       = 1*(atom / quoted-string / encoded-word / ".")
 *
 * A scanner cuts tokens, one function per state takes them; an address is
 * emitted at a comma, a semicolon, the end, or where the next one evidently
 * begins. No token is looked at twice. A quote or a comment that never ends
 * is found out once; from then on such characters are ordinary.
 */
#include "daemon/mail/address.h"

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/charset.h"
#include "daemon/mail/rfc2047.h"
#include "daemon/mail/text.h"

#define ITEMS_FIRST 4

/* ---- Tokens ---- */

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,    /* atom, dots included; domain literal; encoded word */
	TOKEN_QUOTED,  /* text: what is between the quotes, still escaped */
	TOKEN_COMMENT, /* text: what is between the parentheses */
	TOKEN_SPECIAL, /* one of < > , ; : @ */
	TOKEN_COUNT
};

struct token {
	enum token_kind kind;
	struct span text;
	bool after_blank; /* or after a comment */
	bool is_encoded;  /* a word that is an encoded word */
};

struct scanner {
	struct span rest;
	bool after_blank;
	bool has_open_quote, has_open_comment;
};

static bool
is_space(char c)
{
	return char_is_blank(c) || c == '\r' || c == '\n';
}

static bool
is_special(char c)
{
	switch (c) {
	case '<':
	case '>':
	case ',':
	case ';':
	case ':':
	case '@':
		return true;
	default:
		return false;
	}
}

/* The offset of the quote that ends the string at the front. */
static size_t
find_quote_end(struct span s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '"')
			return i;
	}
	return SIZE_MAX;
}

static size_t
find_comment_end(struct span s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '(')
			depth++;
		else if (s.data[i] == ')' && --depth == 0)
			return i;
	}
	return SIZE_MAX;
}

/* The length of a domain literal at the front, 0 when there is none. Stops
 * at the next "[", so that no byte is looked at twice. */
static size_t
literal_length(struct span s)
{
	for (size_t i = 1; i < s.len; i++) {
		char c = s.data[i];

		if (c == ']')
			return i + 1;
		if (c == '[' || c == '<' || c == '>' || c == ',' || is_space(c))
			return 0;
	}
	return 0;
}

/* Does an atom end in front of this? */
static bool
ends_atom(const struct scanner *scanner, struct span s)
{
	switch (s.data[0]) {
	case '"':
		return !scanner->has_open_quote;
	case '(':
		return !scanner->has_open_comment;
	case '=':
		return s.len > 1 && s.data[1] == '?';
	case '[':
		return true;
	default:
		return is_space(s.data[0]) || is_special(s.data[0]);
	}
}

static struct token
take(struct scanner *scanner, enum token_kind kind, size_t skip, size_t len)
{
	struct token token = {kind, span_slice(scanner->rest, skip, len),
	    scanner->after_blank, false};

	scanner->rest = span_skip(scanner->rest, len + 2 * skip);
	scanner->after_blank = kind == TOKEN_COMMENT;
	return token;
}

static struct token
take_word(struct scanner *scanner)
{
	struct span rest = scanner->rest;
	size_t len = rfc2047_word_length(rest);
	struct token token;

	if (len > 0) {
		token = take(scanner, TOKEN_WORD, 0, len);
		token.is_encoded = true;
		return token;
	}
	if (rest.data[0] == '[')
		len = literal_length(rest);
	if (len == 0)
		len = 1;
	while (len < rest.len && !ends_atom(scanner, span_skip(rest, len)))
		len++;
	return take(scanner, TOKEN_WORD, 0, len);
}

/* At a quote. */
static struct token
take_quoted(struct scanner *scanner)
{
	size_t end = find_quote_end(scanner->rest);

	if (end != SIZE_MAX)
		return take(scanner, TOKEN_QUOTED, 1, end - 1);
	scanner->has_open_quote = true;
	return take_word(scanner);
}

/* At an opening parenthesis. */
static struct token
take_comment(struct scanner *scanner)
{
	size_t end = find_comment_end(scanner->rest);

	if (end != SIZE_MAX)
		return take(scanner, TOKEN_COMMENT, 1, end - 1);
	scanner->has_open_comment = true;
	return take_word(scanner);
}

static struct token
next_token(struct scanner *scanner)
{
	char c;

	while (scanner->rest.len > 0 && is_space(scanner->rest.data[0])) {
		scanner->after_blank = true;
		scanner->rest = span_skip(scanner->rest, 1);
	}
	if (scanner->rest.len == 0)
		return (struct token){.kind = TOKEN_END};
	c = scanner->rest.data[0];
	if (is_special(c))
		return take(scanner, TOKEN_SPECIAL, 0, 1);
	if (c == '"' && !scanner->has_open_quote)
		return take_quoted(scanner);
	if (c == '(' && !scanner->has_open_comment)
		return take_comment(scanner);
	return take_word(scanner);
}

/* ---- States ---- */

enum state {
	STATE_PHRASE,	    /* words: a name, or the local part to come */
	STATE_DOMAIN,	    /* behind the "@" of an address without "<" */
	STATE_ANGLE_USER,   /* behind "<" */
	STATE_ANGLE_DOMAIN, /* behind "@" inside "<" */
	STATE_AFTER,	    /* behind the address: words that may be a name */
	STATE_COUNT
};

struct parser {
	struct scanner scanner;
	struct address_list *list;
	size_t items_size; /* allocated */
	enum state state;
	/* The address being read. */
	struct buf phrase; /* its name, unquoted, not decoded */
	size_t run_offset; /* where `run` began in phrase */
	struct buf run;	   /* the last words, joined: a local part? */
	bool run_is_name;  /* an encoded word or a quoted string is in it */
	struct buf user;
	struct buf domain;
	struct buf comment;
	bool has_at, has_angle;
	bool is_route; /* no local part in front of the "@" behind "<" */
};

/* The only function that assigns the state. */
static void
enter(struct parser *parser, enum state state)
{
	parser->state = state;
}

static void
clear_run(struct parser *parser)
{
	buf_truncate(&parser->run, 0);
	parser->run_offset = parser->phrase.len;
	parser->run_is_name = false;
}

static void
reset(struct parser *parser)
{
	buf_truncate(&parser->phrase, 0);
	buf_truncate(&parser->user, 0);
	buf_truncate(&parser->domain, 0);
	buf_truncate(&parser->comment, 0);
	clear_run(parser);
	parser->has_at = parser->has_angle = parser->is_route = false;
	enter(parser, STATE_PHRASE);
}

static void
move_buf(struct buf *to, struct buf *from)
{
	buf_add_span(to, buf_span(from));
	buf_truncate(from, 0);
}

static void
add_unescaped(struct buf *buf, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\\' && i + 1 < text.len)
			i++;
		buf_add_char(buf, text.data[i]);
	}
}

static void
add_token(struct buf *buf, const struct token *token)
{
	if (token->kind == TOKEN_QUOTED)
		add_unescaped(buf, token->text);
	else
		buf_add_span(buf, token->text);
}

/* Does the token go on with what `buf` holds? Blanks around a dot do not
 * part a local part or a domain (section 4.4). */
static bool
is_joined(const struct buf *buf, const struct token *token)
{
	if (buf->len == 0 || !token->after_blank)
		return true;
	return buf->data[buf->len - 1] == '.' || span_starts(token->text, ".");
}

static void
add_blank(struct buf *buf)
{
	if (buf->len > 0)
		buf_add_char(buf, ' ');
}

/* A word of a name, which may also be the local part of what follows. */
static void
add_word(struct parser *parser, const struct token *token)
{
	if (!is_joined(&parser->run, token))
		clear_run(parser);
	if (token->after_blank)
		add_blank(&parser->phrase);
	add_token(&parser->phrase, token);
	add_token(&parser->run, token);
	if (token->is_encoded || token->kind == TOKEN_QUOTED)
		parser->run_is_name = true;
}

static void
add_comment(struct parser *parser, const struct token *token)
{
	add_blank(&parser->comment);
	add_unescaped(&parser->comment, token->text);
}

/* ---- Emitting ---- */

/* Valid, clean UTF-8 of bytes that are not decoded; malloc'ed. */
static char *
make_text(struct span bytes)
{
	BUF_AUTO utf8 = BUF_INIT;
	struct buf clean = BUF_INIT;

	if (text_is_printable_ascii(bytes))
		return xstrdup_span(bytes);
	charset_guess(&utf8, bytes);
	text_add_clean(&clean, buf_span(&utf8));
	return buf_take_str(&clean);
}

/* The decoded name: the phrase, or else the comment. Malloc'ed. */
static char *
make_name(const struct buf *phrase, const struct buf *comment)
{
	BUF_AUTO text = BUF_INIT;

	rfc2047_decode(&text, buf_span(phrase));
	if (text_is_blank(buf_span(&text))) {
		buf_truncate(&text, 0);
		rfc2047_decode(&text, buf_span(comment));
	}
	return xstrdup_span(span_trim(buf_span(&text)));
}

/* Dots where they must not be are let be: some providers gave out such
 * addresses. */
static bool
needs_quotes(const char *user)
{
	for (; *user != '\0'; user++) {
		if (is_special(*user) || strchr(" \"()[]\\", *user) != NULL)
			return true;
	}
	return false;
}

static char *
make_addr(const char *user, const char *domain, bool has_at)
{
	struct buf addr = BUF_INIT;

	if (!needs_quotes(user)) {
		buf_add_str(&addr, user);
	} else {
		buf_add_char(&addr, '"');
		for (; *user != '\0'; user++) {
			if (*user == '"' || *user == '\\')
				buf_add_char(&addr, '\\');
			buf_add_char(&addr, *user);
		}
		buf_add_char(&addr, '"');
	}
	if (has_at)
		buf_add_char(&addr, '@');
	buf_add_str(&addr, domain);
	return buf_take_str(&addr);
}

/* The name is the first in the memory of all. */
static void
address_done(struct address *address)
{
	free(address->name);
}

static char *
put(char **room, struct span text)
{
	char *put = *room;

	if (text.len > 0)
		memcpy(put, text.data, text.len);
	put[text.len] = '\0';
	*room = put + text.len + 1;
	return put;
}

static struct address
make_address(
    struct span name, struct span user, struct span domain, struct span addr)
{
	struct address address;
	char *room = xmalloc(name.len + user.len + domain.len + addr.len + 4);

	address.name = put(&room, name);
	address.user = put(&room, user);
	address.domain = put(&room, domain);
	address.addr = put(&room, addr);
	return address;
}

/* Takes the memory of `address`; one that says nothing is none. */
static void
append(struct parser *parser, struct address *address)
{
	struct address_list *list = parser->list;

	if (*address->name == '\0' && *address->addr == '\0') {
		address_done(address);
		return;
	}
	if (list->count == ADDRESS_LIST_MAX) {
		list->is_truncated = true;
		address_done(address);
		return;
	}
	if (list->count == parser->items_size) {
		parser->items_size = parser->items_size == 0
					 ? ITEMS_FIRST
					 : parser->items_size * 2;
		list->items = xreallocarray(
		    list->items, parser->items_size, sizeof(*list->items));
	}
	list->items[list->count++] = *address;
}

static char *
make_domain(struct span domain)
{
	if (domain.len > 0 && domain.data[domain.len - 1] == '.')
		domain.len--;
	return make_text(domain);
}

static void
append_mailbox(struct parser *parser)
{
	STR_AUTO name = make_name(&parser->phrase, &parser->comment);
	STR_AUTO user = make_text(buf_span(&parser->user));
	STR_AUTO domain = make_domain(buf_span(&parser->domain));
	STR_AUTO addr = make_addr(user, domain, parser->has_at);
	struct address address = make_address(span_from_str(name),
	    span_from_str(user), span_from_str(domain), span_from_str(addr));

	append(parser, &address);
}

/* Words without any address, or in front of "<>". */
static void
append_phrase(struct parser *parser)
{
	STR_AUTO name = make_name(&parser->phrase, &parser->comment);
	STR_AUTO addr = make_text(span_trim(buf_span(&parser->phrase)));
	struct address address = make_address(span_from_str(name), SPAN_EMPTY,
	    SPAN_EMPTY, parser->has_angle ? SPAN_EMPTY : span_from_str(addr));

	append(parser, &address);
}

/* A single plain word ("root") is a local user. */
static bool
is_user_alone(const struct parser *parser)
{
	return !parser->has_at && !parser->has_angle && !parser->run_is_name &&
	       span_equal(buf_span(&parser->run), buf_span(&parser->phrase)) &&
	       !needs_quotes(buf_str(&parser->run));
}

static void
emit(struct parser *parser)
{
	if (is_user_alone(parser)) {
		move_buf(&parser->user, &parser->run);
		buf_truncate(&parser->phrase, 0);
	}
	if (parser->user.len > 0 || parser->domain.len > 0)
		append_mailbox(parser);
	else if (!text_is_blank(buf_span(&parser->phrase)))
		append_phrase(parser);
	reset(parser);
}

/* ---- One function per state ---- */

static void
begin_domain(struct parser *parser, enum state state)
{
	buf_truncate(&parser->phrase, parser->run_offset);
	move_buf(&parser->user, &parser->run);
	clear_run(parser);
	parser->has_at = true;
	enter(parser, state);
}

/* "a@b@c": the last "@" parts, as mail servers do. */
static void
move_domain_to_user(struct parser *parser)
{
	buf_add_char(&parser->user, '@');
	move_buf(&parser->user, &parser->domain);
}

/* At a "<": what stood there so far, even an address, is the name. */
static void
begin_angle(struct parser *parser)
{
	if (parser->has_at) {
		add_blank(&parser->phrase);
		move_domain_to_user(parser);
		move_buf(&parser->phrase, &parser->user);
	}
	parser->has_at = false;
	parser->has_angle = true;
	clear_run(parser);
	enter(parser, STATE_ANGLE_USER);
}

/* Behind the ">". */
static void
end_angle(struct parser *parser)
{
	move_buf(&parser->user, &parser->run);
	clear_run(parser);
	enter(parser, STATE_AFTER);
}

/* An address whose ">" is missing. */
static void
break_angle(struct parser *parser)
{
	end_angle(parser);
	emit(parser);
}

static void
on_phrase(struct parser *parser, const struct token *token)
{
	if (token->kind != TOKEN_SPECIAL) {
		add_word(parser, token);
		return;
	}
	switch (token->text.data[0]) {
	case '@':
		begin_domain(parser, STATE_DOMAIN);
		break;
	case '<':
		begin_angle(parser);
		break;
	case ':': /* a group's name, or "mailto:" */
		reset(parser);
		break;
	case ',':
	case ';':
		emit(parser);
		break;
	default: /* a lone ">" */
		break;
	}
}

static void
on_domain(struct parser *parser, const struct token *token)
{
	if (token->kind == TOKEN_WORD && is_joined(&parser->domain, token)) {
		add_token(&parser->domain, token);
		return;
	}
	if (token->kind != TOKEN_SPECIAL) {
		enter(parser, STATE_AFTER);
		add_word(parser, token);
		return;
	}
	switch (token->text.data[0]) {
	case '@':
		move_domain_to_user(parser);
		break;
	case '<':
		begin_angle(parser);
		break;
	case '>':
		enter(parser, STATE_AFTER);
		break;
	default:
		emit(parser);
		break;
	}
}

/* Inside of "<": blanks that part words are kept, they are no one's name. */
static void
add_angle_word(struct buf *buf, const struct token *token)
{
	if (!is_joined(buf, token))
		buf_add_char(buf, ' ');
	add_token(buf, token);
}

static void
on_angle_user(struct parser *parser, const struct token *token)
{
	if (token->kind != TOKEN_SPECIAL) {
		add_angle_word(&parser->run, token);
		return;
	}
	switch (token->text.data[0]) {
	case '@':
		parser->is_route = parser->run.len == 0;
		begin_domain(parser, STATE_ANGLE_DOMAIN);
		break;
	case ':':
		if (span_is_nocase(buf_span(&parser->run), "mailto"))
			clear_run(parser);
		else
			buf_add_char(&parser->run, ':');
		break;
	case ',': /* a route may have empty members */
	case ';':
		if (parser->run.len > 0)
			break_angle(parser);
		break;
	case '>':
		end_angle(parser);
		break;
	default: /* "<<" */
		break;
	}
}

static void
end_route(struct parser *parser)
{
	buf_truncate(&parser->domain, 0);
	parser->has_at = parser->is_route = false;
	enter(parser, STATE_ANGLE_USER);
}

static void
on_angle_domain(struct parser *parser, const struct token *token)
{
	if (token->kind != TOKEN_SPECIAL) {
		add_angle_word(&parser->domain, token);
		return;
	}
	switch (token->text.data[0]) {
	case '@':
		if (!parser->is_route)
			move_domain_to_user(parser);
		break;
	case ':':
		if (parser->is_route)
			end_route(parser);
		else
			buf_add_char(&parser->domain, ':');
		break;
	case ',':
		if (parser->is_route)
			buf_truncate(&parser->domain, 0);
		else
			break_angle(parser);
		break;
	case ';':
		break_angle(parser);
		break;
	case '>':
		end_angle(parser);
		break;
	default: /* "<" */
		break;
	}
}

/* "a@b c@d": the comma is missing. */
static void
begin_next(struct parser *parser)
{
	BUF_AUTO run = BUF_INIT;

	buf_add_span(&run, buf_span(&parser->run));
	buf_truncate(&parser->phrase, parser->run_offset);
	emit(parser);
	move_buf(&parser->run, &run);
	begin_domain(parser, STATE_DOMAIN);
}

static void
on_after(struct parser *parser, const struct token *token)
{
	if (token->kind != TOKEN_SPECIAL) {
		add_word(parser, token);
		return;
	}
	switch (token->text.data[0]) {
	case '@':
		begin_next(parser);
		break;
	case '<':
		if (parser->has_angle)
			emit(parser);
		begin_angle(parser);
		break;
	case '>':
		break;
	default:
		emit(parser);
		break;
	}
}

static void (*const handlers[])(struct parser *, const struct token *) = {
    [STATE_PHRASE] = on_phrase,
    [STATE_DOMAIN] = on_domain,
    [STATE_ANGLE_USER] = on_angle_user,
    [STATE_ANGLE_DOMAIN] = on_angle_domain,
    [STATE_AFTER] = on_after,
};

_Static_assert(sizeof(handlers) / sizeof(handlers[0]) == STATE_COUNT,
    "a state without a handler");

static void
on_end(struct parser *parser)
{
	if (parser->state == STATE_ANGLE_USER)
		end_angle(parser);
	emit(parser);
}

/* ---- The plain case ---- */

/*
 * Most fields are this and nothing else, and then there is nothing to think
 * about; whatever is not, is done as above, from the begin.
 *
 *   list    = blanks mailbox *( blanks "," blanks mailbox ) blanks
 *   mailbox = [ words [" "] ] "<" word "@" word ">" / word "@" word
 *   words   = word *( " " word )
 *   word    = 1*<printable ASCII but specials; no "=?">
 */

static bool
is_plain_char(char c)
{
	switch (c) {
	case '"':
	case '(':
	case ')':
	case '[':
	case '\\':
	case ']':
		return false;
	default:
		return c > ' ' && c <= '~' && !is_special(c);
	}
}

/* The length of the word at the front. */
static size_t
word_length(struct span s)
{
	size_t len = 0;

	while (len < s.len && is_plain_char(s.data[len]))
		len++;
	return len;
}

static bool
take_plain(struct span *rest, size_t len, struct span *text_r)
{
	*text_r = span_slice(*rest, 0, len);
	*rest = span_skip(*rest, len);
	return len > 0;
}

static bool
take_char(struct span *rest, char c)
{
	if (rest->len == 0 || rest->data[0] != c)
		return false;
	*rest = span_skip(*rest, 1);
	return true;
}

static void
skip_blanks(struct span *rest)
{
	while (rest->len > 0 && char_is_blank(rest->data[0]))
		*rest = span_skip(*rest, 1);
}

struct plain {
	struct span name, user, domain;
};

/* Words with a blank between two; a blank behind them is taken, too. */
static struct span
take_words(struct span *rest)
{
	struct span words = span_slice(*rest, 0, 0), word;

	while (take_plain(rest, word_length(*rest), &word)) {
		words.len = (size_t)(word.data - words.data) + word.len;
		if (!take_char(rest, ' '))
			break;
	}
	return words;
}

/* Behind the local part. */
static bool
take_plain_domain(struct span *rest, struct plain *plain_r)
{
	return plain_r->user.len > 0 && take_char(rest, '@') &&
	       take_plain(rest, word_length(*rest), &plain_r->domain) &&
	       plain_r->domain.data[plain_r->domain.len - 1] != '.';
}

static bool
take_plain_mailbox(struct span *rest, struct plain *plain_r)
{
	struct span words = take_words(rest);

	if (!take_char(rest, '<')) {
		plain_r->name = span_slice(words, 0, 0);
		plain_r->user = words;
		/* No blank, neither inside nor in front of the "@". */
		return word_length(words) == words.len &&
		       words.data + words.len == rest->data &&
		       take_plain_domain(rest, plain_r);
	}
	plain_r->name = words;
	take_plain(rest, word_length(*rest), &plain_r->user);
	return take_plain_domain(rest, plain_r) && take_char(rest, '>');
}

static void
append_plain(struct parser *parser, const struct plain *plain)
{
	struct span addr = span_from(
	    plain->user.data, plain->user.len + 1 + plain->domain.len);
	struct address address =
	    make_address(plain->name, plain->user, plain->domain, addr);

	append(parser, &address);
}

static bool
parse_plain(struct parser *parser, struct span text)
{
	struct plain plain;

	/* An encoded word could be anywhere. */
	if (text.len == 0 || rfc2047_may_have_word(text))
		return false;
	do {
		skip_blanks(&text);
		if (!take_plain_mailbox(&text, &plain))
			return false;
		append_plain(parser, &plain);
		skip_blanks(&text);
	} while (take_char(&text, ',') && !parser->list->is_truncated);
	return text.len == 0;
}

void
address_list_parse(struct span text, struct address_list *list_r)
{
	struct parser parser = {.scanner = {.rest = text}, .list = list_r};
	struct token token;

	*list_r = (struct address_list){NULL, 0, false};
	if (parse_plain(&parser, text))
		return;
	address_list_done(list_r);
	parser.items_size = 0;
	reset(&parser);
	while ((token = next_token(&parser.scanner)).kind != TOKEN_END) {
		if (token.kind == TOKEN_COMMENT)
			add_comment(&parser, &token);
		else
			handlers[parser.state](&parser, &token);
		if (list_r->is_truncated)
			break;
	}
	on_end(&parser);
	buf_done(&parser.phrase);
	buf_done(&parser.run);
	buf_done(&parser.user);
	buf_done(&parser.domain);
	buf_done(&parser.comment);
}

void
address_list_done(struct address_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		address_done(&list->items[i]);
	free(list->items);
	*list = (struct address_list){NULL, 0, false};
}

const char *
address_detail(const struct address *address)
{
	const char *plus = strchr(address->user, '+');

	return plus != NULL ? plus + 1 : "";
}
