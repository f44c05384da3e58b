/*
 * store/sqlite: which tables a file has, and how an older one gets them.
 */
#include "daemon/base/xalloc.h"
#include "daemon/store/schema.h"
#include "daemon/store/sqlite_private.h"

static const struct migration {
	int version; /* after it */
	const char *sql;
} migrations[] = {
    {1, SCHEMA_1},
    {2, SCHEMA_2 SCHEMA_APPLIES},
    {3, SCHEMA_3},
    {4, SCHEMA_4},
    {5, SCHEMA_5},
};

/* A number that a pragma or a count gives. */
static bool
read_number(
    struct sqlite *sq, const char *sql, int64_t *value_r, struct error *error_r)
{
	sqlite3_stmt *statement;
	bool ok, row;

	if (sqlite3_prepare_v2(sq->db, sql, -1, &statement, NULL) !=
	    SQLITE_OK) {
		sql_fail(sq, "read", error_r);
		return false;
	}
	ok = sql_step(sq, statement, &row, error_r);
	if (ok)
		*value_r = row ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return ok;
}

bool
sqlite_read_version(
    struct sqlite *sq, int64_t *version_r, struct error *error_r)
{
	int64_t version, id, tables;

	if (!read_number(sq, "PRAGMA user_version", &version, error_r) ||
	    !read_number(sq, "PRAGMA application_id", &id, error_r) ||
	    !read_number(
		sq, "SELECT count(*) FROM sqlite_schema", &tables, error_r))
		return false;
	if (tables > 0 && id != SCHEMA_APPLICATION_ID)
		return error_set(error_r, FAULT_LOCAL,
		    "%s is a database of another program: move it away",
		    sq->path);
	if (version > STORE_SCHEMA_VERSION)
		return error_set(error_r, FAULT_LOCAL,
		    "%s was written by a newer belfry (schema %lld, this one"
		    " knows %d): install the newer one again, or move the file"
		    " away",
		    sq->path, (long long)version, STORE_SCHEMA_VERSION);
	if (version == 0 && !sq->is_new)
		return sql_set_damaged(sq, "it holds nothing", error_r);
	*version_r = version;
	return true;
}

static bool
run_migration(
    struct sqlite *sq, const struct migration *migration, struct error *error_r)
{
	STR_AUTO version =
	    xasprintf("PRAGMA user_version = %d; PRAGMA application_id = %d;",
		migration->version, SCHEMA_APPLICATION_ID);

	return sql_execute(sq, migration->sql, error_r) &&
	       sql_execute(sq, version, error_r);
}

static bool
run_migrations(struct sqlite *sq, int64_t version, struct error *error_r)
{
	for (size_t i = 0; i < sizeof(migrations) / sizeof(migrations[0]);
	     i++) {
		if (version < migrations[i].version &&
		    !run_migration(sq, &migrations[i], error_r))
			return false;
	}
	return true;
}

bool
sqlite_migrate(struct sqlite *sq, int64_t version, struct error *error_r)
{
	return version == STORE_SCHEMA_VERSION ||
	       (sqlite_begin(sq, error_r) &&
		   sqlite_end(
		       sq, run_migrations(sq, version, error_r), error_r));
}
