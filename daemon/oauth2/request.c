#include "daemon/oauth2/request.h"

#include "daemon/base/base64.h"
#include "daemon/base/digest.h"
#include "daemon/base/str.h"

/* ---- letters ---- */

void
oauth2_add_base64url(struct buf *out, struct span bytes)
{
	struct buf plain = BUF_INIT;

	base64_encode(&plain, bytes);
	for (size_t i = 0; i < plain.len && plain.data[i] != '='; i++)
		buf_add_char(out, plain.data[i] == '+'	 ? '-'
				  : plain.data[i] == '/' ? '_'
							 : plain.data[i]);
	buf_wipe(&plain);
}

bool
oauth2_is_same(struct span a, struct span b)
{
	unsigned char differs = 0;

	if (a.len != b.len)
		return false; /* how long ours is is no secret */
	for (size_t i = 0; i < a.len; i++)
		differs |= (unsigned char)(a.data[i] ^ b.data[i]);
	return differs == 0;
}

/* unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"  (RFC 3986 section 2.3) */
static void
add_encoded(struct buf *out, struct span value)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];
		if (char_is_alnum((char)c) || (c != 0 && strchr("-._~", c))) {
			buf_add_char(out, (char)c);
			continue;
		}
		buf_add_char(out, '%');
		buf_add_char(out, digits[c >> 4]);
		buf_add_char(out, digits[c & 15]);
	}
}

static int
hex_digit(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
oauth2_decode(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		int c = (unsigned char)text.data[i];
		if (c == '+')
			c = ' ';
		if (c == '%') {
			int high =
			    i + 2 < text.len ? hex_digit(text.data[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;
			if (low < 0)
				return false;
			c = high * 16 + low;
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return false;
		buf_add_char(out, (char)c);
	}
	return true;
}

/* ---- forms ---- */

/* An empty value is not said at all. */
static void
add_field(struct buf *out, const char *name, struct span value)
{
	if (value.len == 0)
		return;
	if (out->len > 0 && strchr("?&", out->data[out->len - 1]) == NULL)
		buf_add_char(out, '&');
	buf_addf(out, "%s=", name);
	add_encoded(out, value);
}

static void
add_text(struct buf *out, const char *name, const char *value)
{
	add_field(out, name, span_from_str(value));
}

static void
add_client(struct buf *out, const struct oauth2_client *client)
{
	add_text(out, "client_id", client->id);
	add_field(out, "client_secret", client->secret);
}

static void
add_challenge(struct buf *out, struct span verifier)
{
	unsigned char digest[DIGEST_SIZE];
	BUF_AUTO challenge = BUF_INIT;

	digest_sha256(&verifier, 1, digest);
	oauth2_add_base64url(&challenge, span_from(digest, sizeof(digest)));
	add_field(out, "code_challenge", buf_span(&challenge));
	add_text(out, "code_challenge_method", "S256");
}

void
oauth2_add_authorize_url(struct buf *out, const struct oauth2_client *client,
    const char *redirect_uri, struct span state, struct span verifier)
{
	buf_add_str(out, client->authorize_url);
	buf_add_char(
	    out, strchr(client->authorize_url, '?') != NULL ? '&' : '?');
	add_text(out, "response_type", "code");
	add_text(out, "client_id", client->id);
	add_text(out, "redirect_uri", redirect_uri);
	add_text(out, "scope", client->scope);
	add_field(out, "state", state);
	add_challenge(out, verifier);
	add_text(out, "login_hint", client->user);
	if (client->provider->extra != NULL)
		buf_addf(out, "&%s", client->provider->extra);
}

void
oauth2_add_code_form(struct buf *out, const struct oauth2_client *client,
    const char *redirect_uri, struct span code, struct span verifier)
{
	add_text(out, "grant_type", "authorization_code");
	add_field(out, "code", code);
	add_text(out, "redirect_uri", redirect_uri);
	add_field(out, "code_verifier", verifier);
	add_client(out, client);
}

/* Without a scope: the same as before (RFC 6749 section 6). */
void
oauth2_add_refresh_form(struct buf *out, const struct oauth2_client *client,
    struct span refresh_token)
{
	add_text(out, "grant_type", "refresh_token");
	add_field(out, "refresh_token", refresh_token);
	add_client(out, client);
}

void
oauth2_add_device_form(struct buf *out, const struct oauth2_client *client)
{
	add_client(out, client);
	add_text(out, "scope", client->scope);
}

void
oauth2_add_poll_form(struct buf *out, const struct oauth2_client *client,
    struct span device_code)
{
	add_text(
	    out, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
	add_field(out, "device_code", device_code);
	add_client(out, client);
}
