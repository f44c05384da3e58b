/*
 * loop/log: one line per event, to standard error:
 *
 *   2026-11-21T20:43:00Z info connected account=work host=mail.example.org
 *   <6>info connected account=work host=mail.example.org
 *
 * the second form where standard error is journald's (JOURNAL_STREAM), which
 * has the time already and takes the priority from the prefix. The message is
 * a constant of few words; what varies stands in `key=value` pairs (logfmt),
 * quoted where it has blanks, quotes or "=", and sanitised: nothing from
 * outside can forge a line or move the terminal. Secrets have no business
 * here.
 *
 * Only policy logs, once, with its context: base, wire, mail, rules and
 * notifiers return errors. A quiet day logs nothing.
 */
#ifndef BELFRY_LOOP_LOG_H
#define BELFRY_LOOP_LOG_H

#include <stdbool.h>

#include "daemon/base/span.h"

/* Longer values are cut. */
#define LOG_VALUE_CHARS_MAX 1000

enum log_level {
	LOG_LEVEL_DEBUG,   /* for who reports a bug */
	LOG_LEVEL_INFO,	   /* what a person may want to follow */
	LOG_LEVEL_NOTICE,  /* normal, but worth seeing: start, reload */
	LOG_LEVEL_WARNING, /* will be tried again, or works in part */
	LOG_LEVEL_ERROR,   /* somebody has to do something */
	LOG_LEVEL_COUNT
};

/* "debug" ... "error"; false for anything else. */
bool log_level_parse(struct span text, enum log_level *level_r);
const char *log_level_name(enum log_level level);

/* Lines below `level` are dropped. At first LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
bool log_is_on(enum log_level level);

/*
 * Logs `message` with pairs of strings, ended by NULL:
 *   log_event(LOG_LEVEL_INFO, "connected", "account", name, NULL);
 * A pair whose value is NULL or "" is left out.
 */
void log_event(enum log_level level, const char *message, ...)
    __attribute__((sentinel));

/* For tests: lines go to `fn`, without time and prefix, instead of standard
 * error; NULL ends it. */
typedef void log_fn(void *ctx, enum log_level level, const char *line);
void log_capture(log_fn *fn, void *ctx);

#endif
