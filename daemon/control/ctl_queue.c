/* queue: forwards, sent and to be sent. */
#include <inttypes.h>

#include "daemon/control/ctl_queue.h"
#include "daemon/control/ctl_table.h"

/* In one request. */
#define IDS_MAX 1000
/* The daemon may read a password first, or renew a token: a command, or a
 * keyring that is to be unlocked, has 30 seconds, and begins later. */
#define RETRY_USEC (90 * USEC_SEC)

static const struct queue_word {
	const char *name;
	bool takes_all;
	const char *done; /* what it did, for people */
} queue_words[] = {
    {"show", false, NULL}, {"retry", true, "is tried now"},
    {"release", true, "is sent again now"}, {"drop", true, "is dropped"},
    {"resume", false, NULL}, /* of accounts, not of forwards */
};

static bool
is_resume(const struct queue_word *word)
{
	return word != NULL && strcmp(word->name, "resume") == 0;
}

static bool
is_retry(const struct queue_word *word)
{
	return word != NULL && strcmp(word->name, "retry") == 0;
}

/* ---- what is printed ---- */

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
	table.has_heads = true;
	for (size_t i = 0; i < columns; i++)
		ctl_table_add(&table, heads[i]);
	for (size_t i = 0; i < json_count(items); i++)
		add_item(&table, json_at(items, i));
	ctl_table_print(&table, out, "");
	ctl_table_done(&table);
}

/* "label  text", nothing without a text. */
static void
add_fact(struct buf *out, const char *label, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	buf_addf(out, "  %-10s ", label);
	ctl_add_clean(out, text, CTL_TEXT_MAX);
	buf_add_char(out, '\n');
}

static void
add_time_fact(struct buf *out, const char *label, const char *text)
{
	BUF_AUTO time = BUF_INIT;

	ctl_add_time(&time, ctl_parse_time(text));
	add_fact(out, label, buf_str(&time));
}

static void
add_source(struct buf *out, const struct json *item)
{
	BUF_AUTO source = BUF_INIT;

	buf_addf(&source, "%s/%s/%" PRId64, json_get_str(item, "account"),
	    json_get_str(item, "mailbox"), json_get_int(item, "uid", 0));
	add_fact(out, "message", buf_str(&source));
}

static void
show_item(struct buf *out, const struct json *item)
{
	BUF_AUTO tries = BUF_INIT;

	buf_addf(out, "forward %" PRId64 " to ", json_get_int(item, "id", 0));
	ctl_add_clean(out, json_get_str(item, "to"), CTL_CELL_MAX);
	buf_add_char(out, '\n');
	buf_addf(&tries, "%" PRId64, json_get_int(item, "attempts", 0));
	add_fact(out, "state", json_get_str(item, "state"));
	add_fact(out, "reply", json_get_str(item, "reply"));
	add_fact(out, "tries", buf_str(&tries));
	add_time_fact(out, "next try", json_get_str(item, "next_try"));
	add_time_fact(out, "queued", json_get_str(item, "queued"));
	add_fact(out, "subject", json_get_str(item, "subject"));
	add_source(out, item);
	add_fact(out, "rule", json_get_str(item, "rule"));
	add_fact(out, "as", json_get_str(item, "as"));
	add_fact(out, "unknown", json_get_str(item, "unknown"));
	add_fact(out, "sent as", json_get_str(item, "message_id"));
}

static void
add_results(
    struct buf *out, const struct queue_word *word, const struct json *items)
{
	for (size_t i = 0; i < json_count(items); i++) {
		const struct json *item = json_at(items, i);
		if (word->done == NULL) {
			show_item(out, item);
			continue;
		}
		buf_addf(out, "forward %" PRId64 " to ",
		    json_get_int(item, "id", 0));
		ctl_add_clean(out, json_get_str(item, "to"), CTL_CELL_MAX);
		buf_addf(out, " %s\n", word->done);
	}
	if (json_count(items) == 0)
		buf_add_str(out, "there is none\n");
}

/* The circuit breaker (account/breaker.h). */
static void
add_stopped(const struct ctl *ctl, struct buf *out, const struct json *stopped)
{
	for (size_t i = 0; i < json_count(stopped); i++) {
		const struct json *one = json_at(stopped, i);
		int64_t count = json_get_int(one, "subjects", 0);
		buf_add_str(out, "forwards of ");
		ctl_add_clean(out, json_get_str(one, "account"), CTL_CELL_MAX);
		buf_addf(out, ": %" PRId64 " subject%s ", count,
		    count == 1 ? "" : "s");
		ctl_add_colored(ctl, out, CTL_BAD,
		    count == 1 ? "is stopped" : "are stopped");
		buf_add_str(out, " for ");
		usec_format(
		    out, (usec_t)json_get_int(one, "for_s", 0) * USEC_SEC);
		buf_add_str(out,
		    ", as too many had the same; to go on: belfryctl queue "
		    "resume ");
		ctl_add_clean(out, json_get_str(one, "account"), CTL_CELL_MAX);
		buf_add_char(out, '\n');
	}
}

void
ctl_queue_add_wait(
    const struct ctl *ctl, struct buf *out, const struct json *wait)
{
	const char *cure = json_get_str(wait, "cure");
	int64_t next = json_get_int(wait, "next_try_in_s", -1);

	ctl_add_colored(
	    ctl, out, CTL_BAD, cure != NULL ? "wait for you" : "wait");
	buf_add_str(out, ": ");
	ctl_add_clean(out, json_get_str(wait, "trouble"), CTL_TEXT_MAX);
	if (cure != NULL) {
		buf_add_str(out, "; ");
		ctl_add_clean(out, cure, CTL_TEXT_MAX);
	}
	if (next >= 0) {
		buf_add_str(out,
		    cure != NULL ? "; looked at again in " : "; next try in ");
		usec_format(out, (usec_t)next * USEC_SEC);
	}
	buf_add_char(out, '\n');
}

/* The accounts whose forwards wait, and for what. */
static void
add_waits(const struct ctl *ctl, struct buf *out, const struct json *waits)
{
	for (size_t i = 0; i < json_count(waits); i++) {
		const struct json *one = json_at(waits, i);
		buf_add_str(out, "forwards of ");
		ctl_add_clean(out, json_get_str(one, "account"), CTL_CELL_MAX);
		buf_add_char(out, ' ');
		ctl_queue_add_wait(ctl, out, one);
	}
}

/* What was not tried, as it would be refused again. */
static void
add_refused(const struct ctl *ctl, struct buf *out, const struct json *refused)
{
	for (size_t i = 0; i < json_count(refused); i++) {
		const struct json *one = json_at(refused, i);
		ctl_add_clean(out, json_get_str(one, "account"), CTL_CELL_MAX);
		buf_add_str(out, ": ");
		ctl_add_colored(ctl, out, CTL_BAD, "not tried");
		buf_add_str(out, ": ");
		ctl_add_clean(out, json_get_str(one, "words"), CTL_TEXT_MAX);
		buf_add_str(out, "; ");
		ctl_add_clean(out, json_get_str(one, "hint"), CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	}
}

static void
add_resumed(struct buf *out, const struct json *resumed)
{
	for (size_t i = 0; i < json_count(resumed); i++) {
		const struct json *one = json_at(resumed, i);
		int64_t count = json_get_int(one, "subjects", 0);
		ctl_add_clean(out, json_get_str(one, "account"), CTL_CELL_MAX);
		buf_addf(out,
		    ": forwards of %" PRId64 " subject%s go on; what was "
		    "stopped meanwhile is not sent (belfryctl history)\n",
		    count, count == 1 ? "" : "s");
	}
	if (json_count(resumed) == 0)
		buf_add_str(out, "no subject is stopped\n");
}

/* ---- what is asked ---- */

static const struct queue_word *
find_word(const char *name)
{
	const size_t count = sizeof(queue_words) / sizeof(*queue_words);

	for (size_t i = 0; i < count; i++)
		if (strcmp(queue_words[i].name, name) == 0)
			return &queue_words[i];
	return NULL;
}

/* EX_OK, or it was said what is wrong with the arguments. */
static int
set_ids(
    const struct ctl *ctl, const struct queue_word *word, struct json *request)
{
	char **ids = ctl->arguments + 1;
	struct json *list;
	uint32_t id;

	if (is_resume(word)) {
		if (*ids != NULL && ids[1] != NULL)
			return ctl_fail(ctl, EX_USAGE,
			    "belfryctl queue resume [ACCOUNT]",
			    "resume: one account, or none for all");
		if (*ids != NULL)
			json_set_str(request, "account", *ids);
		return EX_OK;
	}
	if (*ids == NULL || ctl->argument_count > IDS_MAX)
		return ctl_fail(ctl, EX_USAGE, "belfryctl queue lists them",
		    "%s: which forwards? 1 to %d numbers%s", word->name,
		    IDS_MAX - 1, word->takes_all ? ", or all" : "");
	if (word->takes_all && strcmp(*ids, "all") == 0 && ids[1] == NULL)
		return EX_OK;
	list = json_new_array();
	for (; *ids != NULL; ids++) {
		if (!span_to_u32(span_from_str(*ids), &id) || id == 0) {
			json_free(&list);
			return ctl_fail(ctl, EX_USAGE,
			    "belfryctl queue lists them",
			    "%s: %s is no number of a forward", word->name,
			    *ids);
		}
		json_add_str(list, *ids);
	}
	json_set(request, "ids", list);
	return EX_OK;
}

static int
set_action(const struct ctl *ctl, const struct queue_word **word_r,
    struct json *request)
{
	const char *name = ctl->arguments[0];

	if (ctl_has(ctl, "account"))
		json_set_str(request, "account", ctl_get(ctl, "account"));
	if (ctl_has(ctl, "anyway"))
		json_set_bool(request, "anyway", true);
	*word_r = NULL;
	if (ctl_has(ctl, "anyway") &&
	    (name == NULL || strcmp(name, "retry") != 0))
		return ctl_fail(ctl, EX_USAGE,
		    "belfryctl queue retry --anyway ID... | all",
		    "--anyway: only retry knows it");
	if (name == NULL)
		return EX_OK;
	*word_r = find_word(name);
	if (*word_r == NULL)
		return ctl_fail(ctl, EX_USAGE,
		    "show, retry, release, drop or resume",
		    "queue: nothing called %s can be done to a forward", name);
	json_set_str(request, "action", name);
	return set_ids(ctl, *word_r, request);
}

int
ctl_queue(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL, *request = ctl_request(ctl);
	const struct queue_word *word;
	int code = set_action(ctl, &word, request);

	if (code != EX_OK) {
		json_free(&request);
		return code;
	}
	if (is_retry(word) && ctl->timeout == 0)
		ctl->timeout = RETRY_USEC;
	code = ctl_ask(ctl, request, &answer);
	if (code != EX_OK)
		return code;
	const struct json *refused = json_get(answer, "refused");
	code = json_count(refused) > 0 ? CTL_EXIT_TROUBLE : EX_OK;
	if (ctl->json)
		return ctl_finish_json(answer, code);
	const struct json *items = json_get(answer, "items");
	if (is_resume(word))
		add_resumed(&out, json_get(answer, "resumed"));
	else if (word != NULL)
		add_results(&out, word, items);
	else if (json_count(items) > 0)
		add_items(&out, items);
	else
		buf_add_str(&out, "the queue is empty\n");
	if (word == NULL) {
		add_waits(ctl, &out, json_get(answer, "waits"));
		add_stopped(ctl, &out, json_get(answer, "stopped"));
	}
	add_refused(ctl, &out, refused);
	json_free(&answer);
	return ctl_finish(&out, code);
}
