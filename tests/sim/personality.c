#include "tests/sim/personality.h"

#include <string.h>

#include "daemon/base/span.h"
#include "daemon/config/presets.h"
#include "tests/sim/model_imap.h"
#include "tests/sim/personality_folders.h"

#define GOOD                                                                   \
	"IMAP4rev1 ID ENABLE IDLE MOVE UIDPLUS NAMESPACE SPECIAL-USE "         \
	"LIST-EXTENDED LITERAL+ CONDSTORE UNSELECT"
#define GOOD_WITHOUT_IDLE                                                      \
	"IMAP4rev1 ID ENABLE MOVE UIDPLUS NAMESPACE SPECIAL-USE "              \
	"LIST-EXTENDED LITERAL+ CONDSTORE UNSELECT"
#define GOOD_WITHOUT_ID                                                        \
	"IMAP4rev1 ENABLE IDLE MOVE UIDPLUS NAMESPACE SPECIAL-USE "            \
	"LIST-EXTENDED LITERAL+ CONDSTORE UNSELECT"
#define WITH_XLIST                                                             \
	"IMAP4rev1 ID ENABLE IDLE MOVE UIDPLUS NAMESPACE LITERAL+ CONDSTORE "  \
	"UNSELECT XLIST"
#define GMAIL_PRE                                                              \
	"IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN "           \
	"X-GM-EXT-1 XYZZY SASL-IR AUTH=XOAUTH2 AUTH=PLAIN "                    \
	"AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER AUTH=XOAUTH"
#define GMAIL_POST                                                             \
	"IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN "           \
	"X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH "   \
	"UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE "          \
	"APPENDLIMIT=35651584"
#define EXCHANGE_PRE                                                           \
	"IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID "          \
	"UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
#define EXCHANGE_POST                                                          \
	"IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID "     \
	"UNSELECT CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION "            \
	"BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+"
#define WITHOUT_SPECIAL_USE                                                    \
	"IMAP4rev1 ID ENABLE IDLE MOVE UIDPLUS NAMESPACE LITERAL+ CONDSTORE "  \
	"UNSELECT"
#define COURIER                                                                \
	"IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT "          \
	"THREAD=REFERENCES SORT QUOTA IDLE"
#define GMAIL_FOLDERS                                                          \
	.folders = gmail_folders, .archive = MODEL_ALL_MAIL,                   \
	.junk = "[Gmail]/Spam", .trash = "[Gmail]/Trash"
#define EXCHANGE_HELLO "The Microsoft Exchange IMAP4 service is ready. [TAA=]"
#define EXCHANGE_TRAITS                                                        \
	(MODEL_BARE_COPYUID | MODEL_EARLY_EXISTS | MODEL_WHOLE_PARTS |         \
	    MODEL_NO_KEYWORDS | MODEL_NO_ID_NIL | MODEL_TORN_STRUCTURE |       \
	    MODEL_SHORT_PIPELINE)
#define EXCHANGE_QUIRKS                                                        \
	(QUIRK_IDLE_SILENT | QUIRK_NO_KEYWORDS | QUIRK_SHORT_PIPELINE |        \
	    QUIRK_NO_ID_NIL)
#define NOT_CONNECTED                                                          \
	"$tag BAD User is authenticated but not connected.\r\n"                \
	"* BYE Connection closed. 14\r\n"
#define THROTTLED                                                              \
	"$tag BAD Request is throttled. Suggested Backoff Time: 92415 "        \
	"milliseconds\r\n"
#define TOO_MANY                                                               \
	"$tag NO [ALERT] Too many simultaneous connections. (Failure)\r\n"
#define ZOHO                                                                   \
	"IMAP4rev1 UNSELECT CHILDREN XLIST NAMESPACE IDLE MOVE ID AUTH=PLAIN " \
	"SASL-IR UIDPLUS ESEARCH LIST-EXTENDED LIST-STATUS WITHIN LITERAL- "   \
	"APPENDLIMIT=26214400 CONDSTORE"
#define UNUSUAL                                                                \
	"$tag NO [ALERT] Your account is currently not accessible via IMAP "   \
	"due to unusual activity.  Try after some time.\r\n"

/* clang-format off */
static const struct personality personalities[] = {
    /* Services. */
    {.name = "icloud",
	.greeting = "[CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR "
	    "AUTH=ATOKEN AUTH=PLAIN AUTH=ATOKEN2 AUTH=XOAUTH2] "
	    "(2417B26-e0bd25c5b8a1) p71-iscream-6f7d.me.com",
	.pre = "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN "
	    "AUTH=PLAIN AUTH=ATOKEN2 AUTH=XOAUTH2",
	.post = "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 CONDSTORE ENABLE QRESYNC "
	    "QUOTA XAPPLELITERAL NAMESPACE UIDPLUS CHILDREN BINARY UNSELECT "
	    "SORT CATENATE URLAUTH LANGUAGE ESEARCH ESORT "
	    "THREAD=ORDEREDSUBJECT THREAD=REFERENCES CONTEXT=SEARCH "
	    "CONTEXT=SORT WITHIN SASL-IR SEARCHRES METADATA ID XMSEARCH "
	    "X-SUN-SORT ANNOTATE-EXPERIMENT-1 X-UNAUTHENTICATE X-SUN-IMAP "
	    "XUM1 MULTISEARCH IDLE X-APPLE-REMOTE-LINKS LIST-STATUS",
	.offers = OFFERS_ASKED,
	.traits = MODEL_SILENT_ENABLE | MODEL_SILENT_IDLE | MODEL_NO_RFC822,
	.quirks = QUIRK_IDLE_SILENT,
	.folders = icloud_folders, .trash = "Deleted Messages"},
    {.name = "gmail", .greeting = "Gimap ready for requests from 192.0.2.7 x",
	.pre = GMAIL_PRE, .post = GMAIL_POST, .offers = OFFERS_UNTAGGED,
	.traits = MODEL_LABELS, .quirks = QUIRK_LABELS | QUIRK_LIMIT_AS_AUTH,
	.refusal = TOO_MANY, GMAIL_FOLDERS},
    {.name = "exchange", .greeting = EXCHANGE_HELLO, .pre = EXCHANGE_PRE,
	.post = EXCHANGE_POST, .offers = OFFERS_ASKED,
	.traits = EXCHANGE_TRAITS,
	.quirks = EXCHANGE_QUIRKS | QUIRK_AUTHED_NOT_CONNECTED,
	.refusal = NOT_CONNECTED, .folders = exchange_folders,
	.junk = "Junk Email", .trash = "Deleted Items"},
    {.name = "outlook-com", .greeting = EXCHANGE_HELLO, .pre = EXCHANGE_PRE,
	.post = EXCHANGE_POST, .offers = OFFERS_ASKED,
	.traits = EXCHANGE_TRAITS | MODEL_SILENT_IDLE | MODEL_EMPTY_COPYUID |
	    MODEL_BROKEN_STRUCTURE,
	.quirks = EXCHANGE_QUIRKS | QUIRK_THROTTLES,
	.refusal = THROTTLED, .refusal_wait = 92,
	.folders = outlook_folders, .trash = "Deleted"},
    {.name = "yahoo",
	.greeting = "[CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 "
	    "AUTH=OAUTHBEARER ID MOVE NAMESPACE XYMHIGHESTMODSEQ UIDPLUS "
	    "LITERAL+ CHILDREN X-MSG-EXT OBJECTID] IMAP4rev1 Hello",
	.pre = "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER",
	.post = "IMAP4rev1 ID MOVE NAMESPACE XYMHIGHESTMODSEQ UIDPLUS "
	    "LITERAL+ CHILDREN X-MSG-EXT UNSELECT OBJECTID",
	.offers = OFFERS_UNTAGGED,
	.traits = MODEL_NOT_IGNORED | MODEL_SHORT_LINES | MODEL_INBOX_CASED |
	    MODEL_BEYOND_HANGS | MODEL_ENDED_LINES | MODEL_PARTIAL_VIEW,
	.quirks = QUIRK_NO_IDLE | QUIRK_FEW_CONNECTIONS |
	    QUIRK_FETCH_BEYOND_HANGS,
	.refusal = "$tag NO [LIMIT] AUTHENTICATE Rate limit hit.\r\n",
	.logins_max = 2, .folders = yahoo_folders, .junk = "Bulk"},
    {.name = "zoho", .greeting = "imap.zoho.com IMAP4 Server", .pre = ZOHO,
	.post = ZOHO, .offers = OFFERS_ASKED,
	.traits = MODEL_BAD_MODSEQ | MODEL_ONLY_XLIST,
	.quirks = QUIRK_BAD_MODSEQ | QUIRK_THROTTLES, .refusal = UNUSUAL,
	.folders = zoho_folders, .archive = "Archiv", .junk = "Spamverdacht",
	.trash = "Gel&APY-scht"},
    {.name = "yandex", .greeting = "Yandex IMAP4rev1 at sas2 ready to talk",
	.pre = "IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE XLIST UIDPLUS "
	    "ENABLE ID AUTH=PLAIN AUTH=XOAUTH2 IDLE MOVE",
	.post = "IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE XLIST UIDPLUS "
	    "ENABLE ID IDLE MOVE",
	.offers = OFFERS_UNTAGGED, .delimiter = '|',
	.traits = MODEL_IDLE_DIES | MODEL_BYE_LOOP | MODEL_EMPTY_PART |
	    MODEL_ONLY_XLIST | MODEL_BARE_NAMES,
	.quirks = QUIRK_IDLE_SILENT, .folders = yandex_folders,
	.junk = "Spam"},
    {.name = "mailru",
	.post = "IMAP4rev1 ID ENABLE MOVE UIDPLUS NAMESPACE LITERAL+ "
	    "CONDSTORE UNSELECT XLIST",
	.traits = MODEL_FLOAT_SIZE | MODEL_BROKEN_STRUCTURE | MODEL_RAW_BYTES |
	    MODEL_ONLY_XLIST,
	.quirks = QUIRK_NO_IDLE, .folders = mailru_folders,
	.archive = "&BBAEQARFBDgEMg-", .junk = "&BCEEPwQwBDw-",
	.trash = "&BBoEPgRABDcEOAQ9BDA-"},
    {.name = "netease",
	.greeting = "Coremail System IMap Server Ready(163com[1])",
	.pre = "IMAP4rev1 XLIST SPECIAL-USE LITERAL+ STARTTLS "
	    "APPENDLIMIT=71680000 UIDPLUS QUOTA",
	.post = "IMAP4rev1 XLIST SPECIAL-USE LITERAL+ APPENDLIMIT=71680000 "
	    "UIDPLUS QUOTA",
	.offers = OFFERS_ASKED,
	.traits = MODEL_ID_FIRST | MODEL_NO_UIDNEXT | MODEL_STATUS_EMPTY |
	    MODEL_NO_ID_NIL,
	.quirks = QUIRK_NO_IDLE | QUIRK_NO_UIDNEXT | QUIRK_ID_FIRST |
	    QUIRK_NO_ID_NIL,
	.folders = netease_folders, .junk = "&V4NXPpCuTvY-",
	.trash = "&XfJSIJZk-"},
    {.name = "strato",
	.greeting = "[CAPABILITY IMAP4 IMAP4rev1 APPENDLIMIT=104857600 "
	    "AUTH=PLAIN AUTH=LOGIN ENABLE ID IDLE MOVE LIST-EXTENDED "
	    "NAMESPACE QUOTA SORT SPECIAL-USE UIDPLUS] Greetings!",
	.pre = "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=LOGIN",
	.post = "IMAP4 IMAP4rev1 APPENDLIMIT=104857600 AUTH=PLAIN AUTH=LOGIN "
	    "ENABLE ID IDLE MOVE LIST-EXTENDED NAMESPACE QUOTA SORT "
	    "SPECIAL-USE UIDPLUS",
	.delimiter = '.'},
    {.name = "qq",
	.greeting = "[CAPABILITY IMAP4 IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN "
	    "NAMESPACE] QQMail IMAP4Server ready",
	.pre = "IMAP4 IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN NAMESPACE",
	.post = "IMAP4 IMAP4rev1 XLIST MOVE IDLE XAPPLEPUSHSERVICE NAMESPACE "
	    "CHILDREN ID UIDPLUS COMPRESS=DEFLATE",
	.offers = OFFERS_ASKED,
	.traits = MODEL_STRUCTURE_IS_BAD | MODEL_BROKEN_STRUCTURE,
	.folders = qq_folders, .trash = "Deleted Messages"},
    {.name = "mailo", .greeting = "IMAP4 ready",
	.pre = "IMAP4rev1 ID LITERAL+ AUTH=PLAIN",
	.post = "IMAP4rev1 ID LITERAL+ IDLE QUOTA NAMESPACE SORT UIDPLUS "
	    "UNSELECT",
	.offers = OFFERS_ASKED, .traits = MODEL_ATOM_NAMES},
    {.name = "proton-bridge",
	.greeting = "[CAPABILITY AUTH=PLAIN ID IDLE IMAP4rev1 STARTTLS] "
	    "Proton Mail Bridge 03.15.00 - gluon session ID 1",
	.pre = "AUTH=PLAIN ID IDLE IMAP4rev1 STARTTLS",
	.post = "AUTH=PLAIN ID IDLE IMAP4rev1 MOVE STARTTLS UIDPLUS UNSELECT",
	.offers = OFFERS_ASKED,
	.traits = MODEL_STARTTLS | MODEL_COPIES | MODEL_UIDS_CHANGE,
	.quirks = QUIRK_LABELS | QUIRK_UIDS_CHANGE, .folders = proton_folders, .junk = "Spam"},

    /* What many servers run, as Debian has it. */
    {.name = "dovecot",
	.greeting = "[CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE "
	    "IDLE LITERAL+ AUTH=PLAIN] Dovecot (Debian) ready.",
	.pre = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ "
	    "AUTH=PLAIN",
	.post = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT "
	    "THREAD=REFERENCES MULTIAPPEND CATENATE UNSELECT CHILDREN "
	    "NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC "
	    "ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS MOVE "
	    "STATUS=SIZE SAVEDATE LITERAL+ SPECIAL-USE"},
    {.name = "cyrus",
	.greeting = "[CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE AUTH=PLAIN "
	    "SASL-IR] mail.example.com Cyrus IMAP Debian ready",
	.pre = "IMAP4rev1 LITERAL+ ID ENABLE AUTH=PLAIN SASL-IR",
	.post = "IMAP4rev1 LITERAL+ ID ENABLE ACL QUOTA UIDPLUS NAMESPACE "
	    "UNSELECT CHILDREN MULTIAPPEND ESEARCH SORT CATENATE CONDSTORE "
	    "QRESYNC SCAN XLIST LIST-EXTENDED WITHIN LIST-STATUS SPECIAL-USE "
	    "CREATE-SPECIAL-USE MOVE OBJECTID SAVEDATE IDLE",
	.offers = OFFERS_ASKED, .folders = lowercase_folders,
	.traits = MODEL_ODD_CODE | MODEL_NO_COPYUID | MODEL_ALREADY_UNSAID,
	.archive = "Ablage", .junk = "Werbung", .trash = "Weg"},
    {.name = "courier",
	.greeting = "[CAPABILITY " COURIER "] Courier-IMAP ready. Copyright "
	    "1998-2018 Double Precision, Inc.",
	.pre = COURIER, .post = COURIER, .delimiter = '.', .prefix = "INBOX.",
	.traits = MODEL_ALERT_FIRST | MODEL_NO_UIDNEXT | MODEL_QUOTED_NAMES |
	    MODEL_NO_FOR_BAD | MODEL_EMPTIES_TRASH,
	.quirks = QUIRK_NO_UIDNEXT, .folders = courier_folders,
	.archive = "INBOX.Archive", .junk = "INBOX.Junk",
	.trash = "INBOX.Trash"},

    /* Names. */
    {.name = "delimiter-dot", .delimiter = '.'},
    {.name = "delimiter-pipe", .delimiter = '|'},
    {.name = "three-way-spam", .post = WITHOUT_SPECIAL_USE,
	.folders = three_way_folders, .archive = "Archiv", .junk = "Spam",
	.trash = "Papierkorb"},
    {.name = "namespace-prefix", .delimiter = '.', .prefix = "INBOX."},
    {.name = "inbox-cased", .traits = MODEL_INBOX_CASED},
    {.name = "xlist", .post = WITH_XLIST, .traits = MODEL_ONLY_XLIST,
	.folders = xlist_folders, .archive = "Ablage", .junk = "Werbung",
	.trash = "Weg"},
    {.name = "folder-names-fixed", .post = WITHOUT_SPECIAL_USE,
	.folders = icloud_folders, .trash = "Deleted Messages"},
    {.name = "localised-folders", .folders = german_folders,
	.archive = "Ablage", .junk = "Werbung", .trash = "Gel&APY-scht"},
    {.name = "specialuse-lowercase", .folders = lowercase_folders,
	.archive = "Ablage", .junk = "Werbung", .trash = "Weg"},
    {.name = "list-specialuse-unadvertised", .post = WITHOUT_SPECIAL_USE,
	.folders = unadvertised_folders, .archive = "Ablage", .junk = "Bulk",
	.trash = "Weg"},
    {.name = "list-specialuse-bad", .post = WITHOUT_SPECIAL_USE,
	.folders = plain_folders},
    {.name = "mutf7-bug", .traits = MODEL_BARE_NAMES},
    {.name = "alreadyexists-missing", .traits = MODEL_ALREADY_UNSAID},
    {.name = "folder-count-limit", .traits = MODEL_NO_MORE_FOLDERS},
    {.name = "labels", .pre = GMAIL_PRE, .post = GMAIL_POST,
	.traits = MODEL_LABELS, .quirks = QUIRK_LABELS, GMAIL_FOLDERS},
    {.name = "all-mail-duplicates", .pre = GMAIL_PRE, .post = GMAIL_POST,
	.traits = MODEL_LABELS, .quirks = QUIRK_LABELS, GMAIL_FOLDERS},
    {.name = "expunge-archives", .pre = GMAIL_PRE, .post = GMAIL_POST,
	.traits = MODEL_LABELS, .quirks = QUIRK_LABELS, GMAIL_FOLDERS},
    {.name = "labels-as-folders", .traits = MODEL_COPIES,
	.quirks = QUIRK_LABELS, .folders = label_folders},
    {.name = "objectid",
	.post = "IMAP4rev1 ID ENABLE IDLE MOVE UIDPLUS NAMESPACE SPECIAL-USE "
	    "LIST-EXTENDED LITERAL+ UNSELECT OBJECTID"},

    /* Login. */
    {.name = "caps-untagged", .offers = OFFERS_UNTAGGED},
    {.name = "pre-greeting-alert", .traits = MODEL_ALERT_FIRST},
    {.name = "id-required", .post = GOOD_WITHOUT_ID, .traits = MODEL_ID_FIRST,
	.quirks = QUIRK_ID_FIRST},
    {.name = "id-may-fail", .traits = MODEL_ID_FAILS},
    {.name = "no-id-nil", .traits = MODEL_NO_ID_NIL, .quirks = QUIRK_NO_ID_NIL},
    {.name = "enable-silent", .traits = MODEL_SILENT_ENABLE},
    {.name = "starttls-mandatory",
	.greeting = "[CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi",
	.pre = "IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR",
	.traits = MODEL_STARTTLS},
    {.name = "plain-may-fail", .traits = MODEL_PLAIN_FAILS},
    {.name = "no-annotate"}, /* as all of them here */

    /* Connections. */
    {.name = "bye-loop", .traits = MODEL_BYE_LOOP},
    {.name = "idle-dies", .traits = MODEL_IDLE_DIES},
    {.name = "few-connections", .quirks = QUIRK_FEW_CONNECTIONS,
	.logins_max = 2},

    /* IDLE. */
    {.name = "no-idle", .post = GOOD_WITHOUT_IDLE, .quirks = QUIRK_NO_IDLE},
    {.name = "idle-silent", .traits = MODEL_SILENT_IDLE},
    {.name = "noop-poll", .traits = MODEL_SILENT_IDLE,
	.quirks = QUIRK_IDLE_SILENT},
    {.name = "exists-before-plus", .traits = MODEL_EARLY_EXISTS},
    {.name = "idle-early-ok", .traits = MODEL_IDLE_ENDS},
    {.name = "idle-stray-line-bad"}, /* as all of them here */
    {.name = "still-here", .traits = MODEL_STILL_HERE},
    {.name = "malformed-keepalive", .traits = MODEL_KEEPALIVE},

    /* SELECT and FETCH. */
    {.name = "no-uidnext", .traits = MODEL_NO_UIDNEXT,
	.quirks = QUIRK_NO_UIDNEXT},
    {.name = "status-empty", .traits = MODEL_NO_UIDNEXT | MODEL_STATUS_EMPTY},
    {.name = "uidnext-rewind", .traits = MODEL_UIDNEXT_REWINDS,
	.quirks = QUIRK_UIDNEXT_REWINDS},
    {.name = "uids-may-change", .traits = MODEL_UIDS_CHANGE,
	.quirks = QUIRK_UIDS_CHANGE},
    {.name = "modseq-bogus", .traits = MODEL_BAD_MODSEQ,
	.quirks = QUIRK_BAD_MODSEQ},
    {.name = "mailboxid-garbage", .traits = MODEL_ODD_CODE},
    {.name = "float-numbers", .traits = MODEL_FLOAT_SIZE},
    {.name = "raw-bytes", .traits = MODEL_RAW_BYTES},
    {.name = "bad-quoted", .traits = MODEL_TORN_STRUCTURE},
    {.name = "bodystructure-broken", .traits = MODEL_BROKEN_STRUCTURE},
    {.name = "empty-body-part", .traits = MODEL_EMPTY_PART},
    {.name = "literal-everywhere", .traits = MODEL_LITERALS},
    {.name = "quoted-header-names", .traits = MODEL_QUOTED_NAMES},
    {.name = "header-names-atoms-only", .traits = MODEL_ATOM_NAMES},
    {.name = "no-partial", .traits = MODEL_WHOLE_PARTS},
    {.name = "uid-fetch-params-bad", .traits = MODEL_STRUCTURE_IS_BAD},
    {.name = "fetch-beyond-max-hangs", .post = GOOD_WITHOUT_IDLE,
	.traits = MODEL_BEYOND_HANGS, .quirks = QUIRK_FETCH_BEYOND_HANGS},
    {.name = "max-cmd-1000", .traits = MODEL_SHORT_LINES},
    {.name = "search-not-ignored", .traits = MODEL_NOT_IGNORED},
    {.name = "no-instead-of-bad", .traits = MODEL_NO_FOR_BAD},
    {.name = "pipeline-25", .traits = MODEL_SHORT_PIPELINE,
	.quirks = QUIRK_SHORT_PIPELINE},
    {.name = "partial-view", .traits = MODEL_PARTIAL_VIEW},
    {.name = "rfc822-empty", .traits = MODEL_NO_RFC822},

    /* Actions. */
    {.name = "no-keywords", .traits = MODEL_NO_KEYWORDS,
	.quirks = QUIRK_NO_KEYWORDS},
    {.name = "copyuid-bare", .traits = MODEL_BARE_COPYUID},
    {.name = "copyuid-empty", .traits = MODEL_EMPTY_COPYUID},
    {.name = "copyuid-missing-on-noop", .traits = MODEL_NO_COPYUID},
    {.name = "exists-after-move", .traits = MODEL_EXISTS_AFTER_MOVE},
    /* ... and appended is more where no keywords are. */
    {.name = "append-needs-crlf",
	.traits = MODEL_ENDED_LINES | MODEL_NO_KEYWORDS},

    /* Logins that are refused now and then. */
    {.name = "conn-limit-as-auth-fail", .refusal = TOO_MANY,
	.quirks = QUIRK_LIMIT_AS_AUTH},
    {.name = "authed-not-connected", .refusal = NOT_CONNECTED,
	.quirks = QUIRK_AUTHED_NOT_CONNECTED},
    {.name = "throttle-hint", .refusal = THROTTLED, .refusal_wait = 92,
	.quirks = QUIRK_THROTTLES},
    {.name = "throttled-logins", .quirks = QUIRK_THROTTLES,
	.refusal = "$tag NO [LIMIT] Too many login attempts, try again "
	    "later\r\n"},
    {.name = "exchange-login-failed", .locks = true,
	.refusal = "$tag NO LOGIN failed.\r\n"},
    {.name = "command-error-10", .refusal = "$tag BAD Command Error. 10\r\n"},
    {.name = "imap-disabled-by-default", .quirks = QUIRK_IMAP_IS_OFF,
	.locks = true,
	.refusal = "$tag NO [ALERT] Your account is not enabled for IMAP use. "
	    "Please visit your settings and enable IMAP. (Failure)\r\n"},
    {.name = "admin-may-disable-imap", .locks = true,
	.refusal = "$tag NO [ALERT] IMAP is disabled for your domain. Please "
	    "contact your domain administrator. (Failure)\r\n"},
    {.name = "protection-option-blocks-imap", .locks = true,
	.refusal = "$tag NO [AUTHENTICATIONFAILED] external clients are not "
	    "allowed (protection is on)\r\n"},
    {.name = "web-login-required", .locks = true,
	.refusal = "* NO [WEBALERT https://accounts.example/signin/continue] "
	    "Web login required.\r\n"
	    "$tag NO [ALERT] Please log in via your web browser: "
	    "https://support.example/mail/accounts/answer/78754 "
	    "(Failure)\r\n"},
    {.name = "app-password-required", .locks = true,
	.refusal = "$tag NO [ALERT] Application-specific password required: "
	    "https://support.example/accounts/answer/185833 (Failure)\r\n"},
    {.name = "temporary-block-on-activity", .refusal = UNUSUAL},
    {.name = "yahoo-limit",
	.refusal = "$tag NO [LIMIT] AUTHENTICATE Rate limit hit.\r\n"},
    {.name = "yahoo-unavailable",
	.refusal = "$tag NO [UNAVAILABLE] AUTHENTICATE Server error - Please "
	    "try again later\r\n"},
    {.name = "server-bug",
	.refusal = "$tag NO [SERVERBUG] LOGIN Server error\r\n"},
    {.name = "bye-shutdown",
	.refusal = "* BYE [UNAVAILABLE] System Error\r\n"},
    {.name = "session-expired",
	.refusal = "* BYE Session expired, please login again.\r\n"},
};
/* clang-format on */

#define COUNT (sizeof(personalities) / sizeof(personalities[0]))

const struct personality *
personality_at(size_t index)
{
	return index < COUNT ? &personalities[index] : NULL;
}

size_t
personality_count(void)
{
	return COUNT;
}

const char *
personality_post(const struct personality *personality)
{
	return personality->post != NULL ? personality->post : GOOD;
}

bool
personality_offers(
    const struct personality *personality, const char *capability)
{
	struct span rest = span_from_str(personality_post(personality)), word;

	while (span_split(&rest, ' ', &word))
		if (span_is(word, capability))
			return true;
	return false;
}

const struct personality_folder *
personality_folders(const struct personality *personality)
{
	if (personality == NULL)
		return plain_folders;
	if (personality->folders != NULL)
		return personality->folders;
	return personality_offers(personality, "SPECIAL-USE") ? special_folders
							      : plain_folders;
}

const struct personality *
personality_find(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(personalities[i].name, name) == 0)
			return &personalities[i];
	return NULL;
}
