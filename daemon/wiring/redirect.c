#include "daemon/wiring/redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/list.h"
#include "daemon/base/xalloc.h"

struct client {
	struct list_link link; /* in redirect::clients, the oldest first */
	struct redirect *redirect;
	struct loop_watch *watch;
	struct buf request; /* has the code: wiped */
	int fd;
};

struct redirect {
	struct loop *loop;
	struct secret state;
	redirect_fn *fn;
	void *ctx;
	struct loop_watch *watch; /* NULL: the answer came */
	int fd;			  /* listens; -1 */
	unsigned port;
	struct list_link clients;
	size_t count;
	struct client *answered; /* waits for its page; or NULL */
};

/* ---- clients ---- */

static void
client_free(struct client *client)
{
	loop_watch_free(&client->watch);
	close(client->fd);
	buf_wipe(&client->request);
	list_remove(&client->link);
	client->redirect->count--;
	free(client);
}

static void
free_clients_but(struct redirect *redirect, const struct client *kept)
{
	LIST_EACH(pos, &redirect->clients)
	{
		struct client *client = LIST_ITEM(pos, struct client, link);
		if (client != kept)
			client_free(client);
	}
}

/* It fits into the socket's buffer; a browser that does not read has not its
 * page. */
static void
send_page(
    struct client *client, unsigned status, const char *title, const char *text)
{
	BUF_AUTO page = BUF_INIT;

	oauth2_add_page(&page, status, title, text);
	if (send(client->fd, page.data, page.len, MSG_NOSIGNAL) < 0)
		return;
	shutdown(client->fd, SHUT_WR);
}

static void
stop_listening(struct redirect *redirect)
{
	loop_watch_free(&redirect->watch);
	if (redirect->fd >= 0)
		close(redirect->fd);
	redirect->fd = -1;
}

static void
take_answer(struct client *client, const struct oauth2_callback *callback)
{
	struct redirect *redirect = client->redirect;

	stop_listening(redirect);
	free_clients_but(redirect, client);
	loop_watch_free(&client->watch);
	redirect->answered = client;
	redirect->fn(redirect->ctx, callback);
}

static void
look_at_request(struct client *client)
{
	struct redirect *redirect = client->redirect;
	struct oauth2_callback callback;

	oauth2_callback_read(buf_span(&client->request),
	    secret_span(&redirect->state), &callback);
	switch (callback.kind) {
	case OAUTH2_CALLBACK_MORE:
		break;
	case OAUTH2_CALLBACK_FOREIGN:
		send_page(client, callback.status, "This is no answer",
		    "It is not the answer to the sign-in that Belfry began. "
		    "Nothing was done.");
		client_free(client);
		break;
	case OAUTH2_CALLBACK_CODE:
	case OAUTH2_CALLBACK_FAILED:
		take_answer(client, &callback);
		break;
	}
	oauth2_callback_done(&callback);
}

static void
on_readable(void *ctx, unsigned ready)
{
	struct client *client = ctx;
	char data[4096];
	ssize_t got;

	(void)ready;
	got = recv(client->fd, data, sizeof(data), 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client_free(client);
		return;
	}
	buf_add(&client->request, data, (size_t)got);
	memory_wipe(data, sizeof(data));
	look_at_request(client);
}

static void
on_client(void *ctx, unsigned ready)
{
	struct redirect *redirect = ctx;
	int fd =
	    accept4(redirect->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *client;

	(void)ready;
	if (fd < 0)
		return;
	if (redirect->count >= REDIRECT_CLIENTS_MAX)
		client_free(
		    LIST_ITEM(redirect->clients.next, struct client, link));
	client = NEW(struct client);
	client->redirect = redirect;
	client->fd = fd;
	list_add(&redirect->clients, &client->link);
	redirect->count++;
	client->watch = loop_watch_new(redirect->loop, fd, on_readable, client);
	loop_watch_set(client->watch, LOOP_READ);
}

/* ---- the port ---- */

static int
listen_at(unsigned port, unsigned *port_r, struct error *error_r)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, (const struct sockaddr *)&address, len) == 0 &&
	    listen(fd, REDIRECT_CLIENTS_MAX) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
		*port_r = ntohs(address.sin_port);
		return fd;
	}
	error_set(error_r, FAULT_LOCAL,
	    "cannot wait on port %u of 127.0.0.1: %s", port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct redirect *
redirect_new(struct loop *loop, unsigned port, struct span state,
    redirect_fn *fn, void *ctx, struct error *error_r)
{
	struct redirect *redirect;
	int fd = listen_at(port, &port, error_r);

	if (fd < 0)
		return NULL;
	redirect = NEW(struct redirect);
	redirect->loop = loop;
	redirect->fn = fn;
	redirect->ctx = ctx;
	redirect->fd = fd;
	redirect->port = port;
	secret_set(&redirect->state, state);
	list_init(&redirect->clients);
	redirect->watch = loop_watch_new(loop, fd, on_client, redirect);
	loop_watch_set(redirect->watch, LOOP_READ);
	return redirect;
}

unsigned
redirect_port(const struct redirect *redirect)
{
	return redirect->port;
}

void
redirect_answer(struct redirect *redirect, unsigned status, const char *title,
    const char *text)
{
	if (redirect->answered == NULL)
		return;
	send_page(redirect->answered, status, title, text);
	client_free(redirect->answered);
	redirect->answered = NULL;
}

void
redirect_free(struct redirect **redirect)
{
	if (*redirect == NULL)
		return;
	stop_listening(*redirect);
	free_clients_but(*redirect, NULL);
	secret_wipe(&(*redirect)->state);
	free(*redirect);
	*redirect = NULL;
}
