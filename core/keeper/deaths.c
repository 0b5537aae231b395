/* SPDX-License-Identifier: MIT */
/* deaths.c - what a worker died of, and which file is to blame: see watch.h. */
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "change.h"
#include "io.h"
#include "text.h"
#include "watch.h"

#define SECOND	      1000000000ull
#define SAY_MAX	      10
#define SAY_PERIOD    (10 * SECOND)
#define BLAME_DEATHS  2
#define BLAME_TREE    4 /* one name of it, asked for once, has two deaths to its account */
#define BLAME_WINDOW  (600 * SECOND)
#define NAMES_MAX     (1u << 20)
#define IN_HAND_SHOWN 3

static const char *const causes[] = {
	[DEATH_FAULT] = "by a fault", [DEATH_EXIT] = "by exit()",
	[DEATH_KILLED] = "killed",    [DEATH_OOM] = "killed, out of memory",
	[DEATH_HUNG] = "hung",
};

struct line {
	char text[DEATH_TEXT];
	size_t len;
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *line, const char *format, ...)
{
	size_t left = sizeof(line->text) - line->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, left, format, args);
	va_end(args);
	if (n > 0)
		line->len += (size_t)n < left ? (size_t)n : left - 1;
}

/* ------------------------------------------------------------------- names */

void death_names(struct watch *w, pid_t pid, const char *text)
{
	struct names *names = &w->next_names;
	size_t len = strlen(text);
	char *more;

	if (w->next_names_of != pid)
		names->len = 0;
	w->next_names_of = pid;
	if (len > NAMES_MAX - names->len)
		return; /* what comes later has no name */
	more = realloc(names->text, names->len + len + 1);
	if (!more)
		return;
	memcpy(more + names->len, text, len + 1);
	names->text = more;
	names->len += len;
}

void death_done(struct watch *w)
{
	free(w->active_names.text);
	free(w->next_names.text);
	w->active_names = w->next_names = (struct names){ NULL, 0 };
}

/* The line of a file; of length 0: no such number. */
static struct lxcfsd_text name_of(const struct names *names, uint32_t number)
{
	struct lxcfsd_text rest = { names->text, names->len }, line = { NULL, 0 };

	for (uint32_t i = 0; i < number; i++)
		if (!text_until(&rest, '\n', &line) || !line.len)
			return (struct lxcfsd_text){ NULL, 0 };
	return line;
}

/* 0: the worker has no such file. */
static uint32_t number_of(const struct names *names, const char *name)
{
	struct lxcfsd_text rest = { names->text, names->len }, line;

	for (uint32_t number = 1; text_until(&rest, '\n', &line) && line.len; number++)
		if (text_is(line, name))
			return number;
	return 0;
}

static void add_name(struct line *line, struct lxcfsd_text name)
{
	struct lxcfsd_text plugin;

	if (!text_until(&name, '\t', &plugin))
		return;
	add(line, " of '%.*s' (plugin '%.*s')", (int)name.len, name.data, (int)plugin.len,
	    plugin.data);
}

/* ---------------------------------------------------------------- quarantine */

static struct suspect *find_suspect(struct watch *w, struct lxcfsd_text name, uint64_t now)
{
	struct suspect *oldest = NULL;

	for (unsigned int i = 0; i < SUSPECTS_MAX; i++) {
		struct suspect *s = &w->suspects[i];

		if (s->name[0] && text_is(name, s->name))
			return s;
		if (!s->quarantined && (!oldest || s->since_ns < oldest->since_ns))
			oldest = s;
	}
	if (oldest) {
		*oldest = (struct suspect){ .since_ns = now };
		memcpy(oldest->name, name.data, name.len);
	}
	return oldest;
}

static unsigned int quarantined_count(const struct watch *w)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < SUSPECTS_MAX; i++)
		count += w->suspects[i].quarantined;
	return count;
}

static bool is_tree(struct lxcfsd_text name)
{
	return name.len > 0 && name.data[name.len - 1] == '/';
}

static void blame(struct watch *w, uint32_t number, uint64_t now)
{
	struct lxcfsd_text name = name_of(&w->active_names, number);
	struct line line = { .len = 0 };
	struct suspect *s;

	if (name.len == 0 || name.len >= sizeof(s->name))
		return;
	s = find_suspect(w, name, now);
	if (!s || s->quarantined)
		return;
	if (now - s->since_ns > BLAME_WINDOW) {
		s->since_ns = now;
		s->deaths = 0;
	}
	if (++s->deaths < (is_tree(name) ? BLAME_TREE : BLAME_DEATHS) ||
	    quarantined_count(w) == QUARANTINE_MAX)
		return;
	s->quarantined = true;
	add_name(&line, name);
	log_err("quarantine%s: %u workers ended in it; it is not run any more until the next "
		"reload, containers see what on_error says",
		line.text, s->deaths);
}

void death_promote(struct watch *w, bool reload, struct wire_go *go)
{
	unsigned int count = 0;

	free(w->active_names.text);
	w->active_names = w->next_names;
	w->next_names = (struct names){ NULL, 0 };
	w->next_names_of = 0;
	w->killed = false;
	w->ending = 0;
	if (reload) /* what was wrong may have been mended */
		memset(w->suspects, 0, sizeof(w->suspects));
	for (unsigned int i = 0; i < SUSPECTS_MAX; i++) {
		uint32_t number = w->suspects[i].quarantined
					  ? number_of(&w->active_names, w->suspects[i].name)
					  : 0;

		if (number && count < QUARANTINE_MAX)
			go->quarantined[count++] = number;
	}
}

/* ------------------------------------------------------------------ the dead */

static const char *operation(uint32_t opcode)
{
	static const char *const names[] = {
		[FUSE_LOOKUP] = "LOOKUP",   [FUSE_GETATTR] = "GETATTR",
		[FUSE_SETATTR] = "SETATTR", [FUSE_READLINK] = "READLINK",
		[FUSE_OPEN] = "OPEN",	    [FUSE_READ] = "READ",
		[FUSE_WRITE] = "WRITE",	    [FUSE_RELEASE] = "RELEASE",
		[FUSE_OPENDIR] = "OPENDIR", [FUSE_READDIR] = "READDIR",
		[FUSE_POLL] = "POLL",	    [FUSE_RELEASEDIR] = "RELEASEDIR",
	};

	return opcode < sizeof(names) / sizeof(names[0]) && names[opcode] ? names[opcode]
									  : "a request";
}

/* One that the dead worker was at, or is stuck in. */
static bool was_busy(const struct keeper *k, struct journal_slot *slot)
{
	return atomic_load(&slot->owner) == k->active.generation &&
	       (journal_slot_unique(slot) || atomic_load(&slot->runs));
}

/* Which of them are to blame: who has said so; after exit() or a hang, without that,
 * whoever ran a plugin, if that is clear. */
static bool is_guilty(struct journal_slot *slot, bool somebody_said, unsigned int running,
		      enum death cause)
{
	if (!atomic_load(&slot->runs))
		return false;
	if (somebody_said)
		return atomic_load(&slot->fault) != 0;
	return cause == DEATH_HUNG || (cause == DEATH_EXIT && running == 1);
}

struct dead {
	struct journal_slot *slots; /* NULL: not known */
	unsigned int busy, running;
	bool somebody_said;
};

static struct dead look_at_dead(const struct keeper *k)
{
	struct dead dead = { .slots = vault_part(k->vault, VAULT_JOURNAL, JOURNAL_VERSION,
						 sizeof(struct journal_slot) * JOURNAL_SLOTS) };

	for (unsigned int i = 0; dead.slots && i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &dead.slots[i];

		if (!was_busy(k, slot))
			continue;
		dead.busy++;
		dead.running += atomic_load(&slot->runs) != 0;
		dead.somebody_said = dead.somebody_said || atomic_load(&slot->fault);
	}
	return dead;
}

static void describe(const struct keeper *k, const struct dead *dead, struct line *line)
{
	unsigned int shown = 0;

	if (dead->busy == 0)
		add(line, ", nothing in hand");
	for (unsigned int i = 0; dead->busy > 0 && i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &dead->slots[i];
		const struct fuse_in_header *head = (const void *)slot->buf;

		if (!was_busy(k, slot) || (dead->somebody_said && !atomic_load(&slot->fault)))
			continue;
		if (shown++ >= IN_HAND_SHOWN)
			continue;
		add(line, "%s%s",
		    shown > 1		  ? ", "
		    : dead->somebody_said ? ", in "
					  : ", in hand: ",
		    operation(head->opcode));
		add_name(line, name_of(&k->watch.active_names, atomic_load(&slot->runs)));
	}
	if (shown > IN_HAND_SHOWN)
		add(line, " and %u more", shown - IN_HAND_SHOWN);
}

/* One death counts once, however many threads were at the same. */
static bool was_blamed(const struct dead *dead, unsigned int before, uint32_t number,
		       const bool guilty[])
{
	for (unsigned int i = 0; i < before; i++)
		if (guilty[i] && atomic_load(&dead->slots[i].runs) == number)
			return true;
	return false;
}

static void blame_guilty(struct keeper *k, const struct dead *dead, enum death cause)
{
	bool guilty[JOURNAL_SLOTS] = { false };

	if (cause == DEATH_HUNG && k->watch.was_stopped)
		return; /* nobody but who has stopped it */
	for (unsigned int i = 0; dead->busy > 0 && i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &dead->slots[i];

		uint32_t number = atomic_load(&slot->runs);

		guilty[i] = was_busy(k, slot) &&
			    is_guilty(slot, dead->somebody_said, dead->running, cause);
		if (guilty[i] && !was_blamed(dead, i, number, guilty))
			blame(&k->watch, number, io_now_ns());
	}
}

uint64_t death_oom_kills(struct watch *w)
{
	static char buf[65536];
	struct lxcfsd_text rest, line, word;
	uint64_t count = w->oom_kills;
	ssize_t n = w->oom_fd < 0 ? -1 : io_pread_all(w->oom_fd, buf, sizeof(buf));

	rest = (struct lxcfsd_text){ buf, n > 0 ? (size_t)n : 0 };
	while (text_until(&rest, '\n', &line))
		if (text_word(&line, &word) && text_is(word, "oom_kill") && text_word(&line, &word))
			(void)parse_u64(word, &count);
	return count;
}

static enum death cause_of(struct watch *w, int status)
{
	uint64_t kills;

	if (w->killed)
		return DEATH_HUNG;
	if (!WIFSIGNALED(status))
		return DEATH_EXIT;
	if (process_status_is_fault(status))
		return DEATH_FAULT;
	kills = death_oom_kills(w);
	if (WTERMSIG(status) != SIGKILL || kills == w->oom_kills)
		return DEATH_KILLED;
	w->oom_kills = kills;
	return DEATH_OOM;
}

bool death_is_repeated(const struct watch *w)
{
	return w->last_cause == DEATH_OOM || (w->last_cause == DEATH_HUNG && !w->was_stopped);
}

void death_tell(struct keeper *k, int status, const char *how)
{
	struct watch *w = &k->watch;
	enum death cause = cause_of(w, status);
	uint64_t now = io_now_ns();
	struct dead dead = look_at_dead(k);
	struct line line = { .len = 0 };

	add(&line, "worker %d (generation %u) died after %.1f s: ", k->active.pid,
	    k->active.generation, (double)(now - k->active.started_ns) / 1e9);
	if (cause == DEATH_HUNG)
		add(&line, "%s, so it was killed",
		    w->was_stopped ? "it was stopped" : "it did nothing although requests waited");
	else
		add(&line, "%s%s", how, cause == DEATH_OOM ? ", out of memory" : "");
	describe(k, &dead, &line);
	w->last_cause = cause;
	w->deaths[cause]++;
	w->last_death = time(NULL);
	memcpy(w->last_death_text, line.text, sizeof(line.text));
	if (now - w->period_ns > SAY_PERIOD) {
		w->period_ns = now;
		w->said = 0;
	}
	w->was_said = w->said < SAY_MAX;
	if (w->was_said) {
		w->said++;
		log_err("%s; %s", line.text,
			k->purpose == FOR_STANDBY && k->next.state == PROCESS_READY
				? "the one in reserve takes over"
				: "starting another");
	} else {
		w->unsaid++;
	}
	blame_guilty(k, &dead, cause);
}

int death_patience_ms(struct watch *w, uint64_t now)
{
	uint64_t end = w->period_ns + SAY_PERIOD;
	struct line line = { .len = 0 };

	if (!w->unsaid)
		return INT_MAX;
	if (now < end)
		return (int)((end - now) / 1000000u) + 1;
	for (unsigned int i = 0; i < DEATH_COUNT; i++)
		if (w->deaths[i])
			add(&line, "%s%llu %s", line.len ? ", " : "",
			    (unsigned long long)w->deaths[i], causes[i]);
	log_err("%u more workers died within 10 s; since the start: %s", w->unsaid, line.text);
	w->unsaid = 0;
	return INT_MAX;
}
