"""The servers that replica.py plays: their words, and what is odd about them.

SERVICES are as a login to the big services looks, put together from what they
said to clients of all kinds. QUIRKS has one server for each thing that is
known to be odd somewhere: the name of the quirk, what the replica does, and
the service that it is played on. What is asserted stands in
tests/live/replicas.py.
"""

SPECIAL = (
    ("Archive", "\\HasNoChildren \\Archive"),
    ("Junk", "\\HasNoChildren \\Junk"),
    ("Trash", "\\HasNoChildren \\Trash"),
    ("Sent", "\\HasNoChildren \\Sent"),
)
PLAIN_NAMES = tuple((name, "\\HasNoChildren") for name, _ in SPECIAL)
NEED = {"archive": "Archive", "junk": "Junk", "trash": "Trash"}

BASE = {
    "greeting": "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready",
    "pre": "IMAP4rev1 SASL-IR AUTH=PLAIN",
    "post": "IMAP4rev1 ID ENABLE IDLE MOVE UIDPLUS NAMESPACE SPECIAL-USE "
            "LIST-EXTENDED LITERAL+ CONDSTORE UNSELECT",
    "folders": SPECIAL,
    "need": NEED,
}


def without(*names):
    return " ".join(w for w in BASE["post"].split() if w not in names)


SERVICES = {
    "icloud": {
        "provider": "icloud",
        "greeting": "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 "
                    "SASL-IR AUTH=ATOKEN AUTH=PLAIN AUTH=ATOKEN2 "
                    "AUTH=XOAUTH2] (2417B26-e0bd25c5b8a1) "
                    "p71-iscream-6f7d.me.com",
        "pre": "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN "
               "AUTH=PLAIN AUTH=ATOKEN2 AUTH=XOAUTH2",
        "post": "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 CONDSTORE ENABLE QRESYNC "
                "QUOTA XAPPLELITERAL NAMESPACE UIDPLUS CHILDREN BINARY "
                "UNSELECT SORT CATENATE URLAUTH LANGUAGE ESEARCH ESORT "
                "THREAD=ORDEREDSUBJECT THREAD=REFERENCES CONTEXT=SEARCH "
                "CONTEXT=SORT WITHIN SASL-IR SEARCHRES METADATA ID XMSEARCH "
                "X-SUN-SORT ANNOTATE-EXPERIMENT-1 X-UNAUTHENTICATE "
                "X-SUN-IMAP XUM1 MULTISEARCH IDLE X-APPLE-REMOTE-LINKS "
                "LIST-STATUS",
        "offers": "asked",
        "inbox": "\\Noinferiors",
        "folders": tuple((n, "\\HasNoChildren") for n in (
            "Sent Messages", "Deleted Messages", "Drafts", "Junk",
            "Archive")),
        "need": {"archive": "Archive", "junk": "Junk",
                 "trash": "Deleted Messages"},
        "quirks": ("rfc822-empty", "enable-silent", "no-annotate",
                   "folder-names-fixed", "noop-poll"),
    },
    "gmail": {
        "provider": "gmail",
        "greeting": "* OK Gimap ready for requests from 192.0.2.7 "
                    "5b1f17b1804b1-46f",
        "pre": "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN "
               "X-GM-EXT-1 XYZZY SASL-IR AUTH=XOAUTH2 AUTH=PLAIN "
               "AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER AUTH=XOAUTH",
        "post": "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN "
                "X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE CONDSTORE "
                "ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- "
                "SPECIAL-USE APPENDLIMIT=35651584",
        "offers": "untagged",
        "folders": (
            ("[Gmail]", "\\HasChildren \\NonExistent"),
            ("[Gmail]/All Mail", "\\All \\HasNoChildren"),
            ("[Gmail]/Drafts", "\\Drafts \\HasNoChildren"),
            ("[Gmail]/Important", "\\Important \\HasNoChildren"),
            ("[Gmail]/Sent Mail", "\\HasNoChildren \\Sent"),
            ("[Gmail]/Spam", "\\HasNoChildren \\Junk"),
            ("[Gmail]/Starred", "\\Flagged \\HasNoChildren"),
            ("[Gmail]/Trash", "\\HasNoChildren \\Trash"),
        ),
        "need": {"archive": "[Gmail]/All Mail", "junk": "[Gmail]/Spam",
                 "trash": "[Gmail]/Trash"},
        "quirks": ("labels", "expunge-archives", "localised-folders",
                   "caps-untagged", "idle-stray-line-bad"),
    },
    "exchange": {
        "provider": "microsoft-365",
        "greeting": "* OK The Microsoft Exchange IMAP4 service is ready. "
                    "[TABPADIAUAAyADYANQBDAEEA]",
        "pre": "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID "
               "UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
        "post": "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS "
                "MOVE ID UNSELECT CLIENTACCESSRULES "
                "CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN "
                "IDLE NAMESPACE LITERAL+",
        "offers": "asked",
        "folders": tuple((n, "\\HasNoChildren") for n in (
            "Archive", "Deleted Items", "Drafts", "Junk Email",
            "Sent Items")),
        "need": {"archive": "Archive", "junk": "Junk Email",
                 "trash": "Deleted Items"},
        "quirks": ("copyuid-bare", "exists-before-plus", "no-partial",
                   "no-keywords", "no-id-nil", "bad-quoted", "pipeline-25"),
        "keys": "auth = password\n",
    },
    "outlook-com": {
        "provider": "outlook-com",
        "like": "exchange",
        "folders": tuple((n, "\\HasNoChildren") for n in (
            "Archive", "Deleted", "Drafts", "Junk", "Sent")),
        "need": {"archive": "Archive", "junk": "Junk", "trash": "Deleted"},
        "quirks": ("copyuid-empty", "bodystructure-broken"),
    },
    "yahoo": {
        "provider": "yahoo",
        "greeting": "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN "
                    "AUTH=XOAUTH2 AUTH=OAUTHBEARER ID MOVE NAMESPACE "
                    "XYMHIGHESTMODSEQ UIDPLUS LITERAL+ CHILDREN X-MSG-EXT "
                    "OBJECTID] IMAP4rev1 Hello",
        "pre": "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER",
        "post": "IMAP4rev1 ID MOVE NAMESPACE XYMHIGHESTMODSEQ UIDPLUS "
                "LITERAL+ CHILDREN X-MSG-EXT UNSELECT OBJECTID",
        "offers": "untagged",
        "folders": (
            ("Archive", "\\Archive \\HasNoChildren"),
            ("Bulk", "\\Junk \\HasNoChildren"),
            ("Draft", "\\Drafts \\HasNoChildren"),
            ("Sent", "\\Sent \\HasNoChildren"),
            ("Trash", "\\Trash \\HasNoChildren"),
        ),
        "need": {"archive": "Archive", "junk": "Bulk", "trash": "Trash"},
        "quirks": ("search-not-ignored", "max-cmd-1000", "inbox-cased",
                   "list-specialuse-unadvertised", "fetch-beyond-max-hangs",
                   "few-connections", "no-idle", "append-needs-crlf"),
    },
    "zoho": {
        "provider": "zoho-com",
        "greeting": "* OK imap.zoho.com IMAP4 Server",
        "pre": "IMAP4rev1 UNSELECT CHILDREN XLIST NAMESPACE IDLE MOVE ID "
               "AUTH=PLAIN SASL-IR UIDPLUS ESEARCH LIST-EXTENDED "
               "LIST-STATUS WITHIN LITERAL- APPENDLIMIT=26214400 CONDSTORE",
        "post": "IMAP4rev1 UNSELECT CHILDREN XLIST NAMESPACE IDLE MOVE ID "
                "AUTH=PLAIN SASL-IR UIDPLUS ESEARCH LIST-EXTENDED "
                "LIST-STATUS WITHIN LITERAL- APPENDLIMIT=26214400 CONDSTORE",
        "offers": "asked",
        "inbox": "\\Inbox \\HasNoChildren",
        "folders": (
            ("Archiv", "\\HasNoChildren"),
            ("Spamverdacht", "\\Spam \\HasNoChildren"),
            ("Gel&APY-scht", "\\Trash \\HasNoChildren"),
        ),
        "need": {"archive": "Archiv", "junk": "Spamverdacht",
                 "trash": "Gel&APY-scht"},
        "quirks": ("modseq-bogus", "localised-folders", "tls12-max",
                   "xlist"),
    },
    "yandex": {
        "provider": "yandex",
        "greeting": "* OK Yandex IMAP4rev1 at sas2 ready to talk",
        "pre": "IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE XLIST UIDPLUS "
               "ENABLE ID AUTH=PLAIN AUTH=XOAUTH2 IDLE MOVE",
        "post": "IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE XLIST "
                "UIDPLUS ENABLE ID IDLE MOVE",
        "offers": "untagged",
        "delimiter": "|",
        "inbox": "\\Inbox \\HasNoChildren",
        "folders": (
            ("Archive", "\\HasNoChildren"),
            ("Spam", "\\Spam \\HasNoChildren"),
            ("Trash", "\\Trash \\HasNoChildren"),
            ("R & D", "\\HasNoChildren"),
        ),
        "need": {"archive": "Archive", "junk": "Spam", "trash": "Trash"},
        "quirks": ("delimiter-pipe", "idle-dies", "bye-loop", "mutf7-bug",
                   "empty-body-part", "caps-untagged", "xlist"),
    },
    "mailru": {
        "provider": "mailru",
        "post": without("IDLE", "SPECIAL-USE", "LIST-EXTENDED") + " XLIST",
        "folders": (
            ("&BBAEQARFBDgEMg-", "\\HasNoChildren \\Archive"),
            ("&BCEEPwQwBDw-", "\\HasNoChildren \\Spam"),
            ("&BBoEPgRABDcEOAQ9BDA-", "\\HasNoChildren \\Trash"),
        ),
        "need": {"archive": "&BBAEQARFBDgEMg-", "junk": "&BCEEPwQwBDw-",
                 "trash": "&BBoEPgRABDcEOAQ9BDA-"},
        "quirks": ("no-idle", "float-numbers", "bodystructure-broken",
                   "tls12-max", "xlist", "raw-bytes"),
    },
    "netease": {
        "provider": "netease-163",
        "greeting": "* OK Coremail System IMap Server Ready(163com[1])",
        "pre": "IMAP4rev1 XLIST SPECIAL-USE LITERAL+ STARTTLS "
               "APPENDLIMIT=71680000 UIDPLUS QUOTA",
        "post": "IMAP4rev1 XLIST SPECIAL-USE LITERAL+ APPENDLIMIT=71680000 "
                "UIDPLUS QUOTA",
        "offers": "asked",
        "folders": (
            ("Archive", "\\HasNoChildren"),
            ("&V4NXPpCuTvY-", "\\Junk \\HasNoChildren"),
            ("&XfJSIJZk-", "\\Trash \\HasNoChildren"),
        ),
        "need": {"archive": "Archive", "junk": "&V4NXPpCuTvY-",
                 "trash": "&XfJSIJZk-"},
        "quirks": ("id-required", "no-uidnext", "status-empty", "no-idle",
                   "no-id-nil"),
    },
    "strato": {
        "provider": "strato",
        "greeting": "* OK [CAPABILITY IMAP4 IMAP4rev1 APPENDLIMIT=104857600 "
                    "AUTH=PLAIN AUTH=LOGIN ENABLE ID IDLE MOVE LIST-EXTENDED "
                    "NAMESPACE QUOTA SORT SPECIAL-USE UIDPLUS] Greetings!",
        "pre": "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=LOGIN",
        "post": "IMAP4 IMAP4rev1 APPENDLIMIT=104857600 AUTH=PLAIN AUTH=LOGIN "
                "ENABLE ID IDLE MOVE LIST-EXTENDED NAMESPACE QUOTA SORT "
                "SPECIAL-USE UIDPLUS",
        "delimiter": ".",
        "quirks": ("delimiter-dot",),
    },
    "mailo": {
        "provider": "mailo",
        "greeting": "* OK IMAP4 ready",
        "pre": "IMAP4rev1 ID LITERAL+ AUTH=PLAIN",
        "post": "IMAP4rev1 ID LITERAL+ IDLE QUOTA NAMESPACE SORT UIDPLUS "
                "UNSELECT",
        "offers": "asked",
        "folders": PLAIN_NAMES,
        "quirks": ("header-names-atoms-only",),
    },
    "qq": {
        "provider": "qq",
        "greeting": "* OK [CAPABILITY IMAP4 IMAP4rev1 ID AUTH=PLAIN "
                    "AUTH=LOGIN NAMESPACE] QQMail IMAP4Server ready",
        "pre": "IMAP4 IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN NAMESPACE",
        "post": "IMAP4 IMAP4rev1 XLIST MOVE IDLE XAPPLEPUSHSERVICE NAMESPACE "
                "CHILDREN ID UIDPLUS COMPRESS=DEFLATE",
        "offers": "asked",
        "folders": (
            ("Archive", "\\HasNoChildren"),
            ("Junk", "\\HasNoChildren"),
            ("Deleted Messages", "\\HasNoChildren"),
        ),
        "need": {"archive": "Archive", "junk": "Junk",
                 "trash": "Deleted Messages"},
        "quirks": ("bodystructure-broken", "uid-fetch-params-bad"),
    },
    "proton-bridge": {
        "provider": "proton-bridge",
        "greeting": "* OK [CAPABILITY AUTH=PLAIN ID IDLE IMAP4rev1 STARTTLS] "
                    "Proton Mail Bridge 03.15.00 - gluon session ID 1",
        "pre": "AUTH=PLAIN ID IDLE IMAP4rev1 STARTTLS",
        "post": "AUTH=PLAIN ID IDLE IMAP4rev1 MOVE STARTTLS UIDPLUS UNSELECT",
        "offers": "asked",
        "starttls": True,
        "scheme": "imap",
        "folders": (
            ("All Mail", "\\Noinferiors"),
            ("Archive", "\\Noinferiors"),
            ("Folders", "\\HasChildren \\Noselect"),
            ("Folders/Work", "\\HasNoChildren"),
            ("Labels", "\\HasChildren \\Noselect"),
            ("Labels/work", "\\HasNoChildren"),
            ("Sent", "\\Noinferiors"),
            ("Spam", "\\Noinferiors"),
            ("Trash", "\\Noinferiors"),
        ),
        "need": {"archive": "Archive", "junk": "Spam", "trash": "Trash"},
        "quirks": ("list-specialuse-bad",),
    },
}

# quirk: (what the replica does, changes of the kind)
QUIRKS = {
    # Names.
    "delimiter-dot": ("levels of names are parted by a dot",
                      {"delimiter": "."}),
    "delimiter-pipe": ("... by |", {"delimiter": "|"}),
    "namespace-prefix": (
        "all names but INBOX begin with INBOX., and CREATE insists on it",
        {"delimiter": ".", "prefix": "INBOX.",
         "folders": tuple(("INBOX." + n, a) for n, a in SPECIAL),
         "need": {k: "INBOX." + n for k, n in NEED.items()}}),
    "inbox-cased": ("LIST and STATUS say Inbox", {}),
    "append-needs-crlf": (
        "APPEND is refused where the message does not end in CRLF", {}),
    "plain-may-fail": (
        "AUTHENTICATE PLAIN is refused, LOGIN is not", {"provider": "icloud"}),
    "folder-names-fixed": (
        "no SPECIAL-USE; the folders have Apple's names",
        {"post": without("SPECIAL-USE", "LIST-EXTENDED"),
         "folders": SERVICES["icloud"]["folders"],
         "need": SERVICES["icloud"]["need"]}),
    "localised-folders": (
        "the special folders have German names",
        {"folders": (("Ablage", "\\Archive"), ("Werbung", "\\Junk"),
                     ("Gel&APY-scht", "\\Trash")),
         "need": {"archive": "Ablage", "junk": "Werbung",
                  "trash": "Gel&APY-scht"}}),
    "specialuse-lowercase": (
        "attributes in lower case",
        {"folders": tuple((n, a.lower()) for n, a in SPECIAL)}),
    "xlist": ("the attributes are in XLIST only",
              {"post": without("SPECIAL-USE", "LIST-EXTENDED") + " XLIST",
               "folders": (("Ablage", "\\Archive"), ("Werbung", "\\Spam"),
                           ("Weg", "\\Trash")),
               "need": {"archive": "Ablage", "junk": "Werbung",
                        "trash": "Weg"}}),
    "list-specialuse-unadvertised": (
        "LIST shows attributes though SPECIAL-USE is not offered",
        {"post": without("SPECIAL-USE", "LIST-EXTENDED"),
         "folders": (("Ablage", "\\Archive"), ("Bulk", "\\Junk"),
                     ("Weg", "\\Trash")),
         "need": {"archive": "Ablage", "junk": "Bulk", "trash": "Weg"}}),
    "list-specialuse-bad": (
        "LIST with options is BAD, and not offered",
        {"post": without("SPECIAL-USE", "LIST-EXTENDED"),
         "folders": PLAIN_NAMES}),
    "mutf7-bug": ("a name with a bare & in LIST",
                  {"folders": SPECIAL + (("R & D", "\\HasNoChildren"),)}),
    "three-way-spam": (
        "who is not known comes to a folder of its own, which is watched",
        {"post": without("SPECIAL-USE", "LIST-EXTENDED"),
         "folders": tuple((name, "\\HasNoChildren") for name in (
             "Gesendet", "Papierkorb", "Spam", "Archiv", "Unbekannt")),
         "need": {"archive": "Archiv", "junk": "Spam",
                  "trash": "Papierkorb"},
         "keys": "watch = INBOX, Unbekannt\n"}),
    "alreadyexists-missing": (
        "CREATE of what is there: NO without a code; and what is there is "
        "not seen at first", {}),
    "folder-count-limit": ("no folder more may be made", {}),
    "labels": ("one message in several mailboxes, as Gmail's labels are",
               {"like": "gmail"}),
    "all-mail-duplicates": ("what is in INBOX is in All Mail, too",
                            {"like": "gmail"}),
    "labels-as-folders": ("folders below Labels/ hold second copies", {
        "folders": SPECIAL + (("Labels", "\\Noselect"),
                              ("Labels/work", "\\HasNoChildren"))}),
    "objectid": ("what is the same in several mailboxes has one EMAILID",
                 {"post": "IMAP4rev1 ID ENABLE IDLE MOVE UIDPLUS NAMESPACE "
                          "LITERAL+ UNSELECT OBJECTID"}),
    "expunge-archives": ("EXPUNGE takes the label away only",
                         {"like": "gmail"}),
    # Login.
    "caps-untagged": ("capabilities in a line before the tagged OK",
                      {"offers": "untagged"}),
    "pre-greeting-alert": ("an ALERT before the greeting", {
        "before_greeting": ("* OK [ALERT] Filesystem notification "
                            "initialization error -- contact your mail "
                            "administrator",)}),
    "id-required": ("SELECT is refused before ID, which is not offered",
                    {"provider": "netease-163", "post": without("ID")}),
    "id-may-fail": ("ID is BAD", {}),
    "no-id-nil": ("ID NIL and ID () are BAD", {}),
    "enable-silent": ("ENABLE is OK without ENABLED", {}),
    "starttls-mandatory": (
        "in the clear only STARTTLS is allowed",
        {"starttls": True, "scheme": "imap",
         "greeting": "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi",
         "pre": "IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR"}),
    "tls12-max": ("no TLS 1.3", {}),
    # Connections.
    "bye-loop": ("BYE three times, with an answer behind it", {}),
    "idle-dies": ("the link ends in IDLE without a word, twice", {}),
    "few-connections": ("watches one mailbox; more are refused",
                        {"provider": "yahoo"}),
    # IDLE.
    "no-idle": ("no IDLE", {"post": without("IDLE")}),
    "idle-silent": ("accepts IDLE and never speaks",
                    {"keys": "idle_renew = 1m\n"}),
    "noop-poll": ("the same, and only a look after the renewal helps",
                  {"keys": "idle_renew = 1m\n", "quirks": ("idle-silent",)}),
    "exists-before-plus": ("EXISTS comes before the + of IDLE", {}),
    "idle-early-ok": ("ends IDLE by itself when there is news", {}),
    "idle-stray-line-bad": ("anything but DONE is BAD in IDLE", {}),
    "still-here": ("* OK Still here, all the time", {}),
    "malformed-keepalive": ("a + without text, and lines with nothing in "
                            "them", {}),
    # SELECT and FETCH.
    "no-uidnext": ("SELECT says no UIDNEXT", {}),
    "status-empty": ("STATUS answers with an empty list, and no UIDNEXT in "
                     "SELECT", {"quirks": ("no-uidnext",)}),
    "uidnext-rewind": ("UIDNEXT goes back between two sessions", {}),
    "uids-may-change": ("UIDVALIDITY changes between two sessions", {}),
    "modseq-bogus": ("MODSEQ (-1), HIGHESTMODSEQ 0",
                     {"provider": "zoho-com"}),
    "no-annotate": ("SELECT with a parameter is BAD", {}),
    "mailboxid-garbage": ("8-bit bytes in a response code", {}),
    "float-numbers": ("RFC822.SIZE 9.37e+06", {}),
    "raw-bytes": ("a line with 8-bit bytes where none may be", {}),
    "bad-quoted": ("CR and LF inside of a quoted string", {}),
    "bodystructure-broken": ("BODYSTRUCTURE ends too early", {}),
    "empty-body-part": ("a part of NIL and nothing else", {}),
    "literal-everywhere": ("literals where atoms should be", {}),
    "split-1-byte": ("each byte is sent alone", {}),
    "quoted-header-names": ("header names come back quoted", {}),
    "header-names-atoms-only": ("quoted header names end the link", {}),
    "no-partial": ("no answer to BODY[]<0.n>", {}),
    "rfc822-empty": ("RFC822 is answered without it", {}),
    "uid-fetch-params-bad": ("FETCH of BODYSTRUCTURE is BAD", {}),
    "fetch-beyond-max-hangs": ("UID FETCH above the last UID is never "
                               "answered", {"provider": "yahoo",
                                            "post": without("IDLE")}),
    "max-cmd-1000": ("longer commands are BAD", {}),
    "search-not-ignored": ("NOT in SEARCH is ignored", {}),
    "no-instead-of-bad": ("NO to unknown commands", {}),
    "pipeline-25": ("more commands than 25 under way are BAD",
                    {"provider": "microsoft-365",
                     "keys": "auth = password\n"}),
    "partial-view": ("old messages are hidden", {}),
    # Actions.
    "no-keywords": ("PERMANENTFLAGS without \\*", {}),
    "copyuid-bare": ("[COPYUID ...] without * OK", {}),
    "copyuid-empty": ("COPYUID with empty sets", {}),
    "copyuid-missing-on-noop": ("MOVE without COPYUID", {}),
    "exists-after-move": ("EXISTS with each EXPUNGE", {}),
}

# Answers to a login: (the replica's lines; what the log says; whether the
# account is locked out).
REFUSALS = {
    "conn-limit-as-auth-fail": (
        ("$tag NO [ALERT] Too many simultaneous connections. (Failure)",),
        "Too many simultaneous connections", False),
    "web-login-required": (
        ("* NO [WEBALERT https://accounts.example/signin/continue?x=1] Web "
         "login required.",
         "$tag NO [ALERT] Please log in via your web browser: "
         "https://support.example/mail/accounts/answer/78754 (Failure)"),
        "web browser", True),
    "app-password-required": (
        ("$tag NO [ALERT] Application-specific password required: "
         "https://support.example/accounts/answer/185833 (Failure)",),
        "Application-specific password required", True),
    "authed-not-connected": (
        ("$tag BAD User is authenticated but not connected.",
         "* BYE Connection closed. 14"),
        "is IMAP allowed for it", False),
    "throttle-hint": (
        ("$tag BAD Request is throttled. Suggested Backoff Time: 92415 "
         "milliseconds",),
        "throttled", False),
    "throttled-logins": (
        ("$tag NO [LIMIT] Too many login attempts, try again later",),
        "Too many login attempts", False),
    "command-error-10": (
        ("$tag BAD Command Error. 10",), "Command Error. 10", False),
    "exchange-login-failed": (
        ("$tag NO LOGIN failed.",), "LOGIN failed", None),
    "imap-disabled-by-default": (
        ("$tag NO [ALERT] Your account is not enabled for IMAP use. Please "
         "visit your settings and enable IMAP. (Failure)",),
        "not enabled for IMAP", True),
    "admin-may-disable-imap": (
        ("$tag NO [ALERT] IMAP is disabled for your domain. Please contact "
         "your domain administrator. (Failure)",),
        "disabled for your domain", True),
    "protection-option-blocks-imap": (
        ("$tag NO [AUTHENTICATIONFAILED] external clients are not allowed "
         "(protection is on)",),
        "external clients are not allowed", True),
    "temporary-block-on-activity": (
        ("$tag NO [ALERT] Your account is currently not accessible via IMAP "
         "due to unusual activity.  Try after some time.",),
        "unusual activity", False),
    "yahoo-limit": (
        ("$tag NO [LIMIT] AUTHENTICATE Rate limit hit.",),
        "Rate limit hit", False),
    "yahoo-unavailable": (
        ("$tag NO [UNAVAILABLE] AUTHENTICATE Server error - Please try again "
         "later",),
        "Server error", False),
    "server-bug": (
        ("$tag NO [SERVERBUG] LOGIN Server error",), "Server error", False),
    "bye-shutdown": (
        ("* BYE [UNAVAILABLE] System Error",), "System Error", False),
    "session-expired": (
        ("* BYE Session expired, please login again.",),
        "Session expired", False),
}

# Logins by OAuth 2.0: what a token that ran out is answered with.
GOOGLE_SAYS = ('{"status":"400","schemes":"Bearer",'
               '"scope":"https://mail.google.com/"}',
               "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")
MICROSOFT_SAYS = (None, "NO AUTHENTICATE failed.")
TOKENS = {
    "gmail-token": {"like": "gmail", "token": GOOGLE_SAYS},
    "exchange-token": {"like": "exchange", "token": MICROSOFT_SAYS},
    "outlook-com-token": {"like": "outlook-com", "token": MICROSOFT_SAYS},
}

# Named by providers' facts, and nothing that an IMAP server does in a session
# of Belfry's: where each is looked after.
ELSEWHERE = {
    "raw-deflate-only": "COMPRESS is not used",
    "refresh-token-rotates": "tests/live/oauth2-ends.py",
    "self-signed-pin": "tests/live/connections.py",
    "helo-literal-refused": "submission: tests/scripts/smtp",
    "policy-554": "submission: tests/live/submission.py",
    "smtp-auth-off-by-default": "submission: tests/scripts/smtp",
    "cyrus": "tests/live/on-cyrus.py",
}


def kind_of(name, changes):
    """The whole kind: what it is like, changed."""
    like = changes.get("like")
    base = kind_of(like, SERVICES[like]) if like else dict(BASE)
    quirks = tuple(base.get("quirks", ())) + tuple(changes.get("quirks", ()))
    found = {**base, **changes, "name": name, "quirks": quirks}
    if "greeting" not in changes and "pre" in changes and not like:
        found["greeting"] = "* OK ready"
    return found


def all_kinds():
    """{name: kind} of services and quirks."""
    kinds = {name: kind_of(name, changes)
             for name, changes in {**SERVICES, **TOKENS}.items()}
    for name, (_, changes) in QUIRKS.items():
        kinds[name] = kind_of(
            name, {**changes,
                   "quirks": (name, *changes.get("quirks", ()))})
    return kinds
