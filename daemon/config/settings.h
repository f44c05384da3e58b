/*
 * config/settings: the one table of all keys.
 *
 * From its rows come parsing, defaults, the hints for misspelt words, the
 * listing of `belfryctl check --settings`, and the lists of belfry.conf(5).
 * A row that has an offset is written into the struct of its section
 * (config/config.h) by config/value; the keys of rules and lists have none:
 * rules/ reads them.
 */
#ifndef BELFRY_CONFIG_SETTINGS_H
#define BELFRY_CONFIG_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

enum section_kind {
	SECTION_DAEMON,
	SECTION_ACCOUNT,
	SECTION_NOTIFIER,
	SECTION_LIST,
	SECTION_RULE,
	SECTION_TEST,
	SECTION_KINDS
};

/* How a value is written; the type of the struct's member in brackets. */
enum setting_type {
	SETTING_TEXT,	    /* anything [char *] */
	SETTING_BOOL,	    /* yes, no [bool] */
	SETTING_NUMBER,	    /* whole number, min to max [unsigned] */
	SETTING_DURATION,   /* 90s, 15m, 2h, 3d, 1w, min to max [usec_t] */
	SETTING_CHOICE,	    /* one of `choices` [int] */
	SETTING_ADDRESS,    /* user@domain [char *] */
	SETTING_ADDRESSES,  /* comma list [struct strv] */
	SETTING_WORDS,	    /* comma list [struct strv] */
	SETTING_HOSTS,	    /* comma list of host names [struct strv] */
	SETTING_PINS,	    /* comma list of sha256:BASE64 [struct strv] */
	SETTING_MAILBOXES,  /* comma list of names, `*` is a wildcard [strv] */
	SETTING_HEADER,	    /* Name: value [struct strv] */
	SETTING_LINE,	    /* any text, one line of many [struct strv] */
	SETTING_ATTACHMENT, /* name, type, size [struct strv] */
	SETTING_TIME,	    /* a date, or 2h for ago [struct config_time] */
	SETTING_IMAP_URL,   /* imaps://, imap:// [struct config_server] */
	SETTING_SMTP_URL,   /* smtps://, submission:// [struct config_server] */
	SETTING_HTTP_URL,   /* https://, http:// to loopback [char *] */
	SETTING_HTTPS_URL,  /* https:// [char *] */
	SETTING_PATH,	    /* absolute, or ~/... [char *] */
	SETTING_ARGV,	    /* command and arguments [struct strv] */
	SETTING_RATES,	    /* 20/hour, 100/day [struct config_rates] */
	SETTING_HOURS,	    /* mon-fri 22:00-07:00 [struct quiet_hours] */
	SETTING_ESCALATION, /* rules/escalate.h [struct strv] */
	SETTING_NAME,	    /* a file name without folder [char *] */
	SETTING_SECRET,	    /* kept out of all output [struct secret] */
	SETTING_CONDITION,  /* read by rules/, as all below */
	SETTING_RULE_TEXT,
	SETTING_TYPES
};

enum setting_flag {
	SETTING_REPEATABLE = 1 << 0,
	SETTING_HIDDEN = 1 << 1, /* the value is never shown */
	SETTING_PROSE = 1 << 2,	 /* for people: may have a # in it */
};

struct setting_choice {
	const char *word; /* NULL ends the list */
	int value;
	const char *later; /* not NULL: refused with this reason */
};

struct setting {
	enum section_kind section;
	const char *key;
	enum setting_type type;
	unsigned flags;
	size_t offset;
	/* Not 0: the member is in a struct of its own, so large, that exists
	 * only if one of its keys is set; there the section's struct has a
	 * pointer to it, NULL at first. */
	size_t part_size, part_offset;
	uint64_t min, max; /* numbers; durations in microseconds */
	const struct setting_choice *choices;
	const char *form; /* how it is written, where the type does not say */
	const char *standard; /* the default as one would write it, or NULL */
	const char *help;     /* one sentence */
	const char *more;     /* further sentences for the manual, or NULL */
};

#define SETTING_NO_OFFSET SIZE_MAX

/* The table: NULL behind its end. */
const struct setting *settings_at(size_t index);
size_t settings_count(void);
/* NULL when there is none. */
const struct setting *settings_find(enum section_kind section, struct span key);
/* Nearest key of the section, or NULL. */
const char *settings_nearest(enum section_kind section, struct span key);
/* Nearest word of a list of choices, or NULL. */
const char *setting_choice_nearest(
    const struct setting *setting, struct span word);
/* "yes, no or rules-only". */
void setting_choice_list(const struct setting *setting, struct buf *buf);

/* "account" */
const char *section_kind_name(enum section_kind kind);
/* False: no such kind; *nearest_r is then a kind that looks like it, or
 * NULL. */
bool section_kind_parse(
    struct span text, enum section_kind *kind_r, const char **nearest_r);
/* Whether the section has a name behind its kind: all but [daemon]. */
bool section_kind_has_name(enum section_kind kind);
/* What stands in the manual above the section's keys. */
const char *section_kind_help(enum section_kind kind);

/* "duration, 30s to 1d": for people. */
void setting_describe_type(const struct setting *setting, struct buf *buf);
/* The listing of all keys, for a terminal. */
void settings_print(struct buf *buf);
/* The keys of one section as roff, for belfry.conf(5). */
void settings_print_roff(struct buf *buf, enum section_kind section);

#endif
