/* SPDX-License-Identifier: MIT */
/* lent.c - see lent.h. */
#include <errno.h>
#include <stdlib.h>

#include "io.h"
#include "lent.h"

#define FIRST_SIZE 1024

struct lent *lent_new(size_t cap)
{
	struct lent *lent = malloc(sizeof(*lent) + cap + 1);

	if (!lent)
		return NULL;
	atomic_init(&lent->refs, 1);
	lent->len = 0;
	lent->cap = cap;
	lent->data[0] = '\0';
	return lent;
}

struct lent *lent_ref(struct lent *lent)
{
	atomic_fetch_add_explicit(&lent->refs, 1, memory_order_relaxed);
	return lent;
}

struct lent *lent_unref(struct lent *lent)
{
	if (lent && atomic_fetch_sub_explicit(&lent->refs, 1, memory_order_acq_rel) == 1)
		free(lent);
	return NULL;
}

int lent_own(struct lent **slot, size_t cap)
{
	struct lent *lent = *slot;

	if (lent && lent->cap >= cap &&
	    atomic_load_explicit(&lent->refs, memory_order_acquire) == 1)
		return 0;
	lent = lent_new(cap);
	if (!lent)
		return -ENOMEM;
	lent_unref(*slot);
	*slot = lent;
	return 0;
}

int lent_read(struct lent **slot, int fd, size_t max)
{
	size_t cap = *slot ? (*slot)->cap : FIRST_SIZE;
	ssize_t n;
	int r;

	for (;;) {
		if (cap > max)
			cap = max;
		r = lent_own(slot, cap);
		if (r < 0)
			return r;
		n = io_pread_all(fd, (*slot)->data, (*slot)->cap + 1);
		if (n >= 0)
			break;
		if (n != -EFBIG || cap >= max)
			return (int)n;
		cap = (*slot)->cap * 2;
	}
	(*slot)->len = (size_t)n;
	return 0;
}
