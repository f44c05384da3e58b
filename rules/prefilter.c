#include "rules/prefilter.h"

#include <assert.h>
#include <endian.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define GRAM LITERAL_MIN /* neighbouring bytes */
#define STRIDE_MAX 8	 /* the bytes of a uint64_t */
#define HIGH_BITS 0x8080808080808080u
#define BITS_PER_ENTRY 32 /* so that few bytes seem to be a needle's */
#define BITS_MAX_LOG 19	  /* 64 KiB */
#define BITS_MIN_LOG 10
#define HASH_PRIME 0x9e3779b1u

struct needle {
	char *text; /* owned */
	size_t len;
	size_t first, count; /* of prefilter->ids */
};

/* Three bytes of a needle. */
struct entry {
	uint32_t gram;
	uint32_t needle;
	uint32_t offset;
	uint32_t next; /* in the bucket: number + 1; 0: none */
};

struct addition {
	char text[LITERAL_MAX + 1];
	size_t id;
};

struct prefilter {
	struct addition *additions; /* owned; until sealed */
	size_t addition_count, addition_cap;
	struct needle *needles;
	size_t needle_count;
	size_t *ids;
	struct entry *entries;
	size_t entry_count;
	uint32_t *buckets; /* number + 1 of an entry */
	uint8_t *bits;	   /* which grams there are, by hash */
	unsigned bucket_shift, bit_shift;
	size_t stride; /* only every so many-th place is looked at */
};

/* ---- Building ---- */

struct prefilter *
prefilter_new(void)
{
	return NEW(struct prefilter);
}

void
prefilter_free(struct prefilter **prefilter)
{
	struct prefilter *p = *prefilter;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->needle_count; i++)
		free(p->needles[i].text);
	free(p->additions);
	free(p->needles);
	free(p->ids);
	free(p->entries);
	free(p->buckets);
	free(p->bits);
	free(p);
	*prefilter = NULL;
}

void
prefilter_add(struct prefilter *prefilter, struct span needle, size_t id)
{
	struct addition *addition;

	assert(needle.len >= LITERAL_MIN && needle.len <= LITERAL_MAX);
	if (prefilter->addition_count == prefilter->addition_cap) {
		prefilter->addition_cap = prefilter->addition_cap == 0
					      ? 8
					      : 2 * prefilter->addition_cap;
		prefilter->additions = xreallocarray(prefilter->additions,
		    prefilter->addition_cap, sizeof(*prefilter->additions));
	}
	addition = &prefilter->additions[prefilter->addition_count++];
	*addition = (struct addition){.id = id};
	memcpy(addition->text, needle.data, needle.len);
}

static int
compare_additions(const void *a, const void *b)
{
	const struct addition *one = a, *two = b;
	int order = strcmp(one->text, two->text);

	if (order != 0)
		return order;
	return (one->id > two->id) - (one->id < two->id);
}

/* Equal ones become one needle with several ids. */
static void
make_needles(struct prefilter *prefilter)
{
	size_t count = prefilter->addition_count;
	struct needle *needle = NULL;

	if (count > 1)
		qsort(prefilter->additions, count,
		    sizeof(*prefilter->additions), compare_additions);
	prefilter->needles = xcalloc(count + 1, sizeof(*prefilter->needles));
	prefilter->ids = xcalloc(count + 1, sizeof(*prefilter->ids));
	for (size_t i = 0; i < count; i++) {
		const struct addition *addition = &prefilter->additions[i];

		prefilter->ids[i] = addition->id;
		if (needle != NULL &&
		    strcmp(needle->text, addition->text) == 0) {
			needle->count++;
			continue;
		}
		needle = &prefilter->needles[prefilter->needle_count++];
		*needle = (struct needle){
		    xstrdup(addition->text), strlen(addition->text), i, 1};
	}
	free(prefilter->additions);
	prefilter->additions = NULL;
}

/* The shortest needle must have a gram at one of so many places in a row. */
static size_t
choose_stride(const struct prefilter *prefilter)
{
	size_t stride = STRIDE_MAX;

	for (size_t i = 0; i < prefilter->needle_count; i++) {
		size_t grams = prefilter->needles[i].len - GRAM + 1;

		stride = grams < stride ? grams : stride;
	}
	return stride;
}

/* How often a byte is in the text of mail, roughly. */
static unsigned
commonness(char c)
{
	static const char common[] = "zqjxkvbywgpfmucdlhrsnioate ";
	const char *found = c != '\0' ? strchr(common, c) : NULL;

	if (found != NULL)
		return 2 + (unsigned)(found - common);
	if (c == '.' || c == '-' || c == '@')
		return 14;
	return char_is_digit(c) ? 8 : 4;
}

/* Where the rarest bytes begin of which all grams of one round are made. */
static size_t
rarest_offset(const struct needle *needle, size_t stride)
{
	size_t width = GRAM + stride - 1, best = 0;
	unsigned least = UINT32_MAX;

	for (size_t i = 0; i + width <= needle->len; i++) {
		unsigned sum = 0;

		for (size_t j = i; j < i + width; j++)
			sum += commonness(needle->text[j]);
		if (sum < least) {
			least = sum;
			best = i;
		}
	}
	return best;
}

/* At most eight bytes as a number. */
static uint64_t
load(const char *data, size_t len)
{
	uint64_t bytes = 0;

	memcpy(&bytes, data, len < sizeof(bytes) ? len : sizeof(bytes));
	return le64toh(bytes);
}

/* The first three of them, the same for both cases of a letter; some that
 * are no letters become the same, too, which costs a comparison in vain. */
static uint32_t
gram_of(uint64_t bytes)
{
	return ((uint32_t)bytes & 0xffffff) | 0x202020;
}

static unsigned
log2_of(size_t least, unsigned min, unsigned max)
{
	unsigned log = min;

	while (log < max && (size_t)1 << log < least)
		log++;
	return log;
}

static void
add_entry(struct prefilter *prefilter, size_t needle, size_t offset)
{
	const char *data = prefilter->needles[needle].text + offset;
	uint32_t gram = gram_of(load(data, GRAM));
	uint32_t hash = gram * HASH_PRIME, bit = hash >> prefilter->bit_shift;
	uint32_t *bucket = &prefilter->buckets[hash >> prefilter->bucket_shift];

	prefilter->entries[prefilter->entry_count++] =
	    (struct entry){gram, (uint32_t)needle, (uint32_t)offset, *bucket};
	*bucket = (uint32_t)prefilter->entry_count;
	prefilter->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
}

void
prefilter_seal(struct prefilter *prefilter)
{
	size_t count;
	unsigned bits, buckets;

	make_needles(prefilter);
	prefilter->stride = choose_stride(prefilter);
	count = prefilter->needle_count * prefilter->stride;
	bits = log2_of(count * BITS_PER_ENTRY, BITS_MIN_LOG, BITS_MAX_LOG);
	buckets = log2_of(count * 2, 4, BITS_MAX_LOG);
	prefilter->bit_shift = 32 - bits;
	prefilter->bucket_shift = 32 - buckets;
	prefilter->bits = xcalloc((size_t)1 << (bits - 3), 1);
	prefilter->buckets =
	    xcalloc((size_t)1 << buckets, sizeof(*prefilter->buckets));
	prefilter->entries = xcalloc(count + 1, sizeof(*prefilter->entries));
	for (size_t i = 0; i < prefilter->needle_count; i++) {
		size_t offset =
		    rarest_offset(&prefilter->needles[i], prefilter->stride);

		for (size_t j = 0; j < prefilter->stride; j++)
			add_entry(prefilter, i, offset + j);
	}
}

/* ---- Searching ---- */

static void
take_needle(const struct prefilter *prefilter, const struct needle *needle,
    uint64_t *found)
{
	for (size_t i = 0; i < needle->count; i++)
		bits_set(found, prefilter->ids[needle->first + i]);
}

/* Does the needle stand where its bytes at `offset` are at `pos`? */
static bool
is_needle_at(
    const struct needle *needle, struct span value, size_t pos, size_t offset)
{
	if (pos < offset || pos - offset + needle->len > value.len)
		return false;
	value.data += pos - offset;
	for (size_t i = 0; i < needle->len; i++)
		if (value.data[i] != needle->text[i] &&
		    char_to_lower(value.data[i]) != needle->text[i])
			return false;
	return true;
}

/* The needles that have the gram at `pos`. Returns how many were compared. */
static size_t
compare_at(const struct prefilter *prefilter, struct span value, size_t pos,
    uint32_t gram, uint64_t *found)
{
	uint32_t number =
	    prefilter->buckets[gram * HASH_PRIME >> prefilter->bucket_shift];
	size_t compared = 0;

	for (; number > 0; number = prefilter->entries[number - 1].next) {
		const struct entry *entry = &prefilter->entries[number - 1];
		const struct needle *needle =
		    &prefilter->needles[entry->needle];

		compared++;
		if (entry->gram != gram ||
		    !is_needle_at(needle, value, pos, entry->offset))
			continue;
		compared += needle->count;
		take_needle(prefilter, needle, found);
	}
	return compared;
}

/* Is it among the grams? Mostly it is not. */
static inline bool
may_be_gram(const uint8_t *bits, unsigned shift, uint32_t gram)
{
	uint32_t bit = gram * HASH_PRIME >> shift;

	return (bits[bit / 8] >> bit % 8 & 1) != 0;
}

bool
prefilter_search(
    const struct prefilter *prefilter, struct span value, uint64_t *found)
{
	const uint8_t *bits = prefilter->bits;
	const unsigned shift = prefilter->bit_shift;
	const size_t stride = prefilter->stride;
	size_t left = PREFILTER_COMPARES_MAX + value.len, i = 0, compared;
	uint64_t bytes, all = 0;
	uint32_t gram;

	if (prefilter->needle_count == 0)
		return true;
	for (; i + sizeof(bytes) <= value.len; i += stride) {
		bytes = load(value.data + i, sizeof(bytes));
		all |= bytes;
		gram = gram_of(bytes);
		if (!may_be_gram(bits, shift, gram))
			continue;
		compared = compare_at(prefilter, value, i, gram, found);
		if (compared > left)
			return false;
		left -= compared;
	}
	/* Now less than eight bytes are left. */
	for (; i + GRAM <= value.len; i += stride) {
		bytes = load(value.data + i, value.len - i);
		all |= bytes;
		compare_at(prefilter, value, i, gram_of(bytes), found);
	}
	if (i < value.len)
		all |= load(value.data + i, value.len - i);
	/* A stride is no longer than what is loaded: all bytes were seen. */
	return (all & HIGH_BITS) == 0 || !literals_any_case(value);
}
