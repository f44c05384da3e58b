#include "daemon/loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/timerfd.h>
#endif

#include "daemon/base/list.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/heap.h"

#if defined(CLOCK_BOOTTIME)
#define LOOP_CLOCK CLOCK_BOOTTIME
#else
#define LOOP_CLOCK CLOCK_MONOTONIC
#endif

struct loop {
	struct event_base *base;
	/* All timers wait in the heap; one clock event wakes for the first.
	 * libevent's own timers stop while the machine sleeps. */
	struct heap timers;
	struct event *clock;
	int clock_fd;	    /* timerfd, -1 where there is none */
	usec_t armed;	    /* what it is set to */
	struct event *soon; /* instead of it, for what is due at once: a timer
			       of the kernel's would take it longer */
	/* Posted from any thread. */
	pthread_mutex_t post_lock;
	struct list_link posts; /* struct post::link */
	int post_pipe[2];
	atomic_uint waking; /* who has posted, and writes to the pipe */
	struct event *post_event;
	struct list_link exits; /* struct loop_exit::link */
	bool quit;
};

struct loop_timer {
	struct heap_item item; /* first: the heap hands out its address */
	struct loop *loop;
	loop_fn *fn;
	void *ctx;
};

struct loop_watch {
	struct loop *loop;
	struct event *event;
	int fd;
	unsigned interest;
	loop_watch_fn *fn;
	void *ctx;
};

struct loop_signal {
	struct event *event;
	struct loop_timer *soon; /* joins a storm of signals into one call */
};

struct post {
	struct list_link link;
	loop_fn *fn;
	void *ctx;
};

struct loop_exit {
	struct list_link link;
	loop_fn *fn;
	void *ctx;
};

/* Without its event machinery the process has no way to go on. */
static void
die(const char *what)
{
	perror(what);
	abort();
}

/* Clocks. */

usec_t
loop_now(void)
{
	struct timespec now;

	if (clock_gettime(LOOP_CLOCK, &now) != 0)
		die("clock_gettime");
	return (usec_t)now.tv_sec * USEC_SEC + (usec_t)now.tv_nsec / 1000;
}

/* The two clocks are read one after the other, and one of them is slewed: a
 * difference that is hardly another one is taken for the same. */
#define SAME_OFFSET_USEC (USEC_SEC / 2)

int64_t
loop_unix_of(usec_t when)
{
	static int64_t offset; /* what the wall clock is ahead */
	struct timespec wall;

	if (clock_gettime(CLOCK_REALTIME, &wall) != 0)
		die("clock_gettime");
	int64_t found = (int64_t)wall.tv_sec * (int64_t)USEC_SEC +
			wall.tv_nsec / 1000 - (int64_t)loop_now();
	if (found - offset > (int64_t)SAME_OFFSET_USEC ||
	    offset - found > (int64_t)SAME_OFFSET_USEC)
		offset = found;
	return ((int64_t)when + offset) / (int64_t)USEC_SEC;
}

int64_t
loop_now_unix(void)
{
	return (int64_t)time(NULL);
}

int
loop_utc_offset_at(int64_t unix_time)
{
	time_t when = (time_t)unix_time;
	struct tm local;

	tzset();
	if (localtime_r(&when, &local) == NULL)
		return 0;
	return (int)local.tm_gmtoff;
}

int
loop_utc_offset(void)
{
	return loop_utc_offset_at(loop_now_unix());
}

/* Timers. */

static bool
arm_soon(struct loop *loop, const struct heap_item *first)
{
	static const struct timeval at_once = {0, 0};

	if (first == NULL || first->when != 0)
		return false;
	if (event_add(loop->soon, &at_once) != 0)
		die("event_add");
	return true;
}

#ifdef __linux__
static void
clock_arm(struct loop *loop)
{
	struct heap_item *first = heap_first(&loop->timers);
	usec_t when = first == NULL ? USEC_NEVER : first->when;
	struct itimerspec spec = {{0, 0}, {0, 0}};

	if (arm_soon(loop, first) || loop->armed == when)
		return;
	loop->armed = when;
	if (first != NULL) {
		/* Zero would disarm: the past fires at 1 ns after boot. */
		spec.it_value.tv_sec = (time_t)(first->when / USEC_SEC);
		spec.it_value.tv_nsec =
		    (long)(first->when % USEC_SEC) * 1000 + 1;
	}
	if (timerfd_settime(loop->clock_fd, TFD_TIMER_ABSTIME, &spec, NULL) !=
	    0)
		die("timerfd_settime");
}

static void
clock_drain(struct loop *loop)
{
	uint64_t expirations;

	while (read(loop->clock_fd, &expirations, sizeof(expirations)) > 0)
		continue;
	loop->armed = USEC_NEVER;
}
#else
static void
clock_arm(struct loop *loop)
{
	struct heap_item *first = heap_first(&loop->timers);
	struct timeval wait;
	usec_t left;

	if (arm_soon(loop, first))
		return;
	event_del(loop->clock);
	if (first == NULL)
		return;
	left = usec_since(loop_now(), first->when);
	wait.tv_sec = (time_t)(left / USEC_SEC);
	wait.tv_usec = (suseconds_t)(left % USEC_SEC);
	event_add(loop->clock, &wait);
}

static void
clock_drain(struct loop *loop)
{
	(void)loop;
}
#endif

/*
 * Runs what is due. A timer that its callback sets to the past again waits
 * for the next round, so that it cannot shut out the descriptors: `rounds`
 * is the number of timers there were.
 */
static void
on_clock(evutil_socket_t fd, short what, void *ctx)
{
	struct loop *loop = ctx;
	usec_t now = loop_now();
	size_t rounds = loop->timers.len;

	(void)fd;
	if (what & EV_READ)
		clock_drain(loop);
	while (rounds-- > 0) {
		struct heap_item *first = heap_first(&loop->timers);
		struct loop_timer *timer;

		if (first == NULL || first->when > now)
			break;
		heap_remove(&loop->timers, first);
		timer = (struct loop_timer *)(void *)first;
		timer->fn(timer->ctx);
	}
	clock_arm(loop);
}

static void
clock_open(struct loop *loop)
{
	short what = 0;

	loop->clock_fd = -1;
	loop->armed = USEC_NEVER;
#ifdef __linux__
	loop->clock_fd = timerfd_create(LOOP_CLOCK, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->clock_fd < 0)
		die("timerfd_create");
	what = EV_READ | EV_PERSIST;
#endif
	loop->clock =
	    event_new(loop->base, loop->clock_fd, what, on_clock, loop);
	loop->soon = event_new(loop->base, -1, 0, on_clock, loop);
	if (loop->clock == NULL || loop->soon == NULL ||
	    (loop->clock_fd >= 0 && event_add(loop->clock, NULL) != 0))
		die("event_new");
}

struct loop_timer *
loop_timer_new(struct loop *loop, loop_fn *fn, void *ctx)
{
	struct loop_timer *timer = NEW(struct loop_timer);

	timer->loop = loop;
	timer->fn = fn;
	timer->ctx = ctx;
	return timer;
}

void
loop_timer_free(struct loop_timer **timer)
{
	if (*timer == NULL)
		return;
	loop_timer_set(*timer, USEC_NEVER);
	free(*timer);
	*timer = NULL;
}

void
loop_timer_set(struct loop_timer *timer, usec_t when)
{
	struct loop *loop = timer->loop;
	struct heap_item *first = heap_first(&loop->timers);
	usec_t before = first == NULL ? USEC_NEVER : first->when;

	if (when == USEC_NEVER)
		heap_remove(&loop->timers, &timer->item);
	else
		heap_set(&loop->timers, &timer->item, when);
	first = heap_first(&loop->timers);
	if ((first == NULL ? USEC_NEVER : first->when) != before)
		clock_arm(loop);
}

/* Descriptors. */

static void
on_watch(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_watch *watch = ctx;
	unsigned ready = 0;

	(void)fd;
	if (what & EV_READ)
		ready |= LOOP_READ;
	if (what & EV_WRITE)
		ready |= LOOP_WRITE;
	watch->fn(watch->ctx, ready);
}

struct loop_watch *
loop_watch_new(struct loop *loop, int fd, loop_watch_fn *fn, void *ctx)
{
	struct loop_watch *watch = NEW(struct loop_watch);

	watch->loop = loop;
	watch->fd = fd;
	watch->fn = fn;
	watch->ctx = ctx;
	watch->event = event_new(loop->base, fd, 0, on_watch, watch);
	if (watch->event == NULL)
		die("event_new");
	return watch;
}

void
loop_watch_free(struct loop_watch **watch)
{
	if (*watch == NULL)
		return;
	event_free((*watch)->event);
	free(*watch);
	*watch = NULL;
}

void
loop_watch_set(struct loop_watch *watch, unsigned interest)
{
	short what = EV_PERSIST;

	if (interest == watch->interest)
		return;
	watch->interest = interest;
	event_del(watch->event);
	if (interest == 0)
		return;
	if (interest & LOOP_READ)
		what |= EV_READ;
	if (interest & LOOP_WRITE)
		what |= EV_WRITE;
	if (event_assign(watch->event, watch->loop->base, watch->fd, what,
		on_watch, watch) != 0 ||
	    event_add(watch->event, NULL) != 0)
		die("event_add");
}

/* Signals. */

static void
on_signal(evutil_socket_t number, short what, void *ctx)
{
	struct loop_signal *sig = ctx;

	/* libevent calls once for each signal counted, in one go. */
	(void)number;
	(void)what;
	loop_timer_set(sig->soon, 0);
}

struct loop_signal *
loop_signal_new(struct loop *loop, int signal_number, loop_fn *fn, void *ctx)
{
	struct loop_signal *sig = NEW(struct loop_signal);

	sig->soon = loop_timer_new(loop, fn, ctx);
	sig->event = event_new(
	    loop->base, signal_number, EV_SIGNAL | EV_PERSIST, on_signal, sig);
	if (sig->event == NULL || event_add(sig->event, NULL) != 0)
		die("event_add");
	return sig;
}

void
loop_signal_free(struct loop_signal **sig)
{
	if (*sig == NULL)
		return;
	event_free((*sig)->event);
	loop_timer_free(&(*sig)->soon);
	free(*sig);
	*sig = NULL;
}

/* Posted functions. */

static void
run_posts(struct loop *loop)
{
	struct list_link ready;

	list_init(&ready);
	pthread_mutex_lock(&loop->post_lock);
	LIST_EACH(link, &loop->posts)
	{
		list_remove(link);
		list_add(&ready, link);
	}
	pthread_mutex_unlock(&loop->post_lock);
	while (!list_is_empty(&ready)) {
		struct post *post = LIST_ITEM(ready.next, struct post, link);

		list_remove(&post->link);
		post->fn(post->ctx);
		free(post);
	}
}

static void
on_post(evutil_socket_t fd, short what, void *ctx)
{
	char drain[64];

	(void)what;
	/* Where there was room for more there is none left. */
	while (read(fd, drain, sizeof(drain)) == (ssize_t)sizeof(drain))
		continue;
	run_posts(ctx);
}

void
loop_post(struct loop *loop, loop_fn *fn, void *ctx)
{
	struct post *post = NEW(struct post);
	bool wake;

	post->fn = fn;
	post->ctx = ctx;
	pthread_mutex_lock(&loop->post_lock);
	wake = list_is_empty(&loop->posts);
	list_add(&loop->posts, &post->link);
	atomic_fetch_add(&loop->waking, wake);
	pthread_mutex_unlock(&loop->post_lock);
	if (!wake)
		return;
	/* Not under the lock, for which the loop would wake up to wait. */
	if (write(loop->post_pipe[1], "", 1) != 1 && errno != EAGAIN)
		die("write to the loop's pipe");
	atomic_fetch_sub(&loop->waking, 1);
}

/* The posted function was called, perhaps, before its thread was back. */
static void
await_wakers(struct loop *loop)
{
	while (atomic_load(&loop->waking) > 0)
		sched_yield();
}

static void
post_open(struct loop *loop)
{
	pthread_mutex_init(&loop->post_lock, NULL);
	list_init(&loop->posts);
	if (pipe2(loop->post_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		die("pipe2");
	loop->post_event = event_new(loop->base, loop->post_pipe[0],
	    EV_READ | EV_PERSIST, on_post, loop);
	if (loop->post_event == NULL || event_add(loop->post_event, NULL) != 0)
		die("event_add");
}

/* At the end. */

struct loop_exit *
loop_at_free(struct loop *loop, loop_fn *fn, void *ctx)
{
	struct loop_exit *exit_call = NEW(struct loop_exit);

	exit_call->fn = fn;
	exit_call->ctx = ctx;
	list_add(&loop->exits, &exit_call->link);
	return exit_call;
}

void
loop_exit_free(struct loop_exit **exit_call)
{
	if (*exit_call == NULL)
		return;
	list_remove(&(*exit_call)->link);
	free(*exit_call);
	*exit_call = NULL;
}

static void
run_exits(struct loop *loop)
{
	while (!list_is_empty(&loop->exits)) {
		struct loop_exit *last =
		    LIST_ITEM(loop->exits.prev, struct loop_exit, link);

		/* Off the list first: no way to call it twice. */
		list_remove(&last->link);
		last->fn(last->ctx);
	}
}

struct loop *
loop_new(void)
{
	struct loop *loop = NEW(struct loop);
	struct event_config *config = event_config_new();

	signal(SIGPIPE, SIG_IGN);
	if (config == NULL ||
	    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) != 0)
		die("event_config");
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (loop->base == NULL)
		die("event_base_new");
	list_init(&loop->exits);
	clock_open(loop);
	post_open(loop);
	return loop;
}

void
loop_free(struct loop **loop_ptr)
{
	struct loop *loop = *loop_ptr;

	if (loop == NULL)
		return;
	run_exits(loop);
	/* A posted function may post again. */
	while (!list_is_empty(&loop->posts))
		run_posts(loop);
	await_wakers(loop);
	event_free(loop->post_event);
	event_free(loop->clock);
	event_free(loop->soon);
	close(loop->post_pipe[0]);
	close(loop->post_pipe[1]);
	if (loop->clock_fd >= 0)
		close(loop->clock_fd);
	heap_done(&loop->timers);
	event_base_free(loop->base);
	pthread_mutex_destroy(&loop->post_lock);
	free(loop);
	*loop_ptr = NULL;
}

void
loop_run(struct loop *loop)
{
	if (!loop->quit &&
	    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
		die("event_base_loop");
	loop->quit = false;
}

void
loop_quit(struct loop *loop)
{
	/* libevent forgets a break that came before its loop. */
	loop->quit = true;
	event_base_loopbreak(loop->base);
}
