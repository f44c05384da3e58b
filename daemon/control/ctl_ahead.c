#include "daemon/control/ctl_ahead.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"

#define BATCHES 2
/* For fewer files a thread is not worth its start. */
#define COUNT_MIN 64

struct batch {
	struct ctl_ahead_file files[CTL_AHEAD_BATCH];
	char *bytes; /* CTL_AHEAD_BYTES for each */
	size_t count;
	bool is_full; /* else it is the thread's */
};

struct ctl_ahead {
	int folder;
	const char *const *names;
	size_t count, next; /* `next` is the owner's */
	struct batch batches[BATCHES];
	bool has_thread, is_stopped;
	pthread_t thread;
	pthread_mutex_t lock; /* of is_full and is_stopped */
	pthread_cond_t changed;
};

/* ---- reading ---- */

static void
read_file(int folder, const char *name, struct ctl_ahead_file *file)
{
	ssize_t count = -1;

	file->name = name;
	file->error = 0;
	file->len = 0;
	/* A FIFO does not wait for a writer, nor a device for a line. */
	file->fd =
	    openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file->fd < 0) {
		file->error = errno;
		return;
	}
	do
		count = read(file->fd, file->data, CTL_AHEAD_BYTES);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		file->error = errno;
	else
		file->len = (size_t)count;
	/* A file gives less than it is asked for only at its end. */
	file->is_over = count < CTL_AHEAD_BYTES;
	if (file->is_over) {
		close(file->fd);
		file->fd = -1;
	}
}

static void
fill(const struct ctl_ahead *ahead, struct batch *batch, size_t first)
{
	size_t rest = ahead->count - first;

	batch->count = rest < CTL_AHEAD_BATCH ? rest : CTL_AHEAD_BATCH;
	for (size_t i = 0; i < batch->count; i++) {
		batch->files[i].data = batch->bytes + i * CTL_AHEAD_BYTES;
		read_file(
		    ahead->folder, ahead->names[first + i], &batch->files[i]);
	}
}

/* ---- the two sides ---- */

/* False: nobody wants more. */
static bool
wait_until(struct ctl_ahead *ahead, const struct batch *batch, bool is_full)
{
	bool goes_on;

	pthread_mutex_lock(&ahead->lock);
	while (batch->is_full != is_full && !ahead->is_stopped)
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	goes_on = !ahead->is_stopped;
	pthread_mutex_unlock(&ahead->lock);
	return goes_on;
}

static void
hand_over(struct ctl_ahead *ahead, struct batch *batch, bool is_full)
{
	pthread_mutex_lock(&ahead->lock);
	batch->is_full = is_full;
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
}

static struct batch *
batch_of(struct ctl_ahead *ahead, size_t index)
{
	return &ahead->batches[index / CTL_AHEAD_BATCH % BATCHES];
}

static void *
run(void *ctx)
{
	struct ctl_ahead *ahead = ctx;

	for (size_t first = 0; first < ahead->count; first += CTL_AHEAD_BATCH) {
		struct batch *batch = batch_of(ahead, first);
		if (!wait_until(ahead, batch, false))
			break;
		fill(ahead, batch, first);
		hand_over(ahead, batch, true);
	}
	return NULL;
}

const struct ctl_ahead_file *
ctl_ahead_next(struct ctl_ahead *ahead)
{
	size_t index = ahead->next++;
	struct batch *batch = batch_of(ahead, index);

	assert(index < ahead->count);
	if (index % CTL_AHEAD_BATCH == 0) {
		if (!ahead->has_thread)
			fill(ahead, batch, index);
		else if (index > 0)
			hand_over(ahead, batch_of(ahead, index - 1), false);
		if (ahead->has_thread)
			wait_until(ahead, batch, true);
	}
	return &batch->files[index % CTL_AHEAD_BATCH];
}

/* ---- life ---- */

struct ctl_ahead *
ctl_ahead_new(int folder, const char *const *names, size_t count)
{
	struct ctl_ahead *ahead = NEW(struct ctl_ahead);

	ahead->folder = folder;
	ahead->names = names;
	ahead->count = count;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	for (size_t i = 0; i < BATCHES; i++)
		ahead->batches[i].bytes =
		    xcalloc(CTL_AHEAD_BATCH, CTL_AHEAD_BYTES);
	ahead->has_thread = count >= COUNT_MIN && pthread_create(&ahead->thread,
						      NULL, run, ahead) == 0;
	return ahead;
}

static void
stop(struct ctl_ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	ahead->is_stopped = true;
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	pthread_join(ahead->thread, NULL);
}

void
ctl_ahead_free(struct ctl_ahead **ahead)
{
	struct ctl_ahead *a = *ahead;

	if (a == NULL)
		return;
	if (a->has_thread)
		stop(a);
	/* Everything was taken, or the owner gave up. */
	for (; a->next < a->count; a->next++) {
		const struct batch *batch = batch_of(a, a->next);
		const struct ctl_ahead_file *file =
		    &batch->files[a->next % CTL_AHEAD_BATCH];
		if (!batch->is_full || file->name != a->names[a->next])
			break;
		if (file->fd >= 0)
			close(file->fd);
	}
	for (size_t i = 0; i < BATCHES; i++)
		free(a->batches[i].bytes);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	free(a);
	*ahead = NULL;
}
