#include "daemon/oauth2/answer.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/oauth2/request.h"

/* ---- words ---- */

/* Of RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5, OpenID Connect
 * Core section 3.1.2.6, and what Microsoft says besides. */
static const struct {
	const char *word;
	enum oauth2_kind kind;
	const char *sentence;
} words[] = {
    {"authorization_pending", OAUTH2_PENDING, "nobody has signed in yet"},
    {"slow_down", OAUTH2_SLOW_DOWN, "it was asked too often"},
    {"access_denied", OAUTH2_DENIED, "the permission was refused"},
    {"authorization_declined", OAUTH2_DENIED, "the permission was refused"},
    {"expired_token", OAUTH2_EXPIRED, "the time to sign in is over"},
    {"code_expired", OAUTH2_EXPIRED, "the time to sign in is over"},
    {"invalid_grant", OAUTH2_LOST, "the permission has ended"},
    {"interaction_required", OAUTH2_LOST,
	"the provider wants you to sign in again"},
    {"login_required", OAUTH2_LOST, "the provider wants you to sign in again"},
    {"consent_required", OAUTH2_LOST, "the provider wants your consent again"},
    {"account_selection_required", OAUTH2_LOST,
	"the provider wants you to sign in again"},
    {"invalid_client", OAUTH2_REFUSED,
	"the provider does not take this client id, or its secret"},
    {"unauthorized_client", OAUTH2_REFUSED, "this client id may not do that"},
    {"invalid_scope", OAUTH2_REFUSED, "the provider does not grant this scope"},
    {"unsupported_grant_type", OAUTH2_REFUSED,
	"the provider does not know this way to sign in"},
    {"unsupported_response_type", OAUTH2_REFUSED,
	"the provider does not know this way to sign in"},
    {"invalid_request", OAUTH2_REFUSED, "the provider refuses the request"},
    {"redirect_uri_mismatch", OAUTH2_REFUSED,
	"the client id does not permit this redirect address"},
    {"server_error", OAUTH2_BUSY, "the provider is in trouble"},
    {"temporarily_unavailable", OAUTH2_BUSY, "the provider is busy"},
    {"too_many_requests", OAUTH2_BUSY, "the provider is busy"},
};

static enum fault
fault_of(enum oauth2_kind kind)
{
	switch (kind) {
	case OAUTH2_LOST:
	case OAUTH2_REFUSED:
		return FAULT_AUTH;
	case OAUTH2_GARBAGE:
		return FAULT_PEER;
	case OAUTH2_SLOW_DOWN:
		return FAULT_LIMIT;
	case OAUTH2_TOKEN:
	case OAUTH2_PENDING:
	case OAUTH2_DENIED:
	case OAUTH2_EXPIRED:
	case OAUTH2_BUSY:
		break;
	}
	return FAULT_RETRY;
}

/* "the permission has ended (invalid_grant: AADSTS700082: ...)" */
static void
set_error(enum oauth2_kind kind, const char *sentence, const char *word,
    const char *description, struct error *error_r)
{
	BUF_AUTO text = BUF_INIT;

	str_sanitize(&text, span_from_str(word), OAUTH2_WORDS_MAX);
	if (description != NULL && *description != '\0') {
		buf_add_str(&text, ": ");
		str_sanitize(
		    &text, span_from_str(description), OAUTH2_WORDS_MAX);
	}
	error_set(error_r, fault_of(kind), "%s (%s)", sentence, buf_str(&text));
}

enum oauth2_kind
oauth2_error_read(
    const char *word, const char *description, struct error *error_r)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(word, words[i].word) != 0)
			continue;
		set_error(words[i].kind, words[i].sentence, word, description,
		    error_r);
		return words[i].kind;
	}
	set_error(
	    OAUTH2_REFUSED, "the provider refuses", word, description, error_r);
	return OAUTH2_REFUSED;
}

/* ---- values ---- */

/* VSCHAR (RFC 6749 appendix A): what may stand in a line and in a log. */
static bool
is_visible(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return false;
	return true;
}

static bool
take_secret(const struct json *json, const char *name, struct secret *secret_r)
{
	const char *text = json_get_str(json, name);

	if (text == NULL || !is_visible(text, SECRET_MAX))
		return false;
	secret_set(secret_r, span_from_str(text));
	return true;
}

/* Some say numbers as strings. Outside of 1 to max: `unknown`, or max. */
static int64_t
get_seconds(const struct json *json, const char *name, int64_t unknown,
    int64_t max, bool *is_told_r)
{
	const char *text = json_get_str(json, name);
	int64_t seconds = json_get_int(json, name, 0);
	uint64_t number;

	if (text != NULL && span_to_u64(span_from_str(text), &number))
		seconds = number < (uint64_t)max ? (int64_t)number : max;
	*is_told_r = seconds > 0;
	if (seconds <= 0)
		return unknown;
	return seconds < max ? seconds : max;
}

/* ---- what is said ---- */

static void
set_garbage(struct oauth2_answer *answer, unsigned status, const char *why)
{
	answer->kind = OAUTH2_GARBAGE;
	error_set(&answer->error, FAULT_PEER,
	    "the provider's answer makes no sense (HTTP %u): %s", status, why);
}

/* Before it is looked at: limits and trouble may come with any text. */
static bool
is_busy(unsigned status)
{
	return status == 408 || status == 429 || status >= 500;
}

/* ---- what was sent in secret ---- */

static const char *const secret_keys[] = {
    "client_secret", "code", "code_verifier", "device_code", "refresh_token"};

static bool
is_secret_key(struct span key)
{
	for (size_t i = 0; i < sizeof(secret_keys) / sizeof(*secret_keys); i++)
		if (span_is(key, secret_keys[i]))
			return true;
	return false;
}

/* One byte of `marks` for each of `text`: 1 is of a secret. */
static void
mark_secret(struct buf *marks, struct span text, struct span secret)
{
	size_t from = 0, at;

	if (secret.len == 0)
		return;
	while ((at = span_find_span(text, secret, from)) != SIZE_MAX) {
		memset(marks->data + at, 1, secret.len);
		from = at + secret.len;
	}
}

/* As it is, and as it stands in the form. */
static void
mark_pair(struct buf *marks, struct span text, struct span value)
{
	struct buf plain = BUF_INIT;

	if (oauth2_decode(value, &plain))
		mark_secret(marks, text, buf_span(&plain));
	mark_secret(marks, text, value);
	buf_wipe(&plain);
}

static void
mark_sent(struct buf *marks, struct span text, struct span form)
{
	struct span pair;

	while (span_split(&form, '&', &pair)) {
		size_t at = span_find(pair, '=');
		if (at != SIZE_MAX && is_secret_key(span_slice(pair, 0, at)))
			mark_pair(marks, text, span_skip(pair, at + 1));
	}
}

/* Written once, when all secrets are known: to look for the second in what
 * was put in place of the first would let the text grow with each. */
static void
add_unmarked(struct buf *out, struct span text, const struct buf *marks)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!marks->data[i])
			buf_add_char(out, text.data[i]);
		else if (i == 0 || !marks->data[i - 1])
			buf_add_str(out, "[secret]");
	}
}

static void
take_text(struct buf *text, const struct json *json, const char *name,
    struct span sent)
{
	const char *said = json != NULL ? json_get_str(json, name) : NULL;
	struct span all = span_from_str(said != NULL ? said : "");
	struct buf marks = BUF_INIT;

	buf_reserve(&marks, all.len + 1);
	memset(marks.data, 0, all.len);
	mark_sent(&marks, all, sent);
	add_unmarked(text, all, &marks);
	buf_done(&marks);
}

/* One of the known words is no secret, whatever was sent. */
static void
take_word(struct buf *text, const struct json *json, struct span sent)
{
	const char *said = json != NULL ? json_get_str(json, "error") : NULL;

	for (size_t i = 0; said != NULL && i < sizeof(words) / sizeof(*words);
	     i++) {
		if (strcmp(said, words[i].word) == 0) {
			buf_add_str(text, said);
			return;
		}
	}
	take_text(text, json, "error", sent);
}

static void
read_error(struct oauth2_answer *answer, unsigned status,
    const struct json *json, struct span sent)
{
	struct buf word = BUF_INIT, about = BUF_INIT;

	take_word(&word, json, sent);
	take_text(&about, json, "error_description", sent);
	if (word.len > 0)
		answer->kind = oauth2_error_read(
		    buf_str(&word), buf_str(&about), &answer->error);
	if (is_busy(status) && answer->kind != OAUTH2_SLOW_DOWN) {
		answer->kind = OAUTH2_BUSY;
		error_set(&answer->error,
		    status == 429 ? FAULT_LIMIT : FAULT_RETRY,
		    "the provider says to come again later (HTTP %u)", status);
	} else if (word.len == 0) {
		set_garbage(answer, status,
		    json == NULL ? "it is not JSON" : "no token, no error");
	}
	buf_wipe(&word);
	buf_wipe(&about);
}

/* Bearer in any case (RFC 6749 section 5.1). */
static void
read_token(
    struct oauth2_answer *answer, unsigned status, const struct json *json)
{
	const char *type = json_get_str(json, "token_type");
	const char *scope = json_get_str(json, "scope");

	if (type == NULL || !span_is_nocase(span_from_str(type), "bearer")) {
		set_garbage(answer, status, "the token is not of type Bearer");
		return;
	}
	if (!take_secret(json, "access_token", &answer->access)) {
		set_garbage(answer, status, "the token cannot be one");
		return;
	}
	if (json_get_str(json, "refresh_token") != NULL &&
	    !take_secret(json, "refresh_token", &answer->refresh)) {
		set_garbage(answer, status, "the refresh token cannot be one");
		return;
	}
	answer->kind = OAUTH2_TOKEN;
	answer->life = get_seconds(json, "expires_in", OAUTH2_LIFE_UNKNOWN,
	    OAUTH2_LIFE_MAX, &answer->is_life_told);
	if (scope != NULL && strlen(scope) <= OAUTH2_TEXT_MAX) {
		BUF_AUTO clean = BUF_INIT;
		str_sanitize(&clean, span_from_str(scope), OAUTH2_TEXT_MAX);
		answer->scope = buf_take_str(&clean);
	}
}

/* NULL: there is no document in it, and the answer says so. */
static struct json *
parse(unsigned status, struct span body, bool is_cut,
    struct oauth2_answer *answer)
{
	struct json *json = NULL;

	if (status >= 300 && status < 400)
		set_garbage(answer, status, "it leads elsewhere");
	else if (is_cut || body.len > OAUTH2_ANSWER_MAX)
		set_garbage(answer, status, "it is too long");
	else if ((json = json_parse(body, NULL)) == NULL)
		read_error(answer, status, NULL, SPAN(""));
	return json;
}

void
oauth2_answer_read(unsigned status, struct span body, bool is_cut,
    struct span sent, struct oauth2_answer *answer_r)
{
	struct json *json;

	*answer_r = (struct oauth2_answer)OAUTH2_ANSWER_INIT;
	json = parse(status, body, is_cut, answer_r);
	if (json == NULL)
		return;
	if (status == 200 && json_get_str(json, "error") == NULL &&
	    json_get_str(json, "access_token") != NULL)
		read_token(answer_r, status, json);
	else
		read_error(answer_r, status, json, sent);
	json_free(&json);
	if (answer_r->kind != OAUTH2_TOKEN) {
		secret_wipe(&answer_r->access);
		secret_wipe(&answer_r->refresh);
	}
}

void
oauth2_answer_fail(
    const char *url, const struct error *error, struct oauth2_answer *answer_r)
{
	*answer_r = (struct oauth2_answer)OAUTH2_ANSWER_INIT;
	answer_r->kind = OAUTH2_BUSY;
	answer_r->error = *error;
	error_prefix(&answer_r->error, "%s", url);
}

void
oauth2_answer_done(struct oauth2_answer *answer)
{
	secret_wipe(&answer->access);
	secret_wipe(&answer->refresh);
	free(answer->scope);
	answer->scope = NULL;
}

/* ---- devices ---- */

/* An address that a person is sent to. */
static char *
take_url(const struct json *json, const char *name)
{
	const char *text = json_get_str(json, name);

	if (text == NULL || !is_visible(text, OAUTH2_TEXT_MAX) ||
	    !span_starts_nocase(span_from_str(text), "https://"))
		return NULL;
	return xstrdup(text);
}

/* It is typed by a person, and shown on a line. */
static char *
take_user_code(const struct json *json)
{
	const char *text = json_get_str(json, "user_code");

	return text != NULL && is_visible(text, 64) ? xstrdup(text) : NULL;
}

static bool
read_device(const struct json *json, struct oauth2_device *device)
{
	bool is_told;

	device->user_code = take_user_code(json);
	device->url = take_url(json, "verification_uri");
	if (device->url == NULL) /* its name in a draft, which Google kept */
		device->url = take_url(json, "verification_url");
	device->complete_url = take_url(json, "verification_uri_complete");
	device->life = get_seconds(
	    json, "expires_in", 600, OAUTH2_DEVICE_LIFE_MAX, &is_told);
	device->interval = get_seconds(json, "interval", OAUTH2_INTERVAL_SEC,
	    OAUTH2_INTERVAL_MAX, &is_told);
	return take_secret(json, "device_code", &device->code) &&
	       device->user_code != NULL && device->url != NULL;
}

bool
oauth2_device_read(unsigned status, struct span body, bool is_cut,
    struct span sent, struct oauth2_device *device_r,
    struct oauth2_answer *answer_r)
{
	struct oauth2_device device = {.code = SECRET_INIT};
	bool ok = false;

	*answer_r = (struct oauth2_answer)OAUTH2_ANSWER_INIT;
	struct json *json = parse(status, body, is_cut, answer_r);
	if (json == NULL)
		return false;
	if (status != 200 || json_get_str(json, "error") != NULL)
		read_error(answer_r, status, json, sent);
	else if (!(ok = read_device(json, &device)))
		set_garbage(answer_r, status, "there is no code to type in");
	json_free(&json);
	if (ok)
		*device_r = device;
	else
		oauth2_device_done(&device);
	return ok;
}

void
oauth2_device_done(struct oauth2_device *device)
{
	secret_wipe(&device->code);
	free(device->user_code);
	free(device->url);
	free(device->complete_url);
	*device = (struct oauth2_device){.code = SECRET_INIT};
}
