/*
 * mail/guess: the charset of bytes that do not say it.
 *
 * Charsets of two bytes a character are told by three things. Characters
 * stand side by side, where Western letters above ASCII stand alone among
 * others. Most are of the rows that people write with: kana (nothing else has
 * so many of them), Hangul, the first level of Chinese characters. And there
 * are several different ones: a line of dashes is none.
 *
 * Cyrillic is told by words that have no ASCII letter, and by how often its
 * letters occur in Russian, which is similar enough in its neighbours.
 */
#include "daemon/mail/guess.h"

#include "daemon/base/str.h"

/* ---- Two bytes a character ---- */

enum rank {
	RANK_BAD,     /* no character */
	RANK_RARE,    /* a character */
	RANK_NEUTRAL, /* punctuation, or one byte */
	RANK_TYPICAL,
	RANK_MARK /* typical, and of no other charset */
};

struct double_byte {
	const char *name;
	enum rank (*rank)(unsigned char lead, unsigned char trail);
	size_t chars_min;
	unsigned typical_min; /* percent of those that are not neutral */
	unsigned mark_min;    /* percent of those */
};

/* What a look at the bytes as one charset counts. */
struct count {
	size_t chars, neutral, typical, marks;
	size_t beside;	 /* characters with another one beside */
	size_t distinct; /* leads and trails that differ from those before */
};

static bool
is_in(unsigned char c, unsigned char first, unsigned char last)
{
	return c >= first && c <= last;
}

static enum rank
rank_euc_jp(unsigned char lead, unsigned char trail)
{
	if (lead == 0x8e)
		return is_in(trail, 0xa1, 0xdf) ? RANK_RARE : RANK_BAD;
	if (!is_in(lead, 0xa1, 0xf4) || !is_in(trail, 0xa1, 0xfe))
		return RANK_BAD;
	if (lead == 0xa4 || lead == 0xa5)
		return trail <= 0xf6 ? RANK_MARK : RANK_BAD;
	if (lead == 0xa1 || lead == 0xa3)
		return RANK_NEUTRAL;
	return is_in(lead, 0xb0, 0xcf) ? RANK_TYPICAL : RANK_RARE;
}

/* Hangul of KS X 1001; no Chinese text keeps to these rows for long. */
static enum rank
rank_euc_kr(unsigned char lead, unsigned char trail)
{
	if (!is_in(lead, 0xa1, 0xfe) || !is_in(trail, 0xa1, 0xfe))
		return RANK_BAD;
	if (lead <= 0xa3)
		return RANK_NEUTRAL;
	return is_in(lead, 0xb0, 0xc8) ? RANK_TYPICAL : RANK_RARE;
}

static enum rank
rank_gb18030(unsigned char lead, unsigned char trail)
{
	if (!is_in(lead, 0x81, 0xfe) ||
	    !(is_in(trail, 0x40, 0x7e) || is_in(trail, 0x80, 0xfe)))
		return RANK_BAD;
	if (trail < 0xa1)
		return RANK_RARE;
	if (lead == 0xa1 || lead == 0xa3)
		return RANK_NEUTRAL;
	if (is_in(lead, 0xc9, 0xd7))
		return RANK_MARK;
	return is_in(lead, 0xb0, 0xc8) ? RANK_TYPICAL : RANK_RARE;
}

static enum rank
rank_big5(unsigned char lead, unsigned char trail)
{
	bool is_low = is_in(trail, 0x40, 0x7e);

	if (!is_in(lead, 0xa1, 0xf9) || (!is_low && !is_in(trail, 0xa1, 0xfe)))
		return RANK_BAD;
	if (lead <= 0xa3)
		return RANK_NEUTRAL;
	if (!is_in(lead, 0xa4, 0xc6))
		return RANK_RARE;
	return is_low ? RANK_MARK : RANK_TYPICAL;
}

static enum rank
rank_shift_jis(unsigned char lead, unsigned char trail)
{
	if (!(is_in(lead, 0x81, 0x9f) || is_in(lead, 0xe0, 0xfc)) ||
	    !(is_in(trail, 0x40, 0x7e) || is_in(trail, 0x80, 0xfc)))
		return RANK_BAD;
	if ((lead == 0x82 && is_in(trail, 0x9f, 0xf1)) ||
	    (lead == 0x83 && is_in(trail, 0x40, 0x96)))
		return RANK_MARK;
	if (lead <= 0x82)
		return RANK_NEUTRAL;
	return is_in(lead, 0x88, 0x97) ? RANK_TYPICAL : RANK_RARE;
}

/* The first that fits; Korean before Chinese, whose rows hold its own. */
static const struct double_byte double_bytes[] = {
    {"euc-jp", rank_euc_jp, 3, 70, 20},
    {"euc-kr", rank_euc_kr, 6, 95, 0},
    {"gb18030", rank_gb18030, 3, 90, 10},
    {"big5", rank_big5, 4, 90, 10},
    {"shift_jis", rank_shift_jis, 3, 60, 20},
};

/* Percent of the characters that have one beside. */
#define BESIDE_MIN 80
#define DISTINCT_MIN 3

static bool
is_percent(size_t part, size_t whole, unsigned percent)
{
	return part * 100 >= whole * percent;
}

static void
count_char(
    struct count *count, enum rank rank, struct span pair, struct span last)
{
	count->chars++;
	count->neutral += rank == RANK_NEUTRAL;
	count->typical += rank >= RANK_TYPICAL;
	count->marks += rank == RANK_MARK;
	count->distinct += !span_equal(pair, last);
}

/* False: a byte above ASCII that is part of no character. */
static bool
count_chars(
    const struct double_byte *charset, struct span bytes, struct count *count_r)
{
	struct span last = SPAN_EMPTY;
	size_t stretch = 0;

	*count_r = (struct count){0};
	while (bytes.len > 0) {
		struct span pair = span_slice(bytes, 0, 2);
		enum rank rank;

		if ((unsigned char)bytes.data[0] < 0x80) {
			stretch = 0;
			bytes = span_skip(bytes, 1);
			continue;
		}
		if (pair.len < 2)
			return false;
		rank = charset->rank(
		    (unsigned char)pair.data[0], (unsigned char)pair.data[1]);
		if (rank == RANK_BAD)
			return false;
		count_char(count_r, rank, pair, last);
		/* The second of a stretch speaks for the first, too. */
		stretch++;
		if (stretch > 1)
			count_r->beside += stretch == 2 ? 2 : 1;
		last = pair;
		bytes = span_skip(bytes, 2);
	}
	return true;
}

static bool
is_double_byte(const struct double_byte *charset, struct span bytes)
{
	struct count count;
	size_t telling;

	if (!count_chars(charset, bytes, &count))
		return false;
	telling = count.chars - count.neutral;
	return telling >= charset->chars_min &&
	       count.distinct >= DISTINCT_MIN &&
	       is_percent(count.beside, count.chars, BESIDE_MIN) &&
	       is_percent(count.typical, telling, charset->typical_min) &&
	       is_percent(count.marks, telling, charset->mark_min);
}

/* ---- Cyrillic ---- */

#define LETTERS 32
#define LETTERS_MIN 6
#define DISTINCT_LETTERS_MIN 4
/* One word at least has so many. */
#define RUN_MIN 3
/* Per mille: how often the letters of a text occur in Russian, on average;
 * about 55 in Russian, 31 in what is read by chance. */
#define COMMON_MIN 42
/* Percent of the letters that may stand beside an ASCII letter, or in upper
 * case behind lower case. */
#define ODD_MAX 10
/* Percent of the bytes above ASCII that may be no letters. */
#define OTHERS_MAX 20

/* Per mille, from a to ya without yo. */
static const unsigned char common[LETTERS] = {80, 16, 45, 17, 30, 85, 9, 16, 74,
    12, 35, 44, 32, 67, 110, 28, 47, 55, 63, 26, 3, 10, 5, 14, 7, 4, 0, 19, 17,
    3, 6, 20};

/* The letters 0xc0 to 0xdf of KOI8-R, as places in the alphabet; those of
 * KOI8-U are the same. */
static const unsigned char koi8_letters[LETTERS] = {30, 0, 1, 22, 4, 5, 20, 3,
    21, 8, 9, 10, 11, 12, 13, 14, 15, 31, 16, 17, 18, 19, 6, 2, 28, 27, 7, 24,
    29, 25, 23, 26};

struct letter {
	unsigned place; /* in the alphabet */
	bool is_upper;
};

/* `byte` is 0xc0 or more. */
static struct letter
letter_koi8(unsigned char byte)
{
	return (struct letter){
	    koi8_letters[(byte - 0xc0) % LETTERS], byte >= 0xe0};
}

static struct letter
letter_windows_1251(unsigned char byte)
{
	return (struct letter){(byte - 0xc0u) % LETTERS, byte < 0xe0};
}

struct single_byte {
	const char *name;
	struct letter (*letter)(unsigned char byte);
};

static const struct single_byte single_bytes[] = {
    {"koi8-u", letter_koi8},
    {"windows-1251", letter_windows_1251},
};

/* Per mille, see COMMON_MIN; 0: no Cyrillic. */
static size_t
weigh_letters(const struct single_byte *charset, struct span bytes)
{
	size_t letters = 0, others = 0, odd = 0, sum = 0, run = 0, longest = 0;
	uint32_t seen = 0;
	bool is_behind_ascii = false, is_behind_lower = false;

	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char byte = (unsigned char)bytes.data[i];
		bool is_ascii = char_is_alpha(bytes.data[i]);
		bool is_letter = byte >= 0xc0;
		struct letter letter = {0, false};

		if (is_letter)
			letter = charset->letter(byte);
		letters += is_letter;
		run = is_letter ? run + 1 : 0;
		longest = run > longest ? run : longest;
		seen |= is_letter ? UINT32_C(1) << letter.place : 0;
		others += byte >= 0x80 && !is_letter;
		odd += is_letter && (is_behind_ascii ||
					(is_behind_lower && letter.is_upper));
		odd += is_ascii && i > 0 &&
		       (unsigned char)bytes.data[i - 1] >= 0xc0;
		sum += is_letter ? common[letter.place] : 0;
		is_behind_ascii = is_ascii;
		is_behind_lower = is_letter && !letter.is_upper;
	}
	if (letters < LETTERS_MIN || longest < RUN_MIN ||
	    __builtin_popcount(seen) < DISTINCT_LETTERS_MIN ||
	    odd * 100 > letters * ODD_MAX ||
	    others * 100 > letters * OTHERS_MAX)
		return 0;
	return sum / letters;
}

static const char *
guess_cyrillic(struct span bytes)
{
	const char *best = NULL;
	size_t best_weight = COMMON_MIN - 1;

	for (size_t i = 0; i < sizeof(single_bytes) / sizeof(single_bytes[0]);
	     i++) {
		size_t weight = weigh_letters(&single_bytes[i], bytes);

		if (weight > best_weight) {
			best = single_bytes[i].name;
			best_weight = weight;
		}
	}
	return best;
}

/* ---- All ---- */

/* RFC 1468: ESC "$" "@" or ESC "$" "B" goes over to two bytes a character,
 * ESC "(" "B" or ESC "(" "J" back: every line of such a text ends so. */
static bool
is_iso_2022_jp(struct span bytes)
{
	size_t in = span_find_span(bytes, SPAN("\x1b$B"), 0);

	if (in == SIZE_MAX)
		in = span_find_span(bytes, SPAN("\x1b$@"), 0);
	if (in == SIZE_MAX)
		return false;
	return span_find_span(bytes, SPAN("\x1b(B"), in) != SIZE_MAX ||
	       span_find_span(bytes, SPAN("\x1b(J"), in) != SIZE_MAX;
}

static bool
is_ascii(struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if ((unsigned char)bytes.data[i] >= 0x80)
			return false;
	}
	return true;
}

/* The beginning, up to the last byte below 0x40: no second one is. */
static struct span
first_bytes(struct span bytes)
{
	if (bytes.len <= GUESS_LOOK_MAX)
		return bytes;
	bytes.len = GUESS_LOOK_MAX;
	while (
	    bytes.len > 0 && (unsigned char)bytes.data[bytes.len - 1] >= 0x40)
		bytes.len--;
	return bytes;
}

const char *
guess_charset(struct span bytes)
{
	const char *name;

	bytes = first_bytes(bytes);
	if (is_ascii(bytes))
		return is_iso_2022_jp(bytes) ? "iso-2022-jp" : NULL;
	name = guess_cyrillic(bytes);
	if (name != NULL)
		return name;
	for (size_t i = 0; i < sizeof(double_bytes) / sizeof(double_bytes[0]);
	     i++) {
		if (is_double_byte(&double_bytes[i], bytes))
			return double_bytes[i].name;
	}
	return NULL;
}
