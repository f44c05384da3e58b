#include "daemon/loop/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"

#define BACKLOG 16

struct server {
	int fd;
	/* Held back for the day when there are no more descriptors: without
	 * it a waiting client could be neither served nor turned away, and
	 * the loop would spin. */
	int reserve_fd;
	char *path;
	dev_t device; /* of our socket: only that one is removed */
	ino_t inode;
	struct loop_watch *watch;
	/* Sockets handed out, with their inode in the kernel's socket file
	 * system: a descriptor that is closed, or is another file by now, is
	 * no client any more. */
	struct client {
		int fd;
		ino_t inode;
	} clients[SERVER_CLIENTS_MAX];
	unsigned client_count;
	server_fn *fn;
	void *ctx;
};

union address {
	struct sockaddr any;
	struct sockaddr_un un;
};

static bool
fail(struct error *error_r, const char *path, const char *reason)
{
	return error_set(
	    error_r, FAULT_LOCAL, "control socket %s: %s", path, reason);
}

static bool
set_address(union address *address, const char *path, struct error *error_r)
{
	memset(address, 0, sizeof(*address));
	address->un.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->un.sun_path))
		return fail(error_r, path,
		    "the path is too long for a socket (107 bytes)");
	memcpy(address->un.sun_path, path, strlen(path) + 1);
	return true;
}

/* A directory in which nobody else can put a socket in place of ours. */
static bool
make_directory(const char *path, struct error *error_r)
{
	STR_AUTO dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	struct stat info;

	if (slash == NULL || slash == dir)
		return true;
	*slash = '\0';
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return fail(error_r, dir, strerror(errno));
	if (lstat(dir, &info) != 0)
		return fail(error_r, dir, strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return fail(error_r, dir, "is not a directory");
	if (info.st_uid != geteuid() && info.st_uid != 0)
		return fail(error_r, dir, "belongs to another user");
	if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    (info.st_mode & S_ISVTX) == 0)
		return fail(error_r, dir,
		    "others may write to this directory: chmod go-w");
	return true;
}

/* Does anybody answer there? Refused: nobody. */
static bool
is_live(const union address *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool live = true;

	if (fd < 0)
		return true; /* cannot tell: leave it alone */
	if (connect(fd, &address->any, sizeof(address->un)) != 0)
		live = errno != ECONNREFUSED && errno != ENOENT;
	close(fd);
	return live;
}

static bool
remove_stale(
    const char *path, const union address *address, struct error *error_r)
{
	struct stat info;

	if (lstat(path, &info) != 0)
		return errno == ENOENT || fail(error_r, path, strerror(errno));
	if (!S_ISSOCK(info.st_mode))
		return fail(error_r, path,
		    "there is something that is not a socket: move it away");
	if (info.st_uid != geteuid())
		return fail(error_r, path, "belongs to another user");
	if (is_live(address))
		return fail(error_r, path, "another belfryd serves it");
	if (unlink(path) != 0 && errno != ENOENT)
		return fail(error_r, path, strerror(errno));
	return true;
}

/* Mode 0600 from its first moment on. */
static bool
bind_private(int fd, const union address *address)
{
	mode_t before = umask(0177);
	bool ok = bind(fd, &address->any, sizeof(address->un)) == 0;

	umask(before);
	return ok;
}

static bool
open_socket(struct server *server, struct error *error_r)
{
	union address address;
	struct stat info;

	if (!set_address(&address, server->path, error_r) ||
	    !make_directory(server->path, error_r) ||
	    !remove_stale(server->path, &address, error_r))
		return false;
	server->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->fd < 0 || !bind_private(server->fd, &address) ||
	    lstat(server->path, &info) != 0)
		return fail(error_r, server->path, strerror(errno));
	server->device = info.st_dev;
	server->inode = info.st_ino;
	if (listen(server->fd, BACKLOG) != 0)
		return fail(error_r, server->path, strerror(errno));
	return true;
}

static bool
may_talk(int fd)
{
	uid_t uid;
#ifdef SO_PEERCRED
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	uid = peer.uid;
#else
	gid_t gid;

	if (getpeereid(fd, &uid, &gid) != 0)
		return false;
#endif
	return uid == geteuid() || uid == 0;
}

static ino_t
inode_of(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode) ? info.st_ino
							       : 0;
}

static void
forget_closed(struct server *server)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < server->client_count; i++)
		if (inode_of(server->clients[i].fd) == server->clients[i].inode)
			server->clients[kept++] = server->clients[i];
	server->client_count = kept;
}

static void
take_client(struct server *server, int fd)
{
	forget_closed(server);
	if (!may_talk(fd) || server->client_count == SERVER_CLIENTS_MAX) {
		close(fd);
		return;
	}
	server->clients[server->client_count++] =
	    (struct client){fd, inode_of(fd)};
	server->fn(server->ctx, fd);
}

/* No descriptor is left for it: let it in by the reserve and close it. */
static void
turn_away(struct server *server)
{
	int fd;

	close(server->reserve_fd);
	fd = accept(server->fd, NULL, NULL);
	if (fd >= 0)
		close(fd);
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* One at a time: `fn` may free the server. */
static void
on_client(void *ctx, unsigned ready)
{
	struct server *server = ctx;
	int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)ready;
	if (fd >= 0)
		take_client(server, fd);
	else if (errno == EMFILE || errno == ENFILE)
		turn_away(server);
}

struct server *
server_new(struct loop *loop, const char *path, server_fn *fn, void *ctx,
    struct error *error_r)
{
	struct server *server = NEW(struct server);

	server->path = xstrdup(path);
	server->fd = -1;
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	server->fn = fn;
	server->ctx = ctx;
	if (!open_socket(server, error_r)) {
		server_free(&server);
		return NULL;
	}
	server->watch = loop_watch_new(loop, server->fd, on_client, server);
	loop_watch_set(server->watch, LOOP_READ);
	return server;
}

static void
remove_ours(const struct server *server)
{
	struct stat info;

	if (server->inode != 0 && lstat(server->path, &info) == 0 &&
	    info.st_dev == server->device && info.st_ino == server->inode)
		unlink(server->path);
}

void
server_free(struct server **server_ptr)
{
	struct server *server = *server_ptr;

	if (server == NULL)
		return;
	loop_watch_free(&server->watch);
	remove_ours(server);
	if (server->fd >= 0)
		close(server->fd);
	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	free(server->path);
	free(server);
	*server_ptr = NULL;
}
