/*
 * The rows of the table of all keys: included by settings.c only. The order
 * is the order of the manual.
 */

/* clang-format off */

/* [daemon] */
{DAEMON(log_level), .key = "log_level", .type = SETTING_CHOICE,
	.choices = log_levels, .standard = "notice",
	.help = "The least important kind of message that is logged."},
{DAEMON(state_directory), .key = "state_directory", .type = SETTING_PATH,
	.help = "Where cursors, journal, forward queue and history are kept.",
	.more = "Without it this is `$STATE_DIRECTORY`, or "
		"`$XDG_STATE_HOME/belfry`, "
		"or `~/.local/state/belfry`. Two daemons cannot share it."},
{DAEMON(control_socket), .key = "control_socket", .type = SETTING_PATH,
	.help = "The socket that belfryctl talks to.",
	.more = "Without it this is `control` in `$RUNTIME_DIRECTORY`, or in "
		"`$XDG_RUNTIME_DIR/belfry`, or in the state directory."},
{DAEMON(history), .key = "history", .type = SETTING_DURATION,
	.min = USEC_DAY, .max = 520 * 7 * USEC_DAY, .standard = "90d",
	.help = "How long the history is kept.",
	.more = "What is known of accounts and mailboxes that are gone is kept "
		"as long, and for 30 days at least."},
{DAEMON(open_command), .key = "open_command", .type = SETTING_ARGV,
	.help = "What a click on a notification runs, to open the message.",
	.more = "In its arguments `${url}` becomes `mid:` and the Message-ID, or, "
		"with an account at Gmail or Fastmail or one that has a "
		"`webmail`, the address of the message in the webmail; `${message-id}` is the "
		"Message-ID without its angle brackets; `${account}`, `${email}`, "
		"`${mailbox}` and `${uid}` are what they are called. Without it, "
		"`xdg-open ${url}` is run; if that fails, as where no mail program "
		"takes `mid:` addresses, the webmail of the provider is opened, "
		"where Belfry knows it (Outlook, Yahoo, AOL, iCloud, Proton, GMX, "
		"Zoho, Yandex and others), which shows the inbox. "
		"There is no shell. It gets "
		"`XDG_ACTIVATION_TOKEN` where the desktop gave one. As a service "
		"of systemd, belfryd has systemd-run start it, outside of "
		"the service. A summary opens the newest message."},
{DAEMON(copy_command), .key = "copy_command", .type = SETTING_ARGV,
	.help = "What copies a one-time code to the clipboard, from standard "
		"input.",
	.more = "Without it: wl-copy, xclip or xsel, as they are installed. "
		"Where there is none, notifications have no button "
		"`Copy code`. In the log, in what belfryctl shows of "
		"messages that were judged, and in the files of the state "
		"directory, asterisks stand for the digits of a code that "
		"the subject announces; after a restart the subject is asked "
		"of the server again."},
{DAEMON(quiet_hours), .key = "quiet_hours", .type = SETTING_HOURS,
	.help = "Hours in which only critical notifications are shown.",
	.more =
	    "`22:00-07:00` is each night; `mon-fri 22:00-07:00, sat, sun` the "
	    "nights that begin on weekdays, and all of the weekend; `none` is "
	    "never. It is the local time of this machine. What comes meanwhile "
	    "waits, and what is still unread at the end is shown then, as one "
	    "summary. `belfryctl status` says until when it is quiet."},

/* [account NAME] */
{ACCOUNT(email), .key = "email", .type = SETTING_ADDRESS,
	.help = "The address of the account.",
	.more =
	    "Its domain picks the preset of the provider, which knows hosts, "
	    "ports and quirks; then a secret is all that is needed besides."},
{ACCOUNT(enabled), .key = "enabled", .type = SETTING_BOOL,
	.standard = "yes", .help = "Whether the account is watched."},
{ACCOUNT(provider), .key = "provider", .type = SETTING_TEXT,
	.form = "name",
	.help = "The provider's preset, for a domain of your own.",
	.more = "`none` uses no preset at all."},
{ACCOUNT(imap), .key = "imap", .type = SETTING_IMAP_URL,
	.help = "The IMAP server.",
	.more = "`imaps://HOST` speaks TLS from the first byte, on port 993; "
		"`imap://HOST` uses port 143 and requires STARTTLS. A port may "
		"follow "
		"the host. An IPv6 address stands in brackets, an international "
		"name as it is written or in its xn-- form."},
{ACCOUNT(smtp), .key = "smtp", .type = SETTING_SMTP_URL,
	.help = "The submission server, needed by rules that forward.",
	.more = "`submission://HOST` uses port 587 and requires STARTTLS; "
		"`smtps://HOST` speaks TLS from the first byte, on port 465."},
{ACCOUNT(plaintext), .key = "plaintext", .type = SETTING_CHOICE,
	.choices = plaintext_kinds, .standard = "no",
	.help =
	    "With `loopback`, servers on this machine are used without TLS.",
	.more =
	    "Only for the hosts localhost, 127.0.0.1 and so on, and [::1]; for "
	    "any other host there is no way to do without TLS."},
{ACCOUNT(user), .key = "user", .type = SETTING_TEXT,
	.help = "The login name, where it is not what the preset makes of "
		"`email`. Where a provider wants the address from some and what "
		"stands before its @ from others, the other one is tried once "
		"after a refusal."},
{ACCOUNT(smtp_user), .key = "smtp_user", .type = SETTING_TEXT,
	.help = "The login name for SMTP, where it is another one."},
{ACCOUNT(auth), .key = "auth", .type = SETTING_CHOICE,
	.choices = auth_kinds, .help = "How to log in.",
	.more =
	    "Without it: oauth2 with a `token_command` or an "
	    "`oauth2_client_id`, password otherwise. "
	    "`external` is a login by the certificate in `tls_cert`, without any "
	    "other secret: SASL EXTERNAL inside TLS. The server takes the "
	    "user from the certificate, unless `user` is set. A password is proven "
	    "by SCRAM-SHA-256 or SCRAM-SHA-1 where the server offers them, "
	    "bound to the TLS connection where it can, so that it does not "
	    "leave the machine; and is sent, inside TLS, where not. With "
	    "`plain` it is always sent, inside TLS: for a server that "
	    "announces SCRAM and cannot do it. With `scram` it is never sent. "
	    "Write that where the server offers SCRAM: who stands in between, "
	    "with a certificate that this machine trusts, can take the offer "
	    "away or refuse it, and would be sent the password otherwise."},
{ACCOUNT_PART(written, password_command), .key = "password_command", .type = SETTING_ARGV,
	.help = "A command that prints the password on one line.",
	.more =
	    "It is split into arguments at blanks, quotes group; there is no "
	    "shell. It is run again for each login and has 30 seconds."},
{ACCOUNT_PART(written, token_command), .key = "token_command", .type = SETTING_ARGV,
	.help = "A command that prints an OAuth 2.0 access token on one line.",
	.more = "Run like `password_command`."},
{ACCOUNT_PART(oauth2, client_id), .key = "oauth2_client_id", .type = SETTING_TEXT,
	.help = "Your own OAuth 2.0 client id: you sign in with `belfryctl "
		"login`, and belfryd renews the token.",
	.more = "In place of `token_command`. See OAUTH2 below for where to "
		"get one."},
{ACCOUNT_PART(oauth2, client_secret), .key = "oauth2_client_secret",
	.type = SETTING_SECRET, .flags = SETTING_HIDDEN,
	.help = "The secret that belongs to the client id, only in a file of "
		"mode 0600 of your own.",
	.more = "Google's desktop clients have one; Microsoft's public clients "
		"have none."},
{ACCOUNT_PART(oauth2, client_secret_command), .key = "oauth2_client_secret_command",
	.type = SETTING_ARGV,
	.help = "A command that prints that secret on one line.",
	.more = "Run like `password_command`, for each renewal."},
{ACCOUNT_PART(oauth2, provider_id), .key = "oauth2_provider", .type = SETTING_TEXT,
	.form = "google, microsoft, ..., or custom",
	.help = "Who gives the token: google, microsoft, microsoft-consumer, "
		"yahoo, aol, fastmail, yandex, mailru, thundermail, comcast or "
		"custom.",
	.more = "Without it the provider of the account knows. With `custom` "
		"write `oauth2_scope`, `oauth2_token_url` and one or both of "
		"`oauth2_authorize_url` and `oauth2_device_url`."},
{ACCOUNT_PART(oauth2, tenant), .key = "oauth2_tenant", .type = SETTING_NAME,
	.help = "With Microsoft: the tenant, where the client id is of one "
		"organisation only.",
	.more = "Its id or domain; or common, organizations or consumers. "
		"Without it, `common`, and `consumers` for Outlook.com."},
{ACCOUNT_PART(oauth2, authorize_url), .key = "oauth2_authorize_url",
	.type = SETTING_HTTPS_URL,
	.help = "Where the browser goes to sign in, in place of what is known "
		"of the provider."},
{ACCOUNT_PART(oauth2, token_url), .key = "oauth2_token_url",
	.type = SETTING_HTTPS_URL,
	.help = "Where tokens are made and renewed, in the same way.",
	.more = "`tls_ca_file` of the account holds for this server, too."},
{ACCOUNT_PART(oauth2, device_url), .key = "oauth2_device_url",
	.type = SETTING_HTTPS_URL,
	.help = "Where a sign-in on another device begins, in the same way."},
{ACCOUNT_PART(oauth2, scope), .key = "oauth2_scope", .type = SETTING_TEXT,
	.help = "What permission is asked for, in the same way: several are "
		"separated by blanks."},
{ACCOUNT(keyring), .key = "keyring", .type = SETTING_BOOL, .standard = "no",
	.help = "Take the password from the desktop's keyring, by secret-tool.",
	.more = "The attributes are `service belfry account NAME`."},
{ACCOUNT_PART(written, credential), .key = "credential", .type = SETTING_NAME,
	.help = "Take the password from this systemd credential.",
	.more = "See LoadCredential in systemd.exec(5)."},
{ACCOUNT_PART(written, password), .key = "password", .type = SETTING_SECRET,
	.flags = SETTING_HIDDEN,
	.help = "The password itself, only in a file of mode 0600 of your own.",
	.more = "Any of the other ways is better, and a warning says so."},
{ACCOUNT(tls_ca_file), .key = "tls_ca_file", .type = SETTING_PATH,
	.help = "Certificates that replace the system's for this account.",
	.more = "Where the file is not there, the account begins when it is; "
		"the others do not wait for that."},
{ACCOUNT(tls_cert), .key = "tls_cert", .type = SETTING_PATH,
	.help = "A certificate of your own that servers are shown when they "
		"ask for one.",
	.more = "A file in PEM form, with the certificates between it and its "
		"root behind it. With `auth = external` it is the login; "
		"servers that want it and a password get both. It is read "
		"again by `belfryctl reload`. You are told 14 days before it "
		"ends."},
{ACCOUNT(tls_key), .key = "tls_key", .type = SETTING_PATH,
	.help = "The private key of `tls_cert`.",
	.more = "Without it the key is in the file of `tls_cert`, too. The "
		"file must not be readable by others: mode 0600, or 0640 and "
		"root's for the service of the whole system. A key that is "
		"locked by a password cannot be used."},
{ACCOUNT(tls_min), .key = "tls_min", .type = SETTING_CHOICE,
	.choices = tls_versions, .standard = "1.2",
	.help = "The oldest version of TLS that is accepted."},
{ACCOUNT(tls_pin), .key = "tls_pin", .type = SETTING_PINS,
	.help = "The public key that the servers must have.",
	.more =
	    "On top of all other checks (but for a server on this machine, "
	    "such as a mail bridge with a certificate of its own: there the "
	    "key is all that counts), for IMAP and SMTP alike: where their "
	    "keys differ, or will change, several are separated by commas. A key "
	    "is `sha256:` and the base64 of the SHA-256 of the "
	    "SubjectPublicKeyInfo. With a key that is not the server's the "
	    "login is not made, and the message names the server's key. "
	    "`belfryctl doctor` prints the line for the key of now."},
{ACCOUNT(watch), .key = "watch", .type = SETTING_MAILBOXES,
	.flags = SETTING_REPEATABLE, .standard = "INBOX",
	.help = "The mailboxes whose new messages are judged.",
	.more =
	    "Several are separated by commas; `*` stands for any characters, `%` "
	    "for any but `/`. "
	    "`\\Junk` and the like name special-use mailboxes. Levels are "
	    "separated by `/`, whatever the server uses. What matches a pattern is "
	    "looked for at each login, about every ten minutes (every hour where "
	    "there are more than 300 folders), and when a rule made a folder; a "
	    "server that has NOTIFY tells of it at once. A mailbox that is made "
	    "later is watched from its first message on. One that has two names "
	    "here, as `\\Junk` and what it is called, is watched once. More than "
	    "100 are not watched."},
{ACCOUNT(connections), .key = "connections", .type = SETTING_NUMBER,
	.min = 1, .max = CONFIG_CONNECTIONS_MAX, .standard = "3",
	.help = "How many connections watch the account at most.",
	.more = "The first watched mailboxes have one each, on which the "
		"server pushes news. When there are more, the last connection "
		"is told of all others (where the server has NOTIFY) or asks "
		"for them in turn, and goes where something is to be done; in "
		"between it waits in the first of them. A server "
		"that refuses so many is believed for a day. "
		"Presets of providers that allow few lower the default."},
{ACCOUNT(idle_renew), .key = "idle_renew", .type = SETTING_DURATION,
	.min = USEC_MINUTE, .max = 28 * USEC_MINUTE, .standard = "9m",
	.help = "How often a connection that waits for news is proven alive.",
	.more = "Without it, the preset may know a better time. Where a "
		"connection dies in silence it is renewed sooner from then "
		"on, down to 2.5 minutes; and down to half a minute where "
		"none outlives a renewal, or where about three in 200 "
		"renewals die. That is remembered. After a day it is made "
		"longer by a half, and once more each day; what does not last "
		"is taken back, and tried again after two days, then after "
		"four. Mail that comes while a connection is dead is found "
		"when it is renewed (see `Whether a connection lives` in "
		"belfryd(8))."},
{ACCOUNT(poll), .key = "poll", .type = SETTING_DURATION,
	.min = 30 * USEC_SEC, .max = USEC_DAY, .standard = "2m",
	.help = "How often to ask a server that does not tell by itself "
		"(without IDLE), and, at most, for a mailbox without a "
		"connection of its own.",
	.more = "A mailbox where mail comes is asked for more often, up to "
		"once a minute. Also a server that has IDLE, but twice did "
		"not tell of new mail, is asked so often."},
{ACCOUNT(identity), .key = "identity", .type = SETTING_ADDRESSES,
	.flags = SETTING_REPEATABLE,
	.help = "Further addresses that are you, besides `email`.",
	.more = "For `to-me` and `cc-me`, and so that nothing is forwarded to "
		"yourself."},
{ACCOUNT(authserv), .key = "authserv", .type = SETTING_HOSTS,
	.help = "Hosts whose Authentication-Results header is believed.",
	.more = "It is the word that the server of the account writes first in "
		"that field. Without it `auth.spf`, `auth.dkim` and "
		"`auth.dmarc` are never true."},
{ACCOUNT(notify), .key = "notify", .type = SETTING_CHOICE,
	.choices = notify_kinds, .standard = "yes",
	.help =
	    "Whether to notify: of new messages, never, or only where a rule "
	    "says so.",
	.more = "With `yes`, a message that is still unread after the rules "
		"is notified, unless one of them was quiet, has notified, or "
		"threw it away."},
{ACCOUNT(escalate), .key = "escalate", .type = SETTING_ESCALATION,
	.flags = SETTING_REPEATABLE,
	.help = "Rings this notifier, too, so long after the message was "
		"judged, where the account's own notification rang.",
	.more = "With `unless read` it does not if the message was read, moved "
		"or deleted by then, here or elsewhere. The time is from `10s` "
		"to `7d`, and goes on over a restart. While the account is "
		"paused it does not ring, and a server that cannot be asked "
		"then is waited for, two minutes. The notifier does not "
		"ring at first. What a rule notifies of has the `escalate` of "
		"that rule (belfry-rules(5)). Example: `escalate = phone after "
		"10m unless read`."},
{ACCOUNT(preview), .key = "preview", .type = SETTING_BOOL,
	.standard = "yes",
	.help = "Whether a notification on the desktop also says how the text "
		"of the message begins.",
	.more = "It is fetched only for what is about to be shown by itself, "
		"and only the beginning: from a server that has PREVIEW, 200 "
		"characters, and else of the first text part. A "
		"message with a one-time code in its subject or in this "
		"beginning gets the button `Copy code`. What a rule moves is "
		"asked before that, unless more than five are to be moved at "
		"once; when belfryd is started again, it is not asked anew. "
		"What has a `text` of its rule is shown without."},
{ACCOUNT(privacy), .key = "privacy", .type = SETTING_CHOICE,
	.choices = privacies, .standard = "none",
	.help = "With `count`, notifications say only how many new messages "
		"there are: no sender, no subject, nothing of the text, and "
		"none of what a rule wants to be said.",
	.more = "No notifier of any type gets more than this number, the name "
		"of the account, and the urgency: not the mailbox, not the "
		"message's UID or Message-ID, not the rule or the icon and "
		"sound that it wants, no header and no message on standard "
		"input. One notification counts all of the account that are "
		"unread and not dismissed. It has buttons as others, also "
		"when its number has changed; that for a one-time code is "
		"left out. What Belfry itself has to say, "
		"such as of a login that fails, is said as before; and so are "
		"the log and the history."},
{ACCOUNT(open_command), .key = "open_command", .type = SETTING_ARGV,
	.help = "What a click on a notification of this account runs, in "
		"place of that of [daemon]."},
{ACCOUNT(webmail), .key = "webmail", .type = SETTING_TEXT,
	.form = "URL with ${variables}",
	.help = "The address of a message in the webmail, where that of the "
		"provider is not known, or is another one.",
	.more = "It is what `${url}` of `open_command` becomes, and what a "
		"webhook sends (`click`). `${message-id}` is the Message-ID "
		"without its angle brackets; `${account}`, `${email}`, "
		"`${mailbox}` and `${uid}` are what they are called; all are "
		"percent-encoded. With Roundcube, which is asked for the message "
		"by its place: "
		"`https://mail.example/?_action=show&_mbox=${mailbox}"
		"&_uid=${uid}`. For a message that a rule has moved, one with `${uid}` or "
		"`${mailbox}` is not used, as they are others there."},
{ACCOUNT(from), .key = "from", .type = SETTING_ADDRESS,
	.help = "The sender of forwarded messages, where it is not `email`."},
{ACCOUNT(sent_copy), .key = "sent_copy", .type = SETTING_BOOL,
	.standard = "no",
	.help = "Whether the submission server puts a copy of what it takes "
		"into `\\Sent` by itself.",
	.more = "Then a forward whose answer was lost is looked for there, "
		"five times in two minutes, before its rule's `unknown` "
		"decides; until that is known, no other is sent. Without it "
		"the preset knows: Gmail and Microsoft's servers do that."},
{ACCOUNT(claim), .key = "claim", .type = SETTING_CHOICE,
	.choices = claim_modes, .standard = "auto",
	.help = "How this machine agrees with others that watch the same "
		"account, so that nothing is moved, copied, forwarded or run "
		"twice.",
	.more =
	    "With `auto` it looks for others, and where there are some, each "
	    "message is claimed on the server before a rule acts on it; every "
	    "machine still judges it and rings. To be found, each machine "
	    "keeps one small message in the folder `belfry-claims`, which is "
	    "made when a rule first acts; a machine that is alone asks for no "
	    "more than the number of messages there, at most every two "
	    "minutes, and leaves no other trace. A machine that comes new "
	    "acts after five minutes, and leaves copies, forwards and "
	    "commands of mail that came until then to those that were there "
	    "before; one that was not heard of for a month is forgotten. Claims are keywords that begin with `belfry-`; "
	    "those that say what was done stay on messages that stay. The "
	    "claim of a machine that died is taken over after 45 minutes, or "
	    "after a day where the server has no CONDSTORE; after twice as "
	    "long when a forward may have been sent. What a rule would move "
	    "away stays until its forwards are sent. Where the server, or "
	    "the mailbox, keeps no keywords, claims are messages in that folder, which are "
	    "removed after a day, and what says what was done after 30 days. "
	    "`no`: there is no "
	    "other machine; no folder is made, and one that is there is left "
	    "alone: when no machine uses it any more, delete `belfry-claims` "
	    "in your mail program. Where the server keeps neither "
	    "keywords nor an order of what is put into the folder, it says "
	    "so; then write `leader` on the one machine that "
	    "acts, and `standby` on the others, which judge and notify only; "
	    "what they leave to the leader they do not do later, and none of "
	    "them takes over by itself. `belfryctl status` says how the "
	    "machines agree."},
{ACCOUNT(forward_limit), .key = "forward_limit", .type = SETTING_RATES,
	.standard = "20/hour, 100/day",
	.help = "How many messages may be forwarded from the account.",
	.more = "What is over a limit is not forwarded, the history says so, "
		"and it rings once a day."},
{ACCOUNT(forward_target_limit), .key = "forward_target_limit",
	.type = SETTING_RATES,
	.help = "How many messages may be forwarded to one address.",
	.more = "Those of all accounts count together. Without it, as many as "
		"`forward_limit` says."},

/* [notifier NAME] */
{NOTIFIER(type), .key = "type", .type = SETTING_CHOICE,
	.choices = notifier_types, .help = "What kind of notifier it is.",
	.more =
	    "`desktop` shows a notification, `exec` runs a command for each, "
	    "`program` keeps one program running that is told of "
	    "all, in lines (belfry-notifiers(7)), "
	    "`webhook` sends it to a web service, `journal` writes it into "
	    "systemd's journal, with fields such as BELFRY_ACCOUNT and "
	    "BELFRY_TITLE, else to the syslog, else into the log."},
{NOTIFIER(enabled), .key = "enabled", .type = SETTING_BOOL,
	.standard = "yes", .help = "Whether the notifier is used."},
{NOTIFIER(urgency), .key = "urgency", .type = SETTING_CHOICE,
	.choices = urgencies, .standard = "low",
	.help = "The least urgency that it is told about."},
{NOTIFIER(quiet_hours), .key = "quiet_hours", .type = SETTING_HOURS,
	.help = "Quiet hours of this notifier alone, in place of those of "
		"[daemon]; `none` for none."},
{NOTIFIER(command), .key = "command", .type = SETTING_ARGV,
	.help = "The command of an exec notifier, or the program.",
	.more =
	    "There is no shell. Of a command, one runs at a time. It gets the "
	    "message on standard input (see `stdin`), and in its environment "
	    "`BELFRY_TITLE`, `BELFRY_TEXT` (what a notification shows), "
	    "`BELFRY_URGENCY`, `BELFRY_ACCOUNT`, `BELFRY_MAILBOX`, "
	    "`BELFRY_UID` (0: about no single message), `BELFRY_FROM`, "
	    "`BELFRY_SUBJECT`, `BELFRY_RULE` (empty: no rule asked for it), "
	    "`BELFRY_MESSAGE_ID` and `BELFRY_URL` (where the message can be "
	    "opened). One that fails is not run again."},
{NOTIFIER(input), .key = "stdin", .type = SETTING_CHOICE,
	.choices = notifier_inputs, .standard = "header",
	.help = "What the command gets on standard input.",
	.more =
	    "`header` is the header block of the message, as it came, and "
	    "`message` all of it (up to 32 MB). What a rule has moved is not "
	    "fetched again: then it is the header block, or From, Subject and "
	    "Message-ID alone. A notification of several messages, or of none, "
	    "is a Subject and a text in that form. `text` is title and text, "
	    "one a line."},
{NOTIFIER(timeout), .key = "timeout", .type = SETTING_DURATION,
	.min = USEC_SEC, .max = USEC_HOUR, .standard = "30s",
	.help = "How long the command may take."},
{NOTIFIER(url), .key = "url", .type = SETTING_HTTP_URL,
	.flags = SETTING_HIDDEN,
	.help = "Where a webhook notifier sends to; https, or http to this "
		"machine."},
{NOTIFIER(format), .key = "format", .type = SETTING_CHOICE,
	.choices = webhook_formats, .standard = "json",
	.help = "What a webhook sends.",
	.more = "`ntfy` and `gotify` are what these services take; `json` is "
		"an object with all that is known of the notification."},
{NOTIFIER(body), .key = "body", .type = SETTING_TEXT,
	.form = "text with ${variables}",
	.help = "What a webhook with `format = json` sends instead.",
	.more =
	    "`${title}`, `${body}`, `${preview}`, `${urgency}`, `${account}`, "
	    "`${mailbox}`, `${uid}`, `${message-id}`, `${url}` (where the "
	    "message can be opened: see `click`) and `${key}` (the same for "
	    "the same message, also after a restart) are replaced, in a way "
	    "that fits inside the quotes of a JSON string; with a `header = "
	    "Content-Type: text/plain` as they are, and percent-encoded for "
	    "`application/x-www-form-urlencoded`."},
{NOTIFIER(cancel_url), .key = "cancel_url", .type = SETTING_TEXT,
	.flags = SETTING_HIDDEN,
	.form = "URL with ${key} or ${id}",
	.help = "With `format = json`: where a DELETE takes a notification "
		"back when its message was read, moved or deleted.",
	.more = "`${id}` is the `id` of the service's JSON reply. For ntfy and "
		"Gotify Belfry knows the place by itself: ntfy, from server "
		"2.16 on, by a sequence id, Gotify if there is a "
		"`cancel_token_command`. What was sent before a restart of "
		"belfryd is taken back, too: in each mailbox the newest 50 to "
		"400, by the length of what the service needs."},
{NOTIFIER(token_command), .key = "token_command", .type = SETTING_ARGV,
	.help = "A command that prints the token for a webhook on one line.",
	.more =
	    "It is sent as `Authorization: Bearer`, to Gotify as "
	    "`X-Gotify-Key`. The command is run when the token is first "
	    "needed, and again when the service refuses it. There is no shell."},
{NOTIFIER(cancel_token_command), .key = "cancel_token_command",
	.type = SETTING_ARGV,
	.help = "The same for taking notifications back: Gotify wants the token "
		"of a client there, not that of the application."},
{NOTIFIER(tls_ca_file), .key = "tls_ca_file", .type = SETTING_PATH,
	.help = "Certificates (PEM) that are believed for this webhook, in "
		"place of the system's."},
{NOTIFIER(headers), .key = "header", .type = SETTING_HEADER,
	.flags = SETTING_REPEATABLE | SETTING_HIDDEN,
	.help = "A header field that a webhook sends along, such as "
		"Authorization."},
{NOTIFIER(click), .key = "click", .type = SETTING_BOOL, .standard = "yes",
	.help = "Whether a webhook says where the message can be opened: at a "
		"touch of the notification, with ntfy and Gotify.",
	.more = "That is the message in the webmail of its account (`webmail`, "
		"or as the provider is known), else the inbox there, else `mid:` "
		"and the Message-ID, for mail programs that take it. So the "
		"service learns the Message-ID, and of Gmail your address, too. "
		"Of a summary it is the newest message. With `privacy = count` "
		"nothing of this is sent."},
{NOTIFIER(privacy), .key = "privacy", .type = SETTING_CHOICE,
	.choices = privacies, .standard = "none",
	.help = "With `count`, this notifier says only how many new messages "
		"there are, as `privacy` of an account does.",
	.more = "Such as for a phone whose locked screen anybody can read. To "
		"a command `BELFRY_MAILBOX`, `BELFRY_RULE`, `BELFRY_FROM`, "
		"`BELFRY_SUBJECT`, `BELFRY_MESSAGE_ID` and `BELFRY_URL` are "
		"then empty and `BELFRY_UID` is 0; to a webhook the variables "
		"of the same names."},

/* [list NAME] */
{LIST, .key = "member", .type = SETTING_RULE_TEXT,
	.form = "address or @domain",
	.flags = SETTING_REPEATABLE,
	.help = "An address, or `@domain` for a domain and its subdomains."},

/* [rule ID]; the values are read by rules/ */
{RULE, .key = "when", .type = SETTING_CONDITION,
	.flags = SETTING_REPEATABLE,
	.help = "A condition; all `when` lines must hold.",
	.more = "`when = all` holds for every message."},
{RULE, .key = "unless", .type = SETTING_CONDITION,
	.flags = SETTING_REPEATABLE,
	.help = "A condition that vetoes: if any `unless` line holds, the rule "
		"does "
		"nothing."},
{RULE, .key = "accounts", .type = SETTING_RULE_TEXT,
	.form = "name, ...",
	.help = "The accounts that the rule is for; without it, all."},
{RULE, .key = "mailboxes", .type = SETTING_RULE_TEXT,
	.form = "name, ...",
	.help = "The mailboxes that the rule is for; without it, all that are "
		"watched."},
{RULE, .key = "enabled", .type = SETTING_RULE_TEXT,
	.form = "yes or no", .standard = "yes",
	.help = "Whether the rule is looked at: yes or no."},
{RULE, .key = "mode", .type = SETTING_RULE_TEXT,
	.form = "live or observe", .standard = "live",
	.help =
	    "`live`, or `observe` to write into the history what it would do."},
{RULE, .key = "limit", .type = SETTING_RULE_TEXT,
	.form = "N/hour or N/day",
	.help = "How often the rule may act, such as `20/hour` or `100/day`."},
{RULE, .key = "stop", .type = SETTING_RULE_TEXT,
	.form = "yes or no", .standard = "no",
	.help =
	    "With `yes`, no later rule sees a message on which this one acts."},
{RULE, .key = "copy", .type = SETTING_RULE_TEXT,
	.form = "folder",
	.flags = SETTING_REPEATABLE,
	.help = "Copy the message into this folder."},
{RULE, .key = "forward", .type = SETTING_RULE_TEXT,
	.form = "address",
	.flags = SETTING_REPEATABLE,
	.help = "Forward the message to this address."},
{RULE, .key = "as", .type = SETTING_RULE_TEXT,
	.form = "attach, redirect or inline", .standard = "attach",
	.help = "How to forward: with the original attached, redirected as it "
		"is, or quoted.",
	.more = "`redirect` needs a server that sends mail with the address "
		"of somebody else in From; where the provider is known to "
		"refuse that, it is an error."},
{RULE, .key = "unknown", .type = SETTING_RULE_TEXT,
	.form = "resend, hold or drop", .standard = "resend",
	.help = "What to do when it is unknown whether a forward arrived: "
		"`resend`, `hold` or `drop`."},
{RULE, .key = "allow", .type = SETTING_RULE_TEXT,
	.form = "list, auto",
	.help =
	    "Forward also what is usually held back: `list`, `auto`, or both."},
{RULE, .key = "exec", .type = SETTING_RULE_TEXT,
	.form = "/path argument ...",
	.help = "Run this command, without a shell.",
	.more = "It is split into arguments at blanks, quotes group, and a "
		"`${...}` "
		"never splits or joins arguments."},
{RULE, .key = "stdin", .type = SETTING_RULE_TEXT,
	.form = "header or message",
	.help =
	    "With `message`, the command gets the whole message on standard "
	    "input instead of its header."},
{RULE, .key = "retry", .type = SETTING_RULE_TEXT,
	.form = "0 to 20",
	.help = "How many times a command that failed is run again."},
{RULE, .key = "repeat", .type = SETTING_RULE_TEXT,
	.form = "safe",
	.help =
	    "With `safe`, a command whose outcome is unknown after a crash is "
	    "run again."},
{RULE, .key = "mark", .type = SETTING_RULE_TEXT,
	.form = "word ...",
	.flags = SETTING_REPEATABLE,
	.help =
	    "Flags and keywords to set: read, unread, flagged, answered, or a "
	    "keyword; a `-` in front removes."},
{RULE, .key = "label", .type = SETTING_RULE_TEXT,
	.form = "label",
	.flags = SETTING_REPEATABLE,
	.help = "The Gmail label to add."},
{RULE, .key = "move", .type = SETTING_RULE_TEXT,
	.form = "folder",
	.help = "Move the message into this folder."},
{RULE, .key = "create", .type = SETTING_RULE_TEXT,
	.form = "yes or no", .standard = "no",
	.help = "With `yes`, make the folder of `copy` or `move` if it is "
		"missing."},
{RULE, .key = "archive", .type = SETTING_RULE_TEXT,
	.form = "yes",
	.help = "With `yes`, move the message into the archive folder."},
{RULE, .key = "trash", .type = SETTING_RULE_TEXT,
	.form = "yes",
	.help = "With `yes`, move the message into the trash folder."},
{RULE, .key = "junk", .type = SETTING_RULE_TEXT,
	.form = "yes",
	.help = "With `yes`, move the message into the junk folder."},
{RULE, .key = "delete", .type = SETTING_RULE_TEXT,
	.form = "forever",
	.help =
	    "With `forever`, and no other word, delete the message for good."},
{RULE, .key = "notify", .type = SETTING_RULE_TEXT,
	.form = "yes, low, normal or critical",
	.help = "Notify: yes, low, normal or critical."},
{RULE, .key = "quiet", .type = SETTING_RULE_TEXT,
	.form = "yes or no",
	.help = "With `yes`, raise no notification for the message."},
{RULE, .key = "urgency", .type = SETTING_RULE_TEXT,
	.form = "low, normal or critical",
	.help = "The urgency of the notification: low, normal or critical."},
{RULE, .key = "title", .type = SETTING_RULE_TEXT,
	.flags = SETTING_PROSE,
	.help = "The notification's title, where it is not the sender."},
{RULE, .key = "text", .type = SETTING_RULE_TEXT,
	.flags = SETTING_PROSE,
	.help = "The notification's text, where it is not the subject."},
{RULE, .key = "sound", .type = SETTING_RULE_TEXT,
	.form = "name",
	.help = "The notification's sound, by its name in the sound theme."},
{RULE, .key = "icon", .type = SETTING_RULE_TEXT,
	.form = "name or path",
	.help = "The notification's icon, by name or path."},
{RULE, .key = "via", .type = SETTING_RULE_TEXT,
	.form = "name, ...",
	.help = "The notifiers to use; without it, all."},
{RULE, .key = "escalate", .type = SETTING_RULE_TEXT,
	.form = "NOTIFIER after TIME [unless read]",
	.flags = SETTING_REPEATABLE,
	.help = "Ring that notifier, too, but only later; `unless read`: not "
		"if the message was read, moved or deleted by then."},

/* [test ID] */
{TEST(headers), .key = "header", .type = SETTING_HEADER,
	.flags = SETTING_REPEATABLE,
	.help = "A header field of the message, as `Name: value`."},
{TEST(message), .key = "message", .type = SETTING_PATH,
	.help = "A file with the message, in place of header lines.",
	.more = "A path without a leading slash begins in the folder of the "
		"configuration file."},
{TEST(body), .key = "body", .type = SETTING_LINE,
	.flags = SETTING_REPEATABLE | SETTING_PROSE,
	.help = "A line of the message's text, with header lines only.",
	.more = "With `message`, text and attachments are those of the file."},
{TEST(attachments), .key = "attachment", .type = SETTING_ATTACHMENT,
	.flags = SETTING_REPEATABLE | SETTING_PROSE,
	.help = "A file that is attached, with header lines only: its name, "
		"its type and its size.",
	.more = "Such as `invoice.pdf application/pdf 200K`. Type and size "
		"may be missing."},
{TEST(flags), .key = "flags", .type = SETTING_WORDS,
	.form = "word, ...",
	.help = "Flags and keywords that it has: read, flagged, answered, "
		"draft, deleted, or keywords; without it, none.",
	.more = "Separated by commas."},
{TEST(is_new_sender), .key = "new-sender", .type = SETTING_BOOL,
	.standard = "no",
	.help = "Whether nobody of that address has written before."},
{TEST(received), .key = "received", .type = SETTING_TIME,
	.help = "When it arrived: a time of UTC, or how long before `now`; "
		"without it, just then."},
{TEST(now), .key = "now", .type = SETTING_TIME,
	.help = "When it is judged: a time of UTC, or how long ago; without "
		"it, when the test runs.",
	.more = "In tests, `hour` and `weekday` are those of UTC."},
{TEST(account), .key = "account", .type = SETTING_TEXT,
	.form = "name",
	.help = "The account it arrives in; without it, the first."},
{TEST(mailbox), .key = "mailbox", .type = SETTING_TEXT,
	.form = "name", .standard = "INBOX",
	.help = "The mailbox it arrives in."},
{TEST(expect), .key = "expect", .type = SETTING_TEXT,
	.form = "none, or rule or action, ...",
	.help = "What must come out: ids of rules, actions, or `none`.",
	.more =
	    "Separated by commas. When ids are given, just these rules must "
	    "match. An action is a word such as `notify` or `trash`, or a word "
	    "and its object such as `move Lists/lkml`; `quiet` is that a rule "
	    "asks for no notification."},
