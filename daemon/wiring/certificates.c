/*
 * Certificates that end soon. Each is looked at when a connection is made, and
 * from time to time after that, as connections live for weeks. The person is
 * told once of each, also across restarts; `status` goes on saying it.
 */
#include <inttypes.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"

#define SECONDS_OF_DAY (24 * 60 * 60)

/* The fact: when the certificate ends of which the person was told. */
static const char *const facts[CERTIFICATES] = {
    [CERTIFICATE_IMAP] = "certificate-imap",
    [CERTIFICATE_SMTP] = "certificate-smtp",
    [CERTIFICATE_OWN] = "certificate-own",
};

/* The server's host, or the file of one's own. */
static const char *
place_of(const struct running_account *account, int which)
{
	if (which == CERTIFICATE_OWN)
		return account->config->tls_cert;
	return which == CERTIFICATE_SMTP ? account->config->smtp.host
					 : account->config->imap.host;
}

/* ---- told once ---- */

static bool
was_told(const struct running_account *account, int which, int64_t until_unix)
{
	STR_AUTO value = NULL;
	STR_AUTO wanted = xasprintf("%" PRId64, until_unix);

	return store_get_fact(account->belfry->store, account->config->name,
		   facts[which], &value, NULL) &&
	       value != NULL && strcmp(value, wanted) == 0;
}

static void
remember(struct running_account *account, int which, int64_t until_unix)
{
	struct store_batch *batch = store_batch_new();
	STR_AUTO value = xasprintf("%" PRId64, until_unix);

	store_batch_set_fact(batch, account->config->name, facts[which], value);
	journal_note(account->belfry->journal, batch);
}

static void
add_words(struct buf *out, const struct running_account *account, int which)
{
	int64_t until_unix = account->certificates[which].until_unix;
	bool is_own = which == CERTIFICATE_OWN;
	int64_t days = (until_unix - loop_now_unix()) / SECONDS_OF_DAY;
	BUF_AUTO until = BUF_INIT;

	unix_format(&until, until_unix);
	if (until_unix <= loop_now_unix())
		buf_addf(out, "%s %s ended on %.10s",
		    is_own ? "your certificate" : "the certificate of",
		    place_of(account, which), buf_str(&until));
	else
		buf_addf(out, "%s %s ends on %.10s, in %" PRId64 " day%s; %s",
		    is_own ? "your certificate" : "the certificate of",
		    place_of(account, which), buf_str(&until), days,
		    days == 1 ? "" : "s",
		    is_own ? "ask who gave it to you for a new one"
			   : "who runs the server must renew it");
}

static void
tell(struct running_account *account, int which)
{
	struct certificate *certificate = &account->certificates[which];
	STR_AUTO title = xasprintf(
	    "Belfry: a certificate of %s ends soon", account->config->name);
	BUF_AUTO words = BUF_INIT;

	certificate->told_unix = certificate->until_unix;
	if (was_told(account, which, certificate->until_unix))
		return;
	add_words(&words, account, which);
	report_note(account->belfry, true, "certificate", account->config->name,
	    "%s", buf_str(&words));
	notify_say(account->belfry, account->config->name, URGENCY_NORMAL,
	    title, buf_str(&words));
	if (!account->belfry->dry_run)
		remember(account, which, certificate->until_unix);
}

/* ---- looking ---- */

static bool
is_ending(const struct certificate *certificate)
{
	return certificate->until_unix != 0 &&
	       tls_ends_soon(certificate->from_unix, certificate->until_unix,
		   loop_now_unix());
}

static void
look(struct running_account *account, int which)
{
	const struct certificate *certificate = &account->certificates[which];

	if (is_ending(certificate) &&
	    certificate->told_unix != certificate->until_unix)
		tell(account, which);
}

void
certificates_look_at_own(struct running_account *account)
{
	struct certificate *certificate =
	    &account->certificates[CERTIFICATE_OWN];

	if (account->config->tls_cert == NULL)
		return;
	tls_get_own_validity(
	    account->tls, &certificate->from_unix, &certificate->until_unix);
	look(account, CERTIFICATE_OWN);
}

void
certificates_seen(struct running_account *account,
    const struct config_server *server, const struct tls_session *tls)
{
	int which = server == &account->config->smtp ? CERTIFICATE_SMTP
						     : CERTIFICATE_IMAP;
	struct certificate *certificate = &account->certificates[which];

	tls_get_validity(
	    tls, &certificate->from_unix, &certificate->until_unix);
	look(account, which);
	certificates_look_at_own(account);
}

void
certificates_tidy(struct belfry *belfry)
{
	LIST_EACH(pos, &belfry->accounts)
	for (int which = 0; which < CERTIFICATES; which++)
		look(LIST_ITEM(pos, struct running_account, link), which);
}

struct json *
certificates_status(const struct running_account *account)
{
	struct json *list = json_new_array();

	for (int which = 0; which < CERTIFICATES; which++) {
		const struct certificate *certificate =
		    &account->certificates[which];
		struct json *json;
		BUF_AUTO words = BUF_INIT;
		if (certificate->until_unix == 0)
			continue;
		json = json_new_object();
		json_set_str(json, "server", place_of(account, which));
		json_set_time(json, "until", certificate->until_unix);
		if (is_ending(certificate))
			add_words(&words, account, which);
		json_set_str(
		    json, "warning", words.len > 0 ? buf_str(&words) : NULL);
		json_add(list, json);
	}
	return list;
}
