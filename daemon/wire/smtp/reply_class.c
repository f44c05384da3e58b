/*
 * smtp/reply: what replies mean.
 */
#include "daemon/wire/smtp/reply.h"

#include <assert.h>

#define ANY 1000u /* no code has so many digits */

/*
 * What replies mean, the first row that fits. `words`, when given, must stand
 * in the text, in any case.
 */
struct class_row {
	unsigned code_low, code_high;
	struct smtp_enhanced enhanced;
	const char *words;
	enum smtp_class class;
};

/* clang-format off */
static const struct class_row class_rows[] = {
	/* A password or token that is wrong, missing, or not let in this way:
	 * RFC 4954 section 6. Microsoft says 535 5.7.139 for "SMTP AUTH is
	 * disabled", 5.7.30 for "no passwords any more". */
	{535, 535, {ANY, ANY, ANY}, NULL,              SMTP_CREDENTIALS},
	{534, 534, {ANY, ANY, ANY}, NULL,              SMTP_CREDENTIALS},
	{538, 538, {ANY, ANY, ANY}, NULL,              SMTP_CREDENTIALS},
	{530, 530, {  5,   7,   1}, "authenticat",     SMTP_CREDENTIALS},
	{530, 530, {  5,   7,   1}, NULL,              SMTP_REFUSED},
	{530, 530, {ANY, ANY, ANY}, NULL,              SMTP_CREDENTIALS},
	{454, 454, {  4,   7,   0}, NULL,              SMTP_CREDENTIALS},
	{432, 432, {  4,   7,  12}, NULL,              SMTP_CREDENTIALS},
	{550, 554, {  5,   7,   8}, NULL,              SMTP_CREDENTIALS},
	{550, 554, {  5,   7,  30}, NULL,              SMTP_CREDENTIALS},
	{550, 554, {  5,   7, 139}, NULL,              SMTP_CREDENTIALS},

	/* Sent too much today: the next message would fare no better. */
	{550, 554, {  5,   4,   5}, NULL,              SMTP_PAUSED},
	{550, 554, {  5,   7, ANY}, "quota",           SMTP_PAUSED},
	{550, 554, {  5,   7, ANY}, "sending limit",   SMTP_PAUSED},
	{550, 554, {  5,   7, ANY}, "too many messages", SMTP_PAUSED},
	{550, 554, {  5,   7, ANY}, "rate limit",      SMTP_PAUSED},
	{550, 554, {  5,   2,   0}, "submissionquota", SMTP_PAUSED},
	{550, 554, {  5,   2,   0}, "outboundspam",    SMTP_PAUSED},
	/* Zoho; by the code alone it would be a loop. */
	{550, 554, {  5,   4,   6}, "sending activity", SMTP_PAUSED},

	/* Proton Bridge says "later" of a sender that it will never take. */
	{451, 451, {  4,   0,   0}, "invalid return path", SMTP_REFUSED},

	/* "I do not know that command", "not now": the two of us have lost
	 * each other, which says nothing about the message. */
	{500, 500, {ANY, ANY, ANY}, NULL,              SMTP_DEFERRED},
	{502, 503, {ANY, ANY, ANY}, NULL,              SMTP_DEFERRED},

	{200, 399, {ANY, ANY, ANY}, NULL,              SMTP_ACCEPTED},
	{400, 499, {ANY, ANY, ANY}, NULL,              SMTP_DEFERRED},
	{500, 599, {ANY, ANY, ANY}, NULL,              SMTP_REFUSED},
};

static const struct class_row slow_rows[] = {
	{432, 432, {  4,   3,   2}, NULL, SMTP_DEFERRED},
	{421, 421, {  4,   7, ANY}, NULL, SMTP_DEFERRED},
	{400, 499, {  4,   7,   0}, NULL, SMTP_DEFERRED},
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
number_fits(unsigned wanted, unsigned value)
{
	return wanted == ANY || wanted == value;
}

static bool
row_fits(const struct class_row *row, const struct smtp_reply *reply)
{
	return reply->code >= row->code_low && reply->code <= row->code_high &&
	       number_fits(row->enhanced.class, reply->enhanced.class) &&
	       number_fits(row->enhanced.subject, reply->enhanced.subject) &&
	       number_fits(row->enhanced.detail, reply->enhanced.detail) &&
	       (row->words == NULL || span_contains_nocase(reply->text,
					  span_from_str(row->words)));
}

enum smtp_class
smtp_reply_class(const struct smtp_reply *reply)
{
	for (size_t i = 0; i < COUNT(class_rows); i++)
		if (row_fits(&class_rows[i], reply))
			return class_rows[i].class;
	assert(false); /* the last rows cover 200 to 599 */
	return SMTP_DEFERRED;
}

bool
smtp_reply_is_slow(const struct smtp_reply *reply)
{
	for (size_t i = 0; i < COUNT(slow_rows); i++)
		if (row_fits(&slow_rows[i], reply))
			return true;
	return false;
}

enum fault
smtp_reply_fault(const struct smtp_reply *reply)
{
	/* A right code in the wrong place, or "never" before anything was
	 * asked for: the server is odd, ask it again later and slowly. */
	static const enum fault faults[] = {
	    [SMTP_ACCEPTED] = FAULT_PEER,
	    [SMTP_DEFERRED] = FAULT_RETRY,
	    [SMTP_REFUSED] = FAULT_PEER,
	    [SMTP_CREDENTIALS] = FAULT_AUTH,
	    [SMTP_PAUSED] = FAULT_LIMIT,
	};
	enum smtp_class class = smtp_reply_class(reply);

	if (class == SMTP_DEFERRED && smtp_reply_is_slow(reply))
		return FAULT_LIMIT;
	if (class == SMTP_DEFERRED && reply->code >= 500)
		return FAULT_PEER;
	return faults[class];
}

/* clang-format off */
/* Not from this address: Outlook.com and Microsoft 365, Fastmail, Yandex, QQ,
 * NetEase, iCloud, Purelymail, Postfix with login maps, Zoho, Mail.ru, Proton
 * Bridge (two), in this order. */
static const struct class_row sender_rows[] = {
	{550, 554, {  5,   7,  60}, NULL,                    SMTP_REFUSED},
	{550, 554, {ANY, ANY, ANY}, "sendasdenied",          SMTP_REFUSED},
	{551, 551, {  5,   7,   1}, NULL,                    SMTP_REFUSED},
	{550, 553, {ANY, ANY, ANY}, "not owned by",          SMTP_REFUSED},
	{501, 501, {ANY, ANY, ANY}, "mail from address must be", SMTP_REFUSED},
	{550, 553, {ANY, ANY, ANY}, "mail from must equal",  SMTP_REFUSED},
	{550, 553, {ANY, ANY, ANY}, "not one of your addresses", SMTP_REFUSED},
	{530, 530, {  5,   7,   1}, NULL,                    SMTP_REFUSED},
	{553, 553, {  5,   7,   1}, NULL,                    SMTP_REFUSED},
	{550, 554, {ANY, ANY, ANY}, "relaying disallowed as", SMTP_REFUSED},
	{550, 550, {ANY, ANY, ANY}, "not local sender",      SMTP_REFUSED},
	{451, 554, {ANY, ANY, ANY}, "invalid return path",   SMTP_REFUSED},
	{554, 554, {  5,   0,   0}, "unknown sender address", SMTP_REFUSED},
};

/* The first row that fits; words are for those who do not know the codes. */
static const struct {
	struct class_row row;
	const char *advice;
} advice_rows[] = {
	{{535, 535, {  5,   7, 139}, NULL, SMTP_CREDENTIALS},
	    "the provider has switched off sending with a password for this "
	    "mailbox"},
	{{500, 599, {  5,   7,  30}, NULL, SMTP_CREDENTIALS},
	    "the provider takes no passwords any more: use auth = oauth2"},
	{{534, 534, {  5,   7,   9}, NULL, SMTP_CREDENTIALS},
	    "the provider wants a password made for this program"},
	{{535, 535, {ANY, ANY, ANY}, "application password", SMTP_CREDENTIALS},
	    "the provider wants a password made for this program"},
	{{530, 538, {ANY, ANY, ANY}, NULL, SMTP_CREDENTIALS},
	    "the server does not take this user name with this password or "
	    "token"},
	{{550, 554, {ANY, ANY, ANY}, "outboundspam", SMTP_PAUSED},
	    "the provider takes the account for a sender of spam: log in on "
	    "its web page"},
	{{500, 599, {ANY, ANY, ANY}, NULL, SMTP_PAUSED},
	    "the provider's limit for sending is used up"},
	{{500, 599, {  5,   3,   4}, NULL, SMTP_REFUSED},
	    "the message is too large for the server"},
	{{500, 599, {  5,   2,   3}, NULL, SMTP_REFUSED},
	    "the message is too large for the receiver"},
	{{552, 552, {ANY, ANY, ANY}, "size", SMTP_REFUSED},
	    "the message is too large for the server"},
	{{500, 599, {  5,   2,   2}, NULL, SMTP_REFUSED},
	    "the receiver's mailbox is full"},
	{{500, 599, {  5,   1,   1}, NULL, SMTP_REFUSED},
	    "there is no such address"},
	{{500, 599, {  5,   1,   2}, NULL, SMTP_REFUSED},
	    "there is no mail server for this address"},
	{{500, 599, {  5,   7,  26}, NULL, SMTP_REFUSED},
	    "the receiver cannot verify who it is from: as = attach helps"},
};
/* clang-format on */

bool
smtp_reply_is_about_sender(const struct smtp_reply *reply)
{
	if (smtp_reply_class(reply) != SMTP_REFUSED)
		return false;
	for (size_t i = 0; i < COUNT(sender_rows); i++)
		if (row_fits(&sender_rows[i], reply))
			return true;
	return false;
}

const char *
smtp_reply_advice(const struct smtp_reply *reply)
{
	enum smtp_class class = smtp_reply_class(reply);

	if (smtp_reply_is_about_sender(reply))
		return "the server takes mail from the account's own address "
		       "only: as = attach, the default, is from it";
	for (size_t i = 0; i < COUNT(advice_rows); i++)
		if (advice_rows[i].row.class == class &&
		    row_fits(&advice_rows[i].row, reply))
			return advice_rows[i].advice;
	return NULL;
}

const char *smtp_class_name(enum smtp_class class)
{
	static const char *const names[] = {
	    [SMTP_ACCEPTED] = "accepted",
	    [SMTP_DEFERRED] = "deferred",
	    [SMTP_REFUSED] = "refused",
	    [SMTP_CREDENTIALS] = "credentials",
	    [SMTP_PAUSED] = "paused",
	    [SMTP_UNKNOWN] = "unknown",
	};
	_Static_assert(COUNT(names) == SMTP_CLASSES, "one name each");

	return names[class];
}
