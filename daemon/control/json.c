#include "daemon/control/json.h"

#include <jansson.h>

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

static json_t *
string_of(struct span text)
{
	BUF_AUTO clean = BUF_INIT;

	utf8_add_valid(&clean, text);
	return value_of(wrap(json_stringn(buf_str(&clean), clean.len)));
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

static int
add_piece(const char *data, size_t size, void *ctx)
{
	buf_add(ctx, data, size);
	return 0;
}

void
json_print(const struct json *json, struct buf *out, bool pretty)
{
	size_t flags = pretty ? JSON_INDENT(2) : JSON_COMPACT;

	json_dump_callback(value_of(json), add_piece, out, flags);
}

struct json *
json_parse(struct span text, struct error *error_r)
{
	json_error_t error;
	json_t *value =
	    json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);

	if (value == NULL) {
		error_set(error_r, FAULT_PEER, "not JSON: %s", error.text);
		return NULL;
	}
	return wrap(value);
}

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
