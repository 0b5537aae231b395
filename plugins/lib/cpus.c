/* SPDX-License-Identifier: MIT */
/* cpus.c - see cpus.h. */
#include "cpus.h"
#include "cursor.h"
#include "output.h"

#define NIBBLES (CPUS_MAX / 4)

bool cpus_find(const struct lxcfsd_cpus *cpus, uint64_t id, uint32_t *ret_index)
{
	uint32_t low = 0, high = cpus->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (cpus->ids[mid] == id) {
			*ret_index = mid;
			return true;
		}
		if (cpus->ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool cpus_find_shown(const struct lxcfsd_cpus *cpus, uint64_t number, uint32_t *ret_index)
{
	if (!cpus->dense)
		return cpus_find(cpus, number, ret_index);
	if (number >= cpus->count)
		return false;
	*ret_index = (uint32_t)number;
	return true;
}

void cpus_list_end(struct cpus_list *list)
{
	if (!list->open)
		return;
	if (list->begun)
		lxcfsd_put(list->out, ",", 1);
	out_u64(list->out, list->first, 0);
	if (list->last > list->first) {
		lxcfsd_put(list->out, "-", 1);
		out_u64(list->out, list->last, 0);
	}
	list->begun = true;
	list->open = false;
}

void cpus_list_add(struct cpus_list *list, uint32_t number)
{
	if (list->open && number == list->last + 1) {
		list->last = number;
		return;
	}
	cpus_list_end(list);
	list->first = list->last = number;
	list->open = true;
}

int cpus_each(struct lxcfsd_text text, void (*each)(void *arg, uint32_t number), void *arg)
{
	uint64_t first, last;

	while (text.len > 0 && text.data[0] != '\n') {
		if (!cursor_u64(&text, &first))
			return -EINVAL;
		last = first;
		if (text.len > 0 && text.data[0] == '-') {
			text = (struct lxcfsd_text){ text.data + 1, text.len - 1 };
			if (!cursor_u64(&text, &last))
				return -EINVAL;
		}
		if (first > last || last >= CPUS_MAX)
			return -EINVAL;
		for (uint64_t number = first; number <= last; number++)
			each(arg, (uint32_t)number);
		if (text.len > 0 && text.data[0] == ',')
			text = (struct lxcfsd_text){ text.data + 1, text.len - 1 };
	}
	return 0;
}

struct cut {
	struct cpus_list list;
	const struct lxcfsd_cpus *cpus;
};

static void add_visible(void *arg, uint32_t id)
{
	struct cut *cut = arg;
	uint32_t n;

	if (cpus_find(cut->cpus, id, &n))
		cpus_list_add(&cut->list, cpus_shown(cut->cpus, n));
}

int cpus_cut_list(struct lxcfsd_out *out, struct lxcfsd_text text, const struct lxcfsd_cpus *cpus)
{
	struct cut cut = { .list = { .out = out }, .cpus = cpus };
	int r = cpus_each(text, add_visible, &cut);

	cpus_list_end(&cut.list);
	lxcfsd_put(out, "\n", 1);
	return r;
}

/* The value of a digit, or 16. */
static unsigned int digit_of(char c)
{
	return c >= '0' && c <= '9'   ? (unsigned int)(c - '0')
	       : c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10
				      : 16;
}

int cpus_cut_mask(struct lxcfsd_out *out, struct lxcfsd_text text, const struct lxcfsd_cpus *cpus)
{
	unsigned char cut[NIBBLES] = { 0 };
	size_t digits = 0;
	uint32_t n;

	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	for (size_t i = text.len; i-- > 0;) {
		unsigned int digit = digit_of(text.data[i]);

		if (text.data[i] == ',')
			continue;
		if (digit > 15 || digits == NIBBLES)
			return -EINVAL;
		for (uint32_t bit = 0; bit < 4; bit++) {
			if (!(digit >> bit & 1) || !cpus_find(cpus, digits * 4 + bit, &n))
				continue;
			n = cpus_shown(cpus, n);
			cut[n / 4] |= (unsigned char)(1u << n % 4);
		}
		digits++;
	}
	for (size_t i = 0; i < text.len; i++)
		lxcfsd_put(out, text.data[i] == ',' ? "," : &"0123456789abcdef"[cut[--digits]], 1);
	lxcfsd_put(out, "\n", 1);
	return 0;
}
