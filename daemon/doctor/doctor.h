/*
 * doctor: what is wrong with an account, and what to do about it.
 *
 * Facts go in, sentences come out: no socket, clock or file here. Whoever
 * walks the account (wiring/checkup) says of each step what was tried and what
 * came back; where that is no success, doctor_judge finds the cause in tables
 * (doctor_connect.c, doctor_login.c, doctor_mail.c): the first row that fits.
 *
 * Texts from outside are sanitised by whoever puts them into the facts, and
 * never hold a secret.
 */
#ifndef BELFRY_DOCTOR_DOCTOR_H
#define BELFRY_DOCTOR_DOCTOR_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/config/presets.h"
#include "daemon/wire/imap/refusal.h"

/* A clock that is wrong by less is not worth a word. */
#define DOCTOR_SKEW_SEC (5 * 60)
/* Findings of one account; more are dropped. */
#define DOCTOR_FINDINGS_MAX 200
/* Bytes of what a server says first that are looked at. */
#define DOCTOR_VOICE_MAX 512

enum doctor_place {
	DOCTOR_HERE, /* this machine */
	DOCTOR_IMAP,
	DOCTOR_SMTP,
	DOCTOR_PLACES
};

enum doctor_step {
	DOCTOR_CONFIGURATION,
	DOCTOR_DAEMON,
	DOCTOR_SECRET,
	DOCTOR_NAME,
	DOCTOR_CONNECTION,
	DOCTOR_ENCRYPTION,
	DOCTOR_GREETING,
	DOCTOR_CAPABILITIES,
	DOCTOR_LOGIN,
	DOCTOR_SENDER,
	DOCTOR_MAILBOXES,
	DOCTOR_PUSH,
	DOCTOR_FOLDERS,
	DOCTOR_SPACE,
	DOCTOR_NOTIFICATIONS,
	DOCTOR_CLOCK,
	DOCTOR_STEPS
};

enum doctor_result {
	DOCTOR_GOOD,
	DOCTOR_WARNING, /* works, and something should be done */
	DOCTOR_FAILED,
	DOCTOR_SKIPPED, /* because of an earlier step, or not configured */
	DOCTOR_RESULTS
};

/* Words for JSON and for people; constants. */
const char *doctor_place_name(enum doctor_place place);	   /* "imap" */
const char *doctor_step_name(enum doctor_step step);	   /* "login" */
const char *doctor_result_name(enum doctor_result result); /* "failed" */

/* One step. Strings are owned, and NULL where there is nothing to say. */
struct doctor_finding {
	enum doctor_place place;
	enum doctor_step step;
	enum doctor_result result;
	char *tried; /* "port 993 of imap.example.org" */
	char *got;   /* "answered after 12 ms"; or the server's own words */
	const char *cause; /* a word for JSON: "app-password-wanted"; static */
	char *why;	   /* a sentence or two */
	char *next;	   /* what to do now */
	char *line;	   /* for the configuration: "tls_pin = ..." */
};

struct doctor_report {
	struct doctor_finding *findings; /* owned */
	size_t count;
};
void doctor_report_done(struct doctor_report *report);
/* The finding is the report's, and new; valid until the next. `format` says
 * what came back; NULL: nothing. */
struct doctor_finding *doctor_add(struct doctor_report *report,
    enum doctor_place place, enum doctor_step step, enum doctor_result result,
    const char *tried, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
size_t doctor_count(
    const struct doctor_report *report, enum doctor_result result);
/* The first finding that failed; NULL: none. */
const struct doctor_finding *doctor_first_failure(
    const struct doctor_report *report);

/* ---- facts ---- */

/* Who answers on a port, by what is heard there. */
enum doctor_voice {
	VOICE_UNKNOWN, /* nothing known, or nothing of these */
	VOICE_SILENT,  /* takes connections and says nothing */
	VOICE_IMAP,
	VOICE_SMTP,
	VOICE_POP3,
	VOICE_HTTP,
	VOICE_SSH,
	VOICE_TLS, /* silent, and answers to TLS */
	VOICES
};
/* By the first bytes. */
enum doctor_voice doctor_voice_of(struct span bytes);

/* Why a certificate was refused. */
enum doctor_flaw {
	FLAW_NONE,
	FLAW_SELF_SIGNED,
	FLAW_UNKNOWN_ISSUER,
	FLAW_EXPIRED,
	FLAW_NOT_YET_VALID,
	FLAW_WRONG_NAME,
	FLAW_WRONG_PIN,
	FLAW_OTHER
};

/* What a password looks like, without what it is. */
enum doctor_shape {
	SHAPE_UNKNOWN, /* a token, or not seen */
	SHAPE_APPLE,   /* abcd-efgh-ijkl-mnop */
	SHAPE_16,      /* abcdefghijklmnop, also in fours with blanks */
	SHAPE_OTHER
};
enum doctor_shape doctor_shape_of(struct span secret);

/* What is known of a step that did not go well. All borrowed; what is NULL,
 * 0 or the first of its enum is not known. */
struct doctor_facts {
	enum doctor_place place;
	enum doctor_step step;
	/* The account. */
	const char *account, *email, *user, *other_user;
	const struct preset *preset;
	bool by_token;	     /* auth = oauth2 */
	bool signs_in;	     /* ... and the token is of belfryctl login */
	bool by_certificate; /* auth = external */
	bool is_throwaway;   /* not in the configuration yet (setup) */
	/* The server, as configured. */
	const char *host;
	unsigned port;
	enum server_tls tls;
	bool is_loopback; /* the address that was connected to */
	bool is_private;  /* the name led to an address of a private network */
	/* What came back: our error with the server's words in it, and these
	 * alone. */
	enum fault fault;
	const char *text, *said;
	enum imap_refusal_kind refusal;
	unsigned code; /* SMTP */
	/* Of a trial to send: whose address, and what was refused. */
	const char *sender;
	bool is_about_sender;
	enum doctor_voice voice;
	bool login_disabled, wants_oauth; /* as the server offers */
	/* The certificate. */
	enum doctor_flaw flaw;
	const char *issuer, *names, *pin;
	int64_t from_unix, until_unix;
	/* The secret. */
	const char *command; /* argv[0], or the source's name */
	enum doctor_shape shape;
	/* What the domain of the address says in DNS: "imaps://h.example"
	 * (SRV), and who receives its mail (MX). */
	const char *offered, *receiver;
	/* A mailbox, or a special folder. */
	const char *mailbox, *nearest, *rule;
	/* Of this machine, and how far it seems to be behind. */
	int64_t now_unix, skew_sec;
};

/* Sets cause, why, next and line of the finding, and its result where the row
 * says that it is only a warning. There is always a row. */
void doctor_judge(
    const struct doctor_facts *facts, struct doctor_finding *finding);

#endif
