/* setup: which servers, from the options, the table, or the domain itself. */
#include <stdio.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/preset_words.h"
#include "daemon/control/ctl_setup.h"
#include "daemon/wiring/discovery.h"

/* ---- from the options ---- */

static int
take_provider(struct setup *setup, const char *id)
{
	const char *nearest = presets_nearest(span_from_str(id));
	STR_AUTO hint =
	    nearest != NULL
		? xasprintf("did you mean `%s`?", nearest)
		: xstrdup("`belfryctl providers` lists those that are known");

	setup->preset = presets_find(span_from_str(id));
	if (setup->preset == NULL)
		return ctl_fail(setup->ctl, EX_USAGE, hint,
		    "--provider: there is no such provider");
	setup->provider = xstrdup(setup->preset->id);
	return EX_OK;
}

static void
take_servers(struct setup *setup)
{
	setup->imap = xstrdup(ctl_get(setup->ctl, "imap"));
	setup->smtp = xstrdup(ctl_get(setup->ctl, "smtp"));
}

/* ---- from the domain ---- */

static char *
url_of(const struct discover_server *server, bool is_smtp)
{
	static const struct {
		const char *scheme;
		unsigned port;
	} schemes[2][2] = {
	    {{"imaps", 993}, {"imap", 143}},
	    {{"smtps", 465}, {"submission", 587}},
	};
	bool starttls = server->tls == SERVER_STARTTLS;

	if (server->host == NULL)
		return NULL;
	if (server->port == schemes[is_smtp][starttls].port)
		return xasprintf(
		    "%s://%s", schemes[is_smtp][starttls].scheme, server->host);
	return xasprintf("%s://%s:%u", schemes[is_smtp][starttls].scheme,
	    server->host, server->port);
}

static bool
on_consent(void *ctx, const char *host, const char *url)
{
	struct setup *setup = ctx;
	BUF_AUTO name = BUF_INIT;

	(void)url;
	/* Nobody said yes to another site beforehand. */
	if (!setup->is_terminal)
		return false;
	ctl_add_clean(&name, host, CTL_CELL_MAX);
	STR_AUTO question =
	    xasprintf("Its domain sends on to %s for the servers. Ask there?",
		buf_str(&name));
	return setup_agree(setup, question, false);
}

static struct discover *
discover(struct setup *setup, bool ask_list, struct error *error_r)
{
	const struct discovery_config config = {
	    .address = setup->email,
	    .ca_file = ctl_get(setup->ctl, "ca-file"),
	    .ask_list = ask_list,
	    .consent = on_consent,
	    .ctx = setup,
	};

	return discovery_run(&config, error_r);
}

static bool
is_found(const struct discover *found)
{
	const struct discover_result *result = discover_result(found);

	return result->preset != NULL || result->imap.host != NULL;
}

/* Once more with the list that knows many, if the person wants that. */
static bool
wants_list(struct setup *setup, const struct discover *found)
{
	return !is_found(found) && !discover_result(found)->is_stopped &&
	       setup->is_terminal && !ctl_has(setup->ctl, "ask-list") &&
	       !ctl_has(setup->ctl, "yes") &&
	       setup_agree(setup,
		   "Nothing found. Ask Thunderbird's list of providers? It is "
		   "told the domain, not the address.",
		   false);
}

static void
add_notes(struct setup *setup, const struct discover_result *result)
{
	/* The last one is the error then. */
	for (size_t i = 0; i + result->is_stopped < result->notes.len; i++)
		setup_say(setup, "  %s", result->notes.items[i]);
}

static int
fail_nothing(struct setup *setup, const struct discover_result *result)
{
	add_notes(setup, result);
	if (result->is_stopped)
		return ctl_fail(setup->ctl, EX_UNAVAILABLE,
		    "is this machine online? Then run this again; or name the "
		    "servers: --imap imaps://HOST --smtp smtps://HOST",
		    "%s", result->notes.items[result->notes.len - 1]);
	return ctl_fail(setup->ctl, EX_UNAVAILABLE,
	    "name them: --imap imaps://HOST --smtp smtps://HOST; who runs the "
	    "mail of the domain can tell which",
	    "no mail servers were found for %s", result->domain);
}

static void
take_found(struct setup *setup, const struct discover_result *result)
{
	if (result->preset != NULL) {
		setup->preset = result->preset;
		if (result->source != DISCOVERED_DOMAIN)
			setup->provider = xstrdup(result->preset->id);
		setup->found_by = xstrdup(discover_source_name(result->source));
		return;
	}
	setup->imap = url_of(&result->imap, false);
	setup->smtp = url_of(&result->smtp, true);
	setup->user = xstrdup(result->imap.user);
	setup->wants_token = result->imap.wants_oauth;
	setup->found_by = xstrdup(discover_source_name(result->imap.source));
}

/* --yes is no word about hosts that nobody has seen yet. */
static int
fail_elsewhere(struct setup *setup, const struct discover_result *result)
{
	STR_AUTO hint = xasprintf(
	    "if you know them and trust them, name them: --imap %s%s%s%s%s",
	    setup->imap, setup->smtp != NULL ? " --smtp " : "",
	    setup->smtp != NULL ? setup->smtp : "",
	    setup->user != NULL ? " --user " : "",
	    setup->user != NULL ? setup->user : "");

	return ctl_fail(setup->ctl, EX_USAGE, hint,
	    "%s names servers of somebody else, and nobody is here to say "
	    "whether they are right: nothing was written",
	    result->domain);
}

/* Of servers that the domain named; a preset's are those of the table. */
static int
confirm(struct setup *setup, const struct discover_result *result)
{
	bool is_elsewhere =
	    result->preset == NULL &&
	    (result->imap.is_elsewhere || result->smtp.is_elsewhere);

	if (is_elsewhere)
		setup_say(setup, "Not all of these are hosts of %s itself.",
		    result->domain);
	if (is_elsewhere && (!setup->is_terminal || ctl_has(setup->ctl, "yes")))
		return fail_elsewhere(setup, result);
	STR_AUTO question =
	    xasprintf("Fetch the mail of %s from there?", setup->email);
	return setup_agree(setup, question, !is_elsewhere)
		   ? EX_OK
		   : ctl_fail(setup->ctl, EX_CANTCREAT,
			 "name others with --imap and --smtp",
			 "nothing was written");
}

/* "IMAP imap.example.org:993 (TLS), SMTP ..." */
static void
tell_preset(struct setup *setup)
{
	BUF_AUTO out = BUF_INIT;
	const struct preset *preset = setup->preset;

	buf_addf(&out, "%s", preset->name);
	if (setup->provider != NULL && setup->found_by != NULL)
		buf_addf(&out, " (by %s)", setup->found_by);
	buf_add_str(&out, ": IMAP ");
	preset_add_server(&out, &preset->imap);
	buf_add_str(&out, ", SMTP ");
	preset_add_server(&out, &preset->smtp);
	setup_say(setup, "%s.", buf_str(&out));
}

static void
tell_servers(struct setup *setup)
{
	if (setup->preset != NULL && setup->imap == NULL)
		tell_preset(setup);
	else
		setup_say(setup, "Servers%s%s: %s, %s.",
		    setup->found_by != NULL ? " by " : "",
		    setup->found_by != NULL ? setup->found_by : "", setup->imap,
		    setup->smtp != NULL ? setup->smtp
					: "none for sending (so no forwards)");
}

static int
ask_domain(struct setup *setup)
{
	struct error error = ERROR_INIT;
	struct discover *found;
	int code = EX_OK;

	setup_say(setup, "Looking for the mail servers of %s ...",
	    strrchr(setup->email, '@') + 1);
	found = discover(setup, ctl_has(setup->ctl, "ask-list"), &error);
	if (found != NULL && wants_list(setup, found)) {
		discover_free(&found);
		found = discover(setup, true, &error);
	}
	if (found == NULL)
		return ctl_fail(setup->ctl, EX_USAGE, NULL, "%s", error.text);
	if (!is_found(found)) {
		code = fail_nothing(setup, discover_result(found));
	} else {
		take_found(setup, discover_result(found));
		tell_servers(setup);
		code = confirm(setup, discover_result(found));
	}
	discover_free(&found);
	return code;
}

static int
refuse(struct setup *setup)
{
	return ctl_fail(setup->ctl, EX_UNAVAILABLE,
	    "with a server of your own behind it, name that with --imap",
	    "%s cannot be used: %s", setup->preset->name,
	    setup->preset->refusal);
}

int
setup_find(struct setup *setup)
{
	const char *at = strrchr(setup->email, '@');
	const char *provider = ctl_get(setup->ctl, "provider");
	int code = EX_OK;

	take_servers(setup);
	if (provider != NULL)
		code = take_provider(setup, provider);
	else if (setup->imap == NULL && setup->old != NULL) {
		setup->keeps_servers = true;
		setup->preset = setup->old->preset;
		return EX_OK;
	} else if (setup->imap == NULL)
		setup->preset = presets_find_domain(span_from_str(at + 1));
	if (code != EX_OK)
		return code;
	if (setup->preset != NULL && setup->preset->refusal != NULL)
		return refuse(setup);
	if (setup->preset == NULL && setup->imap == NULL)
		return ask_domain(setup);
	tell_servers(setup);
	return EX_OK;
}
