/*
 * forward_private: what the composers of mail/forward share.
 */
#ifndef BELFRY_MAIL_FORWARD_PRIVATE_H
#define BELFRY_MAIL_FORWARD_PRIVATE_H

#include "daemon/mail/forward.h"
#include "daemon/mail/message.h"

#define FORWARD_BOUNDARY_SIZE 64 /* RFC 2046 section 5.1.1: 70 at most */

/* What stands against bytes being sent as they are. */
struct forward_shape {
	bool has_nul;
	bool has_8bit;
	bool header_has_8bit; /* before the first empty line */
	bool has_long_line;   /* more than FORWARD_LINE_MAX */
};
struct forward_shape forward_measure(struct span s);

/* The sizes and addresses that all composers demand. */
bool forward_check_request(const struct forward_request *request,
    struct span original, struct error *error_r);
/* The outer header of a multipart/mixed, with the empty line behind it. */
void forward_add_header(struct buf *out, const struct forward_request *request,
    struct message *m, const char *boundary);
/* "Name: value" in one line, decoded and clean; nothing without a value. */
void forward_add_summary_line(
    struct buf *text, struct message *m, const char *name);
/* A text/plain body part with its header; always 7bit. `text` is UTF-8 in
 * CRLF lines. */
void forward_add_text_part(struct buf *out, struct span text);
/* One that stands in neither of the two. */
void forward_choose_boundary(char boundary[FORWARD_BOUNDARY_SIZE],
    const char *key, struct span text, struct span original);

#endif
