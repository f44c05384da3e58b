/*
 * store/sql: the text of every statement.
 */
#include "daemon/store/sql.h"

#include "daemon/store/store.h"

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
/* store_is_needed: ?1 is the account, ?2 the mailbox. */
#define MAILBOX_IS_NEEDED                                                      \
	"(EXISTS (SELECT 1 FROM messages WHERE account = ?1"                   \
	" AND mailbox = ?2)"                                                   \
	" OR EXISTS (SELECT 1 FROM effects WHERE account = ?1"                 \
	" AND mailbox = ?2)"                                                   \
	" OR EXISTS (SELECT 1 FROM queue"                                      \
	" WHERE state NOT IN ('sent', 'dropped')"                              \
	" AND source_account = ?1 AND source_mailbox = ?2)"                    \
	" OR EXISTS (SELECT 1 FROM applies WHERE account = ?1"                 \
	" AND mailbox = ?2 AND state IN ('running', 'cancelling')))"
#define ACCOUNT_IS_NEEDED                                                      \
	"(EXISTS (SELECT 1 FROM messages WHERE account = ?1)"                  \
	" OR EXISTS (SELECT 1 FROM effects WHERE account = ?1)"                \
	" OR EXISTS (SELECT 1 FROM queue"                                      \
	" WHERE state NOT IN ('sent', 'dropped')"                              \
	" AND (account = ?1 OR source_account = ?1)))"
#define NEXT_ACCOUNT(table)                                                    \
	"SELECT min(account) AS name FROM " table " WHERE account > ?1"
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

/*
 * The history: the inner SELECT, which the LIMIT keeps one of its own, needs
 * nothing but the index of times, whose entries end with the key. So messages
 * of other accounts and mailboxes cost no look into the table.
 */
/* clang-format off */
const char *const sql_texts[SQL_COUNT] = {
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
	[SQL_CURSORS] =
		"SELECT account, mailbox, uidvalidity, next_uid, modseq,"
		" judged FROM cursors WHERE account = ? ORDER BY mailbox",
	[SQL_NEXT_ACCOUNT] =
		"SELECT min(name) FROM (" NEXT_ACCOUNT("cursors")
		" UNION ALL " NEXT_ACCOUNT("applies")
		" UNION ALL " NEXT_ACCOUNT("facts")
		" UNION ALL " NEXT_ACCOUNT("senders") ")",
	[SQL_IS_MAILBOX_NEEDED] = "SELECT " MAILBOX_IS_NEEDED,
	[SQL_IS_ACCOUNT_NEEDED] = "SELECT " ACCOUNT_IS_NEEDED,
	[SQL_FORGET_CURSOR] =
		"DELETE FROM cursors WHERE account = ?1 AND mailbox = ?2"
		" AND NOT " MAILBOX_IS_NEEDED,
	[SQL_FORGET_RUN] =
		"DELETE FROM applies WHERE account = ?1 AND mailbox = ?2"
		" AND NOT " MAILBOX_IS_NEEDED,
	[SQL_FORGET_CURSORS] =
		"DELETE FROM cursors WHERE account = ?1"
		" AND NOT " ACCOUNT_IS_NEEDED,
	[SQL_FORGET_RUNS] =
		"DELETE FROM applies WHERE account = ?1"
		" AND NOT " ACCOUNT_IS_NEEDED,
	[SQL_FORGET_SENDERS] =
		"DELETE FROM senders WHERE account = ?1 AND address IN"
		" (SELECT address FROM senders WHERE account = ?1 LIMIT ?2)"
		" AND NOT " ACCOUNT_IS_NEEDED,
	[SQL_FORGET_FACTS] =
		"DELETE FROM facts WHERE account = ?1 AND NOT EXISTS"
		" (SELECT 1 FROM senders WHERE account = ?1)"
		" AND NOT " ACCOUNT_IS_NEEDED,
	[SQL_SET_APPLY] =
		"INSERT OR REPLACE INTO applies VALUES"
		" (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
		" ?, ?)",
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
	[SQL_FORGET_FACT] =
		"DELETE FROM facts WHERE account = ? AND name = ?",
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
		"SELECT " MESSAGE_COLUMNS " FROM (SELECT account, mailbox,"
		" uidvalidity, uid FROM messages"
		" WHERE (?1 IS NULL OR account = ?1)"
		" AND (?2 IS NULL OR mailbox = ?2) AND judged >= ?3"
		" ORDER BY judged DESC, uid DESC, account, mailbox,"
		" uidvalidity DESC LIMIT -1) AS k CROSS JOIN messages AS m"
		" ON " SAME_MESSAGE("m", "k"),
	[SQL_MESSAGE] =
		"SELECT " MESSAGE_COLUMNS " FROM messages AS m"
		" WHERE m.account = ? AND m.mailbox = ? AND m.uidvalidity = ?"
		" AND m.uid = ?",
	[SQL_HISTORY_EFFECTS] =
		"SELECT " EFFECT_COLUMNS " FROM effects AS e"
		" WHERE e.account = ? AND e.mailbox = ? AND e.uidvalidity = ?"
		" AND e.uid = ? ORDER BY e.seq",
	[SQL_JUDGED] =
		"SELECT uid FROM messages WHERE account = ?1 AND mailbox = ?2"
		" AND uidvalidity = ?3 AND uid >= ?4"
		" ORDER BY uid DESC LIMIT ?5",
	[SQL_NOTIFIED] =
		"SELECT uid, kind = 'notify' AND state = 'done'"
		" AND changed >= ?6 FROM effects"
		" WHERE account = ?1 AND mailbox = ?2 AND uidvalidity = ?3"
		" AND uid >= ?4 ORDER BY uid DESC, seq DESC LIMIT ?5",
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
