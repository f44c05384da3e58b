/*
 * mail/message: what rules and people see of a message's header.
 *
 * A message is made from a header block (as IMAP gives it for
 * BODY[HEADER.FIELDS (...)] or BODY[HEADER], or a whole message of which
 * only the header is read). It is scanned once; each value is unfolded and
 * decoded once, on first use. Decoding never fails: the worst input becomes
 * the best readable text, always valid UTF-8, never silently empty.
 *
 * Malformed blocks follow RFC 7103: lines without a colon are skipped and
 * counted, blanks before a colon tolerated, a leading "From " line skipped.
 */
#ifndef BELFRY_MAIL_MESSAGE_H
#define BELFRY_MAIL_MESSAGE_H

#include "daemon/base/span.h"
#include "daemon/mail/address.h"

#define MESSAGE_HEADER_MAX (1024 * 1024) /* bytes looked at; more is cut */
#define MESSAGE_FIELDS_MAX 1000		 /* fields kept; more: is_truncated */

struct message;

/* Copies the header part of `bytes` (up to the first empty line). */
struct message *message_new(struct span bytes);
void message_free(struct message **message);

/* A limit cut the header: rules may see less than the message has. */
bool message_is_truncated(const struct message *message);
/* Lines (with their continuations) that are no field; they were skipped. */
size_t message_bad_line_count(const struct message *message);
/* Fields in file order, 0 to count - 1. Names as written. */
size_t message_field_count(const struct message *message);
struct span message_field_name(const struct message *message, size_t field);
/* A hash of a field's name, the same in any ASCII case: message_name_hash of
 * equal names is equal. For tables of names. */
uint32_t message_field_hash(const struct message *message, size_t field);
uint32_t message_name_hash(struct span name);
/* The first field of this name (ASCII case ignored), and the next of the same
 * name as `field`, in file order; SIZE_MAX: there is none. However many there
 * are, going through them costs no more than that. */
size_t message_first(const struct message *message, const char *name);
size_t message_next(const struct message *message, size_t field);
/* How many fields have this name. */
size_t message_count(const struct message *message, const char *name);

/* All of these are borrowed from the message. `index` counts occurrences of
 * the name from 0; an occurrence that is not there gives data NULL. */
/* Unfolded (RFC 5322 2.2.3), not decoded: bytes as they came, blanks at both
 * ends removed. */
struct span message_raw(
    const struct message *message, const char *name, size_t index);
/* Unfolded and RFC 2047-decoded, once: valid UTF-8 without control characters
 * (TAB, CR and LF became blanks, the others U+FFFD). Empty only if the value
 * is, or is made of encoded words that say nothing. */
struct span message_text(
    struct message *message, const char *name, size_t index);
/* The addresses of one occurrence; never NULL, empty when absent. */
const struct address_list *message_addresses(
    struct message *message, const char *name, size_t index);
/* The same by field number. */
struct span message_field_raw(const struct message *message, size_t field);
struct span message_field_text(struct message *message, size_t field);
const struct address_list *message_field_addresses(
    struct message *message, size_t field);
/* For a quick look at all fields. The bytes that were read, where they are
 * from the first name to the last value: every raw value is a piece of it,
 * between them may stand anything. */
struct span message_block(const struct message *message);
/* False: printable ASCII without blanks that is in the field's text is in its
 * raw value, too, for there is nothing to decode in it. */
bool message_field_is_hard(struct message *message, size_t field);
/* The date of the first Date field; false: none, or not a date. */
bool message_date(struct message *message, int64_t *unix_r);
/* The first Message-ID field's id with its angle brackets, cleaned as text is
 * but not decoded; the whole value when it has no brackets; empty when there
 * is no such field. */
struct span message_id(struct message *message);

#endif
