/* mailboxes: what folders there are, what for, and which are watched. */
#include <inttypes.h>

#include "daemon/control/ctl_table.h"

/* ---- for people ---- */

static void
add_watched(struct ctl_table *table, const struct json *mailbox)
{
	static const struct {
		const char *name, *words;
	} ways[] = {
	    {"idle", "pushed"},
	    {"notify", "pushed, with others (NOTIFY)"},
	};
	const char *watched = json_get_str(mailbox, "watched");
	int64_t every = json_get_int(mailbox, "asked_every_s", 0);
	BUF_AUTO cell = BUF_INIT;

	for (size_t i = 0; watched != NULL && i < sizeof(ways) / sizeof(*ways);
	     i++)
		if (strcmp(ways[i].name, watched) == 0)
			buf_add_str(&cell, ways[i].words);
	if (watched != NULL && every > 0) {
		buf_add_str(&cell, "asked every ");
		usec_format(&cell, (usec_t)every * USEC_SEC);
	} else if (watched != NULL && cell.len == 0)
		buf_add_str(&cell, "yes");
	else if (watched == NULL && !json_get_bool(mailbox, "holds_messages"))
		buf_add_str(&cell, "no: holds only folders");
	else if (watched == NULL)
		buf_add_str(&cell, "no");
	strv_add(&table->cells, buf_str(&cell));
}

static void
add_table(struct buf *out, const struct json *mailboxes)
{
	static const char *const heads[] = {"MAILBOX", "USE", "WATCHED"};
	const size_t columns = sizeof(heads) / sizeof(*heads);
	struct ctl_table table;

	ctl_table_init(&table, columns);
	table.has_heads = true;
	for (size_t i = 0; i < columns; i++)
		ctl_table_add(&table, heads[i]);
	for (size_t i = 0; i < json_count(mailboxes); i++) {
		const struct json *mailbox = json_at(mailboxes, i);
		ctl_table_add(&table, json_get_str(mailbox, "mailbox"));
		ctl_table_add(&table, json_get_str(mailbox, "use"));
		add_watched(&table, mailbox);
	}
	ctl_table_print(&table, out, "  ");
	ctl_table_done(&table);
}

static bool
add_account(struct buf *out, const struct json *account)
{
	bool listed = json_get_bool(account, "listed");

	ctl_add_clean(out, json_get_str(account, "account"), CTL_CELL_MAX);
	buf_add_char(out, '\n');
	if (listed)
		add_table(out, json_get(account, "mailboxes"));
	else
		buf_add_str(out, "  not known before the first login: see "
				 "belfryctl status\n");
	return listed;
}

int
ctl_mailboxes(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL, *request = ctl_request(ctl);
	bool all = true;

	if (ctl->arguments[0] != NULL)
		json_set_str(request, "account", ctl->arguments[0]);
	int code = ctl_ask(ctl, request, &answer);
	if (code != EX_OK)
		return code;
	const struct json *accounts = json_get(answer, "accounts");
	for (size_t i = 0; i < json_count(accounts); i++)
		all = add_account(&out, json_at(accounts, i)) && all;
	if (json_count(accounts) == 0)
		buf_add_str(&out, "no account runs\n");
	code = all ? EX_OK : CTL_EXIT_TROUBLE;
	if (ctl->json)
		return ctl_finish_json(answer, code);
	json_free(&answer);
	return ctl_finish(&out, code);
}
