#include "daemon/wire/smtp/offers.h"

#include "daemon/wire/sasl/sasl.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
offer_starttls(struct offers *o, struct span params)
{
	(void)params;
	o->starttls = true;
}

static void
offer_pipelining(struct offers *o, struct span params)
{
	(void)params;
	o->pipelining = true;
}

static void
offer_8bitmime(struct offers *o, struct span params)
{
	(void)params;
	o->eightbit = true;
}

static void
offer_smtputf8(struct offers *o, struct span params)
{
	(void)params;
	o->utf8 = true;
}

static void
offer_chunking(struct offers *o, struct span params)
{
	(void)params;
	o->chunking = true;
}

/* RFC 1870 section 4: no number, or 0, is no fixed limit. */
static void
offer_size(struct offers *o, struct span params)
{
	o->size = true;
	span_to_u64(span_trim(params), &o->size_limit);
}

static void
offer_auth(struct offers *o, struct span params)
{
	static const enum sasl_mechanism known[] = {SASL_PLAIN, SASL_LOGIN,
	    SASL_XOAUTH2, SASL_OAUTHBEARER, SASL_SCRAM_SHA_256_PLUS,
	    SASL_SCRAM_SHA_256, SASL_SCRAM_SHA_1_PLUS, SASL_SCRAM_SHA_1,
	    SASL_EXTERNAL};
	struct span name;

	o->auth = true;
	while (span_split(&params, ' ', &name))
		for (size_t i = 0; i < COUNT(known); i++)
			if (span_is_nocase(name, sasl_name(known[i])))
				o->mechanisms |= 1u << known[i];
}

static const struct {
	const char *keyword;
	void (*offer)(struct offers *o, struct span params);
} offer_rows[] = {
    {"STARTTLS", offer_starttls},
    {"PIPELINING", offer_pipelining},
    {"8BITMIME", offer_8bitmime},
    {"SMTPUTF8", offer_smtputf8},
    {"CHUNKING", offer_chunking},
    {"SIZE", offer_size},
    {"AUTH", offer_auth},
};

/*
 * RFC 5321 section 4.1.1.1:
 *   ehlo-line = ehlo-keyword *( SP ehlo-param )
 * "AUTH=LOGIN PLAIN" is an old form of AUTH, still said beside the right one.
 */
static void
parse_offer(struct offers *o, struct span line)
{
	struct span keyword;
	size_t end;

	line = span_trim(line);
	for (end = 0; end < line.len; end++)
		if (line.data[end] == ' ' || line.data[end] == '=')
			break;
	keyword = span_slice(line, 0, end);
	for (size_t i = 0; i < COUNT(offer_rows); i++)
		if (span_is_nocase(keyword, offer_rows[i].keyword))
			offer_rows[i].offer(o, span_skip(line, end + 1));
}

void
offers_parse(struct offers *offers_r, struct span text)
{
	struct span line;
	bool first = true; /* the server's name and greeting */

	*offers_r = (struct offers){0};
	while (span_split(&text, '\n', &line)) {
		if (!first)
			parse_offer(offers_r, line);
		first = false;
	}
}
