/*
 * sim/model_imap: names of mailboxes.
 */
#include "daemon/base/xalloc.h"
#include "tests/sim/model_private.h"

const char *
model_spelling(
    const struct model_session *s, const struct model_mailbox *mailbox)
{
	if (model_has(s, MODEL_INBOX_CASED) &&
	    strcmp(mailbox->name, "INBOX") == 0)
		return "Inbox";
	return mailbox->name;
}

void
model_do_namespace(struct model_session *s, const struct command *c)
{
	buf_addf(&s->output, "* NAMESPACE ((\"%s\" \"%c\")) NIL NIL\r\n",
	    model_prefix(s->model), model_delimiter(s->model));
	model_say(s, c, "OK done");
}

/* SPECIAL-USE or not: what a server knows, it shows, but for those that do so
 * in XLIST only. */
static const char *
attributes_of(const struct model_session *s,
    const struct model_mailbox *mailbox, const char *verb)
{
	if (mailbox->attributes == NULL ||
	    (model_has(s, MODEL_ONLY_XLIST) && strcmp(verb, "LIST") == 0))
		return "\\HasNoChildren";
	return mailbox->attributes;
}

static void
list_all(struct model_session *s, const struct command *c, const char *verb)
{
	LIST_EACH(pos, &s->model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (mailbox->is_gone)
			continue;
		buf_addf(&s->output, "* %s (%s) \"%c\" \"%s\"\r\n", verb,
		    attributes_of(s, mailbox, verb), model_delimiter(s->model),
		    model_spelling(s, mailbox));
	}
	model_say(s, c, "OK done");
}

void
model_do_xlist(struct model_session *s, const struct command *c)
{
	if (!model_offers(s, "XLIST")) {
		s->model->broken = "XLIST, which is not offered";
		model_refuse(s, c);
		return;
	}
	list_all(s, c, "XLIST");
}

void
model_do_create(struct model_session *s, const struct command *c)
{
	const char *name = c->arguments.items[0];

	if (model_has(s, MODEL_NO_MORE_FOLDERS)) {
		model_say(s, c, "NO Maximum number of folders reached");
		return;
	}
	if (model_find(s->model, name) != NULL) {
		model_say(s, c,
		    model_has(s, MODEL_ALREADY_UNSAID)
			? "NO Mailbox already exists"
			: "NO [ALREADYEXISTS] it is there");
		return;
	}
	if (strncmp(name, model_prefix(s->model),
		strlen(model_prefix(s->model))) != 0) {
		model_say(s, c, "NO Invalid mailbox name.");
		return;
	}
	model_add(s->model, name);
	model_say(s, c, "OK made");
}

static void
say_status(struct model_session *s, const struct model_mailbox *mailbox)
{
	buf_addf(&s->output, "* STATUS \"%s\" (", model_spelling(s, mailbox));
	if (!model_has(s, MODEL_STATUS_EMPTY))
		buf_addf(&s->output, "UIDNEXT %u UIDVALIDITY %u MESSAGES %zu",
		    mailbox->uidnext, mailbox->uidvalidity, mailbox->count);
	if (!model_has(s, MODEL_STATUS_EMPTY) && model_counts(s))
		buf_addf(&s->output, " HIGHESTMODSEQ %u", mailbox->changes + 1);
	buf_add_str(&s->output, ")\r\n");
}

void
model_do_status(struct model_session *s, const struct command *c)
{
	struct model_mailbox *mailbox =
	    model_find_open(s->model, c->arguments.items[0]);

	if (mailbox == NULL) {
		model_say(s, c, "NO [NONEXISTENT] no such mailbox");
		return;
	}
	say_status(s, mailbox);
	model_say(s, c, "OK done");
}

/* LIST "" ("A" "B") RETURN (STATUS (...)) */
static void
list_status(struct model_session *s, const struct command *c)
{
	LIST_EACH(pos, &s->model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		STR_AUTO quoted =
		    xasprintf("\"%s\"", model_spelling(s, mailbox));
		if (mailbox->is_gone ||
		    (strstr(c->arguments.items[1], quoted) == NULL &&
			strcmp(mailbox->name, "INBOX") != 0))
			continue;
		buf_addf(&s->output, "* LIST () \"%c\" %s\r\n",
		    model_delimiter(s->model), quoted);
		say_status(s, mailbox);
	}
	model_say(s, c, "OK done");
}

/* LIST "" "*" RETURN (SPECIAL-USE), or what is not known here. */
static bool
may_list(struct model_session *s, const struct command *c)
{
	if (c->arguments.len <= 2 || model_has(s, MODEL_LIST_STATUS) ||
	    (model_offers(s, "LIST-EXTENDED") &&
		model_offers(s, "SPECIAL-USE")))
		return true;
	s->model->broken = "LIST with options, which are not offered";
	model_say(s, c, "BAD unexpected arguments");
	return false;
}

void
model_do_list(struct model_session *s, const struct command *c)
{
	if (!may_list(s, c))
		return;
	if (c->arguments.items[1][0] != '(')
		list_all(s, c, "LIST");
	else if (model_has(s, MODEL_LIST_STATUS))
		list_status(s, c);
	else
		model_say(s, c, "BAD what");
}
