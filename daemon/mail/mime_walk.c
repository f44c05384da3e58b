/*
 * mail/mime_walk: the leaves of a message's bytes.
 *
 *   message   = entity
 *   entity    = header line-end body
 *   body      = octets / multipart / entity        ; by the header's type
 *   multipart = [preamble] 1*(delimiter entity) [close epilogue]
 *   delimiter = "--" boundary *octet line-end
 *   close     = "--" boundary "--" *octet line-end
 *   line-end  = [CR] LF
 *
 * (RFC 2046 section 5.1.1.) One function per state takes a line and says
 * whether a leaf has ended with it.
 */
#include "daemon/mail/mime_walk.h"

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/rfc2231.h"

enum state {
	STATE_HEADER,	/* of an entity */
	STATE_LEAF,	/* in the body of a leaf, or of what is inside of one */
	STATE_PREAMBLE, /* in front of a multipart's first part */
	STATE_SKIP,	/* an epilogue, or what is too deep */
	STATE_END
};

/* A multipart, or an attached message, that is open. */
struct level {
	char *boundary; /* owned; NULL: a message */
	size_t boundary_len;
	size_t children;
	bool is_related, is_digest;
};

/* What the header in front of a body said. */
struct entity {
	struct message *header;
	struct mime_field type;
};

struct mime_walk {
	struct span message;
	size_t pos; /* of the line that comes */
	enum state state;
	struct level levels[MIME_DEPTH_MAX];
	size_t depth;
	size_t header_start; /* in STATE_HEADER */
	/* The leaf that is open, or the multipart in its preamble. */
	bool has_leaf, is_message;
	struct entity entity;
	size_t leaf_start, leaf_depth; /* deeper levels are inside of it */
	struct buf section;
	bool is_truncated;
};

/* The only place where the state changes. */
static void
enter(struct mime_walk *walk, enum state state)
{
	walk->state = state;
}

/* ---- Entities ---- */

static void
entity_done(struct entity *entity)
{
	message_free(&entity->header);
	mime_field_done(&entity->type);
}

static void
entity_init(struct entity *entity, struct span header)
{
	entity->header = message_new(header);
	mime_field_parse(
	    message_raw(entity->header, "Content-Type", 0), &entity->type);
}

static bool
is_multipart(const struct entity *entity)
{
	return span_is_nocase(entity->type.value, "multipart");
}

/* RFC 2046 section 5.1.5: in a digest that is what has no type. */
static bool
is_message(const struct mime_walk *walk, const struct entity *entity)
{
	if (message_count(entity->header, "Content-Type") == 0)
		return walk->depth > 0 &&
		       walk->levels[walk->depth - 1].is_digest;
	return span_is_nocase(entity->type.value, "message") &&
	       span_is_nocase(entity->type.subtype, "rfc822");
}

/* ---- Levels ---- */

static void
pop_to(struct mime_walk *walk, size_t depth)
{
	while (walk->depth > depth)
		free(walk->levels[--walk->depth].boundary);
}

/* False: too deep. */
static bool
push(struct mime_walk *walk, struct level level)
{
	if (walk->depth == MIME_DEPTH_MAX) {
		free(level.boundary);
		return false;
	}
	walk->levels[walk->depth++] = level;
	return true;
}

static bool
is_inside_leaf(const struct mime_walk *walk)
{
	return walk->has_leaf;
}

/* "1.2", from the children of the open levels; `last` is the number in the
 * innermost. */
static void
write_section(struct mime_walk *walk, size_t last)
{
	buf_truncate(&walk->section, 0);
	for (size_t i = 0; i + 1 < walk->depth; i++)
		buf_addf(&walk->section, "%zu.", walk->levels[i].children);
	buf_addf(&walk->section, "%zu", last);
}

/* ---- Leaves ---- */

static void
begin_leaf(struct mime_walk *walk, struct entity *entity, size_t start)
{
	entity_done(&walk->entity);
	walk->entity = *entity;
	*entity = (struct entity){0};
	walk->has_leaf = true;
	walk->is_message = is_message(walk, &walk->entity);
	walk->leaf_start = start;
	walk->leaf_depth = walk->depth;
	write_section(
	    walk, walk->depth > 0 ? walk->levels[walk->depth - 1].children : 1);
}

/* The line break in front of a boundary belongs to that. */
static size_t
without_line_end(const struct mime_walk *walk, size_t start, size_t end)
{
	const char *data = walk->message.data;

	if (end > start && data[end - 1] == '\n')
		end--;
	if (end > start && data[end - 1] == '\r')
		end--;
	return end;
}

/* Bytes, with a CR in front of each LF. */
static uint64_t
size_on_the_wire(struct span body)
{
	uint64_t size = body.len;
	struct span rest = body, line;

	while (span_split(&rest, '\n', &line)) {
		bool is_ended = rest.data != NULL;

		if (is_ended &&
		    (line.len == 0 || line.data[line.len - 1] != '\r'))
			size++;
	}
	return size;
}

/* The leaf's body ends at `end`. */
static void
fill_leaf(struct mime_walk *walk, size_t end, struct mime_leaf *leaf_r)
{
	bool is_related = false;

	for (size_t i = 0; i < walk->leaf_depth; i++)
		is_related |= walk->levels[i].is_related;
	*leaf_r = (struct mime_leaf){.section = buf_str(&walk->section),
	    .header = walk->entity.header,
	    .type = &walk->entity.type,
	    .is_message = walk->is_message,
	    .body = span_slice(
		walk->message, walk->leaf_start, end - walk->leaf_start),
	    .is_related = is_related};
	leaf_r->size = size_on_the_wire(leaf_r->body);
	walk->has_leaf = false;
}

/* ---- Headers ---- */

/* The parameter's bytes as they stand: that is what the lines have. */
static void
add_boundary(struct buf *boundary, const struct mime_field *type)
{
	for (size_t i = 0; i < type->param_count; i++) {
		if (span_is_nocase(type->params[i].name, "boundary")) {
			buf_add_span(boundary, type->params[i].value);
			return;
		}
	}
	rfc2231_decode(boundary, type->params, type->param_count, "boundary");
}

/* Opens the level of a multipart. False: it has no boundary. */
static bool
begin_multipart(struct mime_walk *walk, struct entity *entity, size_t start)
{
	const struct mime_field *type = &entity->type;
	struct level level = {
	    .is_related = span_is_nocase(type->subtype, "related"),
	    .is_digest = span_is_nocase(type->subtype, "digest")};
	BUF_AUTO boundary = BUF_INIT;

	add_boundary(&boundary, type);
	if (boundary.len == 0)
		return false;
	level.boundary_len =
	    span_slice(buf_span(&boundary), 0, MIME_BOUNDARY_MAX).len;
	level.boundary = buf_take_str(&boundary);
	if (!push(walk, level)) {
		walk->is_truncated |= !is_inside_leaf(walk);
		enter(walk, is_inside_leaf(walk) ? STATE_LEAF : STATE_SKIP);
		return true;
	}
	if (!is_inside_leaf(walk)) {
		begin_leaf(walk, entity, start);
		walk->has_leaf = false;
		write_section(walk, 1);
	}
	enter(walk, STATE_PREAMBLE);
	return true;
}

/* A leaf, or a multipart without boundary, which is the only child of itself.
 */
static void
begin_whole(struct mime_walk *walk, struct entity *entity, size_t start)
{
	bool is_child = is_multipart(entity) && walk->depth > 0;

	begin_leaf(walk, entity, start);
	if (is_child)
		buf_add_str(&walk->section, ".1");
}

/* The header ends, the body starts at `start`. */
static void
begin_body(struct mime_walk *walk, struct span header, size_t start)
{
	struct entity entity;

	entity_init(&entity, header);
	if (is_multipart(&entity) && begin_multipart(walk, &entity, start)) {
		entity_done(&entity);
		return;
	}
	if (is_message(walk, &entity)) {
		if (!is_inside_leaf(walk))
			begin_leaf(walk, &entity, start);
		entity_done(&entity);
		walk->header_start = start;
		enter(walk, push(walk, (struct level){.boundary = NULL})
				? STATE_HEADER
				: STATE_LEAF);
		return;
	}
	if (!is_inside_leaf(walk))
		begin_whole(walk, &entity, start);
	entity_done(&entity);
	enter(walk, STATE_LEAF);
}

static struct span
header_until(const struct mime_walk *walk, size_t end)
{
	return span_slice(
	    walk->message, walk->header_start, end - walk->header_start);
}

/* ---- Boundaries ---- */

static struct span
trim_end(struct span s)
{
	while (s.len > 0 &&
	       (char_is_blank(s.data[s.len - 1]) || s.data[s.len - 1] == '\r' ||
		   s.data[s.len - 1] == '\n'))
		s.len--;
	return s;
}

/* The level whose boundary the line, which begins with "--", has; depth + 1
 * of it, 0: none. */
static size_t
find_level(const struct mime_walk *walk, struct span line)
{
	struct span rest = trim_end(span_skip(line, 2));
	size_t best = 0, best_len = 0;

	for (size_t i = walk->depth; i > 0; i--) {
		const struct level *level = &walk->levels[i - 1];
		size_t len = level->boundary_len;

		if (level->boundary == NULL || len > rest.len ||
		    len <= best_len ||
		    memcmp(level->boundary, rest.data, len) != 0)
			continue;
		best = i;
		best_len = len;
		if (len == rest.len || span_is(span_skip(rest, len), "--"))
			break;
	}
	return best;
}

static bool
is_close(struct span line, const struct level *level)
{
	return span_starts(span_skip(line, 2 + level->boundary_len), "--");
}

/* Everything inside of the level ends in front of the line at `start`, which
 * has its boundary. */
static bool
take_boundary(struct mime_walk *walk, size_t found, size_t start,
    struct span line, struct mime_leaf *leaf_r)
{
	bool is_end = is_close(line, &walk->levels[found - 1]);
	bool has_leaf = false, is_empty;

	if (walk->state == STATE_HEADER)
		begin_body(walk, header_until(walk, start), start);
	is_empty = walk->state == STATE_PREAMBLE && !is_inside_leaf(walk);
	if ((is_inside_leaf(walk) && found <= walk->leaf_depth) ||
	    (is_empty && (found < walk->depth || is_end))) {
		fill_leaf(walk, without_line_end(walk, walk->leaf_start, start),
		    leaf_r);
		has_leaf = true;
	}
	pop_to(walk, found);
	if (is_end) {
		pop_to(walk, found - 1);
		enter(walk, is_inside_leaf(walk) ? STATE_LEAF : STATE_SKIP);
		return has_leaf;
	}
	walk->levels[found - 1].children++;
	walk->header_start = walk->pos;
	enter(walk, STATE_HEADER);
	return has_leaf;
}

/* ---- Lines ---- */

static struct span
take_line(struct mime_walk *walk)
{
	struct span rest = span_skip(walk->message, walk->pos);
	size_t end = span_find(rest, '\n');
	struct span line = span_slice(rest, 0, end == SIZE_MAX ? end : end + 1);

	walk->pos += line.len;
	return line;
}

static bool
is_empty_line(struct span line)
{
	while (span_starts(line, "\r"))
		line = span_skip(line, 1);
	return span_is(line, "\n");
}

static bool
take_next(struct mime_walk *walk, struct mime_leaf *leaf_r)
{
	size_t start = walk->pos, found = 0;
	struct span line = take_line(walk);

	if (walk->depth > 0 && span_starts(line, "--"))
		found = find_level(walk, line);
	if (found > 0)
		return take_boundary(walk, found, start, line, leaf_r);
	if (walk->state == STATE_HEADER && is_empty_line(line))
		begin_body(walk, header_until(walk, start), walk->pos);
	return false;
}

/* The message was cut inside the line of a boundary, but not the first: no
 * part. */
static bool
is_cut_part(const struct mime_walk *walk)
{
	return walk->state == STATE_HEADER && walk->depth > 0 &&
	       walk->header_start == walk->message.len &&
	       walk->message.data[walk->message.len - 1] != '\n' &&
	       walk->levels[walk->depth - 1].children > 1;
}

/* All lines were taken. */
static bool
take_end(struct mime_walk *walk, struct mime_leaf *leaf_r)
{
	bool has_leaf;

	if (is_cut_part(walk))
		enter(walk, STATE_SKIP);
	if (walk->state == STATE_HEADER)
		begin_body(walk, header_until(walk, walk->pos), walk->pos);
	/* What is inside of an attached message without end. */
	if (walk->state == STATE_HEADER)
		enter(walk, STATE_LEAF);
	has_leaf = is_inside_leaf(walk) || walk->state == STATE_PREAMBLE;
	if (has_leaf)
		fill_leaf(walk, walk->message.len, leaf_r);
	enter(walk, STATE_END);
	return has_leaf;
}

bool
mime_walk_next(struct mime_walk *walk, struct mime_leaf *leaf_r)
{
	while (walk->pos < walk->message.len) {
		if (take_next(walk, leaf_r))
			return true;
	}
	return walk->state != STATE_END && take_end(walk, leaf_r);
}

bool
mime_walk_is_truncated(const struct mime_walk *walk)
{
	return walk->is_truncated;
}

struct mime_walk *
mime_walk_new(struct span message)
{
	struct mime_walk *walk = NEW(struct mime_walk);

	walk->message = message;
	enter(walk, STATE_HEADER);
	return walk;
}

void
mime_walk_free(struct mime_walk **walk)
{
	if (*walk == NULL)
		return;
	pop_to(*walk, 0);
	entity_done(&(*walk)->entity);
	buf_done(&(*walk)->section);
	free(*walk);
	*walk = NULL;
}
