/*
 * mail/charset: bytes in any charset that mail uses, as UTF-8.
 *
 * UTF-8 and windows-1252, nine tenths of all mail, are done here; the rest by
 * iconv. A charset restarts at every call (iconv's state is reset), so the
 * escapes of one encoded word never reach the next.
 */
#include "daemon/mail/charset.h"

#include <errno.h>
#include <iconv.h>

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/guess.h"

/* Converted in pieces of this size. */
#define PIECE_SIZE 512
/* Bytes out for each byte in, and on top; a converter that wants more is
 * stopped. */
#define GROWTH_MAX 4
#define GROWTH_EXTRA 16

/* So many good characters for a bad one, and it is UTF-8. */
#define SURE_UTF8 3

/* KIND_GUESS: ASCII, which those who write other bytes declare too. */
enum kind {
	KIND_UTF8,
	KIND_WINDOWS_1252,
	KIND_GUESS,
	KIND_ICONV,
	KIND_REFUSED
};

struct charset {
	const char *name; /* letters and digits of the label, in lower case */
	const char *converter; /* for iconv */
	enum kind kind;
	size_t unit; /* bytes to skip after a malformed one */
};

#define VIA_ICONV(name, converter)                                             \
	{                                                                      \
		name, converter, KIND_ICONV, 1                                 \
	}
#define VIA_ICONV_WIDE(name, converter, unit)                                  \
	{                                                                      \
		name, converter, KIND_ICONV, unit                              \
	}
#define OURS(name, kind)                                                       \
	{                                                                      \
		name, NULL, kind, 1                                            \
	}

/* "big5" is BIG5-HKSCS, as on the web: the others have private use where
 * people write kana. Sorted by name, for the binary search (a test looks
 * each one up). */
/* clang-format off */
static const struct charset charsets[] = {
	OURS("ansix341968", KIND_GUESS),
	OURS("ascii", KIND_GUESS),
	VIA_ICONV("big5", "BIG5-HKSCS"),
	VIA_ICONV("big5hkscs", "BIG5-HKSCS"),
	VIA_ICONV("cp1250", "WINDOWS-1250"),
	VIA_ICONV("cp1251", "WINDOWS-1251"),
	OURS("cp1252", KIND_WINDOWS_1252),
	VIA_ICONV("cp1253", "WINDOWS-1253"),
	VIA_ICONV("cp1254", "WINDOWS-1254"),
	VIA_ICONV("cp1255", "WINDOWS-1255"),
	VIA_ICONV("cp1256", "WINDOWS-1256"),
	VIA_ICONV("cp1257", "WINDOWS-1257"),
	VIA_ICONV("cp1258", "WINDOWS-1258"),
	VIA_ICONV("cp437", "CP437"),
	VIA_ICONV("cp850", "CP850"),
	VIA_ICONV("cp852", "CP852"),
	VIA_ICONV("cp855", "CP855"),
	VIA_ICONV("cp857", "CP857"),
	VIA_ICONV("cp858", "CP858"),
	VIA_ICONV("cp862", "CP862"),
	VIA_ICONV("cp864", "CP864"),
	VIA_ICONV("cp866", "CP866"),
	VIA_ICONV("cp874", "WINDOWS-874"),
	VIA_ICONV("cp932", "CP932"),
	VIA_ICONV("cp936", "GB18030"),
	VIA_ICONV("cp949", "CP949"),
	VIA_ICONV("cp950", "BIG5-HKSCS"),
	VIA_ICONV("csbig5", "BIG5-HKSCS"),
	VIA_ICONV("cseuckr", "CP949"),
	VIA_ICONV("csgb2312", "GB18030"),
	VIA_ICONV("csiso2022jp", "ISO-2022-JP"),
	VIA_ICONV("csiso2022kr", "ISO-2022-KR"),
	OURS("csisolatin1", KIND_WINDOWS_1252),
	VIA_ICONV("csisolatin2", "ISO-8859-2"),
	VIA_ICONV("csisolatin5", "WINDOWS-1254"),
	VIA_ICONV("csisolatincyrillic", "ISO-8859-5"),
	VIA_ICONV("cskoi8r", "KOI8-R"),
	VIA_ICONV("csksc56011987", "CP949"),
	VIA_ICONV("csshiftjis", "CP932"),
	OURS("csunicode11utf7", KIND_REFUSED),
	OURS("csutf7", KIND_REFUSED),
	VIA_ICONV("euccn", "GB18030"),
	VIA_ICONV("eucjp", "EUC-JP-MS"),
	VIA_ICONV("euckr", "CP949"),
	VIA_ICONV("euctw", "EUC-TW"),
	VIA_ICONV("gb18030", "GB18030"),
	VIA_ICONV("gb2312", "GB18030"),
	VIA_ICONV("gb231280", "GB18030"),
	VIA_ICONV("gbk", "GB18030"),
	VIA_ICONV("ibm437", "CP437"),
	VIA_ICONV("ibm850", "CP850"),
	VIA_ICONV("ibm852", "CP852"),
	VIA_ICONV("ibm866", "CP866"),
	VIA_ICONV("iso2022jp", "ISO-2022-JP"),
	VIA_ICONV("iso2022jp2", "ISO-2022-JP-2"),
	VIA_ICONV("iso2022jp3", "ISO-2022-JP-3"),
	VIA_ICONV("iso2022jpms", "ISO-2022-JP"),
	VIA_ICONV("iso2022kr", "ISO-2022-KR"),
	OURS("iso646us", KIND_GUESS),
	OURS("iso88591", KIND_WINDOWS_1252),
	VIA_ICONV("iso885910", "ISO-8859-10"),
	VIA_ICONV("iso885911", "WINDOWS-874"),
	OURS("iso885911987", KIND_WINDOWS_1252),
	VIA_ICONV("iso885913", "ISO-8859-13"),
	VIA_ICONV("iso885914", "ISO-8859-14"),
	VIA_ICONV("iso885915", "ISO-8859-15"),
	VIA_ICONV("iso885916", "ISO-8859-16"),
	VIA_ICONV("iso88592", "ISO-8859-2"),
	VIA_ICONV("iso88593", "ISO-8859-3"),
	VIA_ICONV("iso88594", "ISO-8859-4"),
	VIA_ICONV("iso88595", "ISO-8859-5"),
	VIA_ICONV("iso88596", "ISO-8859-6"),
	VIA_ICONV("iso88597", "ISO-8859-7"),
	VIA_ICONV("iso88598", "ISO-8859-8"),
	VIA_ICONV("iso88598e", "ISO-8859-8"),
	VIA_ICONV("iso88598i", "ISO-8859-8"),
	VIA_ICONV("iso88599", "WINDOWS-1254"),
	VIA_ICONV("iso88599e", "ISO-8859-9E"),
	VIA_ICONV("johab", "JOHAB"),
	VIA_ICONV("koi8", "KOI8-R"),
	VIA_ICONV("koi8r", "KOI8-R"),
	VIA_ICONV("koi8ru", "KOI8-RU"),
	VIA_ICONV("koi8u", "KOI8-U"),
	VIA_ICONV("ksc5601", "CP949"),
	VIA_ICONV("ksc56011987", "CP949"),
	VIA_ICONV("ksc56011989", "CP949"),
	OURS("latin1", KIND_WINDOWS_1252),
	VIA_ICONV("latin2", "ISO-8859-2"),
	VIA_ICONV("latin5", "WINDOWS-1254"),
	VIA_ICONV("latin9", "ISO-8859-15"),
	VIA_ICONV("macintosh", "MACINTOSH"),
	VIA_ICONV("ms932", "CP932"),
	VIA_ICONV("mskanji", "CP932"),
	VIA_ICONV("shiftjis", "CP932"),
	VIA_ICONV("sjis", "CP932"),
	VIA_ICONV("tcvn5712", "TCVN5712-1"),
	VIA_ICONV("tis620", "WINDOWS-874"),
	VIA_ICONV("uhc", "CP949"),
	OURS("unicode11utf7", KIND_REFUSED),
	OURS("unicode11utf8", KIND_UTF8),
	OURS("unicode20utf7", KIND_REFUSED),
	OURS("unicode20utf8", KIND_UTF8),
	OURS("us", KIND_GUESS),
	OURS("usascii", KIND_GUESS),
	VIA_ICONV_WIDE("utf16", "UTF-16", 2),
	VIA_ICONV_WIDE("utf16be", "UTF-16BE", 2),
	VIA_ICONV_WIDE("utf16le", "UTF-16LE", 2),
	VIA_ICONV_WIDE("utf32", "UTF-32", 4),
	VIA_ICONV_WIDE("utf32be", "UTF-32BE", 4),
	VIA_ICONV_WIDE("utf32le", "UTF-32LE", 4),
	OURS("utf7", KIND_REFUSED),
	OURS("utf7imap", KIND_REFUSED),
	OURS("utf8", KIND_UTF8),
	OURS("utf8mb4", KIND_UTF8),
	VIA_ICONV("viscii", "VISCII"),
	VIA_ICONV("win1251", "WINDOWS-1251"),
	VIA_ICONV("windows1250", "WINDOWS-1250"),
	VIA_ICONV("windows1251", "WINDOWS-1251"),
	OURS("windows1252", KIND_WINDOWS_1252),
	VIA_ICONV("windows1253", "WINDOWS-1253"),
	VIA_ICONV("windows1254", "WINDOWS-1254"),
	VIA_ICONV("windows1255", "WINDOWS-1255"),
	VIA_ICONV("windows1256", "WINDOWS-1256"),
	VIA_ICONV("windows1257", "WINDOWS-1257"),
	VIA_ICONV("windows1258", "WINDOWS-1258"),
	VIA_ICONV("windows31j", "CP932"),
	VIA_ICONV("windows874", "WINDOWS-874"),
	VIA_ICONV("windows936", "GB18030"),
	VIA_ICONV("windows949", "CP949"),
	VIA_ICONV("xbig5", "BIG5-HKSCS"),
	VIA_ICONV("xeucjp", "EUC-JP-MS"),
	VIA_ICONV("xgbk", "GB18030"),
	VIA_ICONV("xmacroman", "MACINTOSH"),
	VIA_ICONV("xsjis", "CP932"),
	OURS("xunicode20utf7", KIND_REFUSED),
};
/* clang-format on */

#define CHARSET_COUNT (sizeof(charsets) / sizeof(charsets[0]))

struct charset_decoder {
	/* One a row of the table; not open: the address of `closed`. NULL:
	 * none was needed yet. */
	iconv_t *converters;
};

/* What no iconv_open returns, for rows not tried yet; (iconv_t)-1 stands for
 * a converter that this C library does not have. */
static char closed;
#define CONVERTER_CLOSED ((iconv_t)&closed)
#define CONVERTER_NONE ((iconv_t)-1)

/* 0x80 to 0x9f, where windows-1252 is not ISO-8859-1; 0: no character. */
static const uint16_t windows_1252[32] = {0x20ac, 0, 0x201a, 0x0192, 0x201e,
    0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d,
    0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc,
    0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178};

/* Letters and digits only, in lower case. False: too long to be known. */
static bool
normalise(struct span name, char out_r[static CHARSET_NAME_MAX + 1])
{
	size_t len = 0;

	if (name.len > CHARSET_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (char_is_alnum(name.data[i]))
			out_r[len++] = char_to_lower(name.data[i]);
	}
	out_r[len] = '\0';
	return len > 0;
}

static int
compare_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct charset *)row)->name);
}

const struct charset *
charset_find(struct span name)
{
	char key[CHARSET_NAME_MAX + 1];

	if (!normalise(name, key))
		return NULL;
	return bsearch(
	    key, charsets, CHARSET_COUNT, sizeof(charsets[0]), compare_name);
}

bool
charset_is_refused(const struct charset *charset)
{
	return charset != NULL && charset->kind == KIND_REFUSED;
}

bool
charset_is_ascii(const struct charset *charset)
{
	return charset != NULL && charset->kind == KIND_GUESS;
}

const char *
charset_name(size_t index, const struct charset **charset_r)
{
	if (index >= CHARSET_COUNT)
		return NULL;
	*charset_r = &charsets[index];
	return charsets[index].name;
}

struct charset_decoder *
charset_decoder_new(void)
{
	return NEW(struct charset_decoder);
}

static void
make_converters(struct charset_decoder *decoder)
{
	decoder->converters = xcalloc(CHARSET_COUNT, sizeof(iconv_t));
	for (size_t i = 0; i < CHARSET_COUNT; i++)
		decoder->converters[i] = CONVERTER_CLOSED;
}

static void
close_converters(iconv_t *converters)
{
	for (size_t i = 0; i < CHARSET_COUNT; i++)
		if (converters[i] != CONVERTER_CLOSED &&
		    converters[i] != CONVERTER_NONE)
			iconv_close(converters[i]);
	free(converters);
}

void
charset_decoder_free(struct charset_decoder **decoder)
{
	if (*decoder == NULL)
		return;
	if ((*decoder)->converters != NULL)
		close_converters((*decoder)->converters);
	free(*decoder);
	*decoder = NULL;
}

/* The converter of a row in its initial state, or CONVERTER_NONE. */
static iconv_t
get_converter(struct charset_decoder *decoder, const struct charset *charset)
{
	iconv_t *converter;

	if (decoder->converters == NULL)
		make_converters(decoder);
	converter = &decoder->converters[charset - charsets];
	if (*converter == CONVERTER_CLOSED)
		*converter = iconv_open("UTF-8", charset->converter);
	else if (*converter != CONVERTER_NONE)
		iconv(*converter, NULL, NULL, NULL, NULL);
	return *converter;
}

/* What a look at the bytes as UTF-8 tells. */
struct utf8_look {
	size_t good; /* characters of two and more bytes */
	size_t bad;  /* malformed sequences, the tail not counted */
	size_t tail; /* bytes of a character that the end cuts */
};

/* Is the malformed sequence of `len` bytes at the front only cut? */
static bool
is_cut(struct span s, size_t len)
{
	unsigned char lead = (unsigned char)s.data[0];

	return len == s.len && lead >= 0xc2 && lead <= 0xf4;
}

static struct utf8_look
look(struct span s)
{
	struct utf8_look seen = {0, 0, 0};
	uint32_t code;
	size_t len;

	s = span_skip(s, utf8_ascii_length(s));
	while (s.len > 0) {
		bool valid = true;

		len = utf8_next(s, &code, &valid);
		if (valid && len > 1)
			seen.good++;
		else if (!valid && is_cut(s, len))
			seen.tail = len;
		else if (!valid)
			seen.bad++;
		s = span_skip(s, len);
		s = span_skip(s, utf8_ascii_length(s));
	}
	return seen;
}

bool
charset_looks_utf8(struct span bytes)
{
	struct utf8_look seen = look(bytes);
	size_t bad = seen.bad + (seen.tail > 0);

	if (seen.good < bad)
		return false;
	/* Two bytes of another charset may look like a character. */
	if (seen.good > 0 && seen.good >= SURE_UTF8 * bad)
		return true;
	return guess_charset(bytes) == NULL;
}

const struct charset *
charset_guess_other(struct span bytes)
{
	const char *name = guess_charset(bytes);

	return charset_find(span_from_str(name != NULL ? name : "cp1252"));
}

uint32_t
charset_windows_1252_code(unsigned char byte)
{
	uint32_t code = byte;

	if (code >= 0x80 && code <= 0x9f) {
		code = windows_1252[code - 0x80];
		if (code == 0)
			code = UTF8_REPLACEMENT;
	}
	return code;
}

void
charset_add_windows_1252(struct buf *buf, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		utf8_add(buf,
		    charset_windows_1252_code((unsigned char)bytes.data[i]));
}

void
charset_guess(struct buf *buf, struct span bytes)
{
	struct charset_decoder *decoder;

	if (charset_looks_utf8(bytes)) {
		utf8_add_valid(buf, bytes);
		return;
	}
	decoder = charset_decoder_new();
	if (charset_decode(decoder, charset_guess_other(bytes), buf, bytes) > 0)
		utf8_add(buf, UTF8_REPLACEMENT);
	charset_decoder_free(&decoder);
}

static size_t
decode_utf8(struct buf *buf, struct span bytes)
{
	struct utf8_look seen = look(bytes);

	if (seen.bad > 0 && seen.good == 0) {
		charset_guess(buf, bytes);
		return 0;
	}
	utf8_add_valid(buf, span_slice(bytes, 0, bytes.len - seen.tail));
	return seen.tail;
}

/* One conversion on its way. */
struct run {
	iconv_t converter;
	struct buf *buf;
	size_t len_max; /* of buf */
	struct span rest;
};

/* Converts until the rest is used up or iconv stops; its errno, 0 at the
 * end. A NULL rest writes what the converter holds back. */
static int
run_once(struct run *run)
{
	char piece[PIECE_SIZE], *out = piece;
	/* iconv does not write through its input. */
	char *in = (char *)run->rest.data;
	size_t room = sizeof(piece), left = run->rest.len;
	size_t result;

	errno = 0;
	result =
	    iconv(run->converter, in == NULL ? NULL : &in, &left, &out, &room);
	buf_add(run->buf, piece, sizeof(piece) - room);
	run->rest = span_skip(run->rest, run->rest.len - left);
	return result == (size_t)-1 ? errno : 0;
}

static bool
is_over(const struct run *run)
{
	return run->buf->len > run->len_max;
}

static void
skip_malformed(struct run *run, size_t unit)
{
	utf8_add(run->buf, UTF8_REPLACEMENT);
	run->rest =
	    span_skip(run->rest, unit < run->rest.len ? unit : run->rest.len);
}

/* A converter that wants too much is cut at a character. */
static void
cut_output(struct run *run)
{
	size_t len = run->len_max;

	while (len > 0 && ((unsigned char)run->buf->data[len] & 0xc0) == 0x80)
		len--;
	buf_truncate(run->buf, len);
}

/* Returns the length of the tail. */
static size_t
run_to_end(struct run *run, size_t unit)
{
	while (run->rest.len > 0 && !is_over(run)) {
		size_t before = run->rest.len;
		int cause = run_once(run);

		if (cause == EINVAL && run->rest.len <= CHARSET_TAIL_MAX)
			return run->rest.len;
		if (cause == 0 || (cause == E2BIG && run->rest.len < before))
			continue;
		skip_malformed(run, unit);
	}
	return 0;
}

static size_t
decode_iconv(iconv_t converter, size_t unit, struct buf *buf, struct span bytes)
{
	struct run run = {converter, buf,
	    buf->len + GROWTH_MAX * bytes.len + GROWTH_EXTRA, bytes};
	size_t tail = run_to_end(&run, unit);

	run.rest = SPAN_EMPTY;
	if (!is_over(&run))
		run_once(&run);
	if (is_over(&run)) {
		cut_output(&run);
		tail = 0;
	}
	return tail;
}

size_t
charset_decode(struct charset_decoder *decoder, const struct charset *charset,
    struct buf *buf, struct span bytes)
{
	enum kind kind = charset != NULL ? charset->kind : KIND_GUESS;
	iconv_t converter;

	if (kind == KIND_UTF8)
		return decode_utf8(buf, bytes);
	if (kind == KIND_WINDOWS_1252) {
		charset_add_windows_1252(buf, bytes);
		return 0;
	}
	if (kind == KIND_ICONV) {
		converter = get_converter(decoder, charset);
		if (converter != CONVERTER_NONE)
			return decode_iconv(
			    converter, charset->unit, buf, bytes);
	}
	charset_guess(buf, bytes);
	return 0;
}
