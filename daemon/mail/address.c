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
#include "daemon/mail/address_builder.h"
#include "daemon/mail/address_token.h"
#include "daemon/mail/charset.h"
#include "daemon/mail/rfc2047.h"
#include "daemon/mail/text.h"

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
	struct address_scanner scanner;
	struct address_builder builder;
	enum state state;
	/* The address being read. */
	struct buf phrase; /* its name, unquoted, not decoded */
	size_t run_offset; /* where `run` began in phrase */
	struct buf run;	   /* the last words, joined: a local part? */
	bool run_is_name;  /* an encoded word or a quoted string is in it */
	struct buf user;
	struct buf domain;
	struct buf comment;
	size_t at_offset; /* where in phrase the address stood */
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
add_token(struct buf *buf, const struct address_token *token)
{
	if (token->kind == ADDRESS_TOKEN_QUOTED)
		add_unescaped(buf, token->text);
	else
		buf_add_span(buf, token->text);
}

/* Does the token go on with what `buf` holds? Blanks around a dot do not
 * part a local part or a domain (section 4.4). */
static bool
is_joined(const struct buf *buf, const struct address_token *token)
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
add_word(struct parser *parser, const struct address_token *token)
{
	if (!is_joined(&parser->run, token))
		clear_run(parser);
	if (token->after_blank)
		add_blank(&parser->phrase);
	add_token(&parser->phrase, token);
	add_token(&parser->run, token);
	if (token->is_encoded || token->kind == ADDRESS_TOKEN_QUOTED)
		parser->run_is_name = true;
}

static void
add_comment(struct parser *parser, const struct address_token *token)
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
		if (address_is_special(*user) ||
		    strchr(" \"()[]\\", *user) != NULL)
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
	struct address_texts texts = {span_from_str(name), span_from_str(user),
	    span_from_str(domain), span_from_str(addr)};

	address_builder_add(&parser->builder, &texts);
}

/* Words without any address, or in front of "<>". */
static void
append_phrase(struct parser *parser)
{
	STR_AUTO name = make_name(&parser->phrase, &parser->comment);
	STR_AUTO addr = make_text(span_trim(buf_span(&parser->phrase)));
	struct address_texts texts = {span_from_str(name), SPAN_EMPTY,
	    SPAN_EMPTY, parser->has_angle ? SPAN_EMPTY : span_from_str(addr)};

	address_builder_add(&parser->builder, &texts);
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
	parser->at_offset = parser->phrase.len;
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

/* Puts the address where it stood: "a@b via List". */
static void
move_address_to_phrase(struct parser *parser)
{
	BUF_AUTO behind = BUF_INIT;

	buf_add_span(&behind,
	    span_trim(span_skip(buf_span(&parser->phrase), parser->at_offset)));
	buf_truncate(&parser->phrase, parser->at_offset);
	add_blank(&parser->phrase);
	move_domain_to_user(parser);
	move_buf(&parser->phrase, &parser->user);
	if (behind.len > 0)
		buf_add_char(&parser->phrase, ' ');
	buf_add_span(&parser->phrase, buf_span(&behind));
}

/* At a "<": what stood there so far, even an address, is the name. */
static void
begin_angle(struct parser *parser)
{
	if (parser->has_at)
		move_address_to_phrase(parser);
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
on_phrase(struct parser *parser, const struct address_token *token)
{
	if (token->kind != ADDRESS_TOKEN_SPECIAL) {
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
on_domain(struct parser *parser, const struct address_token *token)
{
	if (token->kind == ADDRESS_TOKEN_WORD &&
	    is_joined(&parser->domain, token)) {
		add_token(&parser->domain, token);
		return;
	}
	if (token->kind != ADDRESS_TOKEN_SPECIAL) {
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
add_angle_word(struct buf *buf, const struct address_token *token)
{
	if (!is_joined(buf, token))
		buf_add_char(buf, ' ');
	add_token(buf, token);
}

static void
on_angle_user(struct parser *parser, const struct address_token *token)
{
	if (token->kind != ADDRESS_TOKEN_SPECIAL) {
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
on_angle_domain(struct parser *parser, const struct address_token *token)
{
	if (token->kind != ADDRESS_TOKEN_SPECIAL) {
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
on_after(struct parser *parser, const struct address_token *token)
{
	if (token->kind != ADDRESS_TOKEN_SPECIAL) {
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

static void (*const handlers[])(
    struct parser *, const struct address_token *) = {
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

void
address_list_parse(struct span text, struct address_list *list_r)
{
	struct parser parser = {
	    .scanner = {.rest = text}, .builder = {.list = list_r}};
	struct address_token token;

	*list_r = (struct address_list){NULL, 0, false};
	if (address_parse_plain(&parser.builder, text))
		return;
	address_list_done(list_r);
	parser.builder.size = 0;
	reset(&parser);
	while ((token = address_token_next(&parser.scanner)).kind !=
	       ADDRESS_TOKEN_END) {
		if (token.kind == ADDRESS_TOKEN_COMMENT)
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

const char *
address_detail(const struct address *address)
{
	const char *plus = strchr(address->user, '+');

	return plus != NULL ? plus + 1 : "";
}
