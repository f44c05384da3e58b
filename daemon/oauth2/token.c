#include "daemon/oauth2/token.h"

#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"

/* A clock that was wrong by less is not doubted. */
#define SKEW_SEC 300

void
oauth2_token_done(struct oauth2_token *token)
{
	secret_wipe(&token->access);
	secret_wipe(&token->refresh);
	free(token->granted);
	free(token->client_id);
	free(token->token_url);
	free(token->scope);
	free(token->user);
	*token = (struct oauth2_token)OAUTH2_TOKEN_INIT;
}

void
oauth2_token_copy(struct oauth2_token *token_r, const struct oauth2_token *from)
{
	*token_r = (struct oauth2_token){
	    .access = SECRET_INIT,
	    .refresh = SECRET_INIT,
	    .obtained_unix = from->obtained_unix,
	    .expires_unix = from->expires_unix,
	    .granted = xstrdup(from->granted),
	    .client_id = xstrdup(from->client_id),
	    .token_url = xstrdup(from->token_url),
	    .scope = xstrdup(from->scope),
	    .user = xstrdup(from->user),
	};
	secret_set(&token_r->access, secret_span(&from->access));
	secret_set(&token_r->refresh, secret_span(&from->refresh));
}

/* ---- the document ---- */

void
oauth2_token_format(const struct oauth2_token *token, struct buf *out)
{
	struct json *json = json_new_object();

	json_set_int(json, "version", OAUTH2_FILE_VERSION);
	json_set_str(json, "client_id", token->client_id);
	json_set_str(json, "token_endpoint", token->token_url);
	json_set_str(json, "scope", token->scope);
	json_set_str(json, "user", token->user);
	json_set_str(json, "granted_scope", token->granted);
	json_set_int(json, "obtained", token->obtained_unix);
	json_set_int(json, "expires", token->expires_unix);
	json_set_span(json, "access_token", secret_span(&token->access));
	json_set_span(json, "refresh_token", secret_span(&token->refresh));
	json_print(json, out, true);
	buf_add_char(out, '\n');
	json_free(&json);
}

_Static_assert(OAUTH2_TEXT_MAX <= OAUTH2_KEPT_MAX, "a granted scope is kept");

static bool
take(const struct json *json, const char *name, char **text_r)
{
	const char *text = json_get_str(json, name);

	if (text == NULL || strlen(text) > OAUTH2_KEPT_MAX)
		return false;
	*text_r = xstrdup(text);
	return true;
}

/* May be empty. */
static bool
take_token(const struct json *json, const char *name, struct secret *secret_r)
{
	struct span text = span_from_str(json_get_str(json, name));

	if (text.len > SECRET_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
			return false;
	secret_set(secret_r, text);
	return true;
}

static bool
read_document(const struct json *json, struct oauth2_token *token)
{
	token->obtained_unix = json_get_int(json, "obtained", -1);
	token->expires_unix = json_get_int(json, "expires", -1);
	take(json, "granted_scope", &token->granted);
	return json_get_int(json, "version", 0) == OAUTH2_FILE_VERSION &&
	       token->obtained_unix >= 0 &&
	       token->expires_unix >= token->obtained_unix &&
	       take(json, "client_id", &token->client_id) &&
	       take(json, "token_endpoint", &token->token_url) &&
	       take(json, "scope", &token->scope) &&
	       take(json, "user", &token->user) &&
	       take_token(json, "access_token", &token->access) &&
	       take_token(json, "refresh_token", &token->refresh);
}

bool
oauth2_token_parse(
    struct span text, struct oauth2_token *token_r, struct error *error_r)
{
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	struct json *json =
	    text.len <= OAUTH2_FILE_MAX ? json_parse(text, NULL) : NULL;
	bool ok = json != NULL && read_document(json, &token);

	json_free(&json);
	if (!ok) {
		oauth2_token_done(&token);
		return error_set(
		    error_r, FAULT_LOCAL, "the file of the sign-in is damaged");
	}
	*token_r = token;
	return true;
}

/* ---- whose ---- */

static bool
is(const char *text, const char *other)
{
	return span_is(span_from_str(text), other != NULL ? other : "");
}

bool
oauth2_token_fits(
    const struct oauth2_token *token, const struct oauth2_client *client)
{
	return is(token->client_id, client->id) &&
	       is(token->token_url, client->token_url) &&
	       is(token->scope, client->scope) && is(token->user, client->user);
}

static void
replace(char **text, const char *with)
{
	char *copy = xstrdup(with != NULL ? with : "");

	free(*text);
	*text = copy;
}

void
oauth2_token_renew(struct oauth2_token *token,
    const struct oauth2_answer *answer, int64_t now_unix)
{
	secret_set(&token->access, secret_span(&answer->access));
	if (answer->refresh.len > 0)
		secret_set(&token->refresh, secret_span(&answer->refresh));
	token->obtained_unix = now_unix;
	token->expires_unix = now_unix + answer->life;
	if (answer->scope != NULL)
		replace(&token->granted, answer->scope);
}

void
oauth2_token_take(struct oauth2_token *token,
    const struct oauth2_answer *answer, const struct oauth2_client *client,
    int64_t now_unix)
{
	oauth2_token_renew(token, answer, now_unix);
	replace(&token->client_id, client->id);
	replace(&token->token_url, client->token_url);
	replace(&token->scope, client->scope);
	replace(&token->user, client->user);
}

/* ---- how long ---- */

int64_t
oauth2_token_life(const struct oauth2_token *token)
{
	int64_t life;

	if (token->access.len == 0)
		return 0;
	life = token->expires_unix - token->obtained_unix;
	return life < OAUTH2_LIFE_MAX ? life : OAUTH2_LIFE_MAX;
}

int64_t
oauth2_token_left(const struct oauth2_token *token, int64_t now_unix)
{
	int64_t age = now_unix - token->obtained_unix;
	int64_t life = oauth2_token_life(token);

	if (age < -SKEW_SEC)
		return 0;
	if (age < 0)
		age = 0;
	return life > age ? life - age : 0;
}

/* ---- for what ---- */

static bool
has_word(struct span words, struct span word)
{
	struct span one;

	while (span_split(&words, ' ', &one))
		if (span_equal_nocase(one, word))
			return true;
	return false;
}

/* "https://a.example/x" is also granted as "x"; what only asks for a refresh
 * token, or who one is, is not told of. */
static bool
is_granted(struct span granted, struct span wanted)
{
	static const char *const silent[] = {
	    "offline_access", "openid", "profile", "email"};
	struct span tail = wanted;

	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++)
		if (span_is(wanted, silent[i]))
			return true;
	for (size_t at; (at = span_find(tail, '/')) != SIZE_MAX;)
		tail = span_skip(tail, at + 1);
	return has_word(granted, wanted) ||
	       (tail.len > 0 && has_word(granted, tail));
}

char *
oauth2_token_missing(const struct oauth2_token *token)
{
	struct span wanted = span_from_str(token->scope), word;
	BUF_AUTO missing = BUF_INIT;

	if (token->granted == NULL)
		return NULL;
	while (span_split(&wanted, ' ', &word)) {
		if (word.len == 0 ||
		    is_granted(span_from_str(token->granted), word))
			continue;
		if (missing.len > 0)
			buf_add_char(&missing, ' ');
		buf_add_span(&missing, word);
	}
	return missing.len > 0 ? buf_take_str(&missing) : NULL;
}
