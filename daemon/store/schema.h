/*
 * store/schema: the SQL of sqlite.c: tables, and every statement.
 *
 * The columns stand in the order of fields.c. States are stored by name
 * (effect_state_name, queue_state_name), so that the file can be read with
 * the sqlite3 shell and the enums can be reordered. A change of a table is a
 * new row in sqlite.c's migrations, never an edit of a SCHEMA that was
 * released.
 */
#ifndef BELFRY_STORE_SCHEMA_H
#define BELFRY_STORE_SCHEMA_H

/* "Belf", in the file's header: tells our file from any other database. */
#define SCHEMA_APPLICATION_ID 0x42656c66

/*
 * Ids of the queue are never given twice (AUTOINCREMENT): a late outcome must
 * not meet another item. The originals have a table of their own, so that
 * lists do not read around them. The partial indexes hold only what is open,
 * a handful of rows whatever the age of the file.
 */
#define SCHEMA_1                                                               \
	"CREATE TABLE cursors ("                                               \
	" account TEXT NOT NULL, mailbox TEXT NOT NULL,"                       \
	" uidvalidity INTEGER NOT NULL, next_uid INTEGER NOT NULL,"            \
	" modseq INTEGER NOT NULL,"                                            \
	" PRIMARY KEY (account, mailbox)) WITHOUT ROWID;"                      \
	"CREATE TABLE messages ("                                              \
	" account TEXT NOT NULL, mailbox TEXT NOT NULL,"                       \
	" uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL,"                 \
	" message_id TEXT NOT NULL, sender TEXT NOT NULL,"                     \
	" subject TEXT NOT NULL, size INTEGER NOT NULL,"                       \
	" received INTEGER NOT NULL, judged INTEGER NOT NULL,"                 \
	" rules TEXT NOT NULL, observed TEXT NOT NULL,"                        \
	" warnings TEXT NOT NULL,"                                             \
	" UNIQUE (account, mailbox, uidvalidity, uid));"                       \
	"CREATE INDEX messages_judged ON messages (judged, uid);"              \
	"CREATE TABLE effects ("                                               \
	" account TEXT NOT NULL, mailbox TEXT NOT NULL,"                       \
	" uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL,"                 \
	" seq INTEGER NOT NULL, rule TEXT NOT NULL, kind TEXT NOT NULL,"       \
	" action TEXT NOT NULL, state TEXT NOT NULL,"                          \
	" attempts INTEGER NOT NULL, detail TEXT NOT NULL,"                    \
	" changed INTEGER NOT NULL,"                                           \
	" UNIQUE (account, mailbox, uidvalidity, uid, seq));"                  \
	"CREATE INDEX effects_open"                                            \
	" ON effects (account, mailbox, uid, uidvalidity, seq)"                \
	" WHERE state IN ('planned', 'started');"                              \
	"CREATE TRIGGER messages_gone AFTER DELETE ON messages BEGIN"          \
	" DELETE FROM effects WHERE account = OLD.account"                     \
	" AND mailbox = OLD.mailbox AND uidvalidity = OLD.uidvalidity"         \
	" AND uid = OLD.uid; END;"                                             \
	"CREATE TABLE queue ("                                                 \
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"                               \
	" key TEXT NOT NULL UNIQUE,"                                           \
	" source_account TEXT NOT NULL, source_mailbox TEXT NOT NULL,"         \
	" uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL,"                 \
	" seq INTEGER NOT NULL, account TEXT NOT NULL, rule TEXT NOT NULL,"    \
	" target TEXT NOT NULL, mode TEXT NOT NULL, unknown TEXT NOT NULL,"    \
	" message_id TEXT NOT NULL, subject TEXT NOT NULL,"                    \
	" queued INTEGER NOT NULL, state TEXT NOT NULL,"                       \
	" attempts INTEGER NOT NULL, next_try INTEGER NOT NULL,"               \
	" reply TEXT NOT NULL, changed INTEGER NOT NULL);"                     \
	"CREATE INDEX queue_work ON queue (account, state, next_try, id)"      \
	" WHERE state IN ('waiting', 'sending');"                              \
	"CREATE INDEX queue_source"                                            \
	" ON queue (source_account, source_mailbox, uidvalidity, uid)"         \
	" WHERE state NOT IN ('sent', 'dropped');"                             \
	"CREATE TABLE originals (id INTEGER PRIMARY KEY,"                      \
	" bytes BLOB NOT NULL);"                                               \
	"CREATE TABLE hits (rule TEXT NOT NULL, at INTEGER NOT NULL);"         \
	"CREATE INDEX hits_at ON hits (at);"                                   \
	"CREATE TABLE facts ("                                                 \
	" account TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"     \
	" PRIMARY KEY (account, name)) WITHOUT ROWID;"

/* What rules did before version 2 is known from the hits that are left. */
#define SCHEMA_2                                                               \
	"CREATE TABLE senders ("                                               \
	" account TEXT NOT NULL, address TEXT NOT NULL,"                       \
	" first INTEGER NOT NULL, last INTEGER NOT NULL,"                      \
	" PRIMARY KEY (account, address)) WITHOUT ROWID;"                      \
	"CREATE INDEX senders_last"                                            \
	" ON senders (account, last DESC, address);"                           \
	"CREATE TABLE rule_stats ("                                            \
	" rule TEXT NOT NULL PRIMARY KEY, hits INTEGER NOT NULL,"              \
	" last_hit INTEGER NOT NULL, observed INTEGER NOT NULL,"               \
	" limited INTEGER NOT NULL, judged INTEGER NOT NULL,"                  \
	" nanoseconds INTEGER NOT NULL, since INTEGER NOT NULL)"               \
	" WITHOUT ROWID;"                                                      \
	"INSERT INTO rule_stats"                                               \
	" SELECT rule, count(*), max(at), 0, 0, 0, 0, min(at)"                 \
	" FROM hits GROUP BY rule;"

/* Runs over messages that were there already. */
#define SCHEMA_APPLIES                                                         \
	"CREATE TABLE applies ("                                               \
	" account TEXT NOT NULL, mailbox TEXT NOT NULL,"                       \
	" run INTEGER NOT NULL, state TEXT NOT NULL,"                          \
	" uidvalidity INTEGER NOT NULL, first_uid INTEGER NOT NULL,"           \
	" next_uid INTEGER NOT NULL, end_uid INTEGER NOT NULL,"                \
	" since INTEGER NOT NULL, until INTEGER NOT NULL,"                     \
	" rules TEXT NOT NULL, notify INTEGER NOT NULL,"                       \
	" total INTEGER NOT NULL, looked INTEGER NOT NULL,"                    \
	" matched INTEGER NOT NULL, observed INTEGER NOT NULL,"                \
	" busy INTEGER NOT NULL, detail TEXT NOT NULL,"                        \
	" started INTEGER NOT NULL, changed INTEGER NOT NULL,"                 \
	" PRIMARY KEY (account, mailbox)) WITHOUT ROWID;"

/*
 * A plan is on disk before its first command starts, so its pages count: a
 * row that is its own index is one page less, and so is an index that only
 * the start of belfryd and the daily pruning would read.
 */
#define MESSAGES_3                                                             \
	"CREATE TABLE messages ("                                              \
	" account TEXT NOT NULL, mailbox TEXT NOT NULL,"                       \
	" uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL,"                 \
	" message_id TEXT NOT NULL, sender TEXT NOT NULL,"                     \
	" subject TEXT NOT NULL, size INTEGER NOT NULL,"                       \
	" received INTEGER NOT NULL, judged INTEGER NOT NULL,"                 \
	" rules TEXT NOT NULL, observed TEXT NOT NULL,"                        \
	" warnings TEXT NOT NULL,"                                             \
	" PRIMARY KEY (account, mailbox, uidvalidity, uid)) WITHOUT ROWID;"    \
	"INSERT INTO messages SELECT * FROM messages_2"                        \
	" ORDER BY account, mailbox, uidvalidity, uid;"                        \
	"DROP TABLE messages_2;"                                               \
	"CREATE INDEX messages_judged ON messages (judged, uid);"
#define EFFECTS_3                                                              \
	"CREATE TABLE effects ("                                               \
	" account TEXT NOT NULL, mailbox TEXT NOT NULL,"                       \
	" uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL,"                 \
	" seq INTEGER NOT NULL, rule TEXT NOT NULL, kind TEXT NOT NULL,"       \
	" action TEXT NOT NULL, state TEXT NOT NULL,"                          \
	" attempts INTEGER NOT NULL, detail TEXT NOT NULL,"                    \
	" changed INTEGER NOT NULL,"                                           \
	" PRIMARY KEY (account, mailbox, uidvalidity, uid, seq))"              \
	" WITHOUT ROWID;"                                                      \
	"INSERT INTO effects SELECT * FROM effects_2"                          \
	" ORDER BY account, mailbox, uidvalidity, uid, seq;"                   \
	"DROP TABLE effects_2;"                                                \
	"CREATE INDEX effects_open"                                            \
	" ON effects (account, mailbox, uid, uidvalidity, seq)"                \
	" WHERE state IN ('planned', 'started');"
#define SCHEMA_3                                                               \
	"DROP TRIGGER messages_gone;"                                          \
	"ALTER TABLE messages RENAME TO messages_2;"                           \
	"ALTER TABLE effects RENAME TO effects_2;" MESSAGES_3 EFFECTS_3        \
	"CREATE TRIGGER messages_gone AFTER DELETE ON messages BEGIN"          \
	" DELETE FROM effects WHERE account = OLD.account"                     \
	" AND mailbox = OLD.mailbox AND uidvalidity = OLD.uidvalidity"         \
	" AND uid = OLD.uid; END;"                                             \
	"DROP INDEX hits_at; DROP INDEX senders_last;"                         \
	"ALTER TABLE cursors ADD COLUMN judged TEXT NOT NULL DEFAULT '';"

/* The same message in several mailboxes. */
#define SCHEMA_4                                                               \
	"ALTER TABLE messages ADD COLUMN identity TEXT NOT NULL DEFAULT '';"

enum sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_SET_CURSOR,
	SQL_GET_CURSOR,
	SQL_SET_APPLY,
	SQL_APPLIES,
	SQL_COUNT_APPLY,
	SQL_JUDGE_AGAIN,
	SQL_ADD_MESSAGE,
	SQL_ADD_EFFECT,
	SQL_SET_EFFECT,
	SQL_SKIP_EFFECT,
	SQL_ADD_ITEM,
	SQL_ADD_ORIGINAL,
	SQL_DROP_ORIGINAL,
	SQL_FIND_TWIN,
	SQL_GET_ITEM_STATE,
	SQL_SET_ITEM,
	SQL_SETTLE,
	SQL_ADD_HIT,
	SQL_SET_FACT,
	SQL_FACTS,
	SQL_GET_FACT,
	SQL_MEASURE_QUEUE,
	SQL_ADD_RULE_STAT,
	SQL_FORGET_RULE,
	SQL_RULE_STATS,
	SQL_ADD_SENDER,
	SQL_SENDERS,
	SQL_OPEN_EFFECTS,
	SQL_OPEN_MAILBOXES,
	SQL_HISTORY,
	SQL_HISTORY_EFFECTS,
	SQL_NEXT_SENDING,
	SQL_NEXT_WAITING,
	SQL_QUEUED,
	SQL_FORWARDS,
	SQL_IS_QUEUED,
	SQL_HITS,
	SQL_PRUNE_MESSAGES,
	SQL_PRUNE_EFFECTS,
	SQL_PRUNE_HITS,
	SQL_PRUNE_KEYS,
	SQL_PRUNE_SENDERS,
	SQL_COUNT
};

#define MESSAGE_COLUMNS                                                        \
	"m.account, m.mailbox, m.uidvalidity, m.uid, m.message_id, m.sender,"  \
	" m.subject, m.size, m.received, m.judged, m.rules, m.observed,"       \
	" m.warnings, m.identity"
#define EFFECT_COLUMNS                                                         \
	"e.account, e.mailbox, e.uidvalidity, e.uid, e.seq, e.rule, e.kind,"   \
	" e.action, e.state, e.attempts, e.detail, e.changed"
#define ITEM_COLUMNS                                                           \
	"q.id, q.key, q.source_account, q.source_mailbox, q.uidvalidity,"      \
	" q.uid, q.seq, q.account, q.rule, q.target, q.mode, q.unknown,"       \
	" q.message_id, q.subject, q.queued, q.state, q.attempts,"             \
	" q.next_try, q.reply"
#define SAME_MESSAGE(a, b)                                                     \
	a ".account = " b ".account AND " a ".mailbox = " b ".mailbox AND " a  \
	  ".uidvalidity = " b ".uidvalidity AND " a ".uid = " b ".uid"
/* Neither an open effect nor an unfinished item needs this row. */
#define NOT_NEEDED(row)                                                        \
	" NOT EXISTS (SELECT 1 FROM effects AS o"                              \
	" WHERE o.state IN ('planned', 'started') AND " SAME_MESSAGE(          \
	    "o", row) ") AND NOT EXISTS (SELECT 1 FROM queue AS q"             \
		      " WHERE q.state NOT IN ('sent', 'dropped')"              \
		      " AND q.source_account = " row ".account"                \
		      " AND q.source_mailbox = " row ".mailbox"                \
		      " AND q.uidvalidity = " row ".uidvalidity"               \
		      " AND q.uid = " row ".uid)"
/* The IN lets SQLite take the partial index; the inner SELECT keeps the bytes
 * out of its sorting. */
#define NEXT(state, order)                                                     \
	"SELECT " ITEM_COLUMNS ", o.bytes"                                     \
	" FROM queue AS q LEFT JOIN originals AS o ON o.id = q.id"             \
	" WHERE q.id = (SELECT n.id FROM queue AS n"                           \
	" WHERE n.account = ?1 AND n.id NOT IN (?2, ?3, ?4, ?5, ?6, ?7, ?8,"   \
	" ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)"     \
	" AND n.state = '" state "'"                                           \
	" AND n.state IN ('waiting', 'sending') ORDER BY " order " LIMIT 1)"

/* clang-format off */
static const char *const sql_texts[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SET_CURSOR] =
		"INSERT INTO cursors VALUES (?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO UPDATE SET uidvalidity = excluded.uidvalidity,"
		" next_uid = excluded.next_uid, modseq = excluded.modseq,"
		" judged = excluded.judged",
	[SQL_GET_CURSOR] =
		"SELECT account, mailbox, uidvalidity, next_uid, modseq,"
		" judged FROM cursors WHERE account = ? AND mailbox = ?",
	[SQL_SET_APPLY] =
		"INSERT OR REPLACE INTO applies VALUES"
		" (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_APPLIES] =
		"SELECT * FROM applies WHERE ?1 IS NULL OR account = ?1"
		" ORDER BY account, mailbox",
	[SQL_COUNT_APPLY] =
		"SELECT rule, kind, state, count(*) FROM effects"
		" WHERE account = ?1 AND mailbox = ?2 AND uidvalidity = ?3"
		" AND seq >= ?4 AND seq < ?5 GROUP BY rule, kind, state"
		" ORDER BY rule, kind, state",
	[SQL_JUDGE_AGAIN] =
		"INSERT INTO messages"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO UPDATE SET judged = excluded.judged,"
		" rules = excluded.rules, observed = excluded.observed,"
		" warnings = excluded.warnings",
	[SQL_ADD_MESSAGE] =
		"INSERT INTO messages"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO NOTHING",
	[SQL_ADD_EFFECT] =
		"INSERT INTO effects"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO NOTHING",
	[SQL_SET_EFFECT] =
		"UPDATE effects SET state = ?6, attempts = ?7, detail = ?8,"
		" changed = ?9 WHERE account = ?1 AND mailbox = ?2"
		" AND uidvalidity = ?3 AND uid = ?4 AND seq = ?5",
	[SQL_SKIP_EFFECT] =
		"UPDATE effects SET state = 'skipped', detail = ?6,"
		" changed = ?7 WHERE account = ?1 AND mailbox = ?2"
		" AND uidvalidity = ?3 AND uid = ?4 AND seq = ?5",
	[SQL_ADD_ITEM] =
		"INSERT INTO queue (key, source_account, source_mailbox,"
		" uidvalidity, uid, seq, account, rule, target, mode, unknown,"
		" message_id, subject, queued, state, attempts, next_try,"
		" reply, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
		" ?, ?14, ?, ?, ?, ?, ?14) ON CONFLICT DO NOTHING",
	[SQL_ADD_ORIGINAL] = "INSERT INTO originals VALUES (?, ?)",
	[SQL_DROP_ORIGINAL] = "DELETE FROM originals WHERE id = ?",
	[SQL_FIND_TWIN] =
		"SELECT source_account, source_mailbox, uidvalidity, uid, seq,"
		" id, state FROM queue WHERE key = ?",
	[SQL_GET_ITEM_STATE] = "SELECT state FROM queue WHERE id = ?",
	[SQL_SET_ITEM] =
		"UPDATE queue SET state = ?2, attempts = ?3, next_try = ?4,"
		" reply = ?5, changed = ?6 WHERE id = ?1",
	[SQL_SETTLE] =
		"UPDATE effects SET state = ?2, attempts = q.attempts,"
		" detail = q.reply, changed = q.changed"
		" FROM queue AS q WHERE q.id = ?1"
		" AND effects.account = q.source_account"
		" AND effects.mailbox = q.source_mailbox"
		" AND effects.uidvalidity = q.uidvalidity"
		" AND effects.uid = q.uid AND effects.seq = q.seq",
	[SQL_ADD_HIT] = "INSERT INTO hits VALUES (?, ?)",
	[SQL_SET_FACT] =
		"INSERT INTO facts VALUES (?, ?, ?)"
		" ON CONFLICT DO UPDATE SET value = excluded.value",
	[SQL_FACTS] = "SELECT name, value FROM facts WHERE account = ?"
		      " ORDER BY name",
	[SQL_MEASURE_QUEUE] =
		"SELECT count(*), total(length(bytes)) FROM originals",
	[SQL_GET_FACT] =
		"SELECT value FROM facts WHERE account = ? AND name = ?",
	[SQL_ADD_RULE_STAT] =
		"INSERT INTO rule_stats VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO UPDATE SET hits = hits + excluded.hits,"
		" last_hit = max(last_hit, excluded.last_hit),"
		" observed = observed + excluded.observed,"
		" limited = limited + excluded.limited,"
		" judged = judged + excluded.judged,"
		" nanoseconds = nanoseconds + excluded.nanoseconds",
	[SQL_FORGET_RULE] = "DELETE FROM rule_stats WHERE rule = ?",
	[SQL_RULE_STATS] = "SELECT * FROM rule_stats ORDER BY rule",
	[SQL_ADD_SENDER] =
		"INSERT INTO senders VALUES (?, ?, ?, ?)"
		" ON CONFLICT DO UPDATE SET first = min(first, excluded.first),"
		" last = max(last, excluded.last)",
	[SQL_SENDERS] =
		"SELECT address, last FROM senders WHERE account = ?1"
		" ORDER BY last DESC, address",
	[SQL_OPEN_EFFECTS] =
		"SELECT " EFFECT_COLUMNS ", " MESSAGE_COLUMNS
		" FROM effects AS e LEFT JOIN messages AS m"
		" ON " SAME_MESSAGE("m", "e")
		" WHERE e.state IN ('planned', 'started')"
		" AND e.account = ? AND e.mailbox = ?"
		" ORDER BY e.uid, e.uidvalidity, e.seq",
	[SQL_OPEN_MAILBOXES] =
		"SELECT mailbox, COUNT(*) FROM effects"
		" WHERE state IN ('planned', 'started') AND account = ?"
		" AND NOT (kind = 'forward' AND state = 'started')"
		" GROUP BY mailbox ORDER BY mailbox",
	[SQL_HISTORY] =
		"SELECT " MESSAGE_COLUMNS " FROM messages AS m"
		" WHERE (?1 IS NULL OR m.account = ?1)"
		" AND (?2 IS NULL OR m.mailbox = ?2) AND m.judged >= ?3"
		" ORDER BY m.judged DESC, m.uid DESC, m.account, m.mailbox,"
		" m.uidvalidity DESC",
	[SQL_HISTORY_EFFECTS] =
		"SELECT " EFFECT_COLUMNS " FROM effects AS e"
		" WHERE e.account = ? AND e.mailbox = ? AND e.uidvalidity = ?"
		" AND e.uid = ? ORDER BY e.seq",
	[SQL_NEXT_SENDING] = NEXT("sending", "n.id"),
	[SQL_NEXT_WAITING] = NEXT("waiting", "n.next_try, n.id"),
	[SQL_QUEUED] =
		"SELECT " ITEM_COLUMNS " FROM queue AS q"
		" WHERE ?1 IS NULL OR q.account = ?1 ORDER BY q.id",
	[SQL_FORWARDS] =
		"SELECT " ITEM_COLUMNS " FROM queue AS q"
		" WHERE q.state NOT IN ('sent', 'dropped')"
		" AND q.source_account = ?1 AND q.source_mailbox = ?2",
	[SQL_IS_QUEUED] =
		"SELECT 1 FROM queue WHERE state NOT IN ('sent', 'dropped')"
		" AND source_account = ?1 AND source_mailbox = ?2"
		" AND uidvalidity = ?3 AND uid = ?4 AND seq = ?5",
	[SQL_HITS] =
		"SELECT rule, at FROM hits WHERE at >= ? ORDER BY at, rowid",
	[SQL_PRUNE_MESSAGES] =
		"DELETE FROM messages WHERE judged < ?1 AND"
		NOT_NEEDED("messages"),
	[SQL_PRUNE_EFFECTS] =
		"DELETE FROM effects WHERE changed < ?1 AND"
		" NOT EXISTS (SELECT 1 FROM messages AS m WHERE "
		SAME_MESSAGE("m", "effects") ") AND" NOT_NEEDED("effects"),
	[SQL_PRUNE_HITS] = "DELETE FROM hits WHERE at < ?1",
	[SQL_PRUNE_KEYS] =
		"DELETE FROM queue WHERE state IN ('sent', 'dropped')"
		" AND changed < ?1",
	[SQL_PRUNE_SENDERS] =
		"DELETE FROM senders WHERE (account, address) IN"
		" (SELECT account, address FROM (SELECT account, address,"
		" row_number() OVER (PARTITION BY account"
		" ORDER BY last DESC, address) AS place FROM senders)"
		" WHERE place > ?1)",
};
/* clang-format on */

#endif
