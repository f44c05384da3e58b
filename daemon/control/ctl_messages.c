#include "daemon/control/ctl_messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_folder.h"
#include "daemon/control/ctl_mbox.h"

/* 2001-09-09: nobody had a Maildir name with fewer digits. */
#define MAILDIR_TIME_MIN 1000000000

/* The file that is being read. */
struct ctl_letter {
	int fd;	    /* -1: all that there is is in `data` */
	char *data; /* its beginning; kept from file to file */
	size_t len, cap;
	bool is_over; /* `data` is all of the file */
};

struct reading {
	const struct ctl_messages_sink *sink;
	struct ctl_letter letter;
	struct ctl_message message;
	struct strv flags;
};

static void
complain(const struct reading *r, const char *path, const char *what)
{
	struct error error = ERROR_INIT;

	error_set(&error, FAULT_LOCAL, "%s", what);
	r->sink->unreadable(r->sink->ctx, path, &error);
}

/* ---- bytes of a file ---- */

static void
make_room(struct ctl_letter *letter, size_t size)
{
	if (letter->cap >= size)
		return;
	letter->cap = size > 2 * letter->cap ? size : 2 * letter->cap;
	letter->data = xreallocarray(letter->data, letter->cap, 1);
}

/* Goes on until `size` bytes are there or the file is over. False: errno. */
static bool
read_until(struct ctl_letter *letter, size_t size)
{
	while (!letter->is_over && letter->len < size) {
		make_room(letter, letter->len + CTL_AHEAD_BYTES);
		ssize_t count = read(letter->fd, letter->data + letter->len,
		    letter->cap - letter->len);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		letter->len += (size_t)count;
		letter->is_over = count == 0;
	}
	return true;
}

/* For most messages one read is enough: a file gives less than it is asked
 * for only at its end. */
static bool
read_beginning(struct ctl_letter *letter)
{
	ssize_t count;

	letter->len = 0;
	letter->is_over = false;
	make_room(letter, CTL_AHEAD_BYTES);
	do
		count = read(letter->fd, letter->data, CTL_AHEAD_BYTES);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return false;
	letter->len = (size_t)count;
	letter->is_over = count < CTL_AHEAD_BYTES;
	return true;
}

static struct span
letter_span(const struct ctl_letter *letter)
{
	return span_from(letter->data, letter->len);
}

static bool
has_empty_line(struct span bytes)
{
	return span_find_span(bytes, SPAN("\n\n"), 0) != SIZE_MAX ||
	       span_find_span(bytes, SPAN("\n\r\n"), 0) != SIZE_MAX;
}

static bool
read_head(struct ctl_letter *letter)
{
	while (!letter->is_over && letter->len <= MESSAGE_HEADER_MAX &&
	       !has_empty_line(letter_span(letter)))
		if (!read_until(letter, 4 * letter->len))
			return false;
	return true;
}

struct span
ctl_message_whole(const struct ctl_message *message)
{
	struct ctl_letter *letter = message->letter;

	if (letter->fd >= 0)
		read_until(letter, CTL_MESSAGE_MAX);
	return span_slice(letter_span(letter), 0, CTL_MESSAGE_MAX);
}

/* Gives back what one huge message took. */
static void
shrink(struct ctl_letter *letter)
{
	if (letter->cap <= 64 * CTL_AHEAD_BYTES)
		return;
	free(letter->data);
	*letter = (struct ctl_letter){.fd = letter->fd};
}

static const char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* ---- how big would a server call it? ---- */

/* Line ends that would need a CR. */
static uint64_t
count_bare(struct span bytes)
{
	uint64_t count = 0;
	const char *at = bytes.data, *end = bytes.data + bytes.len;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL)
		if (at++ == bytes.data || at[-2] != '\r')
			count++;
	return count;
}

/* Dovecot and Courier write it: "name,S=1234,W=1250:2,S". */
static bool
size_of_name(const char *name, uint64_t *size_r)
{
	const char *at = strstr(name, ",W=");

	if (at == NULL)
		return false;
	at += 3;
	return span_to_u64(span_from(at, strspn(at, "0123456789")), size_r);
}

static bool
has_cr_lines(struct span bytes)
{
	size_t end = span_find(bytes, '\n');

	return end != SIZE_MAX && end > 0 && bytes.data[end - 1] == '\r';
}

static uint64_t
count_rest(const struct ctl_letter *letter)
{
	char bytes[4 * CTL_AHEAD_BYTES];
	off_t at = (off_t)letter->len;
	uint64_t bare = 0;
	ssize_t count;

	while (at < CTL_MESSAGE_MAX &&
	       (count = pread(letter->fd, bytes, sizeof(bytes), at)) > 0) {
		bare += count_bare(span_from(bytes, (size_t)count));
		at += count;
	}
	return bare;
}

static uint64_t
measure(const struct ctl_letter *letter, const char *path)
{
	uint64_t size = letter->len;
	struct stat st;

	if (!letter->is_over && fstat(letter->fd, &st) == 0)
		size = (uint64_t)st.st_size;
	if (has_cr_lines(letter_span(letter)) ||
	    size_of_name(name_of(path), &size))
		return size;
	size += count_bare(letter_span(letter));
	if (!letter->is_over)
		size += count_rest(letter);
	return size;
}

/* ---- one file ---- */

/* Maildir: "name:2,FRS". */
static void
add_flags(struct strv *flags, const char *name)
{
	static const char letters[] = "DFPRST";
	static const char *const names[] = {"\\Draft", "\\Flagged",
	    "$Forwarded", "\\Answered", "\\Seen", "\\Deleted"};
	const char *info = strstr(name, ":2,");

	for (size_t i = 0; info != NULL && letters[i] != '\0'; i++)
		if (strchr(info + 3, letters[i]) != NULL)
			strv_add(flags, names[i]);
}

/* "1795255200.M123P45.host" begins with the time of delivery. */
static int64_t
time_of_name(const char *name)
{
	uint32_t seconds;
	size_t digits = strspn(name, "0123456789");

	if (name[digits] != '.' ||
	    !span_to_u32(span_from(name, digits), &seconds) ||
	    seconds < MAILDIR_TIME_MIN)
		return 0;
	return seconds;
}

static const char *
packed_by(struct span bytes)
{
	static const struct {
		const char *magic, *what;
	} packers[] = {
	    {"\x1f\x8b", "packed by gzip: unpack it first"},
	    {"\x28\xb5\x2f\xfd", "packed by zstd: unpack it first"},
	    {"\xfd\x37zXZ", "packed by xz: unpack it first"},
	    {"BZh", "packed by bzip2: unpack it first"},
	    {"PK\x03\x04", "a zip archive: unpack it first"},
	};

	for (size_t i = 0; i < sizeof(packers) / sizeof(*packers); i++)
		if (span_starts(bytes, packers[i].magic))
			return packers[i].what;
	return NULL;
}

static void
give_of_mbox(void *ctx, const struct ctl_mbox_message *from)
{
	struct reading *r = ctx;
	struct ctl_letter kept = r->letter;

	r->message.index = from->index;
	r->message.head = from->bytes;
	r->message.size = from->size;
	r->message.is_mbox = from->is_mbox;
	if (from->received_unix != 0)
		r->message.received_unix = from->received_unix;
	r->letter = (struct ctl_letter){
	    .fd = -1,
	    .data = (char *)(uintptr_t)from->bytes.data,
	    .len = from->bytes.len,
	};
	r->sink->message(r->sink->ctx, &r->message);
	r->letter = kept;
}

static void
read_stream(struct reading *r, int fd, struct span already)
{
	struct error error = ERROR_INIT;
	size_t keep = r->sink->keeps_whole ? CTL_MESSAGE_MAX : 0;

	r->message.index = 0;
	if (!ctl_mbox_read(fd, already, keep, give_of_mbox, r, &error))
		r->sink->unreadable(r->sink->ctx, r->message.source, &error);
	else if (r->message.index == 0)
		complain(r, r->message.source, "the file is empty");
}

static bool
is_mbox(const struct ctl_letter *letter)
{
	struct span rest = letter_span(letter), line;
	int64_t when;

	return span_starts(rest, "From ") && span_split(&rest, '\n', &line) &&
	       ctl_mbox_is_from_line(line, &when);
}

/* Some programs begin a text with a mark of its encoding. */
static struct span
without_mark(struct span bytes)
{
	return span_starts(bytes, "\xef\xbb\xbf") ? span_skip(bytes, 3) : bytes;
}

/* Its beginning was read. */
static void
give_file(struct reading *r, bool is_maildir)
{
	struct ctl_letter *letter = &r->letter;
	const char *packed = packed_by(letter_span(letter));

	if (letter->len == 0) {
		complain(r, r->message.source, "the file is empty");
	} else if (packed != NULL) {
		complain(r, r->message.source, packed);
	} else if (!is_maildir && is_mbox(letter)) {
		read_stream(r, letter->fd, letter_span(letter));
	} else if (!read_head(letter)) {
		complain(r, r->message.source, strerror(errno));
	} else {
		r->message.index = 1;
		r->message.size = measure(letter, r->message.source);
		r->message.head = without_mark(letter_span(letter));
		r->sink->message(r->sink->ctx, &r->message);
	}
}

static void
begin_source(struct reading *r, const char *source, const char *mailbox)
{
	strv_done(&r->flags);
	r->message = (struct ctl_message){
	    .source = source,
	    .mailbox = mailbox,
	    .flags = &r->flags,
	    .letter = &r->letter,
	};
}

static void
read_name(struct reading *r, const char *name, bool is_maildir)
{
	struct stat st;

	if (is_maildir) {
		add_flags(&r->flags, name);
		r->message.received_unix = time_of_name(name);
	}
	if (r->message.received_unix == 0 && stat(r->message.source, &st) == 0)
		r->message.received_unix = (int64_t)st.st_mtime;
}

/* -1: errno. A FIFO does not wait for a writer, nor a device for a line. */
static int
open_file(int folder, const char *name)
{
	return openat(
	    folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* The rest of a file that has more goes into memory of our own. */
static void
copy_beginning(struct ctl_letter *letter, const struct ctl_ahead_file *file)
{
	make_room(letter, file->len);
	memcpy(letter->data, file->data, file->len);
	letter->fd = file->fd;
	letter->len = file->len;
	letter->is_over = false;
}

static void
give_long_file(struct reading *r, const struct ctl_entry *entry)
{
	copy_beginning(&r->letter, entry->file);
	give_file(r, entry->is_maildir);
	close(entry->file->fd);
	r->letter.fd = -1;
	shrink(&r->letter);
}

static void
give_short_file(struct reading *r, const struct ctl_entry *entry)
{
	struct ctl_letter kept = r->letter;

	r->letter = (struct ctl_letter){
	    .fd = -1,
	    .data = entry->file->data,
	    .len = entry->file->len,
	    .is_over = true,
	};
	give_file(r, entry->is_maildir);
	r->letter = kept;
}

static void
on_entry(void *ctx, const struct ctl_entry *entry)
{
	struct reading *r = ctx;
	const struct ctl_ahead_file *file = entry->file;

	begin_source(r, entry->path, entry->mailbox);
	if (file->error != 0) {
		complain(r, entry->path, strerror(file->error));
		return;
	}
	read_name(r, file->name, entry->is_maildir);
	if (file->is_over)
		give_short_file(r, entry);
	else
		give_long_file(r, entry);
}

static void
on_unreadable(void *ctx, const char *path, const struct error *error)
{
	const struct reading *r = ctx;

	r->sink->unreadable(r->sink->ctx, path, error);
}

/* ---- what was named ---- */

/* A file, or a FIFO, as a shell makes them of <(command). */
static void
read_file(struct reading *r, const char *path, mode_t mode)
{
	const char *name = name_of(path);
	bool is_maildir = strstr(name, ":2,") != NULL;
	int fd = -1;

	if (S_ISREG(mode) || S_ISFIFO(mode))
		fd = open_file(AT_FDCWD, path);
	else
		errno = EINVAL;
	begin_source(r, path, NULL);
	if (fd < 0) {
		complain(r, path,
		    errno == EINVAL ? "neither a file nor a folder"
				    : strerror(errno));
		return;
	}
	r->letter.fd = fd;
	read_name(r, name, is_maildir);
	if (S_ISREG(mode) && !read_beginning(&r->letter))
		complain(r, path, strerror(errno));
	else if (S_ISREG(mode))
		give_file(r, is_maildir);
	else if (fcntl(fd, F_SETFL, 0) == 0)
		read_stream(r, fd, SPAN_EMPTY);
	close(fd);
	r->letter.fd = -1;
}

static void
read_folder(struct reading *r, const char *path)
{
	const struct ctl_folder_sink sink = {
	    .entry = on_entry, .unreadable = on_unreadable, .ctx = r};

	ctl_folder_walk(path, &sink);
}

static void
read_path(struct reading *r, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0) {
		begin_source(r, path, NULL);
		read_stream(r, STDIN_FILENO, SPAN_EMPTY);
	} else if (stat(path, &st) < 0) {
		complain(r, path, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		read_folder(r, path);
	} else {
		read_file(r, path, st.st_mode);
	}
}

void
ctl_messages_read(const char *path, const struct ctl_messages_sink *sink)
{
	struct reading reading = {.sink = sink, .letter = {.fd = -1}};

	read_path(&reading, path);
	free(reading.letter.data);
	strv_done(&reading.flags);
}
