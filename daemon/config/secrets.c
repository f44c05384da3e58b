/* Where passwords and tokens come from: see secrets.h. */
#include "daemon/config/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define COMPLAINT_MAX 200 /* characters shown of a command's complaint */

void
secret_source_done(struct secret_source *source)
{
	strv_done(&source->argv);
	free(source->credential);
	source->credential = NULL;
	secret_wipe(&source->literal);
	source->kind = SECRET_NONE;
}

const char *
secret_kind_name(enum secret_kind kind)
{
	static const char *const names[] = {
	    [SECRET_NONE] = "none",
	    [SECRET_COMMAND] = "command",
	    [SECRET_KEYRING] = "keyring",
	    [SECRET_CREDENTIAL] = "credential",
	    [SECRET_LITERAL] = "password",
	    [SECRET_SIGN_IN] = "sign-in",
	};

	return names[kind];
}

/* ---- argv ---- */

/* A quoted piece; *at stands on the opening quote and ends behind the
 * closing one. */
static bool
split_quoted(struct span text, size_t *at, struct buf *argument)
{
	char quote = text.data[*at];

	for (size_t i = *at + 1; i < text.len; i++) {
		char c = text.data[i];
		if (c == quote) {
			*at = i + 1;
			return true;
		}
		if (c == '\\' && quote == '"' && i + 1 < text.len &&
		    strchr("\\\"", text.data[i + 1]) != NULL)
			c = text.data[++i];
		buf_add_char(argument, c);
	}
	return false;
}

static bool
split_argument(struct span text, size_t *at, struct buf *argument)
{
	while (*at < text.len && !char_is_blank(text.data[*at])) {
		char c = text.data[*at];
		if (c != '"' && c != '\'') {
			buf_add_char(argument, c);
			(*at)++;
		} else if (!split_quoted(text, at, argument)) {
			return false;
		}
	}
	return true;
}

bool
argv_split(struct span text, struct strv *argv_r, size_t *offset_r,
    struct error *error_r)
{
	STRV_AUTO argv = STRV_INIT;
	BUF_AUTO argument = BUF_INIT;

	for (size_t at = 0; at < text.len;) {
		if (char_is_blank(text.data[at])) {
			at++;
			continue;
		}
		*offset_r = at;
		buf_truncate(&argument, 0);
		if (argv.len >= SECRET_ARGV_MAX)
			return error_set(error_r, FAULT_CONFIG,
			    "more than %d arguments", SECRET_ARGV_MAX);
		if (!split_argument(text, &at, &argument)) {
			*offset_r = at;
			return error_set(error_r, FAULT_CONFIG,
			    "the quote that opens here is not closed");
		}
		strv_add(&argv, buf_str(&argument));
	}
	*offset_r = 0;
	if (argv.len == 0 || *argv.items[0] == '\0')
		return error_set(
		    error_r, FAULT_CONFIG, "the command has no name");
	*argv_r = argv;
	argv = (struct strv)STRV_INIT;
	return true;
}

void
secret_keyring_argv(const char *account, struct strv *argv_r)
{
	static const char *const words[] = {
	    "secret-tool", "lookup", "service", "belfry", "account"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		strv_add(argv_r, words[i]);
	strv_add(argv_r, account);
}

/* ---- what may be taken for a secret ---- */

/* ": what it complained about", or nothing. */
static void
add_complaint(struct buf *buf, struct span errors)
{
	struct span text = span_trim(errors);

	if (text.len == 0)
		return;
	buf_add_str(buf, ": ");
	str_sanitize(buf, text, COMPLAINT_MAX);
}

static bool
check_secret(const char *name, struct span secret, struct error *error_r)
{
	if (secret.len == 0)
		return error_set(error_r, FAULT_AUTH, "%s gave nothing", name);
	if (secret.len > SECRET_MAX)
		return error_set(error_r, FAULT_AUTH,
		    "%s gave more than %d bytes", name, SECRET_MAX);
	for (size_t i = 0; i < secret.len; i++)
		if ((unsigned char)secret.data[i] < 0x20 ||
		    secret.data[i] == 0x7f)
			return error_set(error_r, FAULT_AUTH,
			    "%s gave a control character", name);
	return true;
}

/* The first line without its end; false when more than empty lines follow. */
static bool
first_line(struct span output, struct span *line_r)
{
	size_t end = span_find(output, '\n');
	struct span line = span_slice(output, 0, end);

	if (end != SIZE_MAX && span_trim(span_skip(output, end)).len > 0)
		return false;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	*line_r = line;
	return true;
}

static bool
is_json(struct span text)
{
	text = span_trim(text);
	return text.len > 0 && (*text.data == '{' || *text.data == '[');
}

bool
secret_check_token(const char *name, struct span token, struct error *error_r)
{
	if (is_json(token))
		return error_set(error_r, FAULT_AUTH,
		    "%s printed a JSON document, and not a token: let it print "
		    "the value of access_token alone",
		    name);
	if (span_find(token, ' ') != SIZE_MAX)
		return error_set(error_r, FAULT_AUTH,
		    "%s printed several words, and not a token alone", name);
	return true;
}

bool
secret_from_output(const char *name, int status, bool timed_out,
    struct span output, struct span errors, struct secret *secret_r,
    struct error *error_r)
{
	BUF_AUTO complaint = BUF_INIT;
	struct span line;

	add_complaint(&complaint, errors);
	if (timed_out)
		return error_set(error_r, FAULT_AUTH,
		    "%s did not end within %u s and was stopped%s (nobody can "
		    "answer what it asks: run it yourself, unlock what it "
		    "needs, then belfryctl reload)",
		    name, (unsigned)(SECRET_COMMAND_USEC / USEC_SEC),
		    buf_str(&complaint));
	if (status != 0)
		return error_set(error_r, FAULT_AUTH,
		    "%s failed with status %d%s", name, status,
		    buf_str(&complaint));
	if (!first_line(output, &line))
		return error_set(error_r, FAULT_AUTH,
		    "%s printed more than one line%s", name,
		    is_json(output) ? ", a JSON document" : "");
	if (line.len == 0 && complaint.len > 0)
		return error_set(error_r, FAULT_AUTH, "%s printed nothing%s",
		    name, buf_str(&complaint));
	if (!check_secret(name, line, error_r))
		return false;
	secret_set(secret_r, line);
	return true;
}

/* ---- credentials ---- */

static bool
read_all(int fd, char *data, size_t size, size_t *len_r)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, data + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*len_r = len;
	return true;
}

static bool
read_credential(
    const char *path, struct secret *secret_r, struct error *error_r)
{
	char data[SECRET_MAX + 2]; /* a line end, and one byte too many */
	struct span line;
	struct stat st;
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return error_set(error_r, FAULT_AUTH, "credential %s: %s", path,
		    strerror(errno));
	bool done = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    read_all(fd, data, sizeof(data), &len);
	close(fd);
	if (!done) {
		error_set(error_r, FAULT_AUTH,
		    "credential %s cannot be read as a file", path);
	} else if (!first_line(span_from(data, len), &line)) {
		done = error_set(error_r, FAULT_AUTH,
		    "credential %s has more than one line", path);
	} else if ((done = check_secret(path, line, error_r))) {
		secret_set(secret_r, line);
	}
	memory_wipe(data, sizeof(data));
	return done;
}

bool
secret_from_credential(const char *directory, const char *name,
    struct secret *secret_r, struct error *error_r)
{
	if (directory == NULL || *directory == '\0')
		return error_set(error_r, FAULT_AUTH,
		    "credential %s: $CREDENTIALS_DIRECTORY is not set: add "
		    "LoadCredential=%s to the systemd unit",
		    name, name);
	STR_AUTO path = xasprintf("%s/%s", directory, name);
	return read_credential(path, secret_r, error_r);
}
