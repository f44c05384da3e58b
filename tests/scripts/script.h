/*
 * script: dialogues as data, for any engine.
 *
 * A file `name.EXTENSION` in the folder tests/scripts/EXTENSION is played to
 * the engine of that extension. First come settings of the engine, a word
 * and a value per line; then steps:
 *
 *   S: text       the server says this line (CRLF is added)
 *   S> text       the server sends these bytes (no CRLF)
 *   S* 70000 text the same, so many times
 *                 Steps of the server without another step between them are
 *                 one segment.
 *   C: pattern    the client's next line is this
 *   C> text       the client's next bytes are these
 *   !PATTERN      the next event; a name alone matches any of that name
 *   !PATTERN?     the next event, if it is that
 *   >word args    a call of the owner; each engine has its own, and all have
 *                 >eof
 *   @+29m         time passes, with a tick at each deadline on the way
 *   @next         time passes up to the deadline
 *   @due 90s      the deadline lies so far ahead; `@due never`: there is none;
 *                 `@due ~90s`: so far, give or take a fifth
 *   # text        a remark
 *   <name words   the steps of the file `name` in the same folder, with $* in
 *                 them replaced by the words
 *
 * In a pattern "..." stands for anything. In S>, S*, C> and in arguments of
 * calls \r \n \t \\ \xHH are bytes. A C: pattern that begins with $tag, or
 * with $1 to $9, takes the line's first word for it; in S: lines it is
 * replaced by that word.
 *
 * What the client said and what happened must be said in the script, all of
 * it, before the next step that makes something happen.
 *
 * Every script is played whole, byte by byte and cut at random, and must give
 * the same trace; and once for each byte after which the stream can end, and
 * must then end too, once; or, an engine that survives, begin anew.
 */
#ifndef BELFRY_TESTS_SCRIPT_H
#define BELFRY_TESTS_SCRIPT_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/wire/engine.h"

/* An engine to be scripted: a row in run-script.c, a file `engine-X.c`. */
struct script_engine {
	const char *extension;
	const struct engine_class *class;
	/* `settings`: lines "word value". NULL: one of them is unknown. */
	void *(*create)(const struct strv *settings, usec_t now);
	void (*destroy)(void *adapter);
	/* What the calls of the class take. */
	void *(*engine)(void *adapter);
	/* Pulls an event and appends it as one line, without line end.
	 * `last_r`: nothing may come after it. */
	bool (*next_event)(
	    void *adapter, struct buf *line, bool *last_r, usec_t now);
	/* A call of the owner; `args` is unescaped. False: unknown word. */
	bool (*call)(
	    void *adapter, struct span word, struct span args, usec_t now);
	/* What no event may ever show; NULL: nothing yet. */
	const char *(*secret)(void *adapter);
	/* Whether it may be in the output by now. */
	bool (*may_send_secret)(void *adapter);
	/* NULL: the end of the stream is the engine's. Else: whether it goes
	 * on by itself, after the stream has ended. */
	bool (*survives)(void *adapter, usec_t now);
};

extern const struct script_engine script_engine_imap;
extern const struct script_engine script_engine_mailbox;
extern const struct script_engine script_engine_smtp;

/* Appends `text` with \r \n \t \\ \xHH replaced. */
void script_unescape(struct buf *buf, struct span text);

#endif
