/* SPDX-License-Identifier: MIT */
/*
 * confine.c - see confine.h.
 *
 * Theory of operation.  A worker reads what tenants have written and runs plugins.  By the
 * time it is ready it holds the file systems that it reads as descriptors, and no plugin
 * has anything to load any more; so when it has been told to serve,
 *
 *	it has four capabilities (`kept` says for what) and gets no others by execve(2);
 *	it cannot execute a program, make a process (but one: closer.h), signal another
 *	one, mount, enter a namespace, open a socket but to the log, or change the
 *	kernel's state: such a call fails, and who tried goes on with the error.
 *
 * Everything else is allowed: a list of what is needed would be another one for every C
 * library, machine and plugin.  It stays root, so it can write what root owns: the fence is
 * against a plugin that does too much and an attacker's first step, not a prison.
 *
 * There is no mount namespace of its own.  It would hold whatever is mounted when it is
 * made, our mount too: what somebody unmounts would live on in there.  And there are no
 * Landlock rules: they hide /proc/PID/ns of all who are not bound by them as well.
 *
 * The keeper keeps what a worker gives up: the next worker begins with it.
 */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "confine.h"
#include "log.h"

static const uint32_t kept[] = {
	CAP_SYS_PTRACE,	     /* /proc/PID/ns of other users' processes, hidepid */
	CAP_DAC_READ_SEARCH, /* cgroups that are closed to others */
	CAP_DAC_OVERRIDE,    /* triggers in a cgroup that belongs to a container's user */
	CAP_SYS_RESOURCE,    /* triggers of less than 2 s, for root */
};

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define ARCH AUDIT_ARCH_S390X
#else
#define ARCH 0
#endif

#ifdef __s390x__
#define CLONE_FLAGS 1 /* which argument they are */
#else
#define CLONE_FLAGS 0
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF 4
#endif
#define X32_BIT 0x40000000u

/* clang-format off */
/* What a worker has no business with; what a machine does not have is left out. */
static const uint32_t refused[] = {
	/* other programs */
	SYS_execve, SYS_execveat,
#ifdef SYS_fork
	SYS_fork, SYS_vfork,
#endif
	/* other processes */
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_tkill,
	SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_setpriority,
	SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr, SYS_sched_setaffinity,
	SYS_migrate_pages, SYS_move_pages,
#ifdef SYS_pidfd_send_signal
	SYS_pidfd_send_signal,
#endif
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
#ifdef SYS_process_madvise
	SYS_process_madvise,
#endif
	/* another view of the file systems, other namespaces */
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare,
	SYS_quotactl, SYS_swapon, SYS_swapoff, SYS_acct,
#ifdef SYS_move_mount
	SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
	/* devices, users */
	SYS_mknodat, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
	SYS_setresgid, SYS_setgroups, SYS_personality,
#ifdef SYS_mknod
	SYS_mknod,
#endif
#ifdef SYS_iopl
	SYS_iopl, SYS_ioperm,
#endif
#ifdef SYS_modify_ldt
	SYS_modify_ldt,
#endif
	/* the kernel */
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_add_key, SYS_request_key, SYS_keyctl,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot,
	SYS_syslog, SYS_sethostname, SYS_setdomainname, SYS_settimeofday, SYS_clock_settime,
	SYS_clock_adjtime, SYS_adjtimex, SYS_vhangup, SYS_fanotify_init,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
#endif
#ifdef SYS_socketcall
	SYS_socketcall,
#endif
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PROGRAM_MAX  (16 + 2 * COUNT(refused) + 5 * 5)
_Static_assert(PROGRAM_MAX <= BPF_MAXINSNS, "one filter");

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short len;
};

static void add(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	p->code[p->len++] = (struct sock_filter){ code, yes, no, k };
}

static void add_load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void add_return(struct program *p, int error)
{
	add(p, BPF_RET | BPF_K, error ? SECCOMP_RET_ERRNO | (uint32_t)error : SECCOMP_RET_ALLOW, 0,
	    0);
}

static void refuse(struct program *p, uint32_t call, int error)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
	add_return(p, error);
}

/* Only with an argument that `test` (BPF_JEQ, BPF_JSET) finds in `value`. */
static void allow_if(struct program *p, uint32_t call, unsigned int argument, uint16_t test,
		     uint32_t value)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
	add_load(p, offsetof(struct seccomp_data, args[argument]) + LOW_HALF);
	add(p, BPF_JMP | test | BPF_K, value, 0, 1);
	add_return(p, 0);
	add_return(p, EPERM);
}

static void begin_filter(struct program *p)
{
	p->len = 0;
	add_load(p, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	add_return(p, EPERM);
	add_load(p, offsetof(struct seccomp_data, nr));
	if (ARCH == AUDIT_ARCH_X86_64) {
		add(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
		add_return(p, EPERM);
	}
}

static int install_filter(struct program *p)
{
	struct sock_fprog fprog = { .filter = p->code };

	add_return(p, 0);
	fprog.len = p->len;
	/* without SPEC_ALLOW kernels before 5.16 slow down all that it computes */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &fprog) <
	    0)
		return -errno;
	return 0;
}

static struct program program;

static int filter_calls(void)
{
	struct program *p = &program;
	uint32_t pid = (uint32_t)getpid();

	if (!ARCH)
		return -EOPNOTSUPP;
	begin_filter(p);
	for (size_t i = 0; i < COUNT(refused); i++)
		refuse(p, refused[i], EPERM);
	allow_if(p, SYS_socket, 0, BPF_JEQ, AF_UNIX);
	allow_if(p, SYS_kill, 0, BPF_JEQ, pid);
	allow_if(p, SYS_tgkill, 0, BPF_JEQ, pid);
	allow_if(p, SYS_prlimit64, 0, BPF_JEQ, 0); /* its own: getrlimit(3) */
	return install_filter(p);
}

/* Once there is the closer, nothing but threads. */
static int filter_clone(void)
{
	struct program *p = &program;

	if (!ARCH)
		return -EOPNOTSUPP;
	begin_filter(p);
#ifdef SYS_clone3
	refuse(p, SYS_clone3, ENOSYS); /* its flags are out of reach: libraries take clone */
#endif
	allow_if(p, SYS_clone, CLONE_FLAGS, BPF_JSET, CLONE_THREAD);
	return install_filter(p);
}

int confine_capabilities(const uint32_t list[], size_t count)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2], had[2];

	if (syscall(SYS_capget, &head, had) < 0)
		return -errno;
	memset(data, 0, sizeof(data));
	for (size_t i = 0; i < count; i++)
		data[CAP_TO_INDEX(list[i])].permitted |= CAP_TO_MASK(list[i]);
	for (size_t i = 0; i < 2; i++)
		data[i].effective = data[i].permitted &= had[i].permitted;
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int confine_to_calls(const uint32_t calls[], size_t count)
{
	struct program *p = &program;

	if (!ARCH || count > COUNT(refused))
		return -EOPNOTSUPP;
	begin_filter(p);
	for (size_t i = 0; i < count; i++) {
		add(p, BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		add_return(p, 0);
	}
	add_return(p, EPERM);
	return install_filter(p);
}

static void say(const char *what, int r)
{
	if (r < 0)
		log_notice("this worker is less confined than it could be: %s: %s", what,
			   strerror(-r));
}

void confine(void)
{
	say("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0);
	say("seccomp", filter_calls());
	say("capabilities", confine_capabilities(kept, COUNT(kept)));
}

void confine_to_threads(void)
{
	say("seccomp, for clone", filter_clone());
}
