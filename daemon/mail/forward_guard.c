#include "daemon/mail/forward_guard.h"

#include "daemon/base/str.h"
#include "daemon/mail/address_same.h"

typedef bool guard_fn(
    const struct forward_guard_config *config, struct message *m);

/* ---- what may stand against a forward ----------------------------- */

static bool
is_truncated(const struct forward_guard_config *config, struct message *m)
{
	(void)config;
	return message_is_truncated(m);
}

static bool
was_forwarded(const struct forward_guard_config *config, struct message *m)
{
	(void)config;
	return message_count(m, "X-Belfry-Forward") > 0;
}

static bool
has_address(struct message *m, const char *name, const char *address)
{
	size_t count = message_count(m, name);

	for (size_t i = 0; i < count; i++) {
		const struct address_list *list = message_addresses(m, name, i);

		for (size_t k = 0; k < list->count; k++)
			if (address_same(span_from_str(list->items[k].addr),
				span_from_str(address)))
				return true;
	}
	return false;
}

/* Gmail's: "from@a to@b", addresses with blanks between them. Whoever folds
 * such a line may write a tab. */
static bool
has_word(struct message *m, const char *name, const char *address)
{
	size_t count = message_count(m, name);
	struct span rest, part, word;

	for (size_t i = 0; i < count; i++)
		for (rest = message_raw(m, name, i);
		     span_split(&rest, ' ', &part);)
			while (span_split(&part, '\t', &word))
				if (address_same(span_trim(word),
					span_from_str(address)))
					return true;
	return false;
}

static bool
was_at_target(const struct forward_guard_config *config, struct message *m)
{
	return has_address(m, "Delivered-To", config->target) ||
	       has_address(m, "Resent-To", config->target) ||
	       has_address(m, "X-Forwarded-To", config->target) ||
	       has_word(m, "X-Forwarded-For", config->target);
}

static bool
is_to_self(const struct forward_guard_config *config, struct message *m)
{
	(void)m;
	return address_same_as_any(
	    config->identities, span_from_str(config->target));
}

static bool
has_many_hops(const struct forward_guard_config *config, struct message *m)
{
	(void)config;
	return message_count(m, "Received") > FORWARD_RECEIVED_MAX;
}

/* A second field must not hide the first. */
static bool
is_report(struct message *m)
{
	size_t count = message_count(m, "Content-Type");

	for (size_t i = 0; i < count; i++)
		if (span_starts_nocase(
			span_trim(message_raw(m, "Content-Type", i)),
			"multipart/report"))
			return true;
	return false;
}

/* RFC 3462: report-type=delivery-status. Without any type it is taken for the
 * worst. */
static bool
is_bounce(const struct forward_guard_config *config, struct message *m)
{
	size_t count = message_count(m, "Content-Type");
	bool says = false;

	(void)config;
	for (size_t i = 0; i < count; i++) {
		struct span type = message_raw(m, "Content-Type", i);
		if (span_contains_nocase(type, SPAN("delivery-status")))
			return is_report(m);
		says |= span_contains_nocase(type, SPAN("report-type"));
	}
	return is_report(m) && !says;
}

static bool
is_other_report(const struct forward_guard_config *config, struct message *m)
{
	(void)config;
	return is_report(m);
}

/* RFC 3834 section 5: a word, then parameters or comments. */
static bool
is_automatic(const struct forward_guard_config *config, struct message *m)
{
	size_t count = message_count(m, "Auto-Submitted");

	(void)config;
	for (size_t i = 0; i < count; i++) {
		struct span value =
		    span_trim(message_raw(m, "Auto-Submitted", i));
		size_t end = 0;

		while (end < value.len && char_is_alpha(value.data[end]))
			end++;
		if (!span_is_nocase(span_slice(value, 0, end), "no") ||
		    (end < value.len && value.data[end] == '-'))
			return true;
	}
	return false;
}

/* RFC 5321 section 4.4: "<>", which may have blanks or a comment about it. */
static bool
is_empty_path(struct span path)
{
	path = span_trim(path);
	if (path.len == 0 || path.data[0] != '<')
		return false;
	return span_starts(span_trim(span_skip(path, 1)), ">");
}

static bool
has_no_sender(const struct forward_guard_config *config, struct message *m)
{
	size_t count = message_count(m, "Return-Path");

	(void)config;
	for (size_t i = 0; i < count; i++)
		if (is_empty_path(message_raw(m, "Return-Path", i)))
			return true;
	return false;
}

static bool
wants_no_answer(const struct forward_guard_config *config, struct message *m)
{
	(void)config;
	return message_count(m, "X-Auto-Response-Suppress") > 0;
}

static bool
is_list(const struct forward_guard_config *config, struct message *m)
{
	(void)config;
	return message_count(m, "List-Id") > 0;
}

static bool
is_bulk(const struct forward_guard_config *config, struct message *m)
{
	static const char *const words[] = {"bulk", "junk", "list"};
	size_t count = message_count(m, "Precedence");

	(void)config;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			if (span_is_nocase(
				span_trim(message_raw(m, "Precedence", i)),
				words[k]))
				return true;
	return false;
}

enum allowed_by {
	BY_NOTHING,
	BY_AUTO,
	BY_LIST
};

/* clang-format off */
static const struct {
	guard_fn *holds;
	enum allowed_by by;
	const char *reason;
} guard_rows[] = {
	{is_truncated,    BY_NOTHING, "its header is too large to be judged"},
	{was_forwarded,   BY_NOTHING, "it was forwarded by Belfry before"},
	{is_to_self,      BY_NOTHING, "the target is an address of yours"},
	{was_at_target,   BY_NOTHING, "it was at the target before"},
	{has_many_hops,   BY_NOTHING, "it went through too many servers"},
	{is_bounce,       BY_NOTHING, "it is a delivery report"},
	{is_other_report, BY_AUTO, "it is an automatic report"},
	{is_automatic,    BY_AUTO, "it was sent automatically (Auto-Submitted)"},
	{has_no_sender,   BY_AUTO, "it has no sender to answer to (Return-Path)"},
	{wants_no_answer, BY_AUTO,
	    "it was sent automatically (X-Auto-Response-Suppress)"},
	{is_list,         BY_LIST, "it came through a mailing list"},
	{is_bulk,         BY_LIST, "it is bulk mail (Precedence)"},
};
/* clang-format on */

bool
forward_guard_allows(const struct forward_guard_config *config,
    struct message *message, struct buf *why)
{
	const bool allowed[] = {
	    [BY_NOTHING] = false,
	    [BY_AUTO] = config->allow_auto,
	    [BY_LIST] = config->allow_list,
	};

	for (size_t i = 0; i < sizeof(guard_rows) / sizeof(guard_rows[0]); i++)
		if (!allowed[guard_rows[i].by] &&
		    guard_rows[i].holds(config, message)) {
			buf_add_str(why, guard_rows[i].reason);
			return false;
		}
	return true;
}
