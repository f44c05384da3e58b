#include "daemon/wire/imap/refusal.h"

#include <assert.h>

/* ---- what each kind asks for ---- */

struct policy {
	const char *name;
	enum fault fault;
	enum backoff_cause cause;
	usec_t wait;
};

/* clang-format off */
static const struct policy policies[IMAP_REFUSAL_KINDS] = {
	[IMAP_REFUSAL_NONE] = {"none", FAULT_NONE, BACKOFF_NETWORK, 0},
	[IMAP_REFUSAL_UNTOLD] =
	    {"untold", FAULT_RETRY, BACKOFF_NETWORK, 0},
	[IMAP_REFUSAL_CREDENTIALS] =
	    {"credentials", FAULT_AUTH, BACKOFF_CREDENTIALS, 0},
	[IMAP_REFUSAL_ACCOUNT] = {"account", FAULT_RETRY, BACKOFF_LIMIT, 0},
	[IMAP_REFUSAL_UNAVAILABLE] =
	    {"unavailable", FAULT_RETRY, BACKOFF_SERVER, 0},
	[IMAP_REFUSAL_LIMIT] = {"limit", FAULT_LIMIT, BACKOFF_LIMIT, 0},
	[IMAP_REFUSAL_QUOTA] = {"quota", FAULT_LIMIT, BACKOFF_LIMIT, 0},
	[IMAP_REFUSAL_MISSING] =
	    {"missing", FAULT_CONFIG, BACKOFF_CREDENTIALS, 0},
	[IMAP_REFUSAL_RIGHTS] =
	    {"rights", FAULT_CONFIG, BACKOFF_CREDENTIALS, 0},
	[IMAP_REFUSAL_STATE] = {"state", FAULT_RETRY, BACKOFF_NETWORK, 0},
	[IMAP_REFUSAL_SERVER] =
	    {"server", FAULT_PEER, BACKOFF_SERVER, 15 * USEC_MINUTE},
	[IMAP_REFUSAL_CLIENT] = {"client", FAULT_PEER, BACKOFF_SERVER, 0},
	[IMAP_REFUSAL_GOODBYE] = {"goodbye", FAULT_RETRY, BACKOFF_NETWORK, 0},
};
/* clang-format on */

/* ---- codes ---- */

static const struct {
	const char *code;
	enum imap_refusal_kind kind;
} codes[] = {
    {"AUTHENTICATIONFAILED", IMAP_REFUSAL_CREDENTIALS},
    {"AUTHORIZATIONFAILED", IMAP_REFUSAL_CREDENTIALS},
    {"EXPIRED", IMAP_REFUSAL_CREDENTIALS},
    {"PRIVACYREQUIRED", IMAP_REFUSAL_CREDENTIALS},
    {"CONTACTADMIN", IMAP_REFUSAL_CREDENTIALS},
    {"WEBALERT", IMAP_REFUSAL_CREDENTIALS}, /* Gmail */
    {"UNAVAILABLE", IMAP_REFUSAL_UNAVAILABLE},
    {"LIMIT", IMAP_REFUSAL_LIMIT},
    {"INUSE", IMAP_REFUSAL_LIMIT},
    {"OVERQUOTA", IMAP_REFUSAL_QUOTA},
    {"TRYCREATE", IMAP_REFUSAL_MISSING},
    {"NONEXISTENT", IMAP_REFUSAL_MISSING},
    {"NOPERM", IMAP_REFUSAL_RIGHTS},
    {"CANNOT", IMAP_REFUSAL_RIGHTS},
    {"READ-ONLY", IMAP_REFUSAL_RIGHTS},
    {"EXPUNGEISSUED", IMAP_REFUSAL_STATE},
    {"MESSAGELIMIT", IMAP_REFUSAL_STATE}, /* RFC 9738: fewer at once */
    {"SERVERBUG", IMAP_REFUSAL_SERVER},
    {"CORRUPTION", IMAP_REFUSAL_SERVER},
    {"CLIENTBUG", IMAP_REFUSAL_CLIENT},
};

/* ---- words ---- */

/* Where words are looked for. At login nothing is full or missing, and in a
 * session nobody is asked for a password. */
enum place {
	ANYWHERE,
	LOGIN,
	SESSION
};

struct word {
	const char *word;
	enum imap_refusal_kind kind;
	enum place place;
};

/* These are believed more than codes (but see is_disguise). The first of them
 * is no limit, and must not be taken for one. */
static const struct word disguised[] = {
    {"too many invalid", IMAP_REFUSAL_CLIENT, ANYWHERE}, /* Dovecot */
    {"too many", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"throttl", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"suggested backoff", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"rate limit", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"bandwidth limit", IMAP_REFUSAL_LIMIT, ANYWHERE}, /* Gmail */
    {"connection limit", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"connections limit", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"maximum number of connections", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"limit exceeded", IMAP_REFUSAL_LIMIT, LOGIN},
};

static const struct word words[] = {
    {"not connected", IMAP_REFUSAL_ACCOUNT, ANYWHERE}, /* Exchange */
    {"command error. 10", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"command error. 11", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"temporar", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"unavailable", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"server busy", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"server error", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"system error", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"internal error", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"timed out", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"timeout", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"in use", IMAP_REFUSAL_LIMIT, ANYWHERE},
    {"unusual activity", IMAP_REFUSAL_LIMIT, LOGIN}, /* Zoho */
    {"web browser", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"web login", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"app password", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"app-specific", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"application-specific", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"not enabled for imap", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"enable imap", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"imap is disabled", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"password", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"credential", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"authentication fail", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"user not found", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"invalid", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"incorrect", IMAP_REFUSAL_CREDENTIALS, LOGIN},
    {"try again", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"later", IMAP_REFUSAL_UNAVAILABLE, ANYWHERE},
    {"limit", IMAP_REFUSAL_LIMIT, LOGIN},
    {"quota", IMAP_REFUSAL_QUOTA, SESSION},
    {"permission denied", IMAP_REFUSAL_RIGHTS, SESSION},
    {"access denied", IMAP_REFUSAL_RIGHTS, SESSION},
    {"read-only", IMAP_REFUSAL_RIGHTS, SESSION},
    {"does not exist", IMAP_REFUSAL_MISSING, SESSION},
    {"doesn't exist", IMAP_REFUSAL_MISSING, SESSION},
    {"i/o error", IMAP_REFUSAL_SERVER, SESSION}, /* Cyrus */
    {"invalid format", IMAP_REFUSAL_SERVER, SESSION},
    /* Courier says NO where others say BAD. */
    {"error in imap command", IMAP_REFUSAL_CLIENT, ANYWHERE},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum imap_refusal_kind
by_word(const struct word *rows, size_t count, struct span text, bool at_login)
{
	enum place elsewhere = at_login ? SESSION : LOGIN;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].place != elsewhere &&
		    span_contains_nocase(text, span_from_str(rows[i].word)))
			return rows[i].kind;
	}
	return IMAP_REFUSAL_NONE;
}

static enum imap_refusal_kind
by_code(struct span code)
{
	for (size_t i = 0; i < COUNT(codes); i++) {
		if (span_is_nocase(code, codes[i].code))
			return codes[i].kind;
	}
	return IMAP_REFUSAL_NONE;
}

/* Codes under which servers hide what is really a limit. */
static bool
is_disguise(enum imap_refusal_kind kind)
{
	return kind == IMAP_REFUSAL_NONE || kind == IMAP_REFUSAL_CREDENTIALS ||
	       kind == IMAP_REFUSAL_UNAVAILABLE ||
	       kind == IMAP_REFUSAL_CLIENT || kind == IMAP_REFUSAL_QUOTA;
}

static enum imap_refusal_kind
when_untold(enum imap_status status)
{
	if (status == IMAP_BYE)
		return IMAP_REFUSAL_GOODBYE;
	return status == IMAP_BAD ? IMAP_REFUSAL_CLIENT : IMAP_REFUSAL_UNTOLD;
}

static enum imap_refusal_kind
kind_of(const struct imap_response *response, bool at_login)
{
	enum imap_refusal_kind kind = by_code(response->code), hidden;

	if (is_disguise(kind)) {
		hidden = by_word(
		    disguised, COUNT(disguised), response->text, at_login);
		if (hidden != IMAP_REFUSAL_NONE)
			return hidden;
	}
	if (kind == IMAP_REFUSAL_NONE)
		kind = by_word(words, COUNT(words), response->text, at_login);
	return kind != IMAP_REFUSAL_NONE ? kind : when_untold(response->status);
}

/* ---- how long ---- */

/*
 * Exchange: "Suggested Backoff Time: 92415 milliseconds".
 *
 *   hint = "backoff time:" *SP 1*DIGIT SP ("milliseconds" / "seconds")
 */
#define HINT "backoff time:"

static usec_t
wait_of(struct span text)
{
	size_t digits = 0;
	uint64_t number;

	while (text.len > 0 && !span_starts_nocase(text, HINT))
		text = span_skip(text, 1);
	text = span_trim(span_skip(text, strlen(HINT)));
	while (digits < text.len && text.data[digits] >= '0' &&
	       text.data[digits] <= '9')
		digits++;
	if (!span_to_u64(span_slice(text, 0, digits), &number))
		return digits > 0 ? IMAP_REFUSAL_WAIT_MAX : 0;
	text = span_trim(span_skip(text, digits));
	usec_t unit = span_starts_nocase(text, "second") ? USEC_SEC : USEC_MSEC;
	if (number > IMAP_REFUSAL_WAIT_MAX / unit)
		return IMAP_REFUSAL_WAIT_MAX;
	return number * unit;
}

/* A NO or BAD to the login that tells nothing may be a wrong password: it is
 * no passing trouble, and not sure to be anything else either. */
static enum fault
fault_of(enum imap_refusal_kind kind, bool at_login)
{
	if (at_login && kind == IMAP_REFUSAL_UNTOLD)
		return FAULT_AUTH;
	return policies[kind].fault;
}

struct imap_refusal
imap_refusal_read(const struct imap_response *response, bool at_login)
{
	enum imap_refusal_kind kind = kind_of(response, at_login);
	usec_t told = wait_of(response->text);

	/* Exchange and Courier say BAD where others say NO. */
	if (at_login && kind == IMAP_REFUSAL_CLIENT &&
	    by_code(response->code) == IMAP_REFUSAL_NONE &&
	    response->status != IMAP_BYE)
		kind = IMAP_REFUSAL_UNTOLD;
	return (struct imap_refusal){
	    .kind = kind,
	    .fault = fault_of(kind, at_login),
	    .cause = policies[kind].cause,
	    .wait = told != 0 ? told : policies[kind].wait,
	};
}

bool
imap_refusal_is_of_command(const struct imap_response *response)
{
	static const char *const phrases[] = {
	    "not supported", "unsupported", "not implemented"};
	enum imap_refusal_kind kind = kind_of(response, false);

	if (kind == IMAP_REFUSAL_CLIENT)
		return true;
	for (size_t i = 0; i < COUNT(phrases); i++)
		if (kind == IMAP_REFUSAL_UNTOLD &&
		    span_contains_nocase(
			response->text, span_from_str(phrases[i])))
			return true;
	return false;
}

enum fault
imap_fault_of(const struct imap_response *response, bool at_login)
{
	return imap_refusal_read(response, at_login).fault;
}

const char *
imap_refusal_name(enum imap_refusal_kind kind)
{
	assert((unsigned)kind < IMAP_REFUSAL_KINDS);
	return policies[kind].name;
}
