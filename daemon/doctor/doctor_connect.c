/*
 * Causes on the way to the server: its name, the connection, encryption, and
 * who answers there.
 */
#include "daemon/base/str.h"
#include "daemon/doctor/doctor_private.h"

/* ---- conditions ---- */

/* Known servers, and these are not among them. */
static bool
has_other_host(const struct doctor_facts *facts)
{
	const char *known;

	if (facts->preset == NULL || facts->host == NULL)
		return false;
	known = facts->place == DOCTOR_SMTP ? facts->preset->smtp.host
					    : facts->preset->imap.host;
	return known != NULL && strcmp(known, facts->host) != 0;
}

/* The provider's own server, of the world, and no bridge here. */
static bool
is_known_host(const struct doctor_facts *facts)
{
	return facts->preset != NULL && !has_other_host(facts) &&
	       (facts->preset->quirks & QUIRK_SELF_SIGNED) == 0;
}

/* The part of the address behind the @. */
static bool
is_bare_domain(const struct doctor_facts *facts)
{
	const char *at =
	    facts->email != NULL ? strrchr(facts->email, '@') : NULL;

	return at != NULL && facts->host != NULL &&
	       span_equal_nocase(
		   span_from_str(at + 1), span_from_str(facts->host));
}

static bool
is_offered(const struct doctor_facts *facts)
{
	return facts->offered != NULL;
}

static bool
is_loopback(const struct doctor_facts *facts)
{
	return facts->is_loopback;
}

static bool
is_bridge(const struct doctor_facts *facts)
{
	return facts->is_loopback && facts->preset != NULL &&
	       (facts->preset->quirks & QUIRK_SELF_SIGNED) != 0;
}

static bool
is_port_25(const struct doctor_facts *facts)
{
	return facts->port == 25;
}

/* Another protocol than the one that was meant. */
static bool
is_foreign_voice(const struct doctor_facts *facts)
{
	enum doctor_voice meant =
	    facts->place == DOCTOR_SMTP ? VOICE_SMTP : VOICE_IMAP;

	return facts->voice >= VOICE_IMAP && facts->voice <= VOICE_SSH &&
	       facts->voice != meant;
}

/* The right protocol, in clear, where TLS was meant. */
static bool
is_clear_voice(const struct doctor_facts *facts)
{
	return facts->tls == SERVER_TLS &&
	       facts->voice ==
		   (facts->place == DOCTOR_SMTP ? VOICE_SMTP : VOICE_IMAP);
}

static bool
is_tls_voice(const struct doctor_facts *facts)
{
	return facts->tls != SERVER_TLS && facts->voice == VOICE_TLS;
}

/* A hotel's or a train's network: the name of a big provider, and somebody
 * else behind it. */
static bool
is_portal(const struct doctor_facts *facts)
{
	return is_known_host(facts) &&
	       (facts->is_private || facts->voice == VOICE_HTTP ||
		   facts->flaw == FLAW_WRONG_NAME);
}

#define IS_FLAW(name, value)                                                   \
	static bool name(const struct doctor_facts *facts)                     \
	{                                                                      \
		return facts->flaw == (value);                                 \
	}
IS_FLAW(is_wrong_name, FLAW_WRONG_NAME)
/* Which is told of in the same words. */
static bool
is_no_token_file(const struct doctor_facts *facts)
{
	return !facts->signs_in;
}

IS_FLAW(is_expired, FLAW_EXPIRED)
IS_FLAW(is_early, FLAW_NOT_YET_VALID)
IS_FLAW(is_wrong_pin, FLAW_WRONG_PIN)
IS_FLAW(is_other_flaw, FLAW_OTHER)

static bool
is_unknown_issuer(const struct doctor_facts *facts)
{
	return facts->flaw == FLAW_SELF_SIGNED ||
	       facts->flaw == FLAW_UNKNOWN_ISSUER;
}

static bool
is_intercepted(const struct doctor_facts *facts)
{
	return is_unknown_issuer(facts) && is_known_host(facts);
}

static bool
is_self_signed_here(const struct doctor_facts *facts)
{
	return facts->is_loopback && !is_known_host(facts) &&
	       facts->pin != NULL &&
	       (is_unknown_issuer(facts) || facts->flaw == FLAW_WRONG_NAME ||
		   facts->flaw == FLAW_EXPIRED);
}

static bool
is_silent(const struct doctor_facts *facts)
{
	return facts->voice == VOICE_SILENT;
}

static bool
has_no_voice(const struct doctor_facts *facts)
{
	return facts->tls == SERVER_TLS && facts->fault == FAULT_PEER &&
	       facts->flaw == FLAW_NONE;
}

/* ---- the table ---- */

#define NAME STEP(DOCTOR_NAME)
#define LINK STEP(DOCTOR_CONNECTION)
#define CRYPT STEP(DOCTOR_ENCRYPTION)
/* Where the own certificate is looked at, and where it is taken. */
#define CERT (CRYPT | STEP(DOCTOR_SECRET))
#define HELLO STEP(DOCTOR_GREETING)
#define OFFER STEP(DOCTOR_CAPABILITIES)
#define IMAP PLACE(DOCTOR_IMAP)
#define SMTP PLACE(DOCTOR_SMTP)

/* clang-format off */
const struct doctor_row doctor_connect_rows[] = {
	/* ---- the name ---- */
	{"name-misspelt", NAME, ANY_PLACE,
	    "no such host|no address|character that no host name has",
	    has_other_host,
	    "There is no server called ${host}. The server of ${provider} is "
	    "called ${preset-host}.",
	    "Take the line `${key} = ...` out of the account: without it "
	    "Belfry uses ${preset-host}. Then ${again}.", NULL, false},
	{"name-offered", NAME, ANY_PLACE, "no such host|no address",
	    is_offered,
	    "There is no server called ${host}. The domain of your address "
	    "names another one itself: ${offered}.",
	    "Write `${key} = ${offered}`, if that is your provider's. Then "
	    "${again}.", NULL, false},
	{"name-hidden", NAME, ANY_PLACE, "no such host|no address",
	    is_known_host,
	    "${host} is the right server of ${provider}, and this machine "
	    "cannot find it.",
	    "Is this machine online? `getent hosts ${host}` should print an "
	    "address. If web pages open and this does not, a VPN, a filter or "
	    "the name server in /etc/resolv.conf may hide it. Then ${again}.",
	    NULL, false},
	{"name-only-domain", NAME, ANY_PLACE, "no such host|no address",
	    is_bare_domain,
	    "${host} is the domain of your address, but there is no server of "
	    "that name.{ Its mail is received by ${receiver}.}",
	    "Name the mail server itself in `${key} = ...`: often "
	    "${key}.${host} or mail.${host}; your provider's help page says "
	    "which.", NULL, false},
	{"name-unknown", NAME, ANY_PLACE, "no such host|no address", NULL,
	    "There is no server called ${host}.{ Mail for your address is "
	    "received by ${receiver}.}",
	    "Look for a spelling mistake in `${key} = ...`, and at your "
	    "provider's help page for the right name. Then ${again}.",
	    NULL, false},
	{"name-odd", NAME, ANY_PLACE, "character that no host name has", NULL,
	    "${host} cannot be the name of a server.",
	    "Write the bare name in `${key} = ...`, as mail.example.org; "
	    "international names in their xn-- form.", NULL, false},
	{"name-service-failing", NAME, ANY_PLACE, NULL, NULL,
	    "The name server that this machine asks did not answer, so that "
	    "nobody knows where ${host} is.",
	    "Is this machine online? `getent hosts ${host}` should print an "
	    "address. If web pages open and this does not, a VPN or "
	    "/etc/resolv.conf may be the reason.", NULL, false},

	/* ---- the connection ---- */
	{"bridge-not-running", LINK, ANY_PLACE, "refused", is_bridge,
	    "${provider} does not run on this machine: nothing listens on "
	    "port ${port}.",
	    "Start it and log in there, compare its port with `${key} = ...`, "
	    "then ${again}.", NULL, false},
	{"refused-here", LINK, ANY_PLACE, "refused", is_loopback,
	    "Nothing listens on port ${port} of this machine.",
	    "Start the program that should, or correct the port in "
	    "`${key} = ...`.", NULL, false},
	{"port-25-closed", LINK, SMTP, NULL, is_port_25,
	    "Port 25 is for mail between servers, and most networks close it.",
	    "Send over the port for people: write `smtp = ...` with "
	    "${usual-ways}.", NULL, false},
	{"refused", LINK, ANY_PLACE, "refused", NULL,
	    "${host} is there, and refuses connections on port ${port}: the "
	    "port is wrong, the server is being restarted, or a firewall "
	    "forbids it.",
	    "Is the port right? Usual are ${usual-ways}. If it is, try again "
	    "in a few minutes.", NULL, false},
	{"unreachable", LINK, ANY_PLACE,
	    "unreachable|no route|address family not supported|cannot assign",
	    NULL,
	    "There is no way from this machine to ${host}: it is offline, or "
	    "a firewall or VPN forbids it.",
	    "Connect to a network (or leave the VPN), then ${again}.",
	    NULL, false},
	{"forbidden-here", LINK, ANY_PLACE, "not permitted|permission denied",
	    NULL,
	    "A firewall of this machine itself forbids connections to ${host} "
	    "port ${port}.",
	    "Allow them for belfryd and belfryctl, then ${again}.",
	    NULL, false},
	{"no-answer", LINK, ANY_PLACE, NULL, NULL,
	    "${host} does not answer on port ${port}: a firewall between here "
	    "and there swallows the connection, or the server is down.",
	    "Try from another network, as a phone's: if it works there, the "
	    "network here blocks port ${port}. Usual ports are "
	    "${usual-ways}.", NULL, false},

	/* ---- who answers ---- */
	{"portal", CRYPT | HELLO, ANY_PLACE, NULL, is_portal,
	    "Somebody else answers in the name of ${host}: most likely the "
	    "network that you are in (hotel, train, guest Wi-Fi) wants you to "
	    "log in on a web page first.",
	    "Open any web page in a browser, log in there, then ${again}. "
	    "Your password was not sent.", NULL, false},
	/* ---- the certificate of one's own ---- */
	{"own-certificate-wanted", CRYPT | HELLO, ANY_PLACE,
	    "set tls_cert and tls_key", NULL,
	    "${host} lets only those in who show a certificate that it knows, "
	    "and the account has none.",
	    "Ask who runs ${host} for one, and write `tls_cert = FILE` and "
	    "`tls_key = FILE` into the account. Then ${again}.", NULL, false},
	{"own-certificate-refused", CRYPT | HELLO, ANY_PLACE,
	    "refuses the certificate in tls_cert", NULL,
	    "${text}.",
	    "Ask who runs ${host} for a certificate that it takes, and put "
	    "it and its key in place of the files of `tls_cert` and "
	    "`tls_key`. Then `belfryctl reload`, and ${again}.", NULL, false},
	{"own-key-open", CERT, ANY_PLACE, "can be read or written by others",
	    is_no_token_file,
	    "The private key of your certificate is not private: ${text}. "
	    "Belfry does not use it.",
	    "If nobody else can have read it: `chmod 600` that file, then "
	    "${again}. If somebody can, have a new certificate made.",
	    NULL, false},
	{"own-certificate-ended", STEP(DOCTOR_SECRET), ANY_PLACE, "own certificate ended",
	    NULL,
	    "Your certificate ended at ${until}; this machine's clock says "
	    "${now}.",
	    "Have a new one made, and put it and its key in place of the "
	    "files of `tls_cert` and `tls_key`. Then `belfryctl reload`, and "
	    "${again}.", NULL, false},
	{"own-certificate-ends-soon", STEP(DOCTOR_SECRET), ANY_PLACE,
	    "own certificate ends soon", NULL,
	    "Your certificate ends at ${until}.",
	    "Have a new one made before, and put it and its key in place of "
	    "the files of `tls_cert` and `tls_key`; then `belfryctl reload`.",
	    NULL, true},
	{"own-certificate-unusable", CERT, ANY_PLACE, "tls_cert|tls_key", NULL,
	    "Your certificate cannot be used: ${text}.",
	    "Correct `tls_cert` and `tls_key` in the account, or those files. "
	    "Then ${again}.", NULL, false},

	/* ---- encryption, where it is not meant ---- */
	{"wrong-protocol", CRYPT | HELLO, ANY_PLACE, NULL, is_foreign_voice,
	    "On port ${port} of ${host} answers ${voice}: the port or the "
	    "host is the wrong one.",
	    "Write `${key} = ...` with ${usual-ways}{; ${provider} has "
	    "${preset-host}}.", NULL, false},
	{"tls-on-starttls-port", CRYPT, ANY_PLACE, NULL, is_clear_voice,
	    "Port ${port} of ${host} begins without encryption and switches "
	    "to it later (STARTTLS); the configuration wants it at once.",
	    "Write `${key} = ${clear-way}`. Encryption is still required "
	    "then.", NULL, false},
	{"starttls-on-tls-port", HELLO | CRYPT, ANY_PLACE, NULL, is_tls_voice,
	    "Port ${port} of ${host} wants encryption from the first byte, "
	    "and the configuration begins without.",
	    "Write `${key} = ${tls-way}`.", NULL, false},

	/* ---- certificates ---- */
	{"pin-missing", CRYPT, SMTP, NULL, is_wrong_pin,
	    "`tls_pin` holds for both servers of the account, and the key of "
	    "the one for sending is not in it. Or somebody stands between "
	    "you and the server.",
	    "If ${host} is the right server and was well before: put this "
	    "key behind the other in `tls_pin`, with a comma between. Then "
	    "${again}.",
	    "tls_pin = ${pin}", false},
	{"pin-changed", CRYPT, ANY_PLACE, NULL, is_wrong_pin,
	    "The server's key is not the one in `tls_pin`. Either it was "
	    "renewed, or somebody stands between you and the server.",
	    "Ask who runs ${host} whether the key was changed. Only if it "
	    "was: put the line below in place of the old `tls_pin`.",
	    "tls_pin = ${pin}", false},
	{"certificate-local", CRYPT, ANY_PLACE, NULL, is_self_signed_here,
	    "A program on this machine answers, with a certificate that it "
	    "made itself{ (issued by ${issuer})}. That is usual for bridges "
	    "such as Proton's.",
	    "If you know that program: put the line below into the account, "
	    "and Belfry trusts this one key on this machine. Then ${again}.",
	    "tls_pin = ${pin}", false},
	{"intercepted", CRYPT, ANY_PLACE, NULL, is_intercepted,
	    "The certificate for ${host} was issued by ${issuer}, and not by "
	    "an authority that ${provider} would use: a virus scanner, a "
	    "company's proxy or a stranger opens the encryption and reads "
	    "along.",
	    "Switch off the mail scanning of your virus scanner, or try "
	    "another network. If your company does this and you agree: name "
	    "its certificate in `tls_ca_file = ...`. Your password was not "
	    "sent.", NULL, false},
	{"certificate-unknown-issuer", CRYPT, ANY_PLACE, NULL,
	    is_unknown_issuer,
	    "The certificate of ${host} was issued by ${issuer}, whom this "
	    "machine does not know. Somebody may stand between you and the "
	    "server.",
	    "If the server is your own or your company's: get its "
	    "certificate from whoever runs it, write `tls_ca_file = FILE` "
	    "into the account, then ${again}. Your password was not sent.",
	    NULL, false},
	{"certificate-expired", CRYPT, ANY_PLACE, NULL, is_expired,
	    "The certificate of ${host} ended at ${until}; this machine's "
	    "clock says ${now}.",
	    "If the clock is right, only who runs ${host} can renew the "
	    "certificate: tell them. If it is wrong, set it: `timedatectl "
	    "set-ntp true`.", NULL, false},
	{"clock-behind", CRYPT, ANY_PLACE, NULL, is_early,
	    "The certificate of ${host} is valid from ${from} on, and this "
	    "machine's clock says ${now}: the clock is wrong.",
	    "Set it: `timedatectl set-ntp true`, then ${again}.",
	    NULL, false},
	{"certificate-other-name", CRYPT, ANY_PLACE, NULL, is_wrong_name,
	    "The certificate is not for ${host}{, but for ${names}}.",
	    "If one of those names is your mail server, write it in "
	    "`${key} = ...`. If not, somebody else answers: do not go on. "
	    "Your password was not sent.", NULL, false},
	{"certificate-bad", CRYPT, ANY_PLACE, NULL, is_other_flaw,
	    "The certificate of ${host} cannot be trusted: ${text}.",
	    "Only who runs ${host} can mend this: tell them.", NULL, false},

	/* ---- encryption ---- */
	{"tls-ca-file", CRYPT, ANY_PLACE,
	    "tls_ca_file|no trusted certificates", NULL,
	    "${text}.",
	    "Correct `tls_ca_file`, or install the package ca-certificates. "
	    "Then ${again}.", NULL, false},
	{"tls-too-old", CRYPT, ANY_PLACE, "no tls version|refused every cipher",
	    NULL,
	    "${host} speaks only old encryption, which is not safe any more: "
	    "${text}.",
	    "Who runs ${host} must allow TLS 1.2 or newer: tell them.",
	    NULL, false},
	{"tls-injected", CRYPT, ANY_PLACE, "went on in plaintext", NULL,
	    "After it had agreed to encrypt, somebody went on in clear text: "
	    "a broken server, or somebody in between.",
	    "Try `${key} = ...` with ${usual-ways}, or another network. Your "
	    "password was not sent.", NULL, false},
	{"no-tls", CRYPT, ANY_PLACE, NULL, has_no_voice,
	    "Whatever listens on port ${port} of ${host} does not speak TLS.",
	    "Is the port right? Usual are ${usual-ways}.", NULL, false},
	{"tls-cut", CRYPT, ANY_PLACE, NULL, NULL,
	    "The encryption could not be agreed upon: ${text}. Something "
	    "between here and ${host} may cut it (firewall, virus scanner), "
	    "or the port is wrong.",
	    "Try another network. Usual ports are ${usual-ways}.",
	    NULL, false},

	/* ---- the greeting ---- */
	{"port-25-relay", HELLO, SMTP, "554|521|550", is_port_25,
	    "The server does not take mail from here on port 25, which is for "
	    "mail between servers.",
	    "Write `smtp = ...` with ${usual-ways}.", NULL, false},
	{"blocked", HELLO, ANY_PLACE,
	    "blocked|blacklist|blocklist|denied|spamhaus|not allowed", NULL,
	    "${host} refuses connections from this network: \"${said}\".",
	    "Try another network, or leave the VPN. If it stays so, ask who "
	    "runs ${host}.", NULL, false},
	{"silent", HELLO, ANY_PLACE, NULL, is_silent,
	    "${host} takes the connection on port ${port} and says nothing: "
	    "it is overloaded, a firewall holds it up, or the port is wrong.",
	    "Try again in a few minutes. Usual ports are ${usual-ways}.",
	    NULL, false},
	{"login-skipped", HELLO | OFFER, IMAP, "preauth", NULL,
	    "The server lets everybody in without a password (PREAUTH), which "
	    "Belfry does not accept.",
	    "Who runs ${host} must require a login: tell them.", NULL, false},
	{"no-mail-server", HELLO, ANY_PLACE, "no imap greeting", NULL,
	    "Whatever listens on port ${port} of ${host} is no mail server.",
	    "Write `${key} = ...` with ${usual-ways}.", NULL, false},

	/* ---- what it offers ---- */
	{"injected", OFFER, ANY_PLACE, "before encryption|before tls",
	    NULL,
	    "Somebody between here and ${host} put words into the connection "
	    "before it was encrypted, or the server is broken.",
	    "Try another network. Your password was not sent.", NULL, false},
	{"no-starttls", OFFER, ANY_PLACE, "starttls", NULL,
	    "${host} offers no encryption on port ${port}, or somebody in "
	    "between took the offer away. Belfry sends no password in clear.",
	    "Write `${key} = ...` with ${usual-ways}. If the server offers "
	    "no encryption at all, who runs it must switch it on.",
	    NULL, false},
	{"no-imap4rev1", OFFER, IMAP, "imap4rev1", NULL,
	    "${host} speaks a version of IMAP that is older than 1996.",
	    "Who runs it must update it: Belfry cannot use it.", NULL, false},
	{NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, false},
};
/* clang-format on */
