/*
 * imap/fetch: FETCH, LIST, STATUS and response codes as plain structs.
 *
 *   FETCH   = number SP "FETCH" SP "(" [item SP value *(SP item SP value)] ")"
 *   LIST    = "LIST" SP "(" *flag ")" SP (DQUOTE char DQUOTE / "NIL") SP name
 *   STATUS  = "STATUS" SP name SP "(" *(item SP number) ")"
 *   COPYUID = "COPYUID" SP number SP set SP set                   (RFC 4315)
 *
 * Servers leave values out or send the wrong kind. A known item is taken only
 * with a value of its kind, and anything else that stands where an item
 * should is stepped over, so that one bad item costs no more than itself.
 */
#include "daemon/wire/imap/fetch.h"

#include "daemon/base/str.h"
#include "daemon/wire/imap/seqset.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_text(const struct imap_value *value)
{
	return value->kind == IMAP_STRING || value->kind == IMAP_NIL;
}

/* A number without any tolerance, 0 for none: for UIDs and the like. */
static uint64_t
strict_number(const struct imap_value *value)
{
	uint64_t number;

	if (value->kind != IMAP_ATOM || !span_to_u64(value->text, &number))
		return 0;
	return number;
}

/* ---- FETCH ------------------------------------------------------------- */

/* The state of one FETCH being read. */
struct reading {
	struct imap_fetch *fetch; /* the caller's, zeroed */
	bool uid_conflict;
	bool extensible;  /* the structure is of BODYSTRUCTURE */
	struct span name; /* of the item, for those that say more than one */
};

/* Each takes its value, or says false when the value is of no such kind. */
typedef bool (*take_item)(struct reading *, const struct imap_value *);

static bool
take_uid(struct reading *reading, const struct imap_value *value)
{
	uint64_t uid = strict_number(value);

	if (value->kind == IMAP_LIST || value->kind == IMAP_STRING)
		return false;
	if (uid > UINT32_MAX)
		uid = 0;
	/* Two UIDs for one message: which one is right cannot be known. */
	if (reading->fetch->uid != 0 && reading->fetch->uid != uid)
		reading->uid_conflict = true;
	reading->fetch->uid = (uint32_t)uid;
	return true;
}

static bool
take_flags(struct reading *reading, const struct imap_value *value)
{
	size_t count = value->count;

	if (value->kind != IMAP_LIST && value->kind != IMAP_NIL)
		return false;
	if (count > IMAP_FLAGS_MAX)
		count = IMAP_FLAGS_MAX;
	for (size_t i = 0; i < count; i++) {
		if (value->items[i].kind != IMAP_ATOM)
			return true; /* left out */
	}
	reading->fetch->has_flags = true;
	reading->fetch->flags = value->items;
	reading->fetch->flag_count = count;
	return true;
}

static bool
take_internaldate(struct reading *reading, const struct imap_value *value)
{
	struct imap_fetch *fetch = reading->fetch;

	if (!is_text(value))
		return false;
	if (value->kind == IMAP_STRING &&
	    imap_date_parse(value->text, &fetch->internaldate_unix))
		fetch->has_internaldate = true;
	return true;
}

static bool
take_size(struct reading *reading, const struct imap_value *value)
{
	if (value->kind == IMAP_LIST || value->kind == IMAP_STRING)
		return false;
	if (value->kind == IMAP_ATOM && value->text.len > 0 &&
	    char_is_digit(value->text.data[0])) {
		reading->fetch->has_size = true;
		reading->fetch->size = imap_value_number(value);
	}
	return true;
}

/* RFC 7162: (mod-sequence-value), 63 bits. */
static bool
take_modseq(struct reading *reading, const struct imap_value *value)
{
	uint64_t modseq;

	if (value->kind != IMAP_LIST)
		return false;
	modseq = value->count == 1 ? strict_number(&value->items[0]) : 0;
	reading->fetch->modseq = modseq <= INT64_MAX ? modseq : 0;
	return true;
}

/* 64 bits, unsigned. */
static bool
take_gm_msgid(struct reading *reading, const struct imap_value *value)
{
	if (value->kind == IMAP_LIST || value->kind == IMAP_STRING)
		return false;
	reading->fetch->gm_msgid = strict_number(value);
	return true;
}

/* RFC 8474: "(" objectid ")" */
static bool
take_emailid(struct reading *reading, const struct imap_value *value)
{
	if (value->kind != IMAP_LIST)
		return false;
	if (value->count == 1 && value->items[0].kind == IMAP_ATOM &&
	    value->items[0].text.len <= IMAP_OBJECTID_MAX)
		reading->fetch->emailid = value->items[0].text;
	return true;
}

static bool
take_labels(struct reading *reading, const struct imap_value *value)
{
	if (value->kind != IMAP_LIST && value->kind != IMAP_NIL)
		return false;
	reading->fetch->labels = value->items;
	reading->fetch->label_count =
	    value->kind == IMAP_LIST ? value->count : 0;
	return true;
}

static bool
take_header(struct reading *reading, const struct imap_value *value)
{
	if (!is_text(value))
		return false;
	reading->fetch->has_header = true;
	reading->fetch->header =
	    value->kind == IMAP_STRING ? value->text : SPAN_EMPTY;
	return true;
}

static bool
take_body(struct reading *reading, const struct imap_value *value)
{
	if (!is_text(value))
		return false;
	reading->fetch->has_body = true;
	reading->fetch->body =
	    value->kind == IMAP_STRING ? value->text : SPAN_EMPTY;
	return true;
}

static bool
take_structure(struct reading *reading, const struct imap_value *value)
{
	if (value->kind != IMAP_LIST && value->kind != IMAP_NIL)
		return false;
	if (value->kind == IMAP_LIST) {
		reading->fetch->structure = value;
		reading->extensible = true;
	}
	return true;
}

static bool
take_old_structure(struct reading *reading, const struct imap_value *value)
{
	if (value->kind != IMAP_LIST && value->kind != IMAP_NIL)
		return false;
	if (value->kind == IMAP_LIST && !reading->extensible)
		reading->fetch->structure = value;
	return true;
}

static bool
take_preview(struct reading *reading, const struct imap_value *value)
{
	if (!is_text(value))
		return false;
	reading->fetch->has_preview = true;
	reading->fetch->preview =
	    value->kind == IMAP_STRING ? value->text : SPAN_EMPTY;
	return true;
}

/* "BODY[" section "]" ["<" number ">"] */
static bool
take_part(struct reading *reading, const struct imap_value *value)
{
	struct imap_fetch *fetch = reading->fetch;
	struct span section = span_skip(reading->name, strlen("BODY["));
	size_t end = span_find(section, ']');
	struct span origin;

	if (!is_text(value) || end == SIZE_MAX)
		return false;
	origin = span_skip(section, end + 1);
	fetch->part_origin = 0;
	if (span_starts(origin, "<") && origin.len > 2 &&
	    !span_to_u64(
		span_slice(origin, 1, origin.len - 2), &fetch->part_origin))
		fetch->part_origin = UINT64_MAX;
	fetch->has_part = true;
	fetch->part_section = span_trim(span_slice(section, 0, end));
	fetch->part = value->kind == IMAP_STRING ? value->text : SPAN_EMPTY;
	return true;
}

struct item {
	struct span name;
	take_item take;
};

static const struct item items[] = {
    {SPAN_INIT("UID"), take_uid},
    {SPAN_INIT("FLAGS"), take_flags},
    {SPAN_INIT("INTERNALDATE"), take_internaldate},
    {SPAN_INIT("RFC822.SIZE"), take_size},
    {SPAN_INIT("MODSEQ"), take_modseq},
    {SPAN_INIT("X-GM-MSGID"), take_gm_msgid},
    {SPAN_INIT("X-GM-LABELS"), take_labels},
    {SPAN_INIT("EMAILID"), take_emailid},
    {SPAN_INIT("RFC822.HEADER"), take_header},
    {SPAN_INIT("RFC822"), take_body},
    {SPAN_INIT("BODYSTRUCTURE"), take_structure},
    {SPAN_INIT("PREVIEW"), take_preview},
    {SPAN_INIT("BODY"), take_old_structure},
};

/* The sections of BODY[...]; a section goes on behind a HEADER.FIELDS. */
static const struct item sections[] = {
    {SPAN_INIT(""), take_body},
    {SPAN_INIT("HEADER"), take_header},
    {SPAN_INIT("HEADER.FIELDS"), take_header},
};

static take_item
find_item(const struct item *table, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equal_nocase(name, table[i].name))
			return table[i].take;
	}
	return NULL;
}

/* "1.2" and the like, without MIME, TEXT or HEADER behind them. */
static bool
is_part_number(struct span section)
{
	for (size_t i = 0; i < section.len; i++) {
		if (!char_is_digit(section.data[i]) && section.data[i] != '.')
			return false;
	}
	return section.len > 0;
}

/* The first word of the section of BODY[...], also with <n> behind it. */
static take_item
find_section(struct span atom)
{
	struct span section = span_trim(span_skip(atom, strlen("BODY[")));
	size_t end = 0;

	while (end < section.len && !char_is_blank(section.data[end]) &&
	       section.data[end] != '(' && section.data[end] != ']')
		end++;
	section = span_slice(section, 0, end);
	if (is_part_number(section))
		return take_part;
	return find_item(sections, COUNT(sections), section);
}

static take_item
find_take(const struct imap_value *name)
{
	if (name->kind != IMAP_ATOM)
		return NULL;
	if (span_starts_nocase(name->text, "BODY["))
		return find_section(name->text);
	return find_item(items, COUNT(items), name->text);
}

static void
read_items(
    struct reading *reading, const struct imap_value *values, size_t count)
{
	size_t i = 0;

	while (i + 1 < count) {
		take_item take = find_take(&values[i]);
		const struct imap_value *value = &values[i + 1];

		reading->name = values[i].text;
		if (take != NULL)
			i += take(reading, value) ? 2 : 1;
		/* An unknown item may lack its value: do not step over an item
		 * that is known. */
		else if (values[i].kind == IMAP_ATOM &&
			 find_take(value) == NULL)
			i += 2;
		else
			i += 1;
	}
}

bool
imap_fetch_parse(
    const struct imap_response *response, struct imap_fetch *fetch_r)
{
	if (response->kind != IMAP_UNTAGGED || !response->has_number ||
	    !span_is_nocase(response->name, "FETCH"))
		return false;

	struct reading reading = {.fetch = fetch_r};
	*fetch_r = (struct imap_fetch){0};
	if (response->number <= UINT32_MAX)
		fetch_r->seq = (uint32_t)response->number;
	if (response->count > 0 && response->values[0].kind == IMAP_LIST)
		read_items(&reading, response->values[0].items,
		    response->values[0].count);
	if (reading.uid_conflict)
		fetch_r->uid = 0;
	return true;
}

/* ---- dates ------------------------------------------------------------- */

static const char month_names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const unsigned char month_days[] = {
    31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

static bool
two_digits(const char *at, int *value_r)
{
	if (!char_is_digit(at[0]) || !char_is_digit(at[1]))
		return false;
	*value_r = (at[0] - '0') * 10 + (at[1] - '0');
	return true;
}

/* 1 to 12, or 0. */
static int
month_of(const char *at)
{
	for (int i = 0; i < 12; i++) {
		if (span_equal_nocase(
			span_from(at, 3), span_from(month_names + 3 * i, 3)))
			return i + 1;
	}
	return 0;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. Years count from
 * March, so that the leap day is the last; 719468 days lie between March 1 of
 * year 0 and the epoch. */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = (month + 9) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day -
	       1 - 719468;
}

static bool
parse_zone(const char *at, int64_t *seconds_r)
{
	int hours, minutes;

	if ((at[0] != '+' && at[0] != '-') || !two_digits(at + 1, &hours) ||
	    !two_digits(at + 3, &minutes) || minutes > 59)
		return false;
	*seconds_r = (hours * 60 + minutes) * 60;
	if (at[0] == '-')
		*seconds_r = -*seconds_r;
	return true;
}

/* The parts at fixed places:  "dd-Mon-yyyy hh:mm:ss +zzzz". */
static bool
parse_fixed(const char *t, int64_t *unix_r)
{
	int day, month, century, year, hour, minute, second;
	int64_t zone;

	if (t[2] != '-' || t[6] != '-' || t[11] != ' ' || t[14] != ':' ||
	    t[17] != ':' || t[20] != ' ')
		return false;
	month = month_of(t + 3);
	if (!two_digits(t, &day) || month == 0 ||
	    !two_digits(t + 7, &century) || !two_digits(t + 9, &year) ||
	    !two_digits(t + 12, &hour) || !two_digits(t + 15, &minute) ||
	    !two_digits(t + 18, &second) || !parse_zone(t + 21, &zone))
		return false;
	year += century * 100;
	if (day == 0 || day > month_days[month - 1] || hour > 23 ||
	    minute > 59 || second > 60 || year == 0)
		return false;
	*unix_r = days_of(year, month, day) * 86400 + hour * 3600 +
		  minute * 60 + second - zone;
	return true;
}

#define DATE_LEN 26

bool
imap_date_parse(struct span text, int64_t *unix_r)
{
	char fixed[DATE_LEN];

	/* "7-Jul-..." and " 7-Jul-..." are both in use. */
	text = span_trim(text);
	if (text.len == DATE_LEN - 1) {
		fixed[0] = '0';
		memcpy(fixed + 1, text.data, text.len);
	} else if (text.len == DATE_LEN) {
		memcpy(fixed, text.data, text.len);
	} else {
		return false;
	}
	return parse_fixed(fixed, unix_r);
}

/* ---- LIST -------------------------------------------------------------- */

static const char *const list_names[] = {"LIST", "LSUB", "XLIST"};

static bool
is_list(const struct imap_response *response)
{
	if (response->kind != IMAP_UNTAGGED || response->has_number)
		return false;
	for (size_t i = 0; i < COUNT(list_names); i++) {
		if (span_is_nocase(response->name, list_names[i]))
			return true;
	}
	return false;
}

static bool
parse_delimiter(const struct imap_value *value, char *delimiter_r)
{
	if (value->kind == IMAP_LIST)
		return false;
	if (value->kind == IMAP_NIL || value->text.len == 0) {
		*delimiter_r = '\0';
		return true;
	}
	if (value->text.len != 1)
		return false;
	*delimiter_r = value->text.data[0];
	return true;
}

bool
imap_list_parse(
    const struct imap_response *response, struct imap_list_entry *entry_r)
{
	const struct imap_value *values = response->values;
	struct imap_list_entry entry = {0};

	if (!is_list(response) || response->count < 3 ||
	    (values[0].kind != IMAP_LIST && values[0].kind != IMAP_NIL) ||
	    !parse_delimiter(&values[1], &entry.delimiter) ||
	    values[2].kind == IMAP_LIST)
		return false;
	entry.attributes = values[0].items;
	entry.attribute_count = values[0].count;
	/* An unquoted NIL where a name stands is a mailbox called NIL. */
	entry.name = values[2].text;
	*entry_r = entry;
	return true;
}

bool
imap_list_has_attribute(
    const struct imap_list_entry *entry, const char *attribute)
{
	for (size_t i = 0; i < entry->attribute_count; i++) {
		if (imap_value_is(&entry->attributes[i], attribute))
			return true;
	}
	return false;
}

/* ---- STATUS ------------------------------------------------------------ */

typedef void (*take_count)(struct imap_mailbox_status *, uint64_t);

static uint32_t
u32_or_none(uint64_t number)
{
	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

static void
take_messages(struct imap_mailbox_status *status, uint64_t number)
{
	status->has_messages = true;
	status->messages = number;
}

static void
take_uidnext(struct imap_mailbox_status *status, uint64_t number)
{
	status->uidnext = u32_or_none(number);
}

static void
take_uidvalidity(struct imap_mailbox_status *status, uint64_t number)
{
	status->uidvalidity = u32_or_none(number);
}

static void
take_highestmodseq(struct imap_mailbox_status *status, uint64_t number)
{
	status->highestmodseq = number <= INT64_MAX ? number : 0;
}

static const struct {
	const char *name;
	take_count take;
} status_items[] = {
    {"MESSAGES", take_messages},
    {"UIDNEXT", take_uidnext},
    {"UIDVALIDITY", take_uidvalidity},
    {"HIGHESTMODSEQ", take_highestmodseq},
};

static void
take_status(struct imap_mailbox_status *status, const struct imap_value *name,
    const struct imap_value *value)
{
	uint64_t number;

	if (value->kind != IMAP_ATOM || !span_to_u64(value->text, &number))
		return;
	for (size_t i = 0; i < COUNT(status_items); i++) {
		if (imap_value_is(name, status_items[i].name))
			status_items[i].take(status, number);
	}
}

bool
imap_status_parse(
    const struct imap_response *response, struct imap_mailbox_status *status_r)
{
	const struct imap_value *values = response->values;
	struct imap_mailbox_status status = {0};

	if (response->kind != IMAP_UNTAGGED || response->has_number ||
	    !span_is_nocase(response->name, "STATUS") || response->count < 2 ||
	    values[0].kind == IMAP_LIST || values[1].kind != IMAP_LIST)
		return false;
	status.name = values[0].text;
	for (size_t i = 0; i + 1 < values[1].count; i += 2)
		take_status(
		    &status, &values[1].items[i], &values[1].items[i + 1]);
	*status_r = status;
	return true;
}

/* ---- COPYUID ----------------------------------------------------------- */

/* UIDs in the set, 0 when it is none. A set may not repeat a UID, but to find
 * that out is not worth it: a lookup finds the first. */
static uint64_t
set_size(struct span set)
{
	struct imap_range range;
	uint64_t size = 0;
	int more;

	while ((more = imap_range_next(&set, &range)) > 0)
		size += imap_range_size(range);
	return more == 0 ? size : 0;
}

bool
imap_copyuid_parse(
    const struct imap_response *response, struct imap_copyuid *copyuid_r)
{
	const struct imap_value *values = response->code_values;
	struct imap_copyuid copyuid;
	uint64_t size;

	if (!span_is_nocase(response->code, "COPYUID") ||
	    response->code_count != 3 || values[1].kind != IMAP_ATOM ||
	    values[2].kind != IMAP_ATOM ||
	    !span_to_u32(values[0].text, &copyuid.uidvalidity))
		return false;
	copyuid.source = values[1].text;
	copyuid.target = values[2].text;
	size = set_size(copyuid.source);
	if (size == 0 || size != set_size(copyuid.target))
		return false;
	*copyuid_r = copyuid;
	return true;
}

bool
imap_copyuid_touches(
    const struct imap_copyuid *copyuid, const struct imap_seqset *uids)
{
	struct span rest = copyuid->source;
	struct imap_range range;

	while (imap_range_next(&rest, &range) > 0) {
		size_t from = 0, to = uids->count;
		while (from < to) {
			size_t middle = from + (to - from) / 2;
			if (uids->ranges[middle].last < range.first)
				from = middle + 1;
			else
				to = middle;
		}
		if (from < uids->count &&
		    uids->ranges[from].first <= range.last)
			return true;
	}
	return false;
}

/* ---- one set, from any place on ---- */

static void
rewind_set(struct imap_set_walk *walk)
{
	walk->rest = walk->set;
	walk->before = 0;
	walk->size = 0;
}

static bool
next_range(struct imap_set_walk *walk)
{
	walk->before += walk->size;
	walk->size = 0;
	if (imap_range_next(&walk->rest, &walk->range) <= 0)
		return false;
	walk->size = imap_range_size(walk->range);
	return true;
}

/* How many UIDs stand in the set before `uid`; false: it is not in the set. */
static bool
position_of(struct imap_set_walk *walk, uint32_t uid, uint64_t *position_r)
{
	for (unsigned rounds = 0; rounds < 2; rounds++) {
		do {
			if (walk->size == 0 || uid < walk->range.first ||
			    uid > walk->range.last)
				continue;
			*position_r = walk->before + (uid - walk->range.first);
			return true;
		} while (next_range(walk));
		rewind_set(walk);
	}
	return false;
}

static uint32_t
uid_at(struct imap_set_walk *walk, uint64_t position)
{
	if (position < walk->before)
		rewind_set(walk);
	do {
		if (position < walk->before + walk->size)
			return walk->range.first +
			       (uint32_t)(position - walk->before);
	} while (next_range(walk));
	rewind_set(walk);
	return 0;
}

void
imap_copyuid_begin(
    const struct imap_copyuid *copyuid, struct imap_copyuid_walk *walk_r)
{
	*walk_r = (struct imap_copyuid_walk){
	    .source = {.set = copyuid->source, .rest = copyuid->source},
	    .target = {.set = copyuid->target, .rest = copyuid->target},
	};
}

uint32_t
imap_copyuid_next(struct imap_copyuid_walk *walk, uint32_t uid)
{
	uint64_t position;

	if (!position_of(&walk->source, uid, &position))
		return 0;
	return uid_at(&walk->target, position);
}

uint32_t
imap_copyuid_lookup(const struct imap_copyuid *copyuid, uint32_t uid)
{
	struct imap_copyuid_walk walk;

	imap_copyuid_begin(copyuid, &walk);
	return imap_copyuid_next(&walk, uid);
}
