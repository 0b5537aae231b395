/* SPDX-License-Identifier: MIT */
/*
 * fake_services.h - what a plugin asks for, from memory: for tests that include
 * a plugin's source.  fake_reset() gives a machine of 8 GiB with 4 CPUs and a
 * container without limits and with nothing counted.
 */
#ifndef LXCFSD_FAKE_SERVICES_H
#define LXCFSD_FAKE_SERVICES_H

#include <lxcfsd/plugin.h>

struct fake_file {
	const char *path, *text;
};

struct fake_stat {
	const char *key;
	uint64_t value;
};

static struct {
	struct fake_file files[8];
	uint64_t limits[LXCFSD_PIDS_MAX + 1];
	uint64_t usages[LXCFSD_SWAPPINESS + 1];
	struct fake_stat stat[80];
	bool v1;
	const char *controls[LXCFSD_NUMA_STAT + 1]; /* NULL: there is none */
	int control_error;			    /* what those return that are there */
	uint32_t cpus[512];
	uint32_t cpu_count;
	bool dense;
	uint64_t boottime, age;
	struct lxcfsd_cpu_time total, times[512]; /* of the CPUs above */
	struct lxcfsd_load load;
	uint64_t realtime;
	uint64_t huge_size; /* bytes of a huge page; other sizes have no limit */
	uint64_t huge_limit, huge_usage;
	int age_error, error; /* `error`: what all that can fail returns */
} fake;

static char fake_buf[1 << 20];

static inline int fake_host_file(struct lxcfsd_request *req, const char *path,
				 struct lxcfsd_text *ret)
{
	(void)req;
	for (size_t i = 0; i < LXCFSD_COUNT(fake.files); i++) {
		if (!fake.files[i].path || strcmp(path, fake.files[i].path) != 0)
			continue;
		*ret = (struct lxcfsd_text){ fake.files[i].text, strlen(fake.files[i].text) };
		return 0;
	}
	return -ENOENT;
}

static inline int fake_limit(struct lxcfsd_request *req, enum lxcfsd_limit which, uint64_t *ret)
{
	(void)req;
	if (!fake.error)
		*ret = fake.limits[which];
	return fake.error;
}

static inline int fake_usage(struct lxcfsd_request *req, enum lxcfsd_usage which, uint64_t *ret)
{
	(void)req;
	if (!fake.error)
		*ret = fake.usages[which];
	return fake.error;
}

static inline int fake_stat_read(struct lxcfsd_request *req, enum lxcfsd_stat file,
				 const struct lxcfsd_key keys[], size_t count, uint64_t values[])
{
	(void)req;
	(void)file;
	if (fake.error)
		return fake.error;
	for (size_t i = 0; i < count; i++) {
		const char *key = fake.v1 ? keys[i].v1 : keys[i].v2;

		values[i] = LXCFSD_UNKNOWN;
		for (size_t k = 0; key && k < LXCFSD_COUNT(fake.stat); k++)
			if (fake.stat[k].key && strcmp(key, fake.stat[k].key) == 0)
				values[i] = fake.stat[k].value;
	}
	return 0;
}

static inline int fake_cpus(struct lxcfsd_request *req, struct lxcfsd_cpus *ret)
{
	(void)req;
	if (!fake.error)
		*ret = (struct lxcfsd_cpus){ fake.cpus, fake.cpu_count, fake.dense };
	return fake.error;
}

static inline uint64_t fake_clock(struct lxcfsd_request *req, enum lxcfsd_clock which)
{
	(void)req;
	return which == LXCFSD_CLOCK_BOOTTIME ? fake.boottime : fake.realtime;
}

static inline int fake_cpu_times(struct lxcfsd_request *req, struct lxcfsd_cpu_times *ret)
{
	(void)req;
	if (!fake.error)
		*ret = (struct lxcfsd_cpu_times){ fake.total, fake.times, fake.cpus,
						  fake.cpu_count };
	return fake.error;
}

static inline int fake_load(struct lxcfsd_request *req, struct lxcfsd_load *ret)
{
	(void)req;
	if (!fake.error)
		*ret = fake.load;
	return fake.error;
}

static inline int fake_age(struct lxcfsd_request *req, uint64_t *ret)
{
	(void)req;
	if (!fake.age_error)
		*ret = fake.age;
	return fake.age_error;
}

static inline int fake_hugetlb(struct lxcfsd_request *req, uint64_t page_bytes, uint64_t *ret_limit,
			       uint64_t *ret_usage)
{
	bool known = page_bytes == fake.huge_size;

	(void)req;
	if (!fake.error) {
		*ret_limit = known ? fake.huge_limit : LXCFSD_NO_LIMIT;
		*ret_usage = known ? fake.huge_usage : LXCFSD_UNKNOWN;
	}
	return fake.error;
}

static inline int fake_control(struct lxcfsd_request *req, enum lxcfsd_control which,
			       struct lxcfsd_text *ret)
{
	const char *text = fake.controls[which];

	(void)req;
	if (fake.error || !text)
		return fake.error ? fake.error : -ENOENT;
	if (!fake.control_error)
		*ret = (struct lxcfsd_text){ text, strlen(text) };
	return fake.control_error;
}

static const struct lxcfsd_services fake_services = {
	.size = sizeof(struct lxcfsd_services),
	.page_size = 4096,
	.clock_ticks = 100,
	.host_file = fake_host_file,
	.limit = fake_limit,
	.usage = fake_usage,
	.stat = fake_stat_read,
	.cpus = fake_cpus,
	.clock_ns = fake_clock,
	.age_ns = fake_age,
	.cpu_times = fake_cpu_times,
	.load = fake_load,
	.hugetlb = fake_hugetlb,
	.control = fake_control,
};

static inline void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	for (size_t i = 0; i < LXCFSD_COUNT(fake.limits); i++)
		fake.limits[i] = LXCFSD_NO_LIMIT;
	for (size_t i = 0; i < LXCFSD_COUNT(fake.usages); i++)
		fake.usages[i] = LXCFSD_UNKNOWN;
	for (uint32_t i = 0; i < 4; i++)
		fake.cpus[i] = i;
	fake.cpu_count = 4;
}

/* The plugin's n-th file, as a string; NULL when it fails, with *ret_error. */
static inline const char *fake_render_nth(size_t n, const union lxcfsd_value values[],
					  int *ret_error)
{
	struct lxcfsd_out out = { .buf = fake_buf, .cap = sizeof(fake_buf) - 1 };
	void *state = NULL;
	int r = lxcfsd_plugin.init(&fake_services, values, &state);

	if (r == 0)
		r = lxcfsd_plugin.files[n].render(state, values, NULL, &out);
	*ret_error = r < 0 ? r : out.err;
	fake_buf[out.len] = '\0';
	return *ret_error ? NULL : fake_buf;
}

/* Its first one. */
static inline const char *fake_render(const union lxcfsd_value values[], int *ret_error)
{
	return fake_render_nth(0, values, ret_error);
}

#endif
