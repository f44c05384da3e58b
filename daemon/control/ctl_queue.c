/* queue: forwards, sent and to be sent. */
#include "daemon/control/ctl_table.h"

static void
add_item(struct ctl_table *table, const struct json *item)
{
	BUF_AUTO queued = BUF_INIT;

	ctl_add_time(&queued, ctl_parse_time(json_get_str(item, "queued")));
	ctl_table_add_int(table, json_get_int(item, "id", 0));
	ctl_table_add(table, json_get_str(item, "state"));
	ctl_table_add(table, buf_str(&queued));
	ctl_table_add(table, json_get_str(item, "account"));
	ctl_table_add(table, json_get_str(item, "to"));
	ctl_table_add(table, json_get_str(item, "rule"));
	ctl_table_add(table, json_get_str(item, "subject"));
	ctl_table_add(table, json_get_str(item, "reply"));
}

static void
add_items(struct buf *out, const struct json *items)
{
	static const char *const heads[] = {"ID", "STATE", "QUEUED", "ACCOUNT",
	    "TO", "RULE", "SUBJECT", "REPLY"};
	const size_t columns = sizeof(heads) / sizeof(*heads);
	struct ctl_table table;

	ctl_table_init(&table, columns);
	for (size_t i = 0; i < columns; i++)
		ctl_table_add(&table, heads[i]);
	for (size_t i = 0; i < json_count(items); i++)
		add_item(&table, json_at(items, i));
	ctl_table_print(&table, out, "");
	ctl_table_done(&table);
}

int
ctl_queue(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL, *request = ctl_request(ctl);

	if (ctl_has(ctl, "account"))
		json_set_str(request, "account", ctl_get(ctl, "account"));
	int code = ctl_ask(ctl, request, &answer);
	if (code != EX_OK)
		return code;
	if (ctl->json)
		return ctl_finish_json(answer, EX_OK);
	if (json_count(json_get(answer, "items")) > 0)
		add_items(&out, json_get(answer, "items"));
	else
		buf_add_str(&out, "the queue is empty\n");
	json_free(&answer);
	return ctl_finish(&out, EX_OK);
}
