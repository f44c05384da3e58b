/*
 * config/test_message: the message of a [test], as rules see it.
 *
 *   attachment = name [ 1*WSP type "/" subtype ] [ 1*WSP size ]
 *
 * A size is written as in conditions ("200K"); the name may have blanks.
 */
#ifndef BELFRY_CONFIG_TEST_MESSAGE_H
#define BELFRY_CONFIG_TEST_MESSAGE_H

#include "daemon/config/config.h"
#include "daemon/mail/structure.h"

struct test_attachment {
	struct span name;
	struct span type, subtype; /* empty: application/octet-stream */
	uint64_t size;		   /* 0: not said */
};
/* Spans into the text. False: there is a slash in what would be the name. */
bool test_attachment_parse(
    struct span text, struct test_attachment *attachment_r);

struct test_message {
	struct message *message;
	struct structure structure;
	struct buf body;
	struct strv flags; /* as a server says them */
	uint64_t size;
};

/* Of the file that the test names, or of its lines. FAULT_CONFIG: the file
 * cannot be read. Free it either way. */
bool test_message_read(struct test_message *message_r,
    const struct config_test *test, struct error *error_r);
void test_message_done(struct test_message *message);
/* What is said of the message; borrowed. Times of the test are taken from
 * `now_unix` where it does not say them. */
void test_message_tell(const struct test_message *message,
    const struct config_test *test, int64_t now_unix, struct facts *facts);

#endif
