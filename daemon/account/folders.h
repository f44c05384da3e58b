/*
 * account/folders: the mailboxes of one account, and how names that a person
 * writes map to names on the wire.
 *
 * A person writes UTF-8 with '/' between levels, or "\Trash" for a
 * special-use mailbox (RFC 6154). The server wants modified UTF-7, its own
 * delimiter and perhaps a namespace prefix ("INBOX."). INBOX compares without
 * case. The server's delimiter inside a level becomes '_'. A mailbox that is
 * there is called by its own bytes, though they are no correct UTF-7 or lie
 * outside of the prefix: what is displayed leads back to it. Special-use
 * attributes come first; where the server has none, a table of usual names
 * decides.
 */
#ifndef BELFRY_ACCOUNT_FOLDERS_H
#define BELFRY_ACCOUNT_FOLDERS_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/wire/imap/fetch.h"

#define FOLDERS_MAX 20000    /* mailboxes remembered; more are not known */
#define FOLDER_NAME_MAX 1000 /* bytes of one name on the wire */

enum folder_use {
	FOLDER_NONE,
	FOLDER_ARCHIVE,
	FOLDER_JUNK,
	FOLDER_TRASH,
	FOLDER_SENT,
	FOLDER_USES
};

struct folder {
	char *wire; /* owned: as the server writes it */
	/* UTF-8, '/' between levels, prefix removed; mostly the same, and then
	 * it is `wire`. Owned, too. */
	char *display;
	enum folder_use use;
	bool selectable;
};

struct folders {
	struct folder *items; /* owned */
	size_t count, cap;
	char delimiter; /* 0: flat */
	char *prefix;	/* owned: of the personal namespace; "" when none */
	bool known;	/* a LIST was read to its end */
};

void folders_init(struct folders *folders);
void folders_done(struct folders *folders);
/* Forgets everything, before a new LIST. */
void folders_clear(struct folders *folders);

/* Reads an untagged NAMESPACE (RFC 2342) or LIST; others are ignored. */
void folders_read(
    struct folders *folders, const struct imap_response *response);
void folders_add(struct folders *folders, const struct imap_list_entry *entry);

/* "\Archive" and so on to its use; FOLDER_NONE for plain names. */
enum folder_use folder_use_of(const char *name);
/*
 * Appends the wire name of what a person wrote. False, with words: a name
 * that cannot be written, or a special-use mailbox that this account does
 * not have.
 */
bool folders_wire_name(const struct folders *folders, const char *name,
    struct buf *wire, struct error *error_r);
/* The mailbox with this wire name; NULL when not known. */
const struct folder *folders_find(
    const struct folders *folders, struct span wire);
/* Appends what a person would write for it. */
void folders_display_name(
    const struct folders *folders, struct span wire, struct buf *display);
/* '*' matches anything, '%' anything but '/'; INBOX without case. */
bool folder_matches(const char *pattern, const char *display);

#endif
