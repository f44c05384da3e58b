/*
 * The rows of the table in presets.c, which alone includes this: what is
 * known about mail providers.
 *
 * From the providers' own help pages and from what their servers announce.
 * Only main domains are listed: a hint for the others is their MX. Each row
 * is compared with tests/data/providers.ini by a test.
 */
/* clang-format off */
{
    .id = "icloud",
    .webmail_inbox = "https://www.icloud.com/mail/",
    .name = "Apple iCloud Mail",
    .domains = "icloud.com me.com mac.com",
    .mx = "mail.icloud.com",
    .imap = {"imap.mail.me.com", 993, SERVER_TLS},
    .smtp = {"smtp.mail.me.com", 587, SERVER_STARTTLS},
    .retry_other_user = true,
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .quirks = QUIRK_IDLE_SILENT,
    .help = "https://support.apple.com/102654",
    .folders = {
	.sent = "Sent Messages",
	.trash = "Deleted Messages",
	.junk = "Junk",
	.archive = "Archive",
	.drafts = "Drafts",
    },
    .day_messages = 1000,
    .day_recipients = 1000,
    .message_recipients = 500,
    .message_max = 20971520,
    .settings_help = "https://support.apple.com/HT202304",
    .status_page = "https://www.apple.com/support/systemstatus/",
},
{
    .id = "gmail",
    .webmail = GMAIL_MESSAGE,
    .name = "Gmail",
    .domains = "gmail.com googlemail.com",
    .imap = {"imap.gmail.com", 993, SERVER_TLS},
    .smtp = {"smtp.gmail.com", 465, SERVER_TLS},
    .auth = PRESET_OAUTH2 | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REWRITTEN,
    .idle_renew_s = 540,
    .connections = 15,
    .quirks = QUIRK_LIMIT_AS_AUTH | QUIRK_LABELS | QUIRK_THROTTLES |
	QUIRK_FILES_SENT,
    .help =
	"https://support.google.com/accounts/answer/185833",
    .smtp_alt = {"smtp.gmail.com", 587, SERVER_STARTTLS},
    .oauth = "google",
    .day_messages = 500,
    .message_max = 26214400,
    .smtp_size = 35882577,
    .status_page = "https://www.google.com/appsstatus/dashboard/",
},
{
    .id = "google-workspace",
    .webmail = GMAIL_MESSAGE,
    .name = "Google Workspace",
    .mx = "google.com googlemail.com psmtp.com",
    .imap = {"imap.gmail.com", 993, SERVER_TLS},
    .smtp = {"smtp.gmail.com", 465, SERVER_TLS},
    .auth = PRESET_OAUTH2 | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REWRITTEN,
    .idle_renew_s = 540,
    .connections = 15,
    .quirks = QUIRK_LIMIT_AS_AUTH | QUIRK_LABELS | QUIRK_IMAP_IS_OFF |
	QUIRK_FILES_SENT,
    .help =
	"https://support.google.com/accounts/answer/185833",
    .smtp_alt = {"smtp-relay.gmail.com", 587, SERVER_STARTTLS},
    .oauth = "google",
    .day_messages = 2000,
    .message_max = 26214400,
},
{
    .id = "outlook-com",
    .webmail_inbox = "https://outlook.live.com/mail/",
    .name = "Outlook.com (Hotmail, Live, MSN)",
    .domains =
	"hotmail.com live.com msn.com outlook.com windowslive.com "
	"outlook.at outlook.be outlook.cl outlook.cz outlook.de "
	"outlook.dk outlook.es outlook.fr outlook.hu outlook.ie "
	"outlook.in outlook.it outlook.jp outlook.kr outlook.lv "
	"outlook.my outlook.ph outlook.pt outlook.sa outlook.sg "
	"outlook.sk outlook.co.id outlook.co.il outlook.co.th "
	"outlook.com.ar outlook.com.au outlook.com.br "
	"outlook.com.gr outlook.com.tr outlook.com.vn hotmail.be "
	"hotmail.ca hotmail.cl hotmail.cz hotmail.de hotmail.dk "
	"hotmail.es hotmail.fi hotmail.fr hotmail.gr hotmail.hu "
	"hotmail.it hotmail.lt hotmail.lv hotmail.my hotmail.nl "
	"hotmail.no hotmail.ph hotmail.rs hotmail.se hotmail.sg "
	"hotmail.sk hotmail.co.id hotmail.co.il hotmail.co.in "
	"hotmail.co.jp hotmail.co.kr hotmail.co.th hotmail.co.uk "
	"hotmail.co.za hotmail.com.ar hotmail.com.au hotmail.com.br "
	"hotmail.com.hk hotmail.com.tr hotmail.com.tw "
	"hotmail.com.vn live.at live.be live.ca live.cl live.cn "
	"live.de live.dk live.fi live.fr live.hk live.ie live.in "
	"live.it live.jp live.nl live.no live.ru live.se live.co.jp "
	"live.co.kr live.co.uk live.co.za live.com.ar live.com.au "
	"live.com.mx live.com.my live.com.ph live.com.pt "
	"live.com.sg livemail.tw",
    .mx = "olc.protection.outlook.com",
    .imap = {"outlook.office365.com", 993, SERVER_TLS},
    .smtp = {"smtp-mail.outlook.com", 587, SERVER_STARTTLS},
    .auth = PRESET_OAUTH2,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .quirks = QUIRK_IDLE_SILENT | QUIRK_AUTHED_NOT_CONNECTED |
	QUIRK_NO_KEYWORDS | QUIRK_NO_ID_NIL | QUIRK_SHORT_PIPELINE |
	QUIRK_THROTTLES |
	QUIRK_FILES_SENT,
    .help =
	"https://support.microsoft.com/office/d088b986-291d-42b8-9564-9c414e2aa040",
    .enable =
	"in Outlook's settings under Mail, Forwarding and IMAP, let "
	"devices and apps use IMAP",
    .imap_alt = {"imap-mail.outlook.com", 993, SERVER_TLS},
    .oauth = "microsoft-consumer",
    .folders = {
	.sent = "Sent|Sent Items",
	.trash = "Deleted|Deleted Items",
	.junk = "Junk|Junk Email",
	.archive = "Archive",
	.drafts = "Drafts",
    },
    .smtp_size = 157286400,
},
{
    .id = "microsoft-365",
    .webmail_inbox = "https://outlook.office.com/mail/",
    .name = "Microsoft 365",
    .domains = "office365.com onmicrosoft.com",
    .mx = "mail.protection.outlook.com mx.microsoft",
    .imap = {"outlook.office365.com", 993, SERVER_TLS},
    .smtp = {"smtp.office365.com", 587, SERVER_STARTTLS},
    .auth = PRESET_OAUTH2,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .connections = 20,
    .quirks = QUIRK_IDLE_SILENT | QUIRK_AUTHED_NOT_CONNECTED |
	QUIRK_NO_KEYWORDS | QUIRK_NO_ID_NIL | QUIRK_IMAP_IS_OFF |
	QUIRK_SHORT_PIPELINE | QUIRK_THROTTLES |
	QUIRK_FILES_SENT,
    .enable =
	"the administrator must allow IMAP and authenticated SMTP "
	"for the mailbox",
    .oauth = "microsoft",
    .folders = {
	.sent = "Sent Items",
	.trash = "Deleted Items",
	.junk = "Junk Email",
	.archive = "Archive",
	.drafts = "Drafts",
    },
    .day_recipients = 10000,
    .smtp_size = 157286400,
},
{
    .id = "yahoo",
    .webmail_inbox = "https://mail.yahoo.com/",
    .name = "Yahoo Mail",
    .domains =
	"yahoo.com yahoo.ca yahoo.de yahoo.it yahoo.fr yahoo.es "
	"yahoo.se yahoo.co.in yahoo.co.uk yahoo.co.nz yahoo.com.au "
	"yahoo.com.ar yahoo.com.br yahoo.com.mx ymail.com "
	"myyahoo.com rocketmail.com",
    .mx = "yahoodns.net",
    .imap = {"imap.mail.yahoo.com", 993, SERVER_TLS},
    .smtp = {"smtp.mail.yahoo.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD | PRESET_OAUTH2,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 120,
    .quirks = QUIRK_NO_IDLE | QUIRK_IDLE_SILENT |
	QUIRK_FEW_CONNECTIONS | QUIRK_SHORT_PIPELINE |
	QUIRK_FETCH_BEYOND_HANGS,
    .help =
	"https://help.yahoo.com/kb/generate-third-party-passwords-sln15241.html",
    .imap_alt = {"export.imap.mail.yahoo.com", 993, SERVER_TLS},
    .smtp_alt = {"smtp.mail.yahoo.com", 587, SERVER_STARTTLS},
    .oauth = "yahoo",
    .folders = {
	.sent = "Sent",
	.trash = "Trash",
	.junk = "Bulk|Bulk Mail",
	.archive = "Archive",
	.drafts = "Draft",
    },
},
{
    .id = "aol",
    .webmail_inbox = "https://mail.aol.com/",
    .name = "AOL Mail",
    .domains =
	"aol.com aim.com netscape.net netscape.com compuserve.com "
	"cs.com wmconnect.com aol.de aol.it aol.fr aol.es aol.se "
	"aol.co.uk aol.co.nz aol.com.au aol.com.ar aol.com.br "
	"aol.com.mx verizon.net",
    .mx = "mail.gm0.yahoodns.net",
    .imap = {"imap.aol.com", 993, SERVER_TLS},
    .smtp = {"smtp.aol.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD | PRESET_OAUTH2,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 120,
    .quirks = QUIRK_NO_IDLE | QUIRK_IDLE_SILENT |
	QUIRK_FEW_CONNECTIONS | QUIRK_SHORT_PIPELINE |
	QUIRK_FETCH_BEYOND_HANGS,
    .help =
	"https://help.aol.com/articles/Create-and-manage-app-password",
    .imap_alt = {"export.imap.aol.com", 993, SERVER_TLS},
    .oauth = "aol",
    .folders = {
	.sent = "Sent",
	.trash = "Trash",
	.junk = "Bulk|Spam",
	.archive = "Archive",
	.drafts = "Draft|Drafts",
    },
},
{
    .id = "att",
    .name = "AT&T Mail",
    .domains =
	"ameritech.net att.net bellsouth.net currently.com "
	"flash.net nvbell.net pacbell.net prodigy.net sbcglobal.net "
	"snet.net swbell.net wans.net",
    .imap = {"imap.mail.att.net", 993, SERVER_TLS},
    .smtp = {"smtp.mail.att.net", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD | PRESET_OAUTH2,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 120,
    .quirks = QUIRK_NO_IDLE | QUIRK_IDLE_SILENT |
	QUIRK_FEW_CONNECTIONS | QUIRK_SHORT_PIPELINE |
	QUIRK_FETCH_BEYOND_HANGS,
    .help =
	"https://www.att.com/support/article/email-support/KM1010523/",
    .enable =
	"the password is what AT&T calls the secure mail key",
    .smtp_alt = {"outbound.att.net", 465, SERVER_TLS},
    .oauth = "yahoo",
},
{
    .id = "cox",
    .name = "Cox",
    .domains = "cox.net",
    .imap = {"imap.mail.yahoo.com", 993, SERVER_TLS},
    .smtp = {"smtp.mail.yahoo.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD | PRESET_OAUTH2,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 120,
    .quirks = QUIRK_NO_IDLE | QUIRK_IDLE_SILENT |
	QUIRK_FEW_CONNECTIONS | QUIRK_SHORT_PIPELINE |
	QUIRK_FETCH_BEYOND_HANGS,
    .help =
	"https://help.yahoo.com/kb/generate-third-party-passwords-sln15241.html",
    .oauth = "yahoo",
},
{
    .id = "sky",
    .name = "Sky",
    .domains = "sky.com",
    .imap = {"imap.tools.sky.com", 993, SERVER_TLS},
    .smtp = {"smtp.tools.sky.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 120,
    .quirks = QUIRK_NO_IDLE,
    .help =
	"http://help.sky.com/articles/get-emails-on-other-clients?product=email",
},
{
    .id = "fastmail",
    .webmail = FASTMAIL_MESSAGE,
    .name = "Fastmail",
    .domains = "fastmail.com fastmail.fm fastmail.net",
    .mx = "messagingengine.com",
    .imap = {"imap.fastmail.com", 993, SERVER_TLS},
    .smtp = {"smtp.fastmail.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD | PRESET_OAUTH2,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 1500,
    .help =
	"https://www.fastmail.help/hc/en-us/articles/360058752854",
    .enable =
	"the user name is the account's main address, not an alias",
    .smtp_alt = {"smtp.fastmail.com", 587, SERVER_STARTTLS},
    .oauth = "fastmail",
    .folders = {
	.sent = "Sent",
	.trash = "Trash",
	.junk = "Spam|Junk Mail",
	.archive = "Archive",
	.drafts = "Drafts",
    },
    .note = "the login is the account's first address, not an alias",
},
{
    .id = "gmx-net",
    .webmail_inbox = "https://www.gmx.net/",
    .name = "GMX (Germany, Austria, Switzerland)",
    .domains =
	"gmx.net gmx.de gmx.at gmx.ch gmx.eu gmx.biz gmx.org "
	"gmx.info mein.gmx mail.gmx email.gmx",
    .mx = "emig.gmx.net mx00.emig.gmx.net",
    .imap = {"imap.gmx.net", 993, SERVER_TLS},
    .smtp = {"mail.gmx.net", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 600,
    .quirks = QUIRK_NO_ID_NIL | QUIRK_UIDNEXT_REWINDS |
	QUIRK_STRICT_CONTENT | QUIRK_IMAP_IS_OFF,
    .help = "https://hilfe.gmx.net/pop-imap/einschalten.html",
    .enable =
	"switch on POP3 and IMAP access in the web mail settings; "
	"with two-factor login make an app password",
    .imap_alt = {"imap.gmx.net", 143, SERVER_STARTTLS},
    .smtp_alt = {"mail.gmx.net", 587, SERVER_STARTTLS},
    .folders = {
	.sent = "Gesendet",
	.trash = "Gelöscht",
	.junk = "Spamverdacht",
	.drafts = "Entwürfe",
    },
    .max_folders = 20,
    .smtp_size = 69920427,
},
{
    .id = "gmx-com",
    .webmail_inbox = "https://www.gmx.com/",
    .name = "GMX (international)",
    .domains =
	"gmx.com gmx.tm gmx.us gmx.co.uk gmx.es gmx.fr gmx.ca "
	"gmx.cn gmx.co.in gmx.com.br gmx.com.my gmx.hk gmx.ie "
	"gmx.ph gmx.pt gmx.ru gmx.se gmx.sg gmx.tw gmx.com.tr "
	"gmx.it gmx.li",
    .imap = {"imap.gmx.com", 993, SERVER_TLS},
    .smtp = {"mail.gmx.com", 587, SERVER_STARTTLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 600,
    .quirks = QUIRK_NO_ID_NIL | QUIRK_UIDNEXT_REWINDS |
	QUIRK_STRICT_CONTENT | QUIRK_IMAP_IS_OFF,
    .help = "https://support.gmx.com/pop-imap/toggle.html",
    .enable =
	"switch on POP3 and IMAP access in the web mail settings",
    .imap_alt = {"imap.gmx.com", 143, SERVER_STARTTLS},
    .smtp_alt = {"mail.gmx.com", 465, SERVER_TLS},
},
{
    .id = "webde",
    .webmail_inbox = "https://web.de/",
    .name = "WEB.DE",
    .domains =
	"web.de email.de flirt.ms hallo.ms kuss.ms love.ms magic.ms "
	"singles.ms cool.ms kanzler.ms okay.ms party.ms pop.ms "
	"stars.ms techno.ms clever.ms deutschland.ms genial.ms "
	"ich.ms online.ms smart.ms wichtig.ms action.ms fussball.ms "
	"joker.ms planet.ms power.ms",
    .mx = "mx-ha.web.de mx-ha02.web.de mx-ha03.web.de",
    .imap = {"imap.web.de", 993, SERVER_TLS},
    .smtp = {"smtp.web.de", 465, SERVER_TLS},
    .user = PRESET_USER_LOCAL,
    .smtp_user = PRESET_USER_LOCAL,
    .retry_other_user = true,
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 600,
    .quirks = QUIRK_NO_ID_NIL | QUIRK_UIDNEXT_REWINDS |
	QUIRK_STRICT_CONTENT | QUIRK_IMAP_IS_OFF,
    .help = "https://hilfe.web.de/pop-imap/einschalten.html",
    .enable =
	"switch on POP3 and IMAP access in the web mail settings; "
	"with two-factor login make an app password",
    .imap_alt = {"imap.web.de", 143, SERVER_STARTTLS},
    .smtp_alt = {"smtp.web.de", 587, SERVER_STARTTLS},
    .folders = {
	.sent = "Gesendet",
	.trash = "Papierkorb",
	.junk = "Spam",
	.drafts = "Entwurf",
    },
    .max_folders = 40,
    .note =
	"mail from unknown senders goes into the folder Unbekannt, unless "
	"the three-way filter is off: watch = INBOX, Unbekannt",
},
{
    .id = "mailcom",
    .webmail_inbox = "https://www.mail.com/",
    .name = "mail.com",
    .domains = "mail.com email.com post.com",
    .mx = "mail.com",
    .imap = {"imap.mail.com", 993, SERVER_TLS},
    .smtp = {"smtp.mail.com", 587, SERVER_STARTTLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 600,
    .quirks = QUIRK_NO_ID_NIL | QUIRK_UIDNEXT_REWINDS |
	QUIRK_STRICT_CONTENT | QUIRK_IMAP_IS_OFF,
    .help = "https://support.mail.com/pop-imap/toggle.html",
    .enable = "IMAP belongs to the Premium plan",
    .smtp_alt = {"smtp.mail.com", 465, SERVER_TLS},
},
{
    .id = "ionos-de",
    .name = "IONOS (de)",
    .domains =
	"ionos.de online.de onlinehome.de sofortstart.de "
	"sofort-start.de sofortsurf.de sofort-surf.de go4more.de "
	"kundenserver.de schlund.de",
    .mx = "kundenserver.de",
    .imap = {"imap.ionos.de", 993, SERVER_TLS},
    .smtp = {"smtp.ionos.de", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 600,
    .quirks = QUIRK_NO_ID_NIL | QUIRK_STRICT_CONTENT,
    .help =
	"https://www.ionos.de/hilfe/e-mail/allgemeine-themen/serverinformationen-fuer-imap-pop3-und-smtp/",
    .smtp_alt = {"smtp.ionos.de", 587, SERVER_STARTTLS},
    .note = "older accounts use imap.1und1.de and smtp.1und1.de",
},
{
    .id = "ionos-com",
    .name = "IONOS (com)",
    .domains = "ionos.com",
    .mx = "ionos.com",
    .imap = {"imap.ionos.com", 993, SERVER_TLS},
    .smtp = {"smtp.ionos.com", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 600,
    .quirks = QUIRK_NO_ID_NIL | QUIRK_STRICT_CONTENT,
    .help =
	"https://www.ionos.com/help/email/general-topics/settings-for-your-email-programs-imap-pop3/",
    .smtp_alt = {"smtp.ionos.com", 587, SERVER_STARTTLS},
},
{
    .id = "ionos-uk",
    .name = "IONOS (co.uk)",
    .domains = "ionos.co.uk",
    .mx = "ionos.co.uk",
    .imap = {"imap.ionos.co.uk", 993, SERVER_TLS},
    .smtp = {"smtp.ionos.co.uk", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 600,
    .quirks = QUIRK_NO_ID_NIL | QUIRK_STRICT_CONTENT,
    .help =
	"https://www.ionos.co.uk/help/email/general-topics/settings-for-your-email-programs-imap-pop3/",
    .smtp_alt = {"smtp.ionos.co.uk", 587, SERVER_STARTTLS},
},
{
    .id = "ionos-fr",
    .name = "IONOS (fr)",
    .domains = "ionos.fr",
    .mx = "ionos.fr",
    .imap = {"imap.ionos.fr", 993, SERVER_TLS},
    .smtp = {"smtp.ionos.fr", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 600,
    .quirks = QUIRK_NO_ID_NIL | QUIRK_STRICT_CONTENT,
    .help =
	"https://www.ionos.fr/assistance/email/sujets-generaux/parametres-pour-les-programmes-de-messagerie/",
    .smtp_alt = {"smtp.ionos.fr", 587, SERVER_STARTTLS},
},
{
    .id = "strato",
    .name = "Strato",
    .domains = "strato.de rzone.de",
    .mx = "rzone.de",
    .imap = {"imap.strato.de", 993, SERVER_TLS},
    .smtp = {"smtp.strato.de", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .idle_renew_s = 1500,
    .help =
	"https://www.strato.com/faq/en_us/product/the-strato-email-server/",
    .smtp_alt = {"smtp.strato.de", 587, SERVER_STARTTLS},
},
{
    .id = "proton-bridge",
    .webmail_inbox = "https://mail.proton.me/",
    .name = "Proton Mail through Proton Bridge",
    .domains = "proton.me protonmail.com protonmail.ch pm.me",
    .mx = "protonmail.ch",
    .imap = {"127.0.0.1", 1143, SERVER_STARTTLS},
    .smtp = {"127.0.0.1", 1025, SERVER_STARTTLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .quirks = QUIRK_LABELS | QUIRK_UIDS_CHANGE | QUIRK_SELF_SIGNED,
    .help = "https://protonmail.com/bridge/",
    .enable =
	"Proton Bridge must run on this machine, which needs a paid "
	"plan; belfryctl setup asks whether to trust its key",
    .folders = {
	.sent = "Sent",
	.trash = "Trash",
	.junk = "Spam",
	.archive = "Archive",
	.drafts = "Drafts",
    },
},
{
    .id = "zoho-com",
    .webmail_inbox = "https://mail.zoho.com/",
    .name = "Zoho Mail (US)",
    .domains = "zoho.com zohomail.com",
    .mx = "zoho.com",
    .imap = {"imap.zoho.com", 993, SERVER_TLS},
    .smtp = {"smtp.zoho.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .quirks = QUIRK_BAD_MODSEQ | QUIRK_THROTTLES,
    .help = "https://www.zoho.com/mail/help/imap-access.html",
    .enable =
	"switch on IMAP access under Mail accounts in the settings",
    .imap_alt = {"imappro.zoho.com", 993, SERVER_TLS},
    .smtp_alt = {"smtppro.zoho.com", 465, SERVER_TLS},
    .message_recipients = 100,
},
{
    .id = "zoho-eu",
    .webmail_inbox = "https://mail.zoho.eu/",
    .name = "Zoho Mail (EU)",
    .domains = "zoho.eu zohomail.eu",
    .mx = "zoho.eu",
    .imap = {"imap.zoho.eu", 993, SERVER_TLS},
    .smtp = {"smtp.zoho.eu", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .quirks = QUIRK_BAD_MODSEQ | QUIRK_THROTTLES,
    .help = "https://www.zoho.com/mail/help/imap-access.html",
    .enable =
	"switch on IMAP access under Mail accounts in the settings",
    .imap_alt = {"imappro.zoho.eu", 993, SERVER_TLS},
    .smtp_alt = {"smtppro.zoho.eu", 465, SERVER_TLS},
    .message_recipients = 100,
},
{
    .id = "zoho-in",
    .webmail_inbox = "https://mail.zoho.in/",
    .name = "Zoho Mail (India)",
    .domains = "zoho.in zohomail.in",
    .mx = "zoho.in",
    .imap = {"imap.zoho.in", 993, SERVER_TLS},
    .smtp = {"smtp.zoho.in", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .quirks = QUIRK_BAD_MODSEQ | QUIRK_THROTTLES,
    .help = "https://www.zoho.com/mail/help/imap-access.html",
    .enable =
	"switch on IMAP access under Mail accounts in the settings",
    .imap_alt = {"imappro.zoho.in", 993, SERVER_TLS},
    .smtp_alt = {"smtppro.zoho.in", 465, SERVER_TLS},
    .message_recipients = 100,
},
{
    .id = "zoho-au",
    .webmail_inbox = "https://mail.zoho.com.au/",
    .name = "Zoho Mail (Australia)",
    .domains = "zoho.com.au zohomail.com.au",
    .mx = "zoho.com.au",
    .imap = {"imap.zoho.com.au", 993, SERVER_TLS},
    .smtp = {"smtp.zoho.com.au", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .quirks = QUIRK_BAD_MODSEQ | QUIRK_THROTTLES,
    .help = "https://www.zoho.com/mail/help/imap-access.html",
    .enable =
	"switch on IMAP access under Mail accounts in the settings",
    .imap_alt = {"imappro.zoho.com.au", 993, SERVER_TLS},
    .smtp_alt = {"smtppro.zoho.com.au", 465, SERVER_TLS},
    .message_recipients = 100,
},
{
    .id = "zoho-jp",
    .webmail_inbox = "https://mail.zoho.jp/",
    .name = "Zoho Mail (Japan)",
    .domains = "zoho.jp zohomail.jp",
    .mx = "zoho.jp",
    .imap = {"imap.zoho.jp", 993, SERVER_TLS},
    .smtp = {"smtp.zoho.jp", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .quirks = QUIRK_BAD_MODSEQ | QUIRK_THROTTLES,
    .help = "https://www.zoho.com/mail/help/imap-access.html",
    .enable =
	"switch on IMAP access under Mail accounts in the settings",
    .imap_alt = {"imappro.zoho.jp", 993, SERVER_TLS},
    .smtp_alt = {"smtppro.zoho.jp", 465, SERVER_TLS},
    .message_recipients = 100,
},
{
    .id = "zoho-ca",
    .name = "Zoho Mail (Canada)",
    .domains = "zohocloud.ca zohomailcloud.ca",
    .mx = "zohocloud.ca",
    .imap = {"imap.zohocloud.ca", 993, SERVER_TLS},
    .smtp = {"smtp.zohocloud.ca", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 540,
    .quirks = QUIRK_BAD_MODSEQ | QUIRK_THROTTLES,
    .help = "https://www.zoho.com/mail/help/imap-access.html",
    .enable =
	"switch on IMAP access under Mail accounts in the settings",
    .imap_alt = {"imappro.zohocloud.ca", 993, SERVER_TLS},
    .smtp_alt = {"smtppro.zohocloud.ca", 465, SERVER_TLS},
    .message_recipients = 100,
},
{
    .id = "yandex",
    .webmail_inbox = "https://mail.yandex.com/",
    .name = "Yandex",
    .domains =
	"yandex.ru yandex.com yandex.net yandex.by yandex.kz "
	"yandex.ua ya.ru narod.ru",
    .mx = "yandex.net yandex.ru",
    .imap = {"imap.yandex.com", 993, SERVER_TLS},
    .smtp = {"smtp.yandex.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD | PRESET_OAUTH2,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 300,
    .quirks = QUIRK_IDLE_SILENT,
    .help =
	"https://yandex.com/support/mail/mail-clients/others.html",
    .enable =
	"switch on IMAP under Email clients in the mail settings",
    .oauth = "yandex",
    .folders = {
	.sent = "Sent",
	.trash = "Trash",
	.junk = "Spam",
	.drafts = "Drafts",
    },
},
{
    .id = "mailru",
    .webmail_inbox = "https://e.mail.ru/",
    .name = "Mail.ru",
    .domains =
	"mail.ru inbox.ru internet.ru bk.ru list.ru corp.mail.ru",
    .mx = "mxs.mail.ru emx.mail.ru",
    .imap = {"imap.mail.ru", 993, SERVER_TLS},
    .smtp = {"smtp.mail.ru", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD | PRESET_OAUTH2,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 60,
    .quirks = QUIRK_NO_IDLE,
    .help =
	"https://help.mail.ru/mail/security/protection/external",
    .oauth = "mailru",
},
{
    .id = "posteo",
    .webmail_inbox = "https://posteo.de/",
    .name = "Posteo",
    .domains =
	"posteo.de posteo.at posteo.be posteo.ca posteo.ch "
	"posteo.cl posteo.co posteo.co.uk posteo.com posteo.com.br "
	"posteo.cr posteo.cz posteo.dk posteo.ee posteo.es "
	"posteo.eu posteo.fi posteo.gl posteo.gr posteo.hn "
	"posteo.hr posteo.hu posteo.ie posteo.in posteo.is "
	"posteo.it posteo.jp posteo.la posteo.li posteo.lt "
	"posteo.lu posteo.me posteo.mx posteo.my posteo.net "
	"posteo.nl posteo.no posteo.nz posteo.org posteo.pe "
	"posteo.pl posteo.pm posteo.pt posteo.ro posteo.se "
	"posteo.sg posteo.si posteo.tn posteo.uk posteo.us "
	"posteo.af posteo.ru",
    .mx = "posteo.de",
    .imap = {"posteo.de", 993, SERVER_TLS},
    .smtp = {"posteo.de", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .idle_renew_s = 1500,
    .quirks = QUIRK_IMAP_IS_OFF,
    .help = "https://posteo.de/en/help/app-passwords",
    .imap_alt = {"posteo.de", 143, SERVER_STARTTLS},
    .smtp_alt = {"posteo.de", 587, SERVER_STARTTLS},
    .settings_help = "https://posteo.de/en/help/how-do-i-set-up-posteo-in-an-email-client-pop3-imap-and-smtp",
},
{
    .id = "mailbox-org",
    .webmail_inbox = "https://mailbox.org/",
    .name = "mailbox.org",
    .domains = "mailbox.org secure.mailbox.org",
    .mx = "mailbox.org",
    .imap = {"imap.mailbox.org", 993, SERVER_TLS},
    .smtp = {"smtp.mailbox.org", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .idle_renew_s = 300,
    .quirks = QUIRK_IDLE_SILENT,
    .help =
	"https://kb.mailbox.org/en/private/security/application-passwords",
    .smtp_alt = {"smtp.mailbox.org", 587, SERVER_STARTTLS},
},
{
    .id = "migadu",
    .name = "Migadu",
    .domains = "migadu.com",
    .mx = "migadu.com",
    .imap = {"imap.migadu.com", 993, SERVER_TLS},
    .smtp = {"smtp.migadu.com", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 1500,
    .help = "https://www.migadu.com/guides/",
    .smtp_alt = {"smtp.migadu.com", 587, SERVER_STARTTLS},
    .note = "how much may be sent in a day depends on the plan",
},
{
    .id = "runbox",
    .name = "Runbox",
    .domains = "runbox.com runbox.no rbox.me rbox.co",
    .mx = "runbox.com",
    .imap = {"mail.runbox.com", 993, SERVER_TLS},
    .smtp = {"mail.runbox.com", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .idle_renew_s = 1500,
    .help = "https://help.runbox.com/email-program-settings/",
    .smtp_alt = {"mail.runbox.com", 587, SERVER_STARTTLS},
},
{
    .id = "purelymail",
    .name = "Purelymail",
    .domains =
	"purelymail.com cheapermail.com placeq.com rethinkmail.com "
	"worldofmail.com",
    .mx = "purelymail.com",
    .imap = {"imap.purelymail.com", 993, SERVER_TLS},
    .smtp = {"smtp.purelymail.com", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .idle_renew_s = 1500,
    .help = "https://purelymail.com/docs/setup/technical",
},
{
    .id = "mailfence",
    .name = "Mailfence",
    .domains = "mailfence.com",
    .mx = "mailfence.com",
    .imap = {"imap.mailfence.com", 993, SERVER_TLS},
    .smtp = {"smtp.mailfence.com", 465, SERVER_TLS},
    .user = PRESET_USER_LOCAL,
    .smtp_user = PRESET_USER_LOCAL,
    .auth = PRESET_APP_PASSWORD,
    .idle_renew_s = 1500,
    .help =
	"https://kb.mailfence.com/kb/service-specific-passwords/",
    .enable = "IMAP and SMTP belong to the paid plans",
},
{
    .id = "disroot",
    .name = "Disroot",
    .domains = "disroot.org",
    .mx = "disroot.org",
    .imap = {"disroot.org", 993, SERVER_TLS},
    .smtp = {"disroot.org", 587, SERVER_STARTTLS},
    .user = PRESET_USER_LOCAL,
    .smtp_user = PRESET_USER_LOCAL,
    .retry_other_user = true,
    .auth = PRESET_PASSWORD,
    .idle_renew_s = 1500,
    .help = "https://disroot.org",
    .smtp_alt = {"disroot.org", 465, SERVER_TLS},
},
{
    .id = "riseup",
    .name = "Riseup",
    .domains = "riseup.net",
    .mx = "riseup.net",
    .imap = {"mail.riseup.net", 993, SERVER_TLS},
    .smtp = {"mail.riseup.net", 465, SERVER_TLS},
    .retry_other_user = true,
    .auth = PRESET_PASSWORD,
    .idle_renew_s = 1500,
    .help = "https://riseup.net/en/email/clients",
    .smtp_alt = {"mail.riseup.net", 587, SERVER_STARTTLS},
},
{
    .id = "infomaniak",
    .webmail_inbox = "https://mail.infomaniak.com/",
    .name = "Infomaniak",
    .domains = "ik.me infomaniak.com etik.com",
    .mx = "infomaniak.ch",
    .imap = {"mail.infomaniak.com", 993, SERVER_TLS},
    .smtp = {"mail.infomaniak.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .idle_renew_s = 1500,
    .help =
	"https://www.infomaniak.com/fr/support/faq/search?q=imap",
    .message_recipients = 10,
},
{
    .id = "startmail",
    .name = "StartMail",
    .domains = "startmail.com",
    .mx = "startmail.com",
    .imap = {"imap.startmail.com", 993, SERVER_TLS},
    .smtp = {"smtp.startmail.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .help =
	"https://support.startmail.com/hc/en-us/articles/360006596718-Server-addresses",
},
{
    .id = "thundermail",
    .name = "Thundermail (tb.pro)",
    .domains = "thundermail.com tb.pro",
    .mx = "thundermail.com",
    .imap = {"mail.thundermail.com", 993, SERVER_TLS},
    .smtp = {"mail.thundermail.com", 465, SERVER_TLS},
    .auth = PRESET_OAUTH2 | PRESET_APP_PASSWORD,
    .oauth = "thundermail",
},
{
    .id = "mailo",
    .name = "Mailo",
    .domains =
	"mailo.com mailo.fr netcourrier.com net-c.com net-c.fr "
	"netc.eu netc.fr mailoo.org",
    .mx = "mailo.com",
    .imap = {"mail.mailo.com", 993, SERVER_TLS},
    .smtp = {"mail.mailo.com", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help = "https://www.mailo.com/",
},
{
    .id = "ovh",
    .name = "OVH (MX Plan)",
    .domains = "ovh.net",
    .mx = "mail.ovh.net ovh.net",
    .imap = {"ssl0.ovh.net", 993, SERVER_TLS},
    .smtp = {"ssl0.ovh.net", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help = "http://guides.ovh.com/ConfigurationEmail",
    .smtp_alt = {"ssl0.ovh.net", 587, SERVER_STARTTLS},
},
{
    .id = "gandi",
    .name = "Gandi",
    .domains = "gandi.net",
    .mx = "mail.gandi.net",
    .imap = {"mail.gandi.net", 993, SERVER_TLS},
    .smtp = {"mail.gandi.net", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help =
	"https://docs.gandi.net/en/gandimail/standard_email_settings/",
    .imap_alt = {"mail.gandi.net", 143, SERVER_STARTTLS},
    .smtp_alt = {"mail.gandi.net", 587, SERVER_STARTTLS},
},
{
    .id = "hetzner",
    .name = "Hetzner webhosting",
    .domains = "your-server.de",
    .mx = "your-server.de",
    .imap = {"mail.your-server.de", 993, SERVER_TLS},
    .smtp = {"mail.your-server.de", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help =
	"https://wiki.hetzner.de/index.php/KonsoleH:Email-Konto_einrichten/en",
    .smtp_alt = {"mail.your-server.de", 587, SERVER_STARTTLS},
},
{
    .id = "comcast",
    .name = "Comcast / Xfinity",
    .domains = "comcast.net xfinity.com",
    .imap = {"imap.comcast.net", 993, SERVER_TLS},
    .smtp = {"smtp.comcast.net", 465, SERVER_TLS},
    .auth = PRESET_OAUTH2 | PRESET_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .help =
	"https://www.xfinity.com/support/articles/third-party-email-access",
    .enable =
	"allow third-party access in the Xfinity web mail settings",
    .smtp_alt = {"smtp.comcast.net", 587, SERVER_STARTTLS},
    .oauth = "comcast",
},
{
    .id = "t-online",
    .webmail_inbox = "https://email.t-online.de/",
    .name = "Telekom T-Online",
    .domains = "t-online.de magenta.de",
    .imap = {"secureimap.t-online.de", 993, SERVER_TLS},
    .smtp = {"securesmtp.t-online.de", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .help =
	"https://www.telekom.de/hilfe/apps-dienste/e-mail/programme/passwort-verwalten",
    .enable =
	"the e-mail password is a separate one, set in the customer "
	"centre",
    .smtp_alt = {"securesmtp.t-online.de", 587, SERVER_STARTTLS},
},
{
    .id = "freenet",
    .webmail_inbox = "https://email.freenet.de/",
    .name = "freenet.de",
    .domains =
	"freenet.de fn.de freenetmail.de bossmail.de justmail.de",
    .imap = {"mx.freenet.de", 993, SERVER_TLS},
    .smtp = {"mx.freenet.de", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help = "https://kundenservice.freenet.de/artikel/1869",
},
{
    .id = "vodafone-de",
    .name = "Vodafone Germany (arcor.de)",
    .domains = "vodafonemail.de arcor.de kabelmail.de",
    .imap = {"imap.vodafonemail.de", 993, SERVER_TLS},
    .smtp = {"smtp.vodafonemail.de", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help =
	"https://www.vodafone.de/hilfe/vodafone-e-mail-cloud.html",
},
{
    .id = "orange-fr",
    .name = "Orange France",
    .domains = "orange.fr wanadoo.fr",
    .imap = {"imap.orange.fr", 993, SERVER_TLS},
    .smtp = {"smtp.orange.fr", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help =
	"https://assistance.orange.fr/ordinateurs-peripheriques/installer-et-utiliser/l-utilisation-du-mail-et-du-cloud/",
},
{
    .id = "free-fr",
    .name = "Free (France)",
    .domains = "free.fr libertysurf.fr",
    .imap = {"imap.free.fr", 993, SERVER_TLS},
    .smtp = {"smtp.free.fr", 465, SERVER_TLS},
    .user = PRESET_USER_LOCAL,
    .smtp_user = PRESET_USER_LOCAL,
    .retry_other_user = true,
    .auth = PRESET_PASSWORD,
    .help =
	"https://assistance.free.fr/articles/configurer-de-maniere-avancee-mon-logiciel-de-messagerie-609",
    .enable =
	"authenticated SMTP is a separate switch in the customer "
	"area",
},
{
    .id = "laposte",
    .name = "La Poste",
    .domains = "laposte.net",
    .imap = {"imap.laposte.net", 993, SERVER_TLS},
    .smtp = {"smtp.laposte.net", 465, SERVER_TLS},
    .user = PRESET_USER_LOCAL,
    .smtp_user = PRESET_USER_LOCAL,
    .retry_other_user = true,
    .auth = PRESET_PASSWORD,
    .help =
	"https://aide.laposte.net/contents/comment-parametrer-un-logiciel-de-messagerie-pour-envoyer-et-recevoir-mes-courriers-electroniques",
},
{
    .id = "sfr",
    .name = "SFR",
    .domains = "sfr.fr neuf.fr club-internet.fr",
    .imap = {"imap.sfr.fr", 993, SERVER_TLS},
    .smtp = {"smtp.sfr.fr", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help =
	"https://assistance.sfr.fr/service-et-accessoire/sfr-mail/serveurs-messagerie-sfr.html",
},
{
    .id = "libero",
    .name = "Libero / Italiaonline",
    .domains = "libero.it iol.it blu.it inwind.it giallo.it",
    .imap = {"imapmail.libero.it", 993, SERVER_TLS},
    .smtp = {"smtp.libero.it", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .help =
	"https://aiuto.libero.it/articolo/mail/configurare-libero-mail-con-client-di-posta-imap-e-smtp/",
},
{
    .id = "virgilio",
    .name = "Virgilio",
    .domains = "virgilio.it",
    .imap = {"in.virgilio.it", 993, SERVER_TLS},
    .smtp = {"out.virgilio.it", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help =
	"https://aiuto.virgilio.it/articolo/mail/configurare-virgilio-mail-con-client-di-posta-imap-e-smtp/",
},
{
    .id = "tiscali-it",
    .name = "Tiscali Italy",
    .domains = "tiscali.it",
    .imap = {"imap.tiscali.it", 993, SERVER_TLS},
    .smtp = {"smtp.tiscali.it", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help =
	"https://assistenza.tiscali.it/servizi/guida/posta-elettronica/",
},
{
    .id = "bluewin",
    .name = "Swisscom Bluewin",
    .domains = "bluewin.ch bluemail.ch",
    .imap = {"imaps.bluewin.ch", 993, SERVER_TLS},
    .smtp = {"smtpauths.bluewin.ch", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help = "https://emailsetup.swisscom.ch/guide/",
},
{
    .id = "btinternet",
    .name = "BT Internet",
    .domains = "btinternet.com btopenworld.com talk21.com",
    .imap = {"mail.btinternet.com", 993, SERVER_TLS},
    .smtp = {"mail.btinternet.com", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help = "http://www.bt.com/help/email",
},
{
    .id = "seznam",
    .webmail_inbox = "https://email.seznam.cz/",
    .name = "Seznam",
    .domains = "seznam.cz email.cz post.cz spoluzaci.cz",
    .mx = "seznam.cz",
    .imap = {"imap.seznam.cz", 993, SERVER_TLS},
    .smtp = {"smtp.seznam.cz", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .help =
	"http://napoveda.seznam.cz/cz/email/imap-pop3-smtp/",
},
{
    .id = "onet",
    .webmail_inbox = "https://poczta.onet.pl/",
    .name = "Onet (Poland)",
    .domains =
	"onet.pl onet.eu poczta.onet.pl poczta.onet.eu op.pl vp.pl "
	"autograf.pl buziaczek.pl amorki.pl republika.pl adres.pl "
	"cyberia.pl onet.com.pl opoczta.pl pseudonim.pl spoko.pl "
	"vip.onet.pl",
    .imap = {"imap.poczta.onet.pl", 993, SERVER_TLS},
    .smtp = {"smtp.poczta.onet.pl", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD | PRESET_APP_PASSWORD,
    .help =
	"https://pomoc.poczta.onet.pl/baza-wiedzy/konfiguracja-poczty-w-programie-mozilla-thunderbird/",
},
{
    .id = "wp-pl",
    .webmail_inbox = "https://poczta.wp.pl/",
    .name = "WP (Poland)",
    .domains = "wp.pl",
    .imap = {"imap.wp.pl", 993, SERVER_TLS},
    .smtp = {"smtp.wp.pl", 465, SERVER_TLS},
    .user = PRESET_USER_LOCAL,
    .smtp_user = PRESET_USER_LOCAL,
    .retry_other_user = true,
    .auth = PRESET_PASSWORD,
    .help =
	"https://pomoc.wp.pl/jak-skonfigurowac-program-pocztowy",
},
{
    .id = "o2-pl",
    .name = "o2.pl",
    .domains = "o2.pl go2.pl tlen.pl prokonto.pl",
    .imap = {"poczta.o2.pl", 993, SERVER_TLS},
    .smtp = {"poczta.o2.pl", 465, SERVER_TLS},
    .user = PRESET_USER_LOCAL,
    .smtp_user = PRESET_USER_LOCAL,
    .retry_other_user = true,
    .auth = PRESET_PASSWORD,
    .quirks = QUIRK_IDLE_SILENT,
    .help =
	"https://pomoc.o2.pl/jak-skonfigurowac-program-pocztowy",
},
{
    .id = "rambler",
    .name = "Rambler",
    .domains = "rambler.ru",
    .imap = {"imap.rambler.ru", 993, SERVER_TLS},
    .smtp = {"smtp.rambler.ru", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
    .help =
	"https://help.rambler.ru/mail/mail-pochtovye-klienty/1275/",
    .enable =
	"switch on access for mail programs in the settings",
},
{
    .id = "rackspace",
    .name = "Rackspace Email",
    .domains = "emailsrvr.com",
    .mx = "emailsrvr.com",
    .imap = {"secure.emailsrvr.com", 993, SERVER_TLS},
    .smtp = {"secure.emailsrvr.com", 465, SERVER_TLS},
    .auth = PRESET_PASSWORD,
},
{
    .id = "qq",
    .webmail_inbox = "https://mail.qq.com/",
    .name = "QQ Mail / Foxmail",
    .domains = "qq.com foxmail.com",
    .mx = "mail.qq.com qq.com",
    .imap = {"imap.qq.com", 993, SERVER_TLS},
    .smtp = {"smtp.qq.com", 465, SERVER_TLS},
    .retry_other_user = true,
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 120,
    .help = "https://service.mail.qq.com/detail/0/339",
    .enable =
	"switch on IMAP and SMTP in the account settings and make "
	"an authorisation code: it is the password",
},
{
    .id = "netease-163",
    .webmail_inbox = "https://mail.163.com/",
    .name = "NetEase 163.com",
    .domains = "163.com",
    .mx = "netease.com",
    .imap = {"imap.163.com", 993, SERVER_TLS},
    .smtp = {"smtp.163.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 60,
    .quirks = QUIRK_NO_IDLE | QUIRK_NO_UIDNEXT | QUIRK_ID_FIRST |
	QUIRK_NO_ID_NIL,
    .enable =
	"switch on IMAP and SMTP in the mail settings and make a "
	"client authorisation code: it is the password",
},
{
    .id = "netease-126",
    .webmail_inbox = "https://mail.126.com/",
    .name = "NetEase 126.com",
    .domains = "126.com",
    .imap = {"imap.126.com", 993, SERVER_TLS},
    .smtp = {"smtp.126.com", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 60,
    .quirks = QUIRK_NO_IDLE | QUIRK_NO_UIDNEXT | QUIRK_ID_FIRST |
	QUIRK_NO_ID_NIL,
    .enable =
	"switch on IMAP and SMTP in the mail settings and make a "
	"client authorisation code: it is the password",
},
{
    .id = "netease-yeah",
    .name = "NetEase yeah.net",
    .domains = "yeah.net",
    .imap = {"imap.yeah.net", 993, SERVER_TLS},
    .smtp = {"smtp.yeah.net", 465, SERVER_TLS},
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 60,
    .quirks = QUIRK_NO_IDLE | QUIRK_NO_UIDNEXT | QUIRK_ID_FIRST |
	QUIRK_NO_ID_NIL,
    .enable =
	"switch on IMAP and SMTP in the mail settings and make a "
	"client authorisation code: it is the password",
},
{
    .id = "naver",
    .webmail_inbox = "https://mail.naver.com/",
    .name = "Naver",
    .domains = "naver.com",
    .mx = "naver.com",
    .imap = {"imap.naver.com", 993, SERVER_TLS},
    .smtp = {"smtp.naver.com", 465, SERVER_TLS},
    .retry_other_user = true,
    .auth = PRESET_APP_PASSWORD,
    .from = PRESET_FROM_REFUSED,
    .poll_s = 120,
    .quirks = QUIRK_NO_IDLE,
    .help =
	"https://help.naver.com/service/30029/contents/21342?osType=PC&lang=ko",
    .enable = "switch on IMAP and SMTP in the mail settings",
},
{
    .id = "tuta",
    .name = "Tuta (Tutanota)",
    .domains =
	"tutanota.com tutanota.de tutamail.com tuta.io tuta.com "
	"keemail.me",
    .refusal = "it offers neither IMAP nor SMTP",
},
{
    .id = "hey",
    .name = "HEY",
    .domains = "hey.com",
    .refusal = "it offers neither IMAP nor SMTP",
},
{
    .id = "skiff",
    .name = "Skiff (closed)",
    .domains = "skiff.com",
    .refusal = "the service has closed",
},
/* clang-format on */
