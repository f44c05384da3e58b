/*
 * imap/capability: what the server offers.
 */
#include "daemon/wire/imap/capability.h"

/* Atoms looked at in one list. */
#define ATOMS_MAX 256

/* RFC 9051 appendix E, as far as there are bits for it. */
#define REV2_IMPLIES                                                           \
	(IMAP_CAP_NAMESPACE | IMAP_CAP_UNSELECT | IMAP_CAP_UIDPLUS |           \
	    IMAP_CAP_ENABLE | IMAP_CAP_IDLE | IMAP_CAP_SASL_IR |               \
	    IMAP_CAP_LIST_EXTENDED | IMAP_CAP_MOVE | IMAP_CAP_LITERAL_MINUS |  \
	    IMAP_CAP_SPECIAL_USE | IMAP_CAP_ESEARCH | IMAP_CAP_LIST_STATUS)

struct row {
	const char *atom;
	uint64_t bit;
	uint64_t implied;
};

static const struct row rows[] = {
    {"IMAP4rev1", IMAP_CAP_IMAP4REV1, 0},
    {"IMAP4rev2", IMAP_CAP_IMAP4REV2, REV2_IMPLIES},
    {"STARTTLS", IMAP_CAP_STARTTLS, 0},
    {"LOGINDISABLED", IMAP_CAP_LOGINDISABLED, 0},
    {"SASL-IR", IMAP_CAP_SASL_IR, 0},
    {"AUTH=PLAIN", IMAP_CAP_AUTH_PLAIN, 0},
    {"AUTH=LOGIN", IMAP_CAP_AUTH_LOGIN, 0},
    {"AUTH=XOAUTH2", IMAP_CAP_AUTH_XOAUTH2, 0},
    {"AUTH=OAUTHBEARER", IMAP_CAP_AUTH_OAUTHBEARER, 0},
    {"AUTH=EXTERNAL", IMAP_CAP_AUTH_EXTERNAL, 0},
    {"AUTH=SCRAM-SHA-256-PLUS", IMAP_CAP_AUTH_SCRAM_SHA_256_PLUS, 0},
    {"AUTH=SCRAM-SHA-256", IMAP_CAP_AUTH_SCRAM_SHA_256, 0},
    {"AUTH=SCRAM-SHA-1-PLUS", IMAP_CAP_AUTH_SCRAM_SHA_1_PLUS, 0},
    {"AUTH=SCRAM-SHA-1", IMAP_CAP_AUTH_SCRAM_SHA_1, 0},
    {"ID", IMAP_CAP_ID, 0},
    {"ENABLE", IMAP_CAP_ENABLE, 0},
    {"IDLE", IMAP_CAP_IDLE, 0},
    {"MOVE", IMAP_CAP_MOVE, 0},
    {"UIDPLUS", IMAP_CAP_UIDPLUS, 0},
    {"NAMESPACE", IMAP_CAP_NAMESPACE, 0},
    {"SPECIAL-USE", IMAP_CAP_SPECIAL_USE, 0},
    {"LIST-EXTENDED", IMAP_CAP_LIST_EXTENDED, 0},
    {"XLIST", IMAP_CAP_XLIST, 0},
    {"LITERAL+", IMAP_CAP_LITERAL_PLUS, 0},
    {"LITERAL-", IMAP_CAP_LITERAL_MINUS, 0},
    {"CONDSTORE", IMAP_CAP_CONDSTORE, 0},
    /* RFC 7162 section 3.2.3: QRESYNC means CONDSTORE too. */
    {"QRESYNC", IMAP_CAP_QRESYNC, IMAP_CAP_CONDSTORE},
    {"UNSELECT", IMAP_CAP_UNSELECT, 0},
    {"X-GM-EXT-1", IMAP_CAP_X_GM_EXT_1, 0},
    {"NOTIFY", IMAP_CAP_NOTIFY, 0},
    {"ESEARCH", IMAP_CAP_ESEARCH, 0},
    {"LIST-STATUS", IMAP_CAP_LIST_STATUS, 0},
    {"OBJECTID", IMAP_CAP_OBJECTID, 0},
    {"PREVIEW", IMAP_CAP_PREVIEW, 0},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t
bits_of(const struct imap_value *value)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (imap_value_is(value, rows[i].atom))
			return rows[i].bit | rows[i].implied;
	}
	return 0;
}

uint64_t
imap_capability_parse(const struct imap_value *values, size_t count)
{
	uint64_t capabilities = 0;

	for (size_t i = 0; i < count && i < ATOMS_MAX; i++)
		capabilities |= bits_of(&values[i]);
	return capabilities;
}

bool
imap_capability_update(
    const struct imap_response *response, uint64_t *capabilities)
{
	bool good =
	    response->status == IMAP_OK || response->status == IMAP_PREAUTH;

	if (good && span_is_nocase(response->code, "CAPABILITY")) {
		*capabilities = imap_capability_parse(
		    response->code_values, response->code_count);
		return true;
	}
	if (response->kind == IMAP_UNTAGGED && !response->has_number &&
	    span_is_nocase(response->name, "CAPABILITY")) {
		*capabilities =
		    imap_capability_parse(response->values, response->count);
		return true;
	}
	return false;
}

void
imap_capability_format(struct buf *buf, uint64_t capabilities)
{
	const char *separator = "";

	for (size_t i = 0; i < ROWS; i++) {
		if ((capabilities & rows[i].bit) == 0)
			continue;
		buf_addf(buf, "%s%s", separator, rows[i].atom);
		separator = " ";
	}
}
