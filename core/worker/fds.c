/* SPDX-License-Identifier: MIT */
/* fds.c - see fds.h. */
#include <unistd.h>

#include "fds.h"
#include "io.h"

/* How many victims in use are passed over before we give up. */
#define TRIES 8

void fds_init(struct fds *fds, size_t max)
{
	*fds = (struct fds){ .max = max };
	pthread_mutex_init(&fds->lock, NULL);
}

void fds_done(struct fds *fds)
{
	pthread_mutex_destroy(&fds->lock);
}

void held_init(struct held *held)
{
	*held = (struct held){ .fd = -1 };
	pthread_mutex_init(&held->lock, NULL);
}

static void unlist(struct fds *fds, struct held *held)
{
	if (!held->listed)
		return;
	*(held->newer ? &held->newer->older : &fds->newest) = held->older;
	*(held->older ? &held->older->newer : &fds->oldest) = held->newer;
	held->listed = false;
	fds->count--;
}

static void enlist(struct fds *fds, struct held *held)
{
	held->older = fds->newest;
	held->newer = NULL;
	*(fds->newest ? &fds->newest->newer : &fds->oldest) = held;
	fds->newest = held;
	held->listed = true;
	fds->count++;
}

void held_close(struct fds *fds, struct held *held)
{
	pthread_mutex_lock(&fds->lock);
	unlist(fds, held);
	pthread_mutex_unlock(&fds->lock);
	if (held->fd >= 0)
		close(held->fd);
	held->fd = -1;
}

void held_done(struct fds *fds, struct held *held)
{
	/* the pool may be at this very moment trying to close it */
	pthread_mutex_lock(&held->lock);
	held_close(fds, held);
	pthread_mutex_unlock(&held->lock);
	pthread_mutex_destroy(&held->lock);
}

/* Takes the fd away from one that is not being read; under the pool's lock. */
static int steal(struct fds *fds, uint64_t before_ns)
{
	struct held *held = fds->oldest;
	int fd;

	for (int i = 0; held && i < TRIES; i++, held = held->newer) {
		if (held->used_ns >= before_ns)
			return -1;
		if (pthread_mutex_trylock(&held->lock) != 0)
			continue;
		unlist(fds, held);
		fd = held->fd;
		held->fd = -1;
		pthread_mutex_unlock(&held->lock);
		return fd;
	}
	return -1;
}

void held_used(struct fds *fds, struct held *held)
{
	uint64_t now = io_now_ns();
	int victim = -1;

	pthread_mutex_lock(&fds->lock);
	unlist(fds, held);
	if (fds->count >= fds->max)
		victim = steal(fds, UINT64_MAX);
	if (fds->count < fds->max) {
		held->used_ns = now;
		enlist(fds, held);
	}
	pthread_mutex_unlock(&fds->lock);
	if (victim >= 0)
		close(victim);
	if (!held->listed) {
		close(held->fd);
		held->fd = -1;
	}
}

void fds_tidy(struct fds *fds, uint64_t before_ns)
{
	int victim;

	do {
		pthread_mutex_lock(&fds->lock);
		victim = steal(fds, before_ns);
		pthread_mutex_unlock(&fds->lock);
		if (victim >= 0)
			close(victim);
	} while (victim >= 0);
}

size_t fds_count(struct fds *fds)
{
	size_t count;

	pthread_mutex_lock(&fds->lock);
	count = fds->count;
	pthread_mutex_unlock(&fds->lock);
	return count;
}
