/*
 * store/sqlite: statements, bound and read by the columns of a row, and what
 * SQLite says when one fails.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/str.h"
#include "daemon/store/directory.h"
#include "daemon/store/sqlite_private.h"

#define DAMAGE_WORDS_MAX 200

/* ---- failures ---- */

static bool
is_damage(int code)
{
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

bool
sql_set_damaged(
    const struct sqlite *sq, const char *words, struct error *error_r)
{
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, span_from_str(words), DAMAGE_WORDS_MAX);
	return directory_set_damaged(sq->path, buf_str(&clean), error_r);
}

/* SQLite's own words leave out what the system said. */
static const char *
system_words(const struct sqlite *sq, int code)
{
	int number = sqlite3_system_errno(sq->db);

	if (number == 0 || (code != SQLITE_CANTOPEN && code != SQLITE_IOERR))
		return NULL;
	return strerror(number);
}

/* To read takes room, too: for what readers and the writer share. */
static bool
is_full(const struct sqlite *sq, int code)
{
	int number = sqlite3_system_errno(sq->db);

	return code == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT);
}

bool
sql_fail(const struct sqlite *sq, const char *doing, struct error *error_r)
{
	int code = sqlite3_errcode(sq->db) & 0xff;

	if (code == SQLITE_NOMEM)
		abort();
	if (is_damage(code))
		return sql_set_damaged(sq, sqlite3_errmsg(sq->db), error_r);
	if (is_full(sq, code))
		return error_set(error_r, FAULT_LOCAL, "%s: cannot write: %s",
		    sq->path, sqlite3_errstr(SQLITE_FULL));
	const char *why = system_words(sq, code);
	return error_set(error_r, FAULT_LOCAL, "%s: cannot %s: %s%s%s%s",
	    sq->path, doing, sqlite3_errmsg(sq->db), why != NULL ? " (" : "",
	    why != NULL ? why : "", why != NULL ? ")" : "");
}

/* ---- parameters and columns ---- */

sqlite3_stmt *
sql_prepare(struct sqlite *sq, enum sql which, struct error *error_r)
{
	sqlite3_stmt **statement = &sq->statements[which];

	if (*statement == NULL &&
	    sqlite3_prepare_v3(sq->db, sql_texts[which], -1,
		SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
		sql_fail(sq, "read its tables", error_r);
		return NULL;
	}
	return *statement;
}

void
sql_finish(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

void
sql_check_bound(int code)
{
	if (code == SQLITE_NOMEM)
		abort();
	assert(code == SQLITE_OK);
}

void
sql_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sql_check_bound(
	    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC));
}

void
sql_bind_int(sqlite3_stmt *statement, int at, int64_t value)
{
	sql_check_bound(sqlite3_bind_int64(statement, at, value));
}

static void
bind_field(sqlite3_stmt *statement, int at, const struct store_field *field,
    const void *row)
{
	const void *value = store_field_get(field, row);

	switch (field->type) {
	case FIELD_TEXT:
		sql_bind_text(statement, at, *(const char *const *)value);
		break;
	case FIELD_U32:
		sql_bind_int(statement, at, *(const uint32_t *)value);
		break;
	case FIELD_UNSIGNED:
		sql_bind_int(statement, at, *(const unsigned *)value);
		break;
	case FIELD_U64:
		sql_bind_int(
		    statement, at, (int64_t) * (const uint64_t *)value);
		break;
	case FIELD_I64:
		sql_bind_int(statement, at, *(const int64_t *)value);
		break;
	case FIELD_APPLY_STATE:
		sql_bind_text(statement, at,
		    apply_state_name(*(const enum apply_state *)value));
		break;
	case FIELD_EFFECT_STATE:
		sql_bind_text(statement, at,
		    effect_state_name(*(const enum effect_state *)value));
		break;
	case FIELD_QUEUE_STATE:
		sql_bind_text(statement, at,
		    queue_state_name(*(const enum queue_state *)value));
		break;
	case FIELD_TYPES:
		break;
	}
}

void
sql_bind_fields(
    sqlite3_stmt *statement, const struct store_fields *fields, const void *row)
{
	for (size_t i = 0; i < fields->count; i++)
		bind_field(statement, (int)i + 1, &fields->items[i], row);
}

void
sql_bind_effect_key(
    sqlite3_stmt *statement, const struct store_key *key, unsigned seq)
{
	sql_bind_fields(statement, &store_key_fields, key);
	sql_bind_int(statement, 5, seq);
}

const char *
sql_read_text(sqlite3_stmt *statement, int at)
{
	const void *text = sqlite3_column_text(statement, at);

	return text != NULL ? text : "";
}

static bool
read_field(
    sqlite3_stmt *statement, int at, const struct store_field *field, void *row)
{
	void *value = store_field_at(field, row);
	struct span name;

	switch (field->type) {
	case FIELD_TEXT:
		*(const char **)value = sql_read_text(statement, at);
		break;
	case FIELD_U32:
		*(uint32_t *)value =
		    (uint32_t)sqlite3_column_int64(statement, at);
		break;
	case FIELD_UNSIGNED:
		*(unsigned *)value =
		    (unsigned)sqlite3_column_int64(statement, at);
		break;
	case FIELD_U64:
		*(uint64_t *)value =
		    (uint64_t)sqlite3_column_int64(statement, at);
		break;
	case FIELD_I64:
		*(int64_t *)value = sqlite3_column_int64(statement, at);
		break;
	case FIELD_APPLY_STATE:
		name = span_from_str(sql_read_text(statement, at));
		return apply_state_parse(name, value);
	case FIELD_EFFECT_STATE:
		name = span_from_str(sql_read_text(statement, at));
		return effect_state_parse(name, value);
	case FIELD_QUEUE_STATE:
		name = span_from_str(sql_read_text(statement, at));
		return queue_state_parse(name, value);
	case FIELD_TYPES:
		break;
	}
	return true;
}

bool
sql_read_fields(const struct sqlite *sq, sqlite3_stmt *statement, int at,
    const struct store_fields *fields, void *row, struct error *error_r)
{
	for (size_t i = 0; i < fields->count; i++) {
		if (!read_field(statement, at + (int)i, &fields->items[i], row))
			return sql_set_damaged(sq, "an unknown state", error_r);
	}
	return true;
}

/* ---- running ---- */

bool
sql_run(struct sqlite *sq, sqlite3_stmt *statement, struct error *error_r)
{
	bool ok = sqlite3_step(statement) == SQLITE_DONE;

	if (!ok)
		sql_fail(sq, "write", error_r);
	sql_finish(statement);
	return ok;
}

bool
sql_step(struct sqlite *sq, sqlite3_stmt *statement, bool *row_r,
    struct error *error_r)
{
	int code = sqlite3_step(statement);

	if (code != SQLITE_ROW && code != SQLITE_DONE) {
		sql_fail(sq, "read", error_r);
		return false;
	}
	*row_r = code == SQLITE_ROW;
	return true;
}

bool
sql_run_plain(struct sqlite *sq, enum sql which, struct error *error_r)
{
	sqlite3_stmt *statement = sql_prepare(sq, which, error_r);

	return statement != NULL && sql_run(sq, statement, error_r);
}

bool
sql_run_row(struct sqlite *sq, enum sql which,
    const struct store_fields *fields, const void *row, struct error *error_r)
{
	sqlite3_stmt *statement = sql_prepare(sq, which, error_r);

	if (statement == NULL)
		return false;
	sql_bind_fields(statement, fields, row);
	return sql_run(sq, statement, error_r);
}

bool
sql_run_number(
    struct sqlite *sq, enum sql which, int64_t value, struct error *error_r)
{
	sqlite3_stmt *statement = sql_prepare(sq, which, error_r);

	if (statement == NULL)
		return false;
	sql_bind_int(statement, 1, value);
	return sql_run(sq, statement, error_r);
}

bool
sql_execute(struct sqlite *sq, const char *sql, struct error *error_r)
{
	return sqlite3_exec(sq->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       sql_fail(sq, "write", error_r);
}
