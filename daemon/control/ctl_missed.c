/* What was judged while nobody listened. */
#include "daemon/control/ctl_missed.h"

#include <string.h>

#include "daemon/base/digest.h"
#include "daemon/base/xalloc.h"

#define KEY_DIGITS 64

struct known {
	char key[KEY_DIGITS];
	bool is_missed; /* told from the history; the daemon may say it yet */
};

struct ctl_missed {
	struct known known[CTL_MISSED_KNOWN_MAX];
	size_t count, next; /* a ring */
};

struct ctl_missed *
ctl_missed_new(void)
{
	return NEW(struct ctl_missed);
}

void
ctl_missed_free(struct ctl_missed **missed)
{
	free(*missed);
	*missed = NULL;
}

static struct span
text_of(const struct json *line, const char *name)
{
	const char *text = json_get_str(line, name);

	return text != NULL ? span_from_str(text) : SPAN_EMPTY;
}

static struct known *
find(struct ctl_missed *missed, const struct buf *key)
{
	for (size_t i = 0; i < missed->count; i++)
		if (memcmp(missed->known[i].key, key->data, KEY_DIGITS) == 0)
			return &missed->known[i];
	return NULL;
}

/* NULL: it was learnt now. */
static struct known *
learn(struct ctl_missed *missed, const struct json *line, bool is_missed)
{
	STR_AUTO uid =
	    xasprintf("%lld", (long long)json_get_int(line, "uid", 0));
	const struct span pieces[] = {text_of(line, "account"),
	    text_of(line, "mailbox"), span_from_str(uid)};
	BUF_AUTO key = BUF_INIT;
	struct known *known;

	digest_key(&key, pieces, sizeof(pieces) / sizeof(pieces[0]));
	known = find(missed, &key);
	if (known != NULL)
		return known;
	known = &missed->known[missed->next];
	memcpy(known->key, key.data, KEY_DIGITS);
	known->is_missed = is_missed;
	missed->next = (missed->next + 1) % CTL_MISSED_KNOWN_MAX;
	if (missed->count < CTL_MISSED_KNOWN_MAX)
		missed->count++;
	return NULL;
}

bool
ctl_missed_note(struct ctl_missed *missed, const struct json *line)
{
	const char *event = json_get_str(line, "event");
	struct known *known;

	if (event == NULL || strcmp(event, "judged") != 0)
		return true;
	known = learn(missed, line, false);
	if (known == NULL || !known->is_missed)
		return true;
	known->is_missed = false;
	return false;
}

/* ---- lines ---- */

/* "move to Lists (done), notify (failed: no bell)" */
static void
add_effects(struct buf *out, const struct json *effects)
{
	if (json_count(effects) == 0)
		buf_add_str(out, "leave it as it is");
	for (size_t i = 0; i < json_count(effects); i++) {
		const struct json *effect = json_at(effects, i);
		const char *detail = json_get_str(effect, "detail");
		const char *state = json_get_str(effect, "state");
		const char *what = json_get_str(effect, "what");
		bool is_well = state != NULL && strcmp(state, "done") == 0;

		buf_addf(out, "%s%s (%s", i > 0 ? ", " : "",
		    what != NULL ? what : "", state != NULL ? state : "");
		if (!is_well && detail != NULL && detail[0] != '\0')
			buf_addf(out, ": %s", detail);
		buf_add_char(out, ')');
	}
}

static struct json *
line_of(const struct json *message)
{
	static const char *const same[] = {
	    "account", "mailbox", "from", "subject", "rules"};
	struct json *line = json_new_object();
	BUF_AUTO text = BUF_INIT;

	json_set_str(line, "time", json_get_str(message, "judged"));
	json_set_str(line, "event", "judged");
	json_set_bool(line, "missed", true);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		json_set_str(line, same[i], json_get_str(message, same[i]));
	json_set_int(line, "uid", json_get_int(message, "uid", 0));
	add_effects(&text, json_get(message, "effects"));
	json_set_str(line, "text", buf_str(&text));
	return line;
}

static int
each(struct ctl_missed *missed, const struct json *messages, ctl_line_fn *fn,
    void *ctx)
{
	int code = -1;

	/* The newest is the first. */
	for (size_t i = json_count(messages); i-- > 0 && code < 0;) {
		const struct json *message = json_at(messages, i);
		struct json *line;

		if (learn(missed, message, true) != NULL)
			continue;
		line = line_of(message);
		code = fn(ctx, line);
		json_free(&line);
	}
	return code;
}

int
ctl_missed_each(struct ctl_missed *missed, const struct ctl *ctl,
    int64_t since_unix, ctl_line_fn *fn, void *ctx, bool *is_all_r)
{
	struct ctl asking = *ctl;
	struct json *answer = NULL, *request = ctl_request(ctl);
	const struct json *messages;
	int code = -1;

	asking.mute = true; /* it is no error of the stream */
	json_set_str(request, "command", "history");
	json_set_int(request, "since", since_unix);
	json_set_int(request, "limit", CTL_MISSED_MAX);
	*is_all_r = false;
	if (ctl_ask(&asking, request, &answer) != EX_OK)
		return -1;
	messages = json_get(answer, "messages");
	*is_all_r = json_count(messages) < CTL_MISSED_MAX;
	code = each(missed, messages, fn, ctx);
	json_free(&answer);
	return code;
}
