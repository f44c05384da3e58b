#include "daemon/config/preset_words.h"

#define ANY_PASSWORD (PRESET_PASSWORD | PRESET_APP_PASSWORD)

/* By what the provider takes, the narrower first. */
static const struct {
	unsigned auth;
	const char *before, *where, *after;
} sentences[] = {
    {PRESET_OAUTH2, "It takes no passwords, only OAuth2 tokens", "; see ", ""},
    {PRESET_APP_PASSWORD,
	"It wants an app-specific password, not the one of your account",
	"; make one at ", ""},
    {PRESET_PASSWORD, "It wants the password of your account", "; see ", ""},
    {ANY_PASSWORD,
	"It wants the password of your account or, where two-factor login is "
	"on, an app-specific one",
	": ", ""},
    {PRESET_APP_PASSWORD | PRESET_OAUTH2,
	"It wants an app-specific password, not the one of your account",
	" (make one at ", "), or OAuth2 tokens"},
    {PRESET_PASSWORD | PRESET_OAUTH2, "It wants the password of your account",
	" (see ", "), or OAuth2 tokens"},
};

void
preset_add_password_words(struct buf *buf, const struct preset *preset)
{
	if (preset == NULL) {
		buf_add_str(buf, "It wants the password of your mailbox.");
		return;
	}
	if ((preset->quirks & QUIRK_SELF_SIGNED) != 0) {
		buf_add_str(buf, "It wants the password that the bridge shows "
				 "for the mailbox, not the one of your "
				 "account.");
		return;
	}
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		if (sentences[i].auth != preset->auth)
			continue;
		buf_add_str(buf, sentences[i].before);
		if (preset->help != NULL)
			buf_addf(buf, "%s%s%s", sentences[i].where,
			    preset->help, sentences[i].after);
		else if (*sentences[i].after == ')')
			buf_add_str(buf, sentences[i].after + 1);
		/* A full stop would become a part of the address. */
		if (preset->help == NULL || *sentences[i].after != '\0')
			buf_add_char(buf, '.');
	}
}

const char *
server_tls_name(enum server_tls tls)
{
	static const char *const names[] = {
	    [SERVER_TLS] = "TLS",
	    [SERVER_STARTTLS] = "STARTTLS",
	    [SERVER_PLAINTEXT] = "in clear",
	};

	return names[tls];
}

void
preset_add_server(struct buf *buf, const struct preset_server *server)
{
	buf_addf(buf, "%s:%u (%s)", server->host, server->port,
	    server_tls_name(server->tls));
}
