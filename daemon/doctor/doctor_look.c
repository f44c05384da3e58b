/* What can be told from the look of bytes. */
#include "daemon/base/str.h"
#include "daemon/doctor/doctor.h"

/* ---- who answers ---- */

/* Of each protocol's first line, in this order: SMTP and FTP both say "220",
 * and nobody names an FTP server as his mail server. */
static const struct {
	const char *begins;
	enum doctor_voice voice;
} voices[] = {
    {"* OK", VOICE_IMAP},
    {"* BYE", VOICE_IMAP},
    {"* PREAUTH", VOICE_IMAP},
    {"220", VOICE_SMTP},
    {"421", VOICE_SMTP},
    {"521", VOICE_SMTP},
    {"554", VOICE_SMTP},
    {"+OK", VOICE_POP3},
    {"-ERR", VOICE_POP3},
    {"HTTP/", VOICE_HTTP},
    {"<", VOICE_HTTP},
    {"SSH-", VOICE_SSH},
    {"\x15\x03", VOICE_TLS}, /* an alert */
    {"\x16\x03", VOICE_TLS},
};

enum doctor_voice
doctor_voice_of(struct span bytes)
{
	for (size_t i = 0; i < sizeof(voices) / sizeof(voices[0]); i++)
		if (span_starts_nocase(bytes, voices[i].begins))
			return voices[i].voice;
	return VOICE_UNKNOWN;
}

/* ---- what a password looks like ---- */

/* Letters in fours with `separator` between them, four times. */
static bool
is_in_fours(struct span secret, char separator)
{
	for (size_t i = 0; i < secret.len; i++)
		if (i % 5 == 4 ? secret.data[i] != separator
			       : !char_is_alpha(secret.data[i]))
			return false;
	return secret.len == 19;
}

static bool
is_16_letters(struct span secret)
{
	for (size_t i = 0; i < secret.len; i++)
		if (!char_is_alpha(secret.data[i]))
			return false;
	return secret.len == 16;
}

enum doctor_shape
doctor_shape_of(struct span secret)
{
	if (is_in_fours(secret, '-'))
		return SHAPE_APPLE;
	if (is_16_letters(secret) || is_in_fours(secret, ' '))
		return SHAPE_16;
	return secret.len > 0 ? SHAPE_OTHER : SHAPE_UNKNOWN;
}
