/*
 * The texts of the tables, filled with what is known.
 *
 *   text  = *( char / word / group )
 *   word  = "${" name "}"
 *   group = "{" *( char / word ) "}"    left out when a word of it is unknown
 *
 * A word that is unknown outside of a group becomes nothing.
 */
#include <assert.h>
#include <inttypes.h>

#include "daemon/base/usec.h"
#include "daemon/doctor/doctor_private.h"

/* Appends the word; nothing when it is not known. */
typedef void add_fn(struct buf *buf, const struct doctor_facts *facts);

static void
add_known(struct buf *buf, const char *text)
{
	if (text != NULL)
		buf_add_str(buf, text);
}

#define ADD_FACT(member)                                                       \
	static void add_##member(                                              \
	    struct buf *buf, const struct doctor_facts *facts)                 \
	{                                                                      \
		add_known(buf, facts->member);                                 \
	}
#define ADD_PRESET(member)                                                     \
	static void add_##member(                                              \
	    struct buf *buf, const struct doctor_facts *facts)                 \
	{                                                                      \
		if (facts->preset != NULL)                                     \
			add_known(buf, facts->preset->member);                 \
	}
#define ADD_PROVIDER(member)                                                   \
	static void add_##member(                                              \
	    struct buf *buf, const struct doctor_facts *facts)                 \
	{                                                                      \
		const struct doctor_provider *provider =                       \
		    doctor_provider_of(facts->preset);                         \
		if (provider != NULL)                                          \
			add_known(buf, provider->member);                      \
	}

ADD_FACT(account)
ADD_FACT(email)
ADD_FACT(user)
ADD_FACT(other_user)
ADD_FACT(host)
ADD_FACT(text)
ADD_FACT(issuer)
ADD_FACT(names)
ADD_FACT(pin)
ADD_FACT(command)
ADD_FACT(mailbox)
ADD_FACT(nearest)
ADD_FACT(offered)
ADD_FACT(receiver)
ADD_FACT(rule)
ADD_FACT(sender)
ADD_PRESET(help)
ADD_PRESET(enable)
ADD_PRESET(refusal)
ADD_PROVIDER(own)
ADD_PROVIDER(wanted)
ADD_PROVIDER(likeness)

/* "an app password" */
static void
add_a_wanted(struct buf *buf, const struct doctor_facts *facts)
{
	const struct doctor_provider *provider =
	    doctor_provider_of(facts->preset);

	if (provider == NULL || provider->wanted == NULL)
		return;
	buf_addf(buf, "%s %s",
	    strchr("aeiou", provider->wanted[0]) != NULL ? "an" : "a",
	    provider->wanted);
}

static void
add_said(struct buf *buf, const struct doctor_facts *facts)
{
	add_known(buf, facts->said != NULL ? facts->said : facts->text);
}

/* "iCloud", else the preset's full name. */
static void
add_provider(struct buf *buf, const struct doctor_facts *facts)
{
	const struct doctor_provider *provider =
	    doctor_provider_of(facts->preset);

	if (provider != NULL)
		buf_add_str(buf, provider->name);
	else if (facts->preset != NULL)
		buf_add_str(buf, facts->preset->name);
}

static void
add_port(struct buf *buf, const struct doctor_facts *facts)
{
	if (facts->port != 0)
		buf_addf(buf, "%u", facts->port);
}

/* The key of the configuration. */
static void
add_key(struct buf *buf, const struct doctor_facts *facts)
{
	buf_add_str(buf, doctor_place_name(facts->place));
}

static void
add_preset_host(struct buf *buf, const struct doctor_facts *facts)
{
	if (facts->preset != NULL)
		add_known(buf, facts->place == DOCTOR_SMTP
				   ? facts->preset->smtp.host
				   : facts->preset->imap.host);
}

/* Ways to a server as the configuration writes them, with the port where it
 * is not the usual one. */
static void
add_way(struct buf *buf, const struct doctor_facts *facts, bool by_tls)
{
	static const struct {
		const char *scheme;
		unsigned port;
	} ways[DOCTOR_PLACES][2] = {
	    [DOCTOR_IMAP] = {{"imap", 143}, {"imaps", 993}},
	    [DOCTOR_SMTP] = {{"submission", 587}, {"smtps", 465}},
	};

	if (facts->place == DOCTOR_HERE || facts->host == NULL)
		return;
	buf_addf(
	    buf, "%s://%s", ways[facts->place][by_tls].scheme, facts->host);
	if (facts->port != ways[facts->place][by_tls].port)
		buf_addf(buf, ":%u", facts->port);
}

static void
add_tls_way(struct buf *buf, const struct doctor_facts *facts)
{
	add_way(buf, facts, true);
}

static void
add_clear_way(struct buf *buf, const struct doctor_facts *facts)
{
	add_way(buf, facts, false);
}

/* The same host at the usual ports. */
static void
add_usual_ways(struct buf *buf, const struct doctor_facts *facts)
{
	if (facts->place == DOCTOR_SMTP)
		buf_addf(buf,
		    "smtps://%s (port 465) or submission://%s (port 587)",
		    facts->host, facts->host);
	else
		buf_addf(buf, "imaps://%s (port 993) or imap://%s (port 143)",
		    facts->host, facts->host);
}

static void
add_time(struct buf *buf, int64_t unix_seconds)
{
	struct unix_parts parts;

	if (unix_seconds == 0)
		return;
	unix_split(unix_seconds, &parts);
	buf_addf(buf, "%04d-%02d-%02d %02d:%02d UTC", parts.year, parts.month,
	    parts.day, parts.hour, parts.minute);
}

static void
add_from(struct buf *buf, const struct doctor_facts *facts)
{
	add_time(buf, facts->from_unix);
}

static void
add_until(struct buf *buf, const struct doctor_facts *facts)
{
	add_time(buf, facts->until_unix);
}

static void
add_now(struct buf *buf, const struct doctor_facts *facts)
{
	add_time(buf, facts->now_unix);
}

/* "3 h 20 min", whichever way. */
static void
add_skew(struct buf *buf, const struct doctor_facts *facts)
{
	int64_t seconds =
	    facts->skew_sec < 0 ? -facts->skew_sec : facts->skew_sec;

	if (seconds >= 2 * 24 * 60 * 60)
		buf_addf(buf, "%" PRId64 " days", seconds / (24 * 60 * 60));
	else if (seconds > 0)
		usec_format(buf, (usec_t)seconds * USEC_SEC);
}

static void
add_again(struct buf *buf, const struct doctor_facts *facts)
{
	if (facts->is_throwaway)
		buf_add_str(buf, "run `belfryctl setup` again");
	else
		buf_addf(buf, "run `belfryctl doctor %s` again",
		    facts->account != NULL ? facts->account : "");
}

static void
add_sign_in(struct buf *buf, const struct doctor_facts *facts)
{
	if (facts->signs_in)
		buf_addf(buf, "Run `belfryctl login %s`",
		    facts->account != NULL ? facts->account : "");
	else
		buf_add_str(buf,
		    "Sign in again with the program behind `token_command` "
		    "(`oama authorize`, `pizauth refresh`, `mutt_oauth2.py "
		    "--authorize`)");
}

static void
add_voice(struct buf *buf, const struct doctor_facts *facts)
{
	static const char *const words[] = {
	    [VOICE_IMAP] = "an IMAP server (for reading mail)",
	    [VOICE_SMTP] = "an SMTP server (for sending mail)",
	    [VOICE_POP3] = "a POP3 server (the old way to fetch mail)",
	    [VOICE_HTTP] = "a web server",
	    [VOICE_SSH] = "an SSH server",
	    [VOICE_TLS] = "a server that wants encryption at once",
	};

	_Static_assert(
	    sizeof(words) / sizeof(words[0]) == VOICES, "one for each");
	add_known(buf, words[facts->voice]);
}

static const struct {
	const char *name;
	add_fn *add;
} words[] = {
    {"a-wanted", add_a_wanted},
    {"account", add_account},
    {"again", add_again},
    {"clear-way", add_clear_way},
    {"command", add_command},
    {"email", add_email},
    {"enable", add_enable},
    {"from", add_from},
    {"help", add_help},
    {"host", add_host},
    {"issuer", add_issuer},
    {"key", add_key},
    {"likeness", add_likeness},
    {"mailbox", add_mailbox},
    {"names", add_names},
    {"nearest", add_nearest},
    {"now", add_now},
    {"offered", add_offered},
    {"other-user", add_other_user},
    {"own", add_own},
    {"pin", add_pin},
    {"port", add_port},
    {"preset-host", add_preset_host},
    {"provider", add_provider},
    {"receiver", add_receiver},
    {"refusal", add_refusal},
    {"rule", add_rule},
    {"said", add_said},
    {"sender", add_sender},
    {"sign-in", add_sign_in},
    {"skew", add_skew},
    {"text", add_text},
    {"tls-way", add_tls_way},
    {"until", add_until},
    {"user", add_user},
    {"usual-ways", add_usual_ways},
    {"voice", add_voice},
    {"wanted", add_wanted},
};

/* True: it was known. */
static bool
add_word(struct buf *buf, struct span name, const struct doctor_facts *facts)
{
	size_t before = buf->len;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!span_is(name, words[i].name))
			continue;
		words[i].add(buf, facts);
		return buf->len > before;
	}
	assert(false); /* a table has a word that there is not */
	return false;
}

static struct span
take_name(struct span *rest)
{
	struct span name;

	*rest = span_skip(*rest, 2);
	name = span_slice(*rest, 0, span_find(*rest, '}'));
	*rest = span_skip(*rest, name.len + 1);
	return name;
}

char *
doctor_fill(const char *text, const struct doctor_facts *facts)
{
	struct span rest = span_from_str(text);
	struct buf out = BUF_INIT;
	size_t group = 0; /* where it began */
	bool is_known = true;

	while (rest.len > 0) {
		if (span_starts(rest, "${")) {
			is_known &= add_word(&out, take_name(&rest), facts);
			continue;
		}
		if (*rest.data == '{') {
			group = out.len;
			is_known = true;
		} else if (*rest.data == '}') {
			if (!is_known)
				buf_truncate(&out, group);
		} else {
			buf_add_char(&out, *rest.data);
		}
		rest = span_skip(rest, 1);
	}
	while (out.len > 0 && out.data[out.len - 1] == ' ')
		buf_truncate(&out, out.len - 1);
	if (out.len > 0)
		return buf_take_str(&out);
	buf_done(&out);
	return NULL;
}
