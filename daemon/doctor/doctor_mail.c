/* Causes behind the login: mailboxes, folders, push, and this machine. */
#include "daemon/base/str.h"
#include "daemon/doctor/doctor_private.h"

static bool
has_nearest(const struct doctor_facts *facts)
{
	return facts->nearest != NULL;
}

static bool
needs_id(const struct doctor_facts *facts)
{
	return facts->preset != NULL &&
	       (facts->preset->quirks & QUIRK_ID_FIRST) != 0;
}

static bool
is_missing(const struct doctor_facts *facts)
{
	return facts->refusal == IMAP_REFUSAL_MISSING;
}

static bool
is_behind(const struct doctor_facts *facts)
{
	return facts->skew_sec < 0;
}

#define MAILBOX STEP(DOCTOR_MAILBOXES)
#define PUSH STEP(DOCTOR_PUSH)
#define FOLDER STEP(DOCTOR_FOLDERS)
#define SPACE STEP(DOCTOR_SPACE)
#define NOTE STEP(DOCTOR_NOTIFICATIONS)
#define CLOCK STEP(DOCTOR_CLOCK)

/* clang-format off */
const struct doctor_row doctor_mail_rows[] = {
	/* ---- the daemon ---- */
	{"held-by-daemon", STEP(DOCTOR_DAEMON), ANY_PLACE, NULL, NULL,
	    "The running belfryd does not log in to this account any more, "
	    "because the server refused it: ${text}.",
	    "When the steps below are well: `belfryctl reload` lets it try "
	    "again.", NULL, true},

	/* ---- mailboxes ---- */
	{"client-not-trusted", MAILBOX, ANY_PLACE, "unsafe login", needs_id,
	    "${provider} does not trust the program: \"${said}\".",
	    "Log in to the web mail and allow IMAP clients there{ "
	    "(${help})}. Then ${again}.", NULL, false},
	{"mailbox-misspelt", MAILBOX, ANY_PLACE, NULL, has_nearest,
	    "There is no mailbox ${mailbox} on the server.",
	    "Did you mean ${nearest}? Correct `watch = ...`; `belfryctl "
	    "mailboxes` lists all of them.", NULL, false},
	{"pattern-empty", MAILBOX, ANY_PLACE, "pattern", NULL,
	    "No mailbox of the server fits the pattern ${mailbox}.",
	    "Correct `watch = ...`, or make such a mailbox; `belfryctl "
	    "mailboxes` lists what there is.", NULL, true},
	{"mailbox-not-selectable", MAILBOX, ANY_PLACE,
	    "noselect|not selectable", NULL,
	    "${mailbox} is a folder for other folders, and cannot hold mail.",
	    "Write `watch = ${mailbox}/*` to watch what is in it.",
	    NULL, false},
	{"mailbox-missing", MAILBOX, ANY_PLACE, NULL, is_missing,
	    "There is no mailbox ${mailbox} on the server.",
	    "Correct `watch = ...`, or make the mailbox; `belfryctl "
	    "mailboxes` lists what there is.", NULL, false},
	{"mailbox-refused", MAILBOX, ANY_PLACE, NULL, NULL,
	    "The server does not open ${mailbox}: \"${said}\".",
	    "If it belongs to somebody else, ask its owner for the right to "
	    "read it; if not, take it out of `watch = ...`.", NULL, false},

	/* ---- push ---- */
	{"idle-missing", PUSH, ANY_PLACE, "not offered", NULL,
	    "${host} does not tell of new mail by itself (no IDLE). Belfry "
	    "asks it instead, so that mail is noticed later.",
	    "Nothing has to be done; `poll = ...` in the account says how "
	    "often it is asked.", NULL, true},
	{"idle-refused", PUSH, ANY_PLACE, NULL, NULL,
	    "${host} offers to tell of new mail (IDLE), and does not do it: "
	    "\"${said}\". Belfry asks it instead, so that mail is noticed "
	    "later.",
	    "Tell who runs ${host}.", NULL, true},

	/* ---- special folders ---- */
	{"folder-missing", FOLDER, ANY_PLACE, NULL, NULL,
	    "The rule ${rule} needs ${mailbox}, and the server says of none "
	    "of its mailboxes that it is that one, nor has one the usual "
	    "name.",
	    "Make that folder in the web mail, or name another one in the "
	    "rule: `move = NAME`. `belfryctl mailboxes` lists what there is.",
	    NULL, false},

	/* ---- space ---- */
	{"quota-full", SPACE, ANY_PLACE, "full", NULL,
	    "The mailbox is full (${text}): new mail goes back to its "
	    "sender, and rules cannot copy.",
	    "Delete mail, empty the trash, or buy space.", NULL, false},
	{"quota-nearly-full", SPACE, ANY_PLACE, NULL, NULL,
	    "The mailbox is nearly full (${text}).",
	    "Delete mail, empty the trash, or buy space.", NULL, true},

	/* ---- notifications ---- */
	{"desktop-not-installed", NOTE, ANY_PLACE,
	    "no such file|not found|cannot run", NULL,
	    "The program that shows notifications, belfry-desktop, is not "
	    "installed.",
	    "Build Belfry with libnotify (libnotify-dev), or set up another "
	    "notifier: belfry.conf(5).", NULL, true},
	{"no-notification-service", NOTE, ANY_PLACE, NULL, NULL,
	    "Nothing on this desktop shows notifications{: ${text}}. Belfry "
	    "keeps them until something does.",
	    "Start a notification service (GNOME and KDE have one; else "
	    "install dunst or mako), or run this in the desktop session "
	    "rather than over ssh.", NULL, true},

	/* ---- the clock ---- */
	{"clock-behind", CLOCK, ANY_PLACE, NULL, is_behind,
	    "This machine's clock says ${now}, about ${skew} less than "
	    "${text}.",
	    "Set it: `timedatectl set-ntp true`. Certificates and sign-ins "
	    "fail with a wrong clock.", NULL, false},
	{"clock-ahead", CLOCK, ANY_PLACE, NULL, NULL,
	    "This machine's clock says ${now}, about ${skew} more than "
	    "${text}.",
	    "Set it: `timedatectl set-ntp true`. Certificates and sign-ins "
	    "fail with a wrong clock.", NULL, false},
	{NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, false},
};
/* clang-format on */
