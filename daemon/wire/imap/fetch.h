/*
 * imap/fetch: FETCH, LIST, STATUS and response codes as plain structs.
 * Everything borrowed from the response, with its lifetime.
 */
#ifndef BELFRY_WIRE_IMAP_FETCH_H
#define BELFRY_WIRE_IMAP_FETCH_H

#include "daemon/wire/imap/response.h"
#include "daemon/wire/imap/seqset.h"

#define IMAP_FLAGS_MAX 128 /* flags looked at in one message; more: ignored */

struct imap_fetch {
	uint32_t seq;	/* 0: the server's number was bogus */
	uint32_t uid;	/* 0: the answer had none, or two different ones */
	bool has_flags; /* false also when one is no atom */
	const struct imap_value *flags; /* flag_count atoms */
	size_t flag_count;
	bool has_internaldate;
	int64_t internaldate_unix;
	bool has_size;
	uint64_t size;	    /* RFC822.SIZE, bytes; saturates */
	uint64_t modseq;    /* 0: none, or bogus */
	bool has_header;    /* BODY[HEADER] or BODY[HEADER.FIELDS (...)] */
	struct span header; /* empty for NIL and "" */
	bool has_body;	    /* BODY[] */
	struct span body;
	/* BODYSTRUCTURE, else BODY; for imap/bodystructure. NULL: none, or
	 * NIL. */
	const struct imap_value *structure;
	/* BODY[1.2]: one part; the last of several. */
	bool has_part;
	struct span part_section; /* "1.2" */
	uint64_t part_origin;	  /* BODY[1.2]<6>: its first octet; else 0 */
	struct span part;	  /* empty for NIL and "" */
	/* PREVIEW (RFC 8970): UTF-8; empty for NIL and "". */
	bool has_preview;
	struct span preview;
	/* What names the message in all mailboxes: X-GM-MSGID (0: none), and
	 * EMAILID (RFC 8474; empty: none, or longer than any may be). */
	uint64_t gm_msgid;
	struct span emailid;
	/* X-GM-LABELS but for the open mailbox's own: label_count strings. */
	const struct imap_value *labels;
	size_t label_count;
};
#define IMAP_OBJECTID_MAX 255

/* False when the response is no FETCH. A bad item inside is left out. */
bool imap_fetch_parse(
    const struct imap_response *response, struct imap_fetch *fetch_r);
/* "17-Jul-1996 02:44:25 -0700" (RFC 9051 date-time), also with a leading
 * blank for the day. */
bool imap_date_parse(struct span text, int64_t *unix_r);

struct imap_list_entry {
	const struct imap_value *attributes; /* atoms such as \Noselect */
	size_t attribute_count;
	char delimiter;	  /* 0: NIL, a flat namespace */
	struct span name; /* as on the wire: modified UTF-7 */
};

/* LIST, LSUB and XLIST. */
bool imap_list_parse(
    const struct imap_response *response, struct imap_list_entry *entry_r);
/* Case-insensitive. */
bool imap_list_has_attribute(
    const struct imap_list_entry *entry, const char *attribute);

/* STATUS (RFC 9051 section 7.3.4). What the server left out or sent as
 * nonsense is 0; some send an empty list. */
struct imap_mailbox_status {
	struct span name; /* as on the wire */
	bool has_messages;
	uint64_t messages;
	uint32_t uidnext;
	uint32_t uidvalidity;
	uint64_t highestmodseq;
};
bool imap_status_parse(
    const struct imap_response *response, struct imap_mailbox_status *status_r);

/* COPYUID (RFC 4315): pairs are iterated, ranges stay ranges. False when the
 * code is absent, empty, or the two sets have different sizes. Looking up
 * takes time by the number of ranges, whatever they span. */
struct imap_copyuid {
	uint32_t uidvalidity;
	struct span source, target; /* sequence sets */
};
bool imap_copyuid_parse(
    const struct imap_response *response, struct imap_copyuid *copyuid_r);
/* The target UID of one source UID; 0 when it is not in the set. */
uint32_t imap_copyuid_lookup(const struct imap_copyuid *copyuid, uint32_t uid);
/* Whether one of these may be among the source UIDs. */
bool imap_copyuid_touches(
    const struct imap_copyuid *copyuid, const struct imap_seqset *uids);
/* Lookups of many: in about the order in which they stand there each is one
 * step; in any other they are found, too. */
struct imap_set_walk {
	struct span set, rest;
	struct imap_range range; /* the one before `rest`, */
	uint64_t before, size; /* ... the UIDs before it, and in it; 0: none */
};
struct imap_copyuid_walk {
	struct imap_set_walk source, target;
};
void imap_copyuid_begin(
    const struct imap_copyuid *copyuid, struct imap_copyuid_walk *walk_r);
uint32_t imap_copyuid_next(struct imap_copyuid_walk *walk, uint32_t uid);

#endif
