/*
 * sim/personality: the folders that servers have before a client comes: names
 * as they are on the wire, and attributes as LIST shows them (XLIST, where that
 * is all that shows them). Of personality.c alone.
 */
#ifndef BELFRY_SIM_PERSONALITY_FOLDERS_H
#define BELFRY_SIM_PERSONALITY_FOLDERS_H

#include "tests/sim/personality.h"

/* What they have whose `folders` are not said: with SPECIAL-USE ... */
static const struct personality_folder special_folders[] = {
    {"Archive", "\\HasNoChildren \\Archive"},
    {"Junk", "\\HasNoChildren \\Junk"},
    {"Trash", "\\HasNoChildren \\Trash"},
    {"Sent", "\\HasNoChildren \\Sent"},
    {0},
};

/* ... and without. */
static const struct personality_folder plain_folders[] = {
    {"Archive", "\\HasNoChildren"},
    {"Junk", "\\HasNoChildren"},
    {"Trash", "\\HasNoChildren"},
    {"Sent", "\\HasNoChildren"},
    {0},
};

static const struct personality_folder lowercase_folders[] = {
    {"Archive", "\\HasNoChildren"},
    {"Junk", "\\HasNoChildren"},
    {"Trash", "\\HasNoChildren"},
    {"Ablage", "\\hasnochildren \\archive"},
    {"Werbung", "\\hasnochildren \\junk"},
    {"Weg", "\\hasnochildren \\trash"},
    {0},
};

/* German, and some that somebody has made before: names do not count. */
static const struct personality_folder german_folders[] = {
    {"Archive", "\\HasNoChildren"},
    {"Spam", "\\HasNoChildren"},
    {"Trash", "\\HasNoChildren"},
    {"Ablage", "\\Archive"},
    {"Werbung", "\\Junk"},
    {"Gel&APY-scht", "\\Trash"},
    {0},
};

static const struct personality_folder xlist_folders[] = {
    {"Archive", "\\HasNoChildren"},
    {"Junk", "\\HasNoChildren"},
    {"Trash", "\\HasNoChildren"},
    {"Ablage", "\\HasNoChildren \\Archive"},
    {"Werbung", "\\HasNoChildren \\Spam"},
    {"Weg", "\\HasNoChildren \\Trash"},
    {0},
};

static const struct personality_folder unadvertised_folders[] = {
    {"Archive", "\\HasNoChildren"},
    {"Junk", "\\HasNoChildren"},
    {"Trash", "\\HasNoChildren"},
    {"Ablage", "\\HasNoChildren \\Archive"},
    {"Bulk", "\\HasNoChildren \\Junk"},
    {"Weg", "\\HasNoChildren \\Trash"},
    {0},
};

static const struct personality_folder three_way_folders[] = {
    {"Gesendet", "\\HasNoChildren"},
    {"Papierkorb", "\\HasNoChildren"},
    {"Spam", "\\HasNoChildren"},
    {"Archiv", "\\HasNoChildren"},
    {"Unbekannt", "\\HasNoChildren"},
    {0},
};

static const struct personality_folder label_folders[] = {
    {"Archive", "\\HasNoChildren \\Archive"},
    {"Junk", "\\HasNoChildren \\Junk"},
    {"Trash", "\\HasNoChildren \\Trash"},
    {"Labels", "\\Noselect \\HasChildren"},
    {"Labels/work", "\\HasNoChildren"},
    {0},
};

/* ---- services ---- */

static const struct personality_folder icloud_folders[] = {
    {"Sent Messages", "\\HasNoChildren"},
    {"Deleted Messages", "\\HasNoChildren"},
    {"Drafts", "\\HasNoChildren"},
    {"Junk", "\\HasNoChildren"},
    {"Archive", "\\HasNoChildren"},
    {0},
};

static const struct personality_folder gmail_folders[] = {
    {"[Gmail]", "\\HasChildren \\NonExistent"},
    {"[Gmail]/All Mail", "\\All \\HasNoChildren"},
    {"[Gmail]/Drafts", "\\Drafts \\HasNoChildren"},
    {"[Gmail]/Important", "\\Important \\HasNoChildren"},
    {"[Gmail]/Sent Mail", "\\HasNoChildren \\Sent"},
    {"[Gmail]/Spam", "\\HasNoChildren \\Junk"},
    {"[Gmail]/Starred", "\\Flagged \\HasNoChildren"},
    {"[Gmail]/Trash", "\\HasNoChildren \\Trash"},
    {0},
};

static const struct personality_folder exchange_folders[] = {
    {"Archive", "\\HasNoChildren"},
    {"Deleted Items", "\\HasNoChildren"},
    {"Drafts", "\\HasNoChildren"},
    {"Junk Email", "\\HasNoChildren"},
    {"Sent Items", "\\HasNoChildren"},
    {0},
};

static const struct personality_folder outlook_folders[] = {
    {"Archive", "\\HasNoChildren"},
    {"Deleted", "\\HasNoChildren"},
    {"Drafts", "\\HasNoChildren"},
    {"Junk", "\\HasNoChildren"},
    {"Sent", "\\HasNoChildren"},
    {0},
};

static const struct personality_folder yahoo_folders[] = {
    {"Junk", "\\HasNoChildren"}, /* somebody's own */
    {"Archive", "\\Archive \\HasNoChildren"},
    {"Bulk", "\\Junk \\HasNoChildren"},
    {"Draft", "\\Drafts \\HasNoChildren"},
    {"Sent", "\\Sent \\HasNoChildren"},
    {"Trash", "\\Trash \\HasNoChildren"},
    {0},
};

static const struct personality_folder zoho_folders[] = {
    {"Junk", "\\HasNoChildren"}, /* somebody's own */
    {"Archiv", "\\HasNoChildren"},
    {"Spamverdacht", "\\Spam \\HasNoChildren"},
    {"Gel&APY-scht", "\\Trash \\HasNoChildren"},
    {0},
};

static const struct personality_folder yandex_folders[] = {
    {"Junk", "\\HasNoChildren"}, /* somebody's own */
    {"Archive", "\\HasNoChildren"},
    {"Spam", "\\Spam \\HasNoChildren"},
    {"Trash", "\\Trash \\HasNoChildren"},
    {0},
};

static const struct personality_folder mailru_folders[] = {
    {"&BBAEQARFBDgEMg-", "\\HasNoChildren \\Archive"},
    {"&BCEEPwQwBDw-", "\\HasNoChildren \\Spam"},
    {"&BBoEPgRABDcEOAQ9BDA-", "\\HasNoChildren \\Trash"},
    {0},
};

static const struct personality_folder netease_folders[] = {
    {"Archive", "\\HasNoChildren"},
    {"&V4NXPpCuTvY-", "\\Junk \\HasNoChildren"},
    {"&XfJSIJZk-", "\\Trash \\HasNoChildren"},
    {0},
};

static const struct personality_folder qq_folders[] = {
    {"Archive", "\\HasNoChildren"},
    {"Junk", "\\HasNoChildren"},
    {"Deleted Messages", "\\HasNoChildren"},
    {0},
};

static const struct personality_folder proton_folders[] = {
    {"All Mail", "\\Noinferiors"},
    {"Archive", "\\Noinferiors"},
    {"Folders", "\\HasChildren \\Noselect"},
    {"Folders/Work", "\\HasNoChildren"},
    {"Labels", "\\HasChildren \\Noselect"},
    {"Labels/work", "\\HasNoChildren"},
    {"Sent", "\\Noinferiors"},
    {"Spam", "\\Noinferiors"},
    {"Trash", "\\Noinferiors"},
    {0},
};

/* Those that Debian has, as they are when somebody has made folders. */
static const struct personality_folder courier_folders[] = {
    {"INBOX.Trash", "\\HasNoChildren"},
    {"INBOX.Junk", "\\HasNoChildren"},
    {"INBOX.Archive", "\\HasNoChildren"},
    {0},
};

#endif
