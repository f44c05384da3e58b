/*
 * sim/model_smtp: a submission server that is a model: it knows what it has
 * really taken, whatever it says, and it can be told to be in trouble.
 *
 * It is strict: a command out of order ends the run (model_smtp::broken).
 */
#ifndef BELFRY_SIM_MODEL_SMTP_H
#define BELFRY_SIM_MODEL_SMTP_H

#include "daemon/base/buf.h"
#include "daemon/base/random.h"

/* What it offers: bits. */
enum model_smtp_trait {
	MODEL_SMTP_PIPELINING = 1 << 0,
	MODEL_SMTP_8BITMIME = 1 << 1,
	MODEL_SMTP_SIZE = 1 << 2,
	MODEL_SMTP_TRAITS = 3
};

/* A message that it took: after the dot, for good. */
struct model_taken {
	char *to;     /* of the envelope; one recipient each */
	char *text;   /* as it came, dots removed */
	bool said;    /* the client was sent the whole 250 ... */
	bool heard;   /* ... and it arrived (the owner of the link says so) */
	bool excused; /* heard, but the daemon died before it was written */
};

struct model_smtp {
	unsigned traits;
	struct random *random; /* borrowed */
	unsigned trouble;      /* percent of steps that go wrong */
	bool refuse_logins;
	struct model_taken *taken;
	size_t taken_count, taken_cap;
	char broken[200]; /* what the client did wrong; "": nothing */
	/* Asked at RCPT and at the dot; false: the client must not. */
	bool (*may_ask)(void *ctx, const char *to);
	bool (*may_end)(void *ctx, const char *to);
	/* It said 5xx to this recipient or its message. */
	void (*refused)(void *ctx, const char *to);
	void *ctx;
};

struct model_smtp_session;

void model_smtp_done(struct model_smtp *model);
unsigned model_smtp_count(const struct model_smtp *model, const char *to);

struct model_smtp_session *model_smtp_session_new(struct model_smtp *model);
void model_smtp_session_free(struct model_smtp_session **session);
void model_smtp_session_feed(
    struct model_smtp_session *session, struct span bytes);
struct buf *model_smtp_session_output(struct model_smtp_session *session);
/* After so many bytes of output all that was taken is known to the client;
 * the index of the last of them in `taken`. SIZE_MAX: nothing was taken. */
size_t model_smtp_session_said(
    const struct model_smtp_session *session, size_t *index_r);
/* It hung up: the link ends after the output. */
bool model_smtp_session_is_over(const struct model_smtp_session *session);

#endif
