/*
 * config/secrets: where an account's password or token comes from, and what
 * may be taken for one.
 *
 * The daemon runs the command (with SECRET_COMMAND_USEC as its limit) before
 * every login and hands what came back to secret_from_output. A secret is
 * never empty: a failing command must not become an empty password.
 */
#ifndef BELFRY_CONFIG_SECRETS_H
#define BELFRY_CONFIG_SECRETS_H

#include "daemon/base/error.h"
#include "daemon/base/secret.h"
#include "daemon/base/strv.h"
#include "daemon/base/usec.h"

#define SECRET_COMMAND_USEC (30 * USEC_SEC)
#define SECRET_ARGV_MAX 100 /* arguments of a command */

enum secret_kind {
	SECRET_NONE,	   /* auth = external */
	SECRET_COMMAND,	   /* argv prints it */
	SECRET_KEYRING,	   /* argv asks the desktop's keyring for it */
	SECRET_CREDENTIAL, /* a file in $CREDENTIALS_DIRECTORY */
	SECRET_LITERAL,	   /* in the configuration */
	SECRET_SIGN_IN,	   /* a token, of `belfryctl login` */
};

struct secret_source {
	enum secret_kind kind;
	struct strv argv; /* command, keyring */
	char *credential; /* the file's name */
	struct secret literal;
};

void secret_source_done(struct secret_source *source);
/* "password_command", "keyring", ...: for logs; a constant. */
const char *secret_kind_name(enum secret_kind kind);

/*
 *   command  = argument *( 1*WSP argument )
 *   argument = 1*( char / "'" *char "'" / DQUOTE *( char / "\" char ) DQUOTE )
 *
 * Single quotes take everything, double quotes know \" and \\, no other
 * character is special: no shell. On failure *offset_r is the byte where the
 * trouble is. argv_r must be empty.
 */
bool argv_split(struct span text, struct strv *argv_r, size_t *offset_r,
    struct error *error_r);

/* secret-tool lookup service belfry account NAME */
void secret_keyring_argv(const char *account, struct strv *argv_r);

/*
 * What a command printed: its first line, if it ended with status 0, printed
 * nothing else but empty lines, and the line has 1 to SECRET_MAX bytes
 * without control characters. `name` is the command's for the error, which
 * shows `errors` (its standard error) but never its output. FAULT_AUTH.
 */
bool secret_from_output(const char *name, int status, bool timed_out,
    struct span output, struct span errors, struct secret *secret_r,
    struct error *error_r);
/* Whether what a command gave can be an access token (RFC 6750 section 2.1):
 * one word, and no JSON document. The error says what to print instead.
 * FAULT_AUTH.
 */
bool secret_check_token(
    const char *name, struct span token, struct error *error_r);

/* Reads $CREDENTIALS_DIRECTORY/NAME (systemd.exec(5), LoadCredential=); one
 * line end at the end of the file is not part of the secret. `directory` is
 * the variable's value, NULL when it is not set. */
bool secret_from_credential(const char *directory, const char *name,
    struct secret *secret_r, struct error *error_r);

#endif
