#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/utf7.h"
#include "tests/sim/model_private.h"

/* One server of so many. */
#define ANY_ORDER_OF 5

void
model_init(struct model *model, uint64_t traits)
{
	*model = (struct model){
	    .traits = traits,
	    .any_order = traits % ANY_ORDER_OF == 1,
	};
	list_init(&model->mailboxes);
	list_init(&model->belated);
	model_add(model, "INBOX");
}

void
model_become(struct model *model, const struct personality *personality)
{
	static const struct {
		const char *name;
		uint64_t trait;
	} told[] = {{"MOVE", MODEL_MOVE}, {"UIDPLUS", MODEL_UIDPLUS},
	    {"IDLE", MODEL_IDLE}, {"NAMESPACE", MODEL_NAMESPACE},
	    {"CONDSTORE", MODEL_CONDSTORE}, {"QRESYNC", MODEL_QRESYNC},
	    {"LIST-STATUS", MODEL_LIST_STATUS}};

	model->personality = personality;
	model->traits = personality->traits;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (personality->post == NULL ||
		    personality_offers(personality, told[i].name))
			model->traits |= told[i].trait;
	model->logins_max = personality->logins_max;
	model_furnish(model);
}

/* Names of their own are on the wire already. */
void
model_furnish(struct model *model)
{
	const struct personality *p = model->personality;
	const struct personality_folder *folder = personality_folders(p);
	bool is_own = p != NULL && p->folders != NULL;

	for (; folder->name != NULL; folder++)
		model_add(model,
		    is_own ? folder->name : model_wire(model, folder->name))
		    ->attributes = folder->attributes;
}

const char *
model_prefix(const struct model *model)
{
	if (model->personality != NULL)
		return model->personality->prefix != NULL
			   ? model->personality->prefix
			   : "";
	return (model->traits & MODEL_DOT_PREFIX) != 0 ? "INBOX." : "";
}

char
model_delimiter(const struct model *model)
{
	if (model->personality != NULL && model->personality->delimiter != 0)
		return model->personality->delimiter;
	return (model->traits & MODEL_DOT_PREFIX) != 0 ? '.' : '/';
}

/* What a special name means; NULL: the one that is called so. */
static const char *
meaning(const struct model *model, const char *name)
{
	const struct personality *p = model->personality;

	if (p == NULL)
		return NULL;
	if (strcmp(name, "\\Archive") == 0)
		return p->archive;
	return strcmp(name, "\\Junk") == 0 ? p->junk : p->trash;
}

/* RFC 3501 section 5.1.3, or not: what is ASCII is left as it is. */
static void
encode(const struct model *model, const char *name, struct buf *wire)
{
	bool is_bare = (model->traits & MODEL_BARE_NAMES) != 0;

	for (const char *c = name; *c != '\0' && is_bare; c++)
		is_bare = (unsigned char)*c < 0x80;
	if (is_bare)
		buf_add_str(wire, name);
	else
		imap_utf7_encode(wire, span_from_str(name));
}

const char *
model_wire(const struct model *model, const char *name)
{
	static char texts[4][100];
	static unsigned at;
	char *text = texts[at++ % 4];
	const char *special = NULL;
	BUF_AUTO wire = BUF_INIT;

	if (name[0] == '\\' && (special = meaning(model, name)) != NULL)
		return special;
	if (strcmp(name, "INBOX") != 0)
		buf_add_str(&wire, model_prefix(model));
	encode(model, name + (name[0] == '\\'), &wire);
	snprintf(text, sizeof(texts[0]), "%s", buf_str(&wire));
	for (char *c = text; *c != '\0'; c++)
		if (*c == '/')
			*c = model_delimiter(model);
	return text;
}

static void
message_done(struct model_message *message)
{
	strv_done(&message->flags);
	free(message->text);
}

static void
empty(struct model_mailbox *mailbox)
{
	for (size_t i = 0; i < mailbox->count; i++)
		message_done(&mailbox->messages[i]);
	mailbox->count = 0;
	mailbox->changes++;
}

void
model_done(struct model *model)
{
	model_forget_belated(model);
	LIST_EACH(pos, &model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		empty(mailbox);
		free(mailbox->messages);
		free(mailbox->vanished);
		free(mailbox->name);
		free(mailbox);
	}
	list_init(&model->mailboxes);
}

struct model_mailbox *
model_find(struct model *model, const char *name)
{
	LIST_EACH(pos, &model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (!mailbox->is_gone &&
		    (strcmp(mailbox->name, name) == 0 ||
			(strcmp(mailbox->name, "INBOX") == 0 &&
			    span_is_nocase(span_from_str(name), "INBOX"))))
			return mailbox;
	}
	return NULL;
}

bool
model_is_for(const struct model_mailbox *mailbox, const char *attribute)
{
	return mailbox->attributes != NULL &&
	       strstr(mailbox->attributes, attribute) != NULL;
}

struct model_mailbox *
model_find_open(struct model *model, const char *name)
{
	struct model_mailbox *mailbox = model_find(model, name);

	return mailbox != NULL && !model_is_for(mailbox, "\\Noselect") &&
		       !model_is_for(mailbox, "\\NonExistent")
		   ? mailbox
		   : NULL;
}

struct model_mailbox *
model_add(struct model *model, const char *name)
{
	struct model_mailbox *mailbox = NEW(struct model_mailbox);

	mailbox->name = xstrdup(name);
	mailbox->uidvalidity = 1000;
	LIST_EACH(pos, &model->mailboxes)
	mailbox->uidvalidity +=
	    strcmp(LIST_ITEM(pos, struct model_mailbox, link)->name, name) == 0;
	mailbox->uidnext = 1;
	list_add(&model->mailboxes, &mailbox->link);
	return mailbox;
}

struct model_message *
model_append(struct model_mailbox *mailbox, unsigned id, const char *text)
{
	if (mailbox->count == mailbox->cap) {
		mailbox->cap = mailbox->cap ? mailbox->cap * 2 : 16;
		mailbox->messages = xreallocarray(mailbox->messages,
		    mailbox->cap, sizeof(*mailbox->messages));
	}
	struct model_message *message = &mailbox->messages[mailbox->count++];
	*message = (struct model_message){.uid = mailbox->uidnext++,
	    .id = id,
	    .text = xstrdup(text),
	    .size = strlen(text)};
	model_touch(mailbox, message);
	return message;
}

/* Gmail shows all there but for spam and trash; Proton's Bridge has copies. */
static void
show_elsewhere(struct model *model, const struct model_mailbox *mailbox,
    unsigned id, const char *text)
{
	static const char *const copies[] = {"All Mail", "Labels/work"};

	if ((model->traits & MODEL_LABELS) != 0 && !model_is_outcast(mailbox) &&
	    !model_is_for(mailbox, "\\All"))
		model_append(model_find(model, MODEL_ALL_MAIL), id, text);
	if ((model->traits & MODEL_COPIES) == 0 ||
	    strcmp(mailbox->name, "INBOX") != 0)
		return;
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		struct model_mailbox *copy = model_find(model, copies[i]);
		if (copy != NULL)
			model_append(copy, id, text);
	}
}

uint32_t
model_deliver(
    struct model *model, const char *name, unsigned id, const char *text)
{
	struct model_mailbox *mailbox = model_find(model, name);
	struct model_message *message;

	show_elsewhere(model, mailbox, id, text);
	message = model_append(mailbox, id, text);
	message->came_unix = model->unix_now;
	return message->uid;
}

uint32_t
model_reserve(struct model *model, const char *mailbox)
{
	return model_find(model, mailbox)->uidnext++;
}

void
model_deliver_late(struct model *model, const char *name, uint32_t uid,
    unsigned id, const char *text)
{
	struct model_mailbox *mailbox = model_find(model, name);
	size_t at = model_lower_bound(mailbox, uid);

	model_append(mailbox, id, text);
	mailbox->uidnext--;
	struct model_message late = mailbox->messages[mailbox->count - 1];
	late.uid = uid;
	late.came_unix = model->unix_now;
	memmove(&mailbox->messages[at + 1], &mailbox->messages[at],
	    (mailbox->count - 1 - at) * sizeof(*mailbox->messages));
	mailbox->messages[at] = late;
}

bool
model_is_outcast(const struct model_mailbox *mailbox)
{
	return model_is_for(mailbox, "\\Junk") ||
	       model_is_for(mailbox, "\\Trash");
}

/* The first one that has this UID or a higher one. */
size_t
model_lower_bound(const struct model_mailbox *mailbox, uint32_t uid)
{
	size_t low = 0, high = mailbox->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (mailbox->messages[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
model_has_uid(const struct model_mailbox *mailbox, uint32_t uid)
{
	size_t i = model_lower_bound(mailbox, uid);

	return i < mailbox->count && mailbox->messages[i].uid == uid;
}

uint32_t
model_uid_of(const struct model_mailbox *mailbox, unsigned id)
{
	for (size_t i = mailbox->count; i-- > 0;)
		if (mailbox->messages[i].id == id)
			return mailbox->messages[i].uid;
	return 0;
}

void
model_unlabel(struct model *model, unsigned id, const struct model_mailbox *but,
    const struct model_mailbox *nor)
{
	LIST_EACH(pos, &model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (mailbox != but && mailbox != nor && !mailbox->is_gone)
			model_remove(model, mailbox->name, id);
	}
}

void
model_label(struct model *model, const char *from, unsigned id, const char *to)
{
	const struct model_mailbox *mailbox = model_find(model, from);

	for (size_t i = mailbox->count; i-- > 0;) {
		const struct model_message *message = &mailbox->messages[i];
		if (message->id != id)
			continue;
		struct model_message *copy =
		    model_append(model_find(model, to), id, message->text);
		copy->came_unix = message->came_unix;
		return;
	}
}

void
model_remove_at(struct model_mailbox *mailbox, size_t i)
{
	uint32_t uid = mailbox->messages[i].uid;

	message_done(&mailbox->messages[i]);
	memmove(&mailbox->messages[i], &mailbox->messages[i + 1],
	    (mailbox->count - i - 1) * sizeof(*mailbox->messages));
	mailbox->count--;
	mailbox->changes++;
	model_note_vanished(mailbox, uid);
}

unsigned
model_count(struct model *model, const char *name, unsigned id, bool deleted)
{
	struct model_mailbox *mailbox = model_find(model, name);
	unsigned count = 0;

	for (size_t i = 0; mailbox != NULL && i < mailbox->count; i++)
		count += mailbox->messages[i].id == id &&
			 strv_has(&mailbox->messages[i].flags, "\\Deleted") ==
			     deleted;
	return count;
}

bool
model_was_hidden(struct model *model, const char *name, unsigned id)
{
	const struct model_mailbox *mailbox = model_find(model, name);

	for (size_t i = 0; mailbox != NULL && i < mailbox->count; i++)
		if (mailbox->messages[i].id == id)
			return mailbox->messages[i].was_hidden;
	return false;
}

void
model_remove(struct model *model, const char *name, unsigned id)
{
	struct model_mailbox *mailbox = model_find(model, name);

	for (size_t i = mailbox != NULL ? mailbox->count : 0; i-- > 0;)
		if (mailbox->messages[i].id == id)
			model_remove_at(mailbox, i);
}

void
model_move(
    struct model *model, const char *name, unsigned id, const char *target)
{
	struct model_mailbox *mailbox = model_find(model, name);

	for (size_t i = mailbox->count; i-- > 0;) {
		const struct model_message *message = &mailbox->messages[i];
		if (message->id != id)
			continue;
		struct model_message *copy =
		    model_append(model_find(model, target), id, message->text);
		strv_copy(&copy->flags, &message->flags);
		copy->came_unix = message->came_unix;
		model_remove_at(mailbox, i);
	}
}

bool
model_has_flag(
    struct model *model, const char *name, unsigned id, const char *flag)
{
	struct model_mailbox *mailbox = model_find(model, name);

	for (size_t i = 0; mailbox != NULL && i < mailbox->count; i++)
		if (mailbox->messages[i].id == id &&
		    strv_has(&mailbox->messages[i].flags, flag))
			return true;
	return false;
}

void
model_delete(struct model *model, const char *name)
{
	struct model_mailbox *mailbox = model_find(model, name);

	mailbox->is_gone = true;
	mailbox->uidvalidity++; /* open ones notice */
	empty(mailbox);
}

void
model_rebuild(struct model *model, const char *name)
{
	struct model_mailbox *mailbox = model_find(model, name);

	mailbox->uidvalidity++;
	mailbox->uidnext = 1;
	mailbox->changes++;
	for (size_t i = 0; i < mailbox->count; i++)
		mailbox->messages[i].uid = mailbox->uidnext++;
}

void
model_flag(struct model *model, const char *name, unsigned id, const char *flag)
{
	struct model_mailbox *mailbox = model_find(model, name);

	for (size_t i = 0; mailbox != NULL && i < mailbox->count; i++) {
		struct model_message *message = &mailbox->messages[i];
		if (message->id != id || strv_has(&message->flags, flag))
			continue;
		strv_add(&message->flags, flag);
		model_touch(mailbox, message);
		message->flagged = mailbox->changes;
	}
}
