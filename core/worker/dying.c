/* SPDX-License-Identifier: MIT */
/* dying.c - see dying.h. */
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dying.h"
#include "journal.h"

#define STACK_SIZE 16384 /* what the kernel saves of a large CPU, twice */
#define EXITED	   0x80	 /* no signal has this number */

static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };

static struct sigaction before[sizeof(faults) / sizeof(faults[0])];

static void on_fault(int signal, siginfo_t *info, void *context)
{
	bool own = info->si_code > 0 || (info->si_code == SI_TKILL && info->si_pid == getpid());

	(void)context;
	if (own)
		journal_mark_fault(signal);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i] == signal)
			sigaction(signal, &before[i], NULL);
	/* what the processor did it does again; what was sent comes again */
	if (info->si_code <= 0)
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

static void on_exit_called(void)
{
	journal_mark_fault(EXITED);
}

void dying_watch(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigaction(faults[i], &action, &before[i]);
	atexit(on_exit_called);
}

void dying_enter(void)
{
	static __thread char stack[STACK_SIZE] __attribute__((aligned(16)));
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) }, now;

	/* a sanitizer has one of its own */
	if (sigaltstack(NULL, &now) == 0 && now.ss_flags & SS_DISABLE)
		sigaltstack(&alternate, NULL);
}
