/*
 * sim/model_imap: sets of UIDs, and UID commands but for FETCH.
 */
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/seqset.h"
#include "tests/sim/model_private.h"

static uint32_t
read_uid(struct span text, uint32_t last)
{
	uint32_t uid = last; /* of what is no number, too */

	span_to_u32(text, &uid);
	return uid;
}

/* What is hidden cannot be named. */
static void
add_range(struct model_set *set, uint32_t low, uint32_t high, uint32_t floor)
{
	if (high < floor)
		return;
	set->ranges[set->count].low = low < floor ? floor : low;
	set->ranges[set->count++].high = high;
}

void
model_read_set(
    struct model_set *set, const struct model_session *s, const char *text)
{
	const struct model_mailbox *mailbox = s->selected;
	uint32_t max =
	    mailbox->count > 0 ? mailbox->messages[mailbox->count - 1].uid : 0;
	struct span rest = span_from_str(text), range;

	set->count = 0;
	while (
	    set->count < MODEL_RANGES_MAX && span_split(&rest, ',', &range)) {
		struct span first, last = range;
		span_split(&last, ':', &first);
		uint32_t a = read_uid(first, max);
		uint32_t b = last.data != NULL ? read_uid(last, max) : a;
		add_range(set, a < b ? a : b, a < b ? b : a, s->floor);
	}
}

bool
model_set_has(const struct model_set *set, uint32_t uid)
{
	for (size_t i = 0; i < set->count; i++)
		if (uid >= set->ranges[i].low && uid <= set->ranges[i].high)
			return true;
	return false;
}

/* Where one may look for its members. */
size_t
model_set_begin(
    const struct model_set *set, const struct model_mailbox *mailbox)
{
	uint32_t low = UINT32_MAX;

	for (size_t i = 0; i < set->count; i++)
		if (set->ranges[i].low < low)
			low = set->ranges[i].low;
	return model_lower_bound(mailbox, low);
}

static void
store_flag(struct model_message *message, bool add, struct span flag)
{
	STR_AUTO name = xstrdup_span(flag);

	if (add && !strv_has(&message->flags, name))
		strv_add(&message->flags, name);
	if (add)
		return;
	struct strv kept = STRV_INIT;
	for (size_t i = 0; i < message->flags.len; i++)
		if (strcmp(message->flags.items[i], name) != 0)
			strv_add(&kept, message->flags.items[i]);
	strv_done(&message->flags);
	message->flags = kept;
}

/* `at`: of the arguments, +FLAGS and what comes behind it. */
static void
store_one(struct model_session *s, struct model_message *message,
    const struct command *c, size_t at)
{
	bool add = c->arguments.items[at][0] == '+';
	struct span list = span_from_str(c->arguments.items[at + 1]), flag;

	list = span_slice(list, 1, list.len - 2);
	while (span_split(&list, ' ', &flag))
		store_flag(message, add, flag);
	model_touch(s->selected, message);
	if (model_counts(s))
		model_say_stored(s, message);
	if (model_has(s, MODEL_CHATTY)) {
		buf_addf(
		    &s->output, "* %zu FETCH (", model_seq_of(s, message->uid));
		model_add_flags(&s->output, &message->flags);
		buf_add_str(&s->output, ")\r\n");
	}
}

static void
uid_store(struct model_session *s, const struct command *c)
{
	unsigned since =
	    model_read_modifier(c->arguments.items[2], "UNCHANGEDSINCE");
	size_t at = c->arguments.items[2][0] == '(' ? 3 : 2;
	struct imap_seqset modified = IMAP_SEQSET_INIT;
	BUF_AUTO code = BUF_INIT;
	struct model_set set;

	if (at + 1 >= c->arguments.len || (at == 3 && !model_counts(s))) {
		model_say(s, c, "BAD what");
		return;
	}
	model_read_set(&set, s, c->arguments.items[1]);
	for (size_t i = model_set_begin(&set, s->selected);
	     i < s->selected->count; i++) {
		struct model_message *message = &s->selected->messages[i];
		if (!model_set_has(&set, message->uid))
			continue;
		if (model_is_modified(message, since))
			imap_seqset_add(&modified, message->uid);
		else
			store_one(s, message, c, at);
	}
	if (modified.count > 0) {
		buf_add_str(&code, "[MODIFIED ");
		imap_seqset_format(&code, &modified);
		buf_add_str(&code, "] ");
	}
	model_tell_anywhere(s);
	buf_addf(&s->output, "%s OK %sstored\r\n", c->tag, buf_str(&code));
	imap_seqset_done(&modified);
}

static uint32_t
copy_one(struct model_mailbox *target, const struct model_message *from)
{
	struct strv flags = STRV_INIT;
	int64_t came_unix = from->came_unix;
	struct model_message *copy;

	strv_copy(&flags, &from->flags);
	copy = model_append(target, from->id, from->text);
	copy->flags = flags;
	copy->came_unix = came_unix;
	return copy->uid;
}

static void
add_copyuid(struct model_session *s, struct buf *code,
    const struct imap_seqset *from, const struct imap_seqset *to)
{
	bool is_empty = model_has(s, MODEL_EMPTY_COPYUID);

	if (!is_empty && model_attacks(s, MODEL_ODD_COPYUID, 50)) {
		model_add_odd_copyuid(s, code, from, to);
		return;
	}
	if (!is_empty)
		imap_seqset_format(code, from);
	buf_add_char(code, ' ');
	if (!is_empty)
		imap_seqset_format(code, to);
}

/* Gmail: what is thrown away has no label any more, and what is taken out of
 * there is in All Mail again. */
static void
relabel(struct model_session *s, struct model_mailbox *target,
    const struct imap_seqset *moved)
{
	struct model_mailbox *all = model_find(s->model, MODEL_ALL_MAIL);

	for (size_t i = 0; i < s->selected->count; i++) {
		const struct model_message *message = &s->selected->messages[i];
		if (!imap_seqset_has(moved, message->uid))
			continue;
		if (model_is_outcast(target))
			model_unlabel(
			    s->model, message->id, target, s->selected);
		else if (model_uid_of(all, message->id) == 0)
			copy_one(all, message);
	}
}

/* Copies `most` of them; the code is left in `code`, and the UIDs in `done`
 * (NULL: not). False: it answered NO. */
static bool
copy_set(struct model_session *s, const struct command *c, size_t most,
    struct buf *code, struct buf *done)
{
	struct model_mailbox *target =
	    model_find_open(s->model, c->arguments.items[2]);
	struct imap_seqset from = IMAP_SEQSET_INIT, to = IMAP_SEQSET_INIT;
	struct model_set set;

	if (target == NULL) {
		model_say(s, c, "NO [TRYCREATE] no such mailbox");
		return false;
	}
	if (s->model->overquota) {
		model_say(s, c, "NO [OVERQUOTA] full");
		return false;
	}
	size_t count = s->selected->count;
	model_read_set(&set, s, c->arguments.items[1]);
	for (size_t i = model_set_begin(&set, s->selected); i < count; i++) {
		struct model_message *message = &s->selected->messages[i];
		if (!model_set_has(&set, message->uid) || most-- == 0)
			continue;
		uint32_t uid = model_has(s, MODEL_LABELS)
				   ? model_uid_of(target, message->id)
				   : 0;
		imap_seqset_add(&from, message->uid);
		imap_seqset_add(
		    &to, uid != 0 ? uid : copy_one(target, message));
	}
	if (model_has(s, MODEL_LABELS) && done != NULL)
		relabel(s, target, &from);
	if (from.count > 0 && model_has(s, MODEL_UIDPLUS) &&
	    !model_has(s, MODEL_NO_COPYUID)) {
		buf_addf(code, "[COPYUID %u ", target->uidvalidity);
		add_copyuid(s, code, &from, &to);
		buf_add_str(code, "]");
	}
	if (done != NULL)
		imap_seqset_format(done, &from);
	imap_seqset_done(&from);
	imap_seqset_done(&to);
	return true;
}

static void
uid_copy(struct model_session *s, const struct command *c)
{
	BUF_AUTO code = BUF_INIT;

	if (!copy_set(s, c, SIZE_MAX, &code, NULL))
		return;
	model_tell_anywhere(s);
	buf_addf(&s->output, "%s OK %s copied\r\n", c->tag, buf_str(&code));
}

static void
expunge_set(struct model_session *s, const char *text, bool only_deleted)
{
	struct model_set set;

	model_read_set(&set, s, text);
	for (size_t i = s->selected->count; i-- > 0;) {
		struct model_message *message = &s->selected->messages[i];
		if (model_set_has(&set, message->uid) &&
		    (!only_deleted || strv_has(&message->flags, "\\Deleted")))
			model_remove_at(s->selected, i);
	}
}

static void
uid_move(struct model_session *s, const struct command *c)
{
	BUF_AUTO code = BUF_INIT;
	BUF_AUTO done = BUF_INIT;
	size_t most = SIZE_MAX;

	if (!model_has(s, MODEL_MOVE)) {
		model_refuse(s, c);
		return;
	}
	if (model_has(s, MODEL_LAX_MOVE) && s->model->moves++ % 3 == 0) {
		model_say(s, c, "OK done, or so it seems");
		return;
	}
	if (model_breaks(s, MODEL_PART_MOVED, 40) &&
	    strpbrk(c->arguments.items[1], ",:") != NULL)
		most = 1 + random_below(&s->model->dice, 2);
	if (!copy_set(s, c, most, &code, &done))
		return;
	if (code.len > 0)
		buf_addf(&s->output,
		    model_has(s, MODEL_BARE_COPYUID) ? "%s\r\n" : "* OK %s\r\n",
		    buf_str(&code));
	if (done.len > 0)
		expunge_set(s, buf_str(&done), false);
	model_tell_news(s);
	if (model_has(s, MODEL_EXISTS_AFTER_MOVE))
		buf_addf(&s->output, "* %zu EXISTS\r\n", s->view_count);
	if (most == SIZE_MAX)
		model_say(s, c, "OK moved");
	else
		model_say(s, c, "NO Some of them could not be moved");
}

static void
uid_expunge(struct model_session *s, const struct command *c)
{
	if (!model_has(s, MODEL_UIDPLUS)) {
		model_refuse(s, c);
		return;
	}
	expunge_set(s, c->arguments.items[1], true);
	model_tell_news(s);
	model_say(s, c, "OK gone");
}

/* UID SEARCH [UID set] [LARGER n SMALLER m] [HEADER Message-ID x] */
struct search {
	bool is_vain, by_uid;
	struct model_set uids;
	size_t larger, smaller; /* than these; SIZE_MAX: any */
	const char *text;	/* NULL: any */
};

static void
read_search(struct search *search, const struct model_session *s,
    const struct command *c)
{
	search->is_vain = search->by_uid = false;
	search->larger = search->smaller = SIZE_MAX;
	search->text = NULL;
	for (size_t i = 1; i + 1 < c->arguments.len; i++) {
		const char *word = c->arguments.items[i];
		const char *next = c->arguments.items[i + 1];
		if (strcmp(word, "UID") == 0) {
			search->by_uid = true;
			model_read_set(&search->uids, s, next);
		} else if (strcmp(word, "NOT") == 0) {
			/* The model knows none. */
			search->is_vain |= !model_has(s, MODEL_NOT_IGNORED);
		} else if (strcmp(word, "LARGER") == 0) {
			search->larger = strtoul(next, NULL, 10);
		} else if (strcmp(word, "SMALLER") == 0) {
			search->smaller = strtoul(next, NULL, 10);
		} else if (strcmp(word, "HEADER") == 0 &&
			   i + 2 < c->arguments.len) {
			search->text = c->arguments.items[i + 2];
		}
	}
}

/* Courier compares with the bytes of its file, where lines end without CR. */
static size_t
size_searched(
    const struct model_session *s, const struct model_message *message)
{
	size_t size = message->size;

	if (!model_has(s, MODEL_NO_UIDNEXT))
		return size;
	for (const char *c = message->text; *c != '\0'; c++)
		size -= *c == '\r';
	return size;
}

static bool
is_found(const struct model_session *s, const struct search *search,
    const struct model_message *message)
{
	size_t size = size_searched(s, message);

	if (search->by_uid && !model_set_has(&search->uids, message->uid))
		return false;
	if (search->larger != SIZE_MAX && size <= search->larger)
		return false;
	if (search->smaller != SIZE_MAX && size >= search->smaller)
		return false;
	return search->text == NULL ||
	       strstr(message->text, search->text) != NULL;
}

static void
uid_search(struct model_session *s, const struct command *c)
{
	struct search search;
	size_t i = model_lower_bound(s->selected, s->floor);
	size_t before = s->output.len;

	read_search(&search, s, c);
	buf_add_str(&s->output, "* SEARCH");
	size_t nothing = s->output.len;
	if (search.by_uid)
		i = model_set_begin(&search.uids, s->selected);
	for (; !search.is_vain && i < s->selected->count; i++)
		if (is_found(s, &search, &s->selected->messages[i]))
			model_put(
			    &s->output, " ", s->selected->messages[i].uid);
	if (s->output.len == nothing &&
	    model_attacks(s, MODEL_NO_SEARCH_LINE, 50))
		buf_truncate(&s->output, before);
	else
		buf_add_str(&s->output, "\r\n");
	model_tell_anywhere(s);
	model_say(s, c, "OK searched");
}

static const struct {
	const char *name;
	void (*run)(struct model_session *, const struct command *);
	size_t arguments;
} uid_commands[] = {
    {"FETCH", model_uid_fetch, 3},
    {"STORE", uid_store, 4},
    {"COPY", uid_copy, 3},
    {"MOVE", uid_move, 3},
    {"EXPUNGE", uid_expunge, 2},
    {"SEARCH", uid_search, 2},
};

/* Rebuilt: RFC 3501 section 2.3.1.1, its UIDs are of other messages now. */
static void
uid_of_another_life(struct model_session *s, const struct command *c)
{
	const char *name = c->arguments.items[0];

	if (s->model->remade == REMADE_BYE || s->selected->is_gone)
		model_session_bye(s);
	else if (strcmp(name, "FETCH") == 0 || strcmp(name, "SEARCH") == 0)
		model_say(s, c, "OK nothing is left of it");
	else
		model_say(s, c, "NO there is no such message");
}

void
model_do_uid(struct model_session *s, const struct command *c)
{
	if (s->selected == NULL || !model_is_belated(s, c))
		model_do_uid_now(s, c);
}

void
model_do_uid_now(struct model_session *s, const struct command *c)
{
	for (size_t i = 0; i < sizeof(uid_commands) / sizeof(uid_commands[0]);
	     i++) {
		if (c->arguments.len < uid_commands[i].arguments ||
		    strcmp(c->arguments.items[0], uid_commands[i].name) != 0)
			continue;
		if (s->selected == NULL)
			model_say(s, c, "BAD no mailbox is selected");
		else if (s->view_validity != s->selected->uidvalidity)
			uid_of_another_life(s, c);
		else
			uid_commands[i].run(s, c);
		return;
	}
	model_refuse(s, c);
}
