/*
 * control/json: the door to jansson: documents to build, print and read.
 *
 * A struct json is a value with its own memory. `json_set_*` puts a member
 * into an object, `json_add_*` an element at the end of an array; a json that
 * is put in is taken. Strings are made valid UTF-8 without NUL on the way in,
 * so building never fails, and what was built can be printed and parsed again.
 * Members keep the order in which they were set.
 */
#ifndef BELFRY_CONTROL_JSON_H
#define BELFRY_CONTROL_JSON_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/strv.h"

#define JSON_LINE_MAX (64 * 1024) /* a request */
#define JSON_DEPTH_MAX 16	  /* of arrays and objects, when parsing */

struct json;

/* From now on memory that documents give back is overwritten: for processes
 * that read or write tokens. May be called again. */
void json_wipe_memory(void);

struct json *json_new_object(void);
struct json *json_new_array(void);
void json_free(struct json **json);

/* NULL strings become null. */
void json_set_str(struct json *object, const char *name, const char *value);
void json_set_span(struct json *object, const char *name, struct span value);
void json_set_int(struct json *object, const char *name, int64_t value);
void json_set_bool(struct json *object, const char *name, bool value);
/* RFC 3339 in UTC; null for 0. */
void json_set_time(struct json *object, const char *name, int64_t unix_seconds);
void json_set(struct json *object, const char *name, struct json *value);
void json_set_strv(
    struct json *object, const char *name, const struct strv *values);
void json_add(struct json *array, struct json *value);
void json_add_str(struct json *array, const char *value);

/* Appends one line without a line end; or, pretty, several for people's eyes.
 * Controls, direction marks and invisible characters are escaped, so that
 * either may go to a terminal. */
void json_print(const struct json *json, struct buf *out, bool pretty);
/* Strict: one object or array, valid UTF-8 without NUL, no duplicates, depth
 * at most JSON_DEPTH_MAX. NULL and FAULT_PEER, or FAULT_LIMIT. The size is the
 * caller's to bound. */
struct json *json_parse(struct span text, struct error *error_r);

/* Readers; borrowed. What is missing or of another kind: NULL, the default,
 * false, 0 elements. */
const char *json_get_str(const struct json *object, const char *name);
int64_t json_get_int(
    const struct json *object, const char *name, int64_t missing);
bool json_get_bool(const struct json *object, const char *name);
/* A view into the document: borrowed, never freed. */
const struct json *json_get(const struct json *object, const char *name);
bool json_is_nothing(const struct json *value); /* null */
/* A copy of its own, of a view. */
struct json *json_copy_of(const struct json *value);
/* Of a value that is a string; else NULL. */
const char *json_str(const struct json *value);
/* The n-th member in the order of setting, and its name; NULL: no more. */
const struct json *json_member(
    const struct json *object, size_t index, const char **name_r);
size_t json_count(const struct json *array);
const struct json *json_at(const struct json *array, size_t index);

#endif
