/*
 * config/preset_words: a provider in a person's words.
 */
#ifndef BELFRY_CONFIG_PRESET_WORDS_H
#define BELFRY_CONFIG_PRESET_WORDS_H

#include "daemon/base/buf.h"
#include "daemon/config/presets.h"

/* Appends one sentence: which kind of password the provider wants, and where
 * it is made. `preset` NULL: a server of one's own. */
void preset_add_password_words(struct buf *buf, const struct preset *preset);
/* Appends "imap.example.org:993 (TLS)". */
void preset_add_server(struct buf *buf, const struct preset_server *server);
/* "TLS", "STARTTLS" or "in clear": a constant. */
const char *server_tls_name(enum server_tls tls);

#endif
