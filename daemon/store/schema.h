/*
 * store/schema: the tables of SQLite's file, and how they became so.
 *
 * The columns stand in the order of fields.c. States are stored by name
 * (effect_state_name, queue_state_name), so that the file can be read with
 * the sqlite3 shell and the enums can be reordered. A change of a table is a
 * new row in sqlite_schema.c's migrations, never an edit of a SCHEMA that was
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

/* What a server leaves out of a run. */
#define SCHEMA_5                                                               \
	"ALTER TABLE applies ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;"  \
	"ALTER TABLE applies ADD COLUMN left_uids TEXT NOT NULL DEFAULT '';"

#endif
