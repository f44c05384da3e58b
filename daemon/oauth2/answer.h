/*
 * oauth2/answer: what an authorization server says.
 *
 * JSON, read strictly (RFC 6749 sections 5.1 and 5.2, RFC 8628 sections 3.2
 * and 3.5). Nothing in it is believed beyond its bounds: a token has at most
 * SECRET_MAX printable characters, a life at most OAUTH2_LIFE_MAX; texts are
 * made fit to be shown. What is no answer at all is an answer, too: of the
 * kind OAUTH2_GARBAGE.
 */
#ifndef BELFRY_OAUTH2_ANSWER_H
#define BELFRY_OAUTH2_ANSWER_H

#include "daemon/base/error.h"
#include "daemon/base/secret.h"
#include "daemon/base/usec.h"

/* Bytes of an answer; more is none. */
#define OAUTH2_ANSWER_MAX (64 * 1024)
/* Seconds: what is taken for the life of a token that has none said, or one
 * that cannot be; and the longest that is believed. */
#define OAUTH2_LIFE_UNKNOWN 1800
#define OAUTH2_LIFE_MAX (24 * 60 * 60)
/* Characters of a scope, an address or a code to type in. */
#define OAUTH2_TEXT_MAX 2048
/* Characters of a server's sentence that are shown. */
#define OAUTH2_WORDS_MAX 300

enum oauth2_kind {
	OAUTH2_TOKEN,
	OAUTH2_PENDING,	  /* the person has not signed in yet */
	OAUTH2_SLOW_DOWN, /* the same, and asked too often */
	OAUTH2_DENIED,	  /* by the person */
	OAUTH2_EXPIRED,	  /* the person took too long */
	OAUTH2_LOST,	  /* the permission has ended: sign in again */
	OAUTH2_REFUSED,	  /* client id, secret or scope: the configuration */
	OAUTH2_BUSY,	  /* later: limits, trouble of the server's own */
	OAUTH2_GARBAGE,	  /* nothing that it may say */
};

struct oauth2_answer {
	enum oauth2_kind kind;
	struct secret access, refresh; /* of a token; refresh may be empty */
	int64_t life;		       /* seconds, 1 to OAUTH2_LIFE_MAX */
	bool is_life_told;
	char *scope;	    /* granted; NULL: the one that was asked for */
	struct error error; /* of any other kind */
};

#define OAUTH2_ANSWER_INIT                                                     \
	{                                                                      \
		.access = SECRET_INIT, .refresh = SECRET_INIT                  \
	}

/* `status` is that of HTTP, `sent` the form that was asked with: what is
 * secret in it is not shown when the server says it back. Always fills the
 * answer; free it with done. */
void oauth2_answer_read(unsigned status, struct span body, bool is_cut,
    struct span sent, struct oauth2_answer *answer_r);
void oauth2_answer_done(struct oauth2_answer *answer);
/* No answer came: OAUTH2_BUSY, whatever the reason. */
void oauth2_answer_fail(
    const char *url, const struct error *error, struct oauth2_answer *answer_r);

/* The answer of a device endpoint. Strings are owned. */
struct oauth2_device {
	struct secret code;
	char *user_code;	  /* to be typed in */
	char *url, *complete_url; /* where; with the code in it, or NULL */
	int64_t life, interval;	  /* seconds */
};

#define OAUTH2_INTERVAL_SEC 5 /* where it says none */
#define OAUTH2_INTERVAL_MAX 300
#define OAUTH2_DEVICE_LIFE_MAX 3600

/* False: the answer says why, in its `kind` and `error`. `sent` as above. */
bool oauth2_device_read(unsigned status, struct span body, bool is_cut,
    struct span sent, struct oauth2_device *device_r,
    struct oauth2_answer *answer_r);
void oauth2_device_done(struct oauth2_device *device);

/* What a word of the server means, such as one that came to the redirect
 * (RFC 6749 section 4.1.2.1), and a sentence about it. `description` may be
 * NULL. */
enum oauth2_kind oauth2_error_read(
    const char *word, const char *description, struct error *error_r);

#endif
