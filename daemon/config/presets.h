/*
 * config/presets: what is known about mail providers.
 *
 * A hint, never a truth: what the live server announces always wins. A
 * preset fills in what an account does not say, so that an address and a
 * secret are enough.
 */
#ifndef BELFRY_CONFIG_PRESETS_H
#define BELFRY_CONFIG_PRESETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/span.h"

enum server_tls {
	SERVER_TLS,	  /* from the first byte */
	SERVER_STARTTLS,  /* required */
	SERVER_PLAINTEXT, /* loopback only, and only where asked for */
};

/* What a login takes, as bits. */
enum preset_auth {
	PRESET_PASSWORD = 1 << 0,     /* the account's own password */
	PRESET_APP_PASSWORD = 1 << 1, /* one made for this program */
	PRESET_OAUTH2 = 1 << 2,
};

/* What a login name is made of. */
enum preset_user {
	PRESET_USER_ADDRESS,
	PRESET_USER_LOCAL
};

/* What submission does with a From that is not the user's own. */
enum preset_from {
	PRESET_FROM_UNKNOWN,
	PRESET_FROM_REFUSED,
	PRESET_FROM_REWRITTEN,
	PRESET_FROM_ALLOWED
};

/* What the daemon does otherwise there. */
enum preset_quirk {
	QUIRK_NO_IDLE = 1 << 0,	    /* poll, even if this changes one day */
	QUIRK_IDLE_SILENT = 1 << 1, /* IDLE stops without a word: NOOP after
				       each renewal */
	QUIRK_FEW_CONNECTIONS = 1 << 2,
	QUIRK_LIMIT_AS_AUTH = 1 << 3, /* too many connections look like a wrong
					 password */
	QUIRK_AUTHED_NOT_CONNECTED = 1 << 4, /* a good login, then BAD */
	QUIRK_LABELS = 1 << 5, /* one message in several mailboxes */
	QUIRK_NO_KEYWORDS = 1 << 6,
	QUIRK_BAD_MODSEQ = 1 << 7, /* no CONDSTORE */
	QUIRK_NO_UIDNEXT = 1 << 8, /* SELECT does not tell it */
	QUIRK_ID_FIRST = 1 << 9,   /* ID with a name before SELECT */
	QUIRK_NO_ID_NIL = 1 << 10, /* ID () and ID NIL are refused */
	QUIRK_UIDNEXT_REWINDS = 1 << 11,
	QUIRK_UIDS_CHANGE = 1 << 12,
	QUIRK_STRICT_CONTENT = 1 << 13, /* submission refuses odd headers */
	QUIRK_IMAP_IS_OFF = 1 << 14,	/* until switched on by hand */
	QUIRK_SHORT_PIPELINE = 1 << 15,
	QUIRK_FETCH_BEYOND_HANGS = 1 << 16, /* never ask above UIDNEXT - 1 */
	QUIRK_THROTTLES = 1 << 17,	    /* fast logins are punished */
	QUIRK_SELF_SIGNED = 1 << 18,
	QUIRK_FILES_SENT = 1 << 19, /* submission puts a copy into \Sent */
};

struct preset_server {
	const char *host; /* NULL: none */
	unsigned port;
	enum server_tls tls;
};

/* Names of folders where the server does not tell what they are for; several
 * are separated by "|", the likeliest first. NULL: not known. */
struct preset_folders {
	const char *sent, *trash, *junk, *archive, *drafts;
};

/* Static, all of it. Strings that are not known are NULL, numbers 0. */
struct preset {
	const char *id;	     /* for `provider =` */
	const char *name;    /* for people */
	const char *domains; /* separated by blanks, lower case */
	const char *mx; /* suffixes of MX host names, separated by blanks */
	struct preset_server imap, smtp;
	struct preset_server imap_alt, smtp_alt; /* another way to them */
	enum preset_user user, smtp_user;
	bool retry_other_user; /* the login's other form, after a refusal */
	unsigned auth;	       /* enum preset_auth bits */
	const char *oauth;     /* whose tokens: "google", "microsoft", ... */
	enum preset_from from;
	unsigned idle_renew_s; /* 0: not known */
	unsigned poll_s;       /* 0: not known */
	unsigned connections;  /* the provider's limit; 0: not known */
	uint32_t quirks;       /* enum preset_quirk bits */
	struct preset_folders folders;
	unsigned day_messages, day_recipients; /* of submission */
	unsigned message_recipients;
	unsigned message_max; /* bytes that a person may send */
	unsigned smtp_size;   /* bytes that the server announces */
	unsigned max_folders;
	const char *help;	   /* where to make the password; a URL */
	const char *settings_help; /* the settings of mail programs; a URL */
	const char *webmail;	   /* a message in it: notifiers/open.h */
	const char *webmail_inbox; /* where it has no address for one; a URL */
	const char *status_page;   /* whether it works just now; a URL */
	const char *enable;	   /* what has to be switched on first */
	const char *note;	   /* what else one should know */
	const char *refusal;	   /* why it cannot be used at all */
};

/* The table: NULL behind its end. */
const struct preset *presets_at(size_t index);
/* By id, ASCII case ignored. NULL: none. */
const struct preset *presets_find(struct span id);
const char *presets_nearest(struct span id);
/* By mail domain, exactly, ASCII case ignored. NULL: none. */
const struct preset *presets_find_domain(struct span domain);
/* By the host of its submission server, ASCII case ignored; the first of
 * several. NULL: none. */
const struct preset *presets_find_smtp(struct span host);
/* By the host of its IMAP server or the other one, as presets_find_smtp. */
const struct preset *presets_find_imap(struct span host);
/* By an id, a mail domain or an address. NULL: none. */
const struct preset *presets_find_any(struct span text);
/* By the name of a domain's MX host: the suffix must begin at a label; of
 * several the longest. */
const struct preset *presets_find_mx(struct span host);

#endif
