#include "daemon/control/json.h"

#include <jansson.h>
#include <malloc.h>

#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/base/usec.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

/* A struct json is jansson's own value under our name: the cast below and the
 * one in `wrap` are the only ones. */
static json_t *
value_of(const struct json *json)
{
	return (json_t *)(uintptr_t)json;
}

static struct json *
wrap(json_t *value)
{
	if (value == NULL)
		abort(); /* jansson ran out of memory */
	return (struct json *)value;
}

static void
free_wiped(void *memory)
{
	if (memory != NULL)
		memory_wipe(memory, malloc_usable_size(memory));
	free(memory);
}

void
json_wipe_memory(void)
{
	json_set_alloc_funcs(malloc, free_wiped);
}

struct json *
json_new_object(void)
{
	return wrap(json_object());
}

struct json *
json_new_array(void)
{
	return wrap(json_array());
}

void
json_free(struct json **json)
{
	if (*json != NULL)
		json_decref(value_of(*json));
	*json = NULL;
}

/* A NUL would be legal JSON, but no reader of ours takes it. */
static void
replace_nul(struct buf *buf, struct span text)
{
	struct span piece;

	while (span_split(&text, '\0', &piece)) {
		buf_add_span(buf, piece);
		if (text.data != NULL)
			utf8_add(buf, UTF8_REPLACEMENT);
	}
}

static json_t *
string_of(struct span text)
{
	BUF_AUTO clean = BUF_INIT;
	BUF_AUTO bare = BUF_INIT;

	if (span_find(text, '\0') != SIZE_MAX) {
		replace_nul(&bare, text);
		text = buf_span(&bare);
	}
	utf8_add_valid(&clean, text);
	json_t *value =
	    value_of(wrap(json_stringn(buf_str(&clean), clean.len)));
	buf_wipe(&clean); /* it may be a token */
	return value;
}

void
json_set_span(struct json *object, const char *name, struct span value)
{
	json_object_set_new(value_of(object), name, string_of(value));
}

void
json_set_str(struct json *object, const char *name, const char *value)
{
	if (value == NULL)
		json_object_set_new(value_of(object), name, json_null());
	else
		json_set_span(object, name, span_from_str(value));
}

void
json_set_int(struct json *object, const char *name, int64_t value)
{
	json_object_set_new(value_of(object), name, json_integer(value));
}

void
json_set_bool(struct json *object, const char *name, bool value)
{
	json_object_set_new(value_of(object), name, json_boolean(value));
}

void
json_set_time(struct json *object, const char *name, int64_t unix_seconds)
{
	BUF_AUTO text = BUF_INIT;

	if (unix_seconds != 0)
		unix_format(&text, unix_seconds);
	json_set_str(object, name, unix_seconds != 0 ? buf_str(&text) : NULL);
}

void
json_set(struct json *object, const char *name, struct json *value)
{
	json_object_set_new(value_of(object), name, value_of(value));
}

void
json_set_strv(struct json *object, const char *name, const struct strv *values)
{
	struct json *array = json_new_array();

	for (size_t i = 0; i < values->len; i++)
		json_add_str(array, values->items[i]);
	json_set(object, name, array);
}

void
json_add(struct json *array, struct json *value)
{
	json_array_append_new(value_of(array), value_of(value));
}

void
json_add_str(struct json *array, const char *value)
{
	json_array_append_new(value_of(array), string_of(span_from_str(value)));
}

/* ---- printing ---- */

static int
add_piece(const char *data, size_t size, void *ctx)
{
	buf_add(ctx, data, size);
	return 0;
}

/* Characters that a terminal obeys, or that a person cannot see. jansson has
 * escaped those below U+0020; these can only stand within strings. */
static bool
is_unfit(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
	    {0x7f, 0x9f},	/* DEL, C1 */
	    {0xad, 0xad},	/* soft hyphen */
	    {0x61c, 0x61c},	/* Arabic letter mark */
	    {0x180e, 0x180e},	/* Mongolian vowel separator */
	    {0x200b, 0x200f},	/* zero width, direction */
	    {0x2028, 0x202e},	/* line ends, direction */
	    {0x2060, 0x206f},	/* invisible operators, isolates */
	    {0xfeff, 0xfeff},	/* byte order mark */
	    {0xfff9, 0xfffb},	/* annotations */
	    {0xe0000, 0xe0fff}, /* tags */
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* RFC 8259 section 7: above U+FFFF as a surrogate pair. */
static void
add_escape(struct buf *out, uint32_t code)
{
	if (code > 0xffff) {
		code -= 0x10000;
		buf_addf(out, "\\u%04x", 0xd800 + (code >> 10));
		code = 0xdc00 + (code & 0x3ff);
	}
	buf_addf(out, "\\u%04x", code);
}

static void
add_escaped(struct buf *out, struct span text)
{
	while (text.len > 0) {
		uint32_t code;
		size_t len = utf8_next(text, &code, NULL);
		if (is_unfit(code))
			add_escape(out, code);
		else
			buf_add(out, text.data, len);
		text = span_skip(text, len);
	}
}

void
json_print(const struct json *json, struct buf *out, bool pretty)
{
	size_t flags = pretty ? JSON_INDENT(2) : JSON_COMPACT;
	BUF_AUTO text = BUF_INIT;

	json_dump_callback(value_of(json), add_piece, &text, flags);
	add_escaped(out, buf_span(&text));
	buf_wipe(&text);
}

/* ---- parsing ---- */

/* Counted before jansson sees it: its own limit is 2048, fixed when it was
 * built. */
static bool
is_too_deep(struct span text)
{
	bool in_string = false;
	unsigned depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '"')
			in_string = !in_string;
		else if (in_string && c == '\\')
			i++;
		else if (!in_string && (c == '[' || c == '{') &&
			 ++depth > JSON_DEPTH_MAX)
			return true;
		else if (!in_string && (c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return false;
}

struct json *
json_parse(struct span text, struct error *error_r)
{
	json_error_t error;
	json_t *value;
	BUF_AUTO words = BUF_INIT;

	if (is_too_deep(text)) {
		error_set(error_r, FAULT_LIMIT,
		    "JSON may be nested %d deep at most", JSON_DEPTH_MAX);
		return NULL;
	}
	value = json_loadb(text.data != NULL ? text.data : "", text.len,
	    JSON_REJECT_DUPLICATES, &error);
	if (value == NULL) {
		str_sanitize(&words, span_from_str(error.text), 100);
		error_set(error_r, FAULT_PEER, "not JSON: %s", buf_str(&words));
		return NULL;
	}
	return wrap(value);
}

/* ---- reading ---- */

const struct json *
json_get(const struct json *object, const char *name)
{
	return (const struct json *)json_object_get(value_of(object), name);
}

const char *
json_get_str(const struct json *object, const char *name)
{
	return json_string_value(json_object_get(value_of(object), name));
}

int64_t
json_get_int(const struct json *object, const char *name, int64_t missing)
{
	json_t *value = json_object_get(value_of(object), name);

	return json_is_integer(value) ? json_integer_value(value) : missing;
}

bool
json_get_bool(const struct json *object, const char *name)
{
	return json_is_true(json_object_get(value_of(object), name));
}

bool
json_is_nothing(const struct json *value)
{
	return json_is_null(value_of(value));
}

struct json *
json_copy_of(const struct json *value)
{
	return wrap(json_deep_copy(value_of(value)));
}

const char *
json_str(const struct json *value)
{
	return json_string_value(value_of(value));
}

const struct json *
json_member(const struct json *object, size_t index, const char **name_r)
{
	json_t *from = (json_t *)(uintptr_t)value_of(object);
	void *iter = json_object_iter(from);

	while (iter != NULL && index-- > 0)
		iter = json_object_iter_next(from, iter);
	if (iter == NULL)
		return NULL;
	*name_r = json_object_iter_key(iter);
	return (const struct json *)json_object_iter_value(iter);
}

size_t
json_count(const struct json *array)
{
	return json_array_size(value_of(array));
}

const struct json *
json_at(const struct json *array, size_t index)
{
	return (const struct json *)json_array_get(value_of(array), index);
}
