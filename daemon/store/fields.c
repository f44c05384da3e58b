/* The columns of each kind of row. */
#include "daemon/store/fields.h"

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROW(type, kind, member)                                                \
	{                                                                      \
		(kind), offsetof(struct type, member)                          \
	}
#define FIELDS(array)                                                          \
	{                                                                      \
		(array), COUNT(array)                                          \
	}

/* clang-format off */
#define KEY_ROWS(type, prefix)				\
	ROW(type, FIELD_TEXT, prefix account),		\
	ROW(type, FIELD_TEXT, prefix mailbox),		\
	ROW(type, FIELD_U32, prefix uidvalidity),	\
	ROW(type, FIELD_U32, prefix uid)

static const struct store_field cursor_rows[] = {
	ROW(store_cursor, FIELD_TEXT, account),
	ROW(store_cursor, FIELD_TEXT, mailbox),
	ROW(store_cursor, FIELD_U32, uidvalidity),
	ROW(store_cursor, FIELD_U32, next_uid),
	ROW(store_cursor, FIELD_U64, modseq),
	ROW(store_cursor, FIELD_TEXT, judged),
};

static const struct store_field apply_rows[] = {
	ROW(store_apply, FIELD_TEXT, account),
	ROW(store_apply, FIELD_TEXT, mailbox),
	ROW(store_apply, FIELD_UNSIGNED, run),
	ROW(store_apply, FIELD_APPLY_STATE, state),
	ROW(store_apply, FIELD_U32, uidvalidity),
	ROW(store_apply, FIELD_U32, first_uid),
	ROW(store_apply, FIELD_U32, next_uid),
	ROW(store_apply, FIELD_U32, end_uid),
	ROW(store_apply, FIELD_I64, since_unix),
	ROW(store_apply, FIELD_I64, until_unix),
	ROW(store_apply, FIELD_TEXT, rules),
	ROW(store_apply, FIELD_UNSIGNED, notify),
	ROW(store_apply, FIELD_U64, total),
	ROW(store_apply, FIELD_U64, looked),
	ROW(store_apply, FIELD_U64, matched),
	ROW(store_apply, FIELD_U64, observed),
	ROW(store_apply, FIELD_U64, busy),
	ROW(store_apply, FIELD_TEXT, detail),
	ROW(store_apply, FIELD_I64, started_unix),
	ROW(store_apply, FIELD_I64, changed_unix),
	ROW(store_apply, FIELD_U64, left_out),
	ROW(store_apply, FIELD_TEXT, left_uids),
};

static const struct store_field key_rows[] = {
	KEY_ROWS(store_key, ),
};

static const struct store_field message_rows[] = {
	KEY_ROWS(store_message, key.),
	ROW(store_message, FIELD_TEXT, message_id),
	ROW(store_message, FIELD_TEXT, from),
	ROW(store_message, FIELD_TEXT, subject),
	ROW(store_message, FIELD_U64, size),
	ROW(store_message, FIELD_I64, received_unix),
	ROW(store_message, FIELD_I64, judged_unix),
	ROW(store_message, FIELD_TEXT, rules),
	ROW(store_message, FIELD_TEXT, observed),
	ROW(store_message, FIELD_TEXT, warnings),
	ROW(store_message, FIELD_TEXT, identity),
};

static const struct store_field effect_rows[] = {
	KEY_ROWS(store_effect, key.),
	ROW(store_effect, FIELD_UNSIGNED, seq),
	ROW(store_effect, FIELD_TEXT, rule),
	ROW(store_effect, FIELD_TEXT, kind),
	ROW(store_effect, FIELD_TEXT, action),
	ROW(store_effect, FIELD_EFFECT_STATE, state),
	ROW(store_effect, FIELD_UNSIGNED, attempts),
	ROW(store_effect, FIELD_TEXT, detail),
	ROW(store_effect, FIELD_I64, changed_unix),
};

static const struct store_field item_rows[] = {
	ROW(store_queue_item, FIELD_TEXT, key),
	KEY_ROWS(store_queue_item, source.),
	ROW(store_queue_item, FIELD_UNSIGNED, seq),
	ROW(store_queue_item, FIELD_TEXT, account),
	ROW(store_queue_item, FIELD_TEXT, rule),
	ROW(store_queue_item, FIELD_TEXT, target),
	ROW(store_queue_item, FIELD_TEXT, mode),
	ROW(store_queue_item, FIELD_TEXT, unknown),
	ROW(store_queue_item, FIELD_TEXT, message_id),
	ROW(store_queue_item, FIELD_TEXT, subject),
	ROW(store_queue_item, FIELD_I64, queued_unix),
	ROW(store_queue_item, FIELD_QUEUE_STATE, state),
	ROW(store_queue_item, FIELD_UNSIGNED, attempts),
	ROW(store_queue_item, FIELD_I64, next_try_unix),
	ROW(store_queue_item, FIELD_TEXT, reply),
};

static const struct store_field hit_rows[] = {
	ROW(store_hit, FIELD_TEXT, rule),
	ROW(store_hit, FIELD_I64, when_unix),
};

static const struct store_field place_rows[] = {
	ROW(store_place, FIELD_TEXT, account),
	ROW(store_place, FIELD_TEXT, mailbox),
};

static const struct store_field fact_rows[] = {
	ROW(store_fact, FIELD_TEXT, account),
	ROW(store_fact, FIELD_TEXT, name),
	ROW(store_fact, FIELD_TEXT, value),
};

static const struct store_field rule_stat_rows[] = {
	ROW(store_rule_stat, FIELD_TEXT, rule),
	ROW(store_rule_stat, FIELD_U64, hits),
	ROW(store_rule_stat, FIELD_I64, last_hit_unix),
	ROW(store_rule_stat, FIELD_U64, observed),
	ROW(store_rule_stat, FIELD_U64, limited),
	ROW(store_rule_stat, FIELD_U64, judged),
	ROW(store_rule_stat, FIELD_U64, nanoseconds),
	ROW(store_rule_stat, FIELD_I64, since_unix),
};

static const struct store_field sender_rows[] = {
	ROW(store_sender, FIELD_TEXT, account),
	ROW(store_sender, FIELD_TEXT, address),
	ROW(store_sender, FIELD_I64, first_unix),
	ROW(store_sender, FIELD_I64, last_unix),
};
/* clang-format on */

const struct store_fields store_cursor_fields = FIELDS(cursor_rows);
const struct store_fields store_apply_fields = FIELDS(apply_rows);
const struct store_fields store_key_fields = FIELDS(key_rows);
const struct store_fields store_message_fields = FIELDS(message_rows);
const struct store_fields store_effect_fields = FIELDS(effect_rows);
const struct store_fields store_item_fields = FIELDS(item_rows);
const struct store_fields store_hit_fields = FIELDS(hit_rows);
const struct store_fields store_place_fields = FIELDS(place_rows);
const struct store_fields store_fact_fields = FIELDS(fact_rows);
const struct store_fields store_rule_stat_fields = FIELDS(rule_stat_rows);
const struct store_fields store_sender_fields = FIELDS(sender_rows);

/* A malformed byte becomes three, so it is cut when it is clean. */
static const char *
copy_unclean(struct span text, store_copy_fn *copy, void *ctx)
{
	BUF_AUTO clean = BUF_INIT;
	size_t len, end = 0;
	uint32_t code;

	utf8_add_valid(&clean, span_slice(text, 0, STORE_TEXT_MAX));
	struct span span = buf_span(&clean);
	if (text.len <= STORE_TEXT_MAX && span.len <= STORE_TEXT_MAX)
		return copy(ctx, span);
	while ((len = utf8_next(span_skip(span, end), &code, NULL)) > 0 &&
	       end + len <= STORE_TEXT_MAX)
		end += len;
	return copy(ctx, span_slice(span, 0, end));
}

static const char *
copy_clean(const char *text, store_copy_fn *copy, void *ctx)
{
	struct span span = span_from_str(text);

	if (span.len <= STORE_TEXT_MAX && utf8_ascii_length(span) == span.len)
		return copy(ctx, span);
	return copy_unclean(span, copy, ctx);
}

void
store_fields_clean(const struct store_fields *fields, void *row,
    store_copy_fn *copy, void *ctx)
{
	for (size_t i = 0; i < fields->count; i++) {
		const char **text = store_field_at(&fields->items[i], row);

		if (fields->items[i].type == FIELD_TEXT)
			*text = copy_clean(*text, copy, ctx);
	}
}

void
store_fields_copy(const struct store_fields *fields, void *row)
{
	for (size_t i = 0; i < fields->count; i++) {
		const char **text = store_field_at(&fields->items[i], row);

		if (fields->items[i].type == FIELD_TEXT)
			*text = xstrdup(*text);
	}
}

void
store_fields_free(const struct store_fields *fields, void *row)
{
	for (size_t i = 0; i < fields->count; i++) {
		const char **text = store_field_at(&fields->items[i], row);

		if (fields->items[i].type != FIELD_TEXT)
			continue;
		free((char *)*text);
		*text = NULL;
	}
}
