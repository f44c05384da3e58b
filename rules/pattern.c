/* The only user of PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <assert.h>

#include "daemon/base/xalloc.h"
#include "rules/literals.h"
#include "rules/pattern.h"
#include "rules/rules.h"

/* The stack of the machine code: most patterns never need more than the
 * 32 KiB they get without one. What does not fit into the largest is done by
 * the interpreter, whose memory has its own limit. */
#define JIT_STACK_MIN ((size_t)32 * 1024)
#define JIT_STACK_MAX ((size_t)1024 * 1024)
#define ERROR_MESSAGE_SIZE 128
/* In nanoseconds, about. */
#define WORK_OF_MATCH 50
#define WORK_OF_STEP 5
#define WORK_OF_SLOW_STEP 25 /* of the interpreter */
#define SLOW_BYTES 32	     /* len * len / SLOW_BYTES */
#define WORK_UNLIMITED UINT64_MAX

/* A match is tried within each of these in turn: which of them it needs
 * tells what it costs, and all before the last cost little beside it. */
static const uint32_t step_limits[] = {200, 2000, 20000, PATTERN_MATCH_LIMIT};
#define STEP_LIMITS (sizeof(step_limits) / sizeof(step_limits[0]))

struct name {
	char *name; /* owned */
	unsigned group;
};

struct pattern {
	pcre2_code *code;
	bool has_jit;
	bool is_literal;
	unsigned groups;
	struct name *names;
	size_t name_count;
	struct strv literals;
};

struct pattern_room {
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	pcre2_match_data *data;
	unsigned groups;		  /* that `data` has room for */
	uint64_t message_left, rule_left; /* of the budgets */
};

/* Running out of memory ends the process, as everywhere. */
static void *
need(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

static uint32_t
options_of(unsigned flags)
{
	uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;

	if ((flags & PATTERN_CASE) == 0)
		options |= PCRE2_CASELESS;
	if ((flags & PATTERN_DOTALL) != 0)
		options |= PCRE2_DOTALL;
	if ((flags & PATTERN_LINES) != 0)
		options |= PCRE2_MULTILINE;
	if ((flags & PATTERN_EXTENDED) != 0)
		options |= PCRE2_EXTENDED;
	return options;
}

/* A row of PCRE2's table: the group's number in two bytes, then its name. */
static void
read_names(struct pattern *pattern)
{
	uint32_t count = 0, size = 0;
	PCRE2_SPTR table = NULL;

	pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMECOUNT, &count);
	pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMETABLE, &table);
	if (count == 0)
		return;
	pattern->names = xcalloc(count, sizeof(*pattern->names));
	pattern->name_count = count;
	for (uint32_t i = 0; i < count; i++) {
		PCRE2_SPTR row = table + (size_t)i * size;

		pattern->names[i].group = (unsigned)row[0] << 8 | row[1];
		pattern->names[i].name = xstrdup((const char *)row + 2);
	}
}

/* Every group is a part of every frame of the interpreter: a pattern of
 * thousands meets its limits at once, and costs memory in each room. */
static bool
has_few_groups(const pcre2_code *code)
{
	uint32_t groups = 0;

	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	return groups <= RULE_GROUPS_MAX;
}

static struct pattern *
wrap(pcre2_code *code)
{
	struct pattern *pattern = NEW(struct pattern);
	uint32_t groups = 0;

	pattern->code = code;
	/* Fails where memory may not be executable (systemd's
	 * MemoryDenyWriteExecute); the interpreter then does the work. */
	pattern->has_jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	pattern->groups = groups;
	read_names(pattern);
	return pattern;
}

static void
set_error(struct error *error_r, int code)
{
	char message[ERROR_MESSAGE_SIZE];

	if (pcre2_get_error_message(
		code, (PCRE2_UCHAR *)message, sizeof(message)) < 0)
		message[0] = '\0';
	error_set(error_r, FAULT_CONFIG, "%s", message);
}

struct pattern *
pattern_compile(
    struct span text, unsigned flags, size_t *offset_r, struct error *error_r)
{
	const char *data = text.data != NULL ? text.data : "";
	struct pattern *pattern;
	PCRE2_SIZE offset = 0;
	pcre2_code *code;
	int failure = 0;

	if (text.len > RULE_PATTERN_MAX) {
		*offset_r = RULE_PATTERN_MAX;
		error_set(error_r, FAULT_LIMIT,
		    "a pattern has at most %d bytes", RULE_PATTERN_MAX);
		return NULL;
	}
	code = pcre2_compile((PCRE2_SPTR)data, text.len, options_of(flags),
	    &failure, &offset, NULL);
	if (code == NULL) {
		*offset_r = offset < text.len ? offset : text.len;
		set_error(error_r, failure);
		return NULL;
	}
	if (!has_few_groups(code)) {
		pcre2_code_free(code);
		*offset_r = 0;
		error_set(error_r, FAULT_LIMIT,
		    "a pattern has at most %d groups", RULE_GROUPS_MAX);
		return NULL;
	}
	pattern = wrap(code);
	literals_of_pattern(&pattern->literals, text, flags);
	return pattern;
}

struct pattern *
pattern_compile_literal(struct span text, bool is_whole)
{
	uint32_t options = PCRE2_UTF | PCRE2_CASELESS | PCRE2_LITERAL;
	struct pattern *pattern;
	PCRE2_SIZE offset;
	int failure;

	assert(text.len > 0 && text.len <= RULE_PATTERN_MAX);
	if (is_whole)
		options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
	pattern = wrap(need(pcre2_compile((PCRE2_SPTR)text.data, text.len,
	    options, &failure, &offset, NULL)));
	pattern->is_literal = true;
	literals_of_text(&pattern->literals, text);
	return pattern;
}

void
pattern_free(struct pattern **pattern)
{
	struct pattern *p = *pattern;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->name_count; i++)
		free(p->names[i].name);
	free(p->names);
	strv_done(&p->literals);
	pcre2_code_free(p->code);
	free(p);
	*pattern = NULL;
}

static bool
has_unit(const struct pattern *pattern, uint32_t type_info, uint32_t unit_info,
    char c)
{
	uint32_t type = 0, unit = 0;

	pcre2_pattern_info(pattern->code, type_info, &type);
	pcre2_pattern_info(pattern->code, unit_info, &unit);
	return type == 1 && unit == (unsigned char)c;
}

bool
pattern_needs(const struct pattern *pattern, char c)
{
	return has_unit(pattern, PCRE2_INFO_FIRSTCODETYPE,
		   PCRE2_INFO_FIRSTCODEUNIT, c) ||
	       has_unit(pattern, PCRE2_INFO_LASTCODETYPE,
		   PCRE2_INFO_LASTCODEUNIT, c);
}

bool
pattern_has_machine_code(const struct pattern *pattern)
{
	return pattern->has_jit;
}

const struct strv *
pattern_literals(const struct pattern *pattern)
{
	return &pattern->literals;
}

/* To look for a plain text is linear in any case. */
static size_t
subject_max(const struct pattern *pattern, bool by_machine)
{
	if (pattern->is_literal)
		return SIZE_MAX;
	return by_machine ? PATTERN_SUBJECT_JIT_MAX : RULE_SUBJECT_MAX;
}

size_t
pattern_subject_max(const struct pattern *pattern)
{
	return subject_max(pattern, pattern->has_jit);
}

size_t
pattern_name_count(const struct pattern *pattern)
{
	return pattern->name_count;
}

const char *
pattern_name(const struct pattern *pattern, size_t index)
{
	assert(index < pattern->name_count);
	return pattern->names[index].name;
}

struct pattern_room *
pattern_room_new(void)
{
	struct pattern_room *room = NEW(struct pattern_room);

	room->context = need(pcre2_match_context_create(NULL));
	pcre2_set_depth_limit(room->context, PATTERN_DEPTH_LIMIT);
	pcre2_set_heap_limit(room->context, PATTERN_HEAP_LIMIT_KIB);
	/* NULL where there is no machine code: then it is not needed. */
	room->stack =
	    pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
	if (room->stack != NULL)
		pcre2_jit_stack_assign(room->context, NULL, room->stack);
	room->data = need(pcre2_match_data_create(1, NULL));
	pattern_room_end_message(room);
	return room;
}

void
pattern_room_free(struct pattern_room **room)
{
	struct pattern_room *r = *room;

	if (r == NULL)
		return;
	pcre2_match_data_free(r->data);
	if (r->stack != NULL)
		pcre2_jit_stack_free(r->stack);
	pcre2_match_context_free(r->context);
	free(r);
	*room = NULL;
}

/* ---- The budget ---- */

void
pattern_room_begin_message(struct pattern_room *room)
{
	room->message_left = PATTERN_MESSAGE_WORK_MAX;
	pattern_room_begin_rule(room);
}

void
pattern_room_begin_rule(struct pattern_room *room)
{
	if (room->message_left != WORK_UNLIMITED)
		room->rule_left = PATTERN_RULE_WORK_MAX;
}

void
pattern_room_end_message(struct pattern_room *room)
{
	room->message_left = room->rule_left = WORK_UNLIMITED;
}

static uint64_t
less(uint64_t left, uint64_t work)
{
	if (left == WORK_UNLIMITED)
		return left;
	return left > work ? left - work : 0;
}

static bool
is_used_up(const struct pattern *pattern, const struct pattern_room *room)
{
	return !pattern->is_literal &&
	       (room->message_left == 0 || room->rule_left == 0);
}

/* `tier`: of the step limit that was enough; STEP_LIMITS: none was. */
static void
charge(const struct pattern *pattern, struct pattern_room *room, size_t len,
    size_t tier, bool is_slow)
{
	uint64_t work = WORK_OF_MATCH + len;

	if (pattern->is_literal)
		return;
	if (is_slow)
		work += (uint64_t)len * len / SLOW_BYTES;
	if (tier == STEP_LIMITS)
		tier--;
	if (tier > 0)
		work += (uint64_t)step_limits[tier] *
			(is_slow ? WORK_OF_SLOW_STEP : WORK_OF_STEP);
	room->message_left = less(room->message_left, work);
	room->rule_left = less(room->rule_left, work);
}

/* ---- Matching ---- */

static void
make_room(struct pattern_room *room, unsigned groups)
{
	if (groups <= room->groups)
		return;
	pcre2_match_data_free(room->data);
	room->data = need(pcre2_match_data_create(groups + 1, NULL));
	room->groups = groups;
}

/* At most `max` bytes of valid UTF-8, no character cut in two. */
static struct span
shorten(struct span text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((unsigned char)text.data[max] & 0xc0) == 0x80)
		max--;
	return span_from(text.data, max);
}

static int
run(const struct pattern *pattern, struct pattern_room *room,
    struct span subject, size_t max, uint32_t options)
{
	const char *data = subject.data != NULL ? subject.data : "";
	struct span seen = shorten(span_from(data, subject.len), max);
	int result = PCRE2_ERROR_MATCHLIMIT;
	size_t tier = 0;

	/* The end of what is seen is not the end of the value. */
	if (seen.len < subject.len)
		options |= PCRE2_NOTEOL;
	for (; tier < STEP_LIMITS; tier++) {
		pcre2_set_match_limit(room->context, step_limits[tier]);
		result = pcre2_match(pattern->code, (PCRE2_SPTR)seen.data,
		    seen.len, 0, options | PCRE2_NO_UTF_CHECK, room->data,
		    room->context);
		if (result != PCRE2_ERROR_MATCHLIMIT)
			break;
	}
	charge(pattern, room, seen.len, tier, (options & PCRE2_NO_JIT) != 0);
	if (result == PCRE2_ERROR_NOMATCH && seen.len < subject.len)
		return PCRE2_ERROR_MATCHLIMIT;
	return result;
}

enum pattern_result
pattern_match(const struct pattern *pattern, struct pattern_room *room,
    struct span subject)
{
	struct span seen = shorten(subject, pattern_subject_max(pattern));
	int result = PCRE2_ERROR_JIT_STACKLIMIT;

	if (!literals_may_match(&pattern->literals, seen))
		return seen.len < subject.len ? PATTERN_LIMIT : PATTERN_NO;
	if (is_used_up(pattern, room))
		return PATTERN_LIMIT;
	make_room(room, pattern->groups);
	if (pattern->has_jit)
		result =
		    run(pattern, room, subject, subject_max(pattern, true), 0);
	if (result == PCRE2_ERROR_JIT_STACKLIMIT)
		result = run(pattern, room, subject,
		    subject_max(pattern, false), PCRE2_NO_JIT);
	if (result > 0)
		return PATTERN_YES;
	return result == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_LIMIT;
}

bool
pattern_get(const struct pattern *pattern, struct pattern_room *room,
    struct span subject, size_t index, struct span *value_r)
{
	const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(room->data);
	unsigned group;
	size_t start, end;

	assert(index < pattern->name_count);
	group = pattern->names[index].group;
	start = offsets[2 * group];
	end = offsets[2 * group + 1];
	if (start == PCRE2_UNSET || end < start || end > subject.len)
		return false;
	*value_r = span_slice(subject, start, end - start);
	return true;
}
