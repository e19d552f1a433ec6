/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "the filter knows x86-64 and AArch64"
#endif

/* x32's calls are those of x86-64 with this bit; elsewhere no number is as high. */
#define X32_BIT 0x40000000

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
/* Jumps over so many instructions when equal, when not. */
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + (n) * sizeof(uint64_t))

static struct sock_filter instructions[] = {
	/* 0 */ LOAD(offsetof(struct seccomp_data, arch)),
	/* 1 */ EQUAL(NATIVE_ARCH, 0, 14),
	/* 2 */ LOAD(offsetof(struct seccomp_data, nr)),
	/* 3 */ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 11, 0),
	/* 4 */ EQUAL(SYS_connect, 9, 0),
	/* 5 */ EQUAL(SYS_sendmsg, 8, 0),
	/* 6 */ EQUAL(SYS_sendmmsg, 7, 0),
	/* It can do the same unseen; everybody has to do without on older kernels. */
	/* 7 */ EQUAL(SYS_io_uring_setup, 7, 0),
	/* 8 */ EQUAL(SYS_sendto, 0, 4),
	/* send() is sendto() without an address, both machines being little-endian. */
	/* 9 */ LOAD(ARGUMENT(4)),
	/* 10 */ EQUAL(0, 0, 3),
	/* 11 */ LOAD(ARGUMENT(4) + sizeof(uint32_t)),
	/* 12 */ EQUAL(0, 0, 1),
	/* 13 */ RETURN(SECCOMP_RET_ALLOW),
	/* 14 */ RETURN(SECCOMP_RET_USER_NOTIF),
	/* 15 */ RETURN(SECCOMP_RET_ERRNO | ENOSYS),
	/* 16 */ RETURN(SECCOMP_RET_KILL_PROCESS),
};

int filter_install(int *ret)
{
	const struct sock_fprog filter = {
		.len = sizeof(instructions) / sizeof(instructions[0]),
		.filter = instructions,
	};
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);

	/* Without privileges a filter takes away set-user-ID as well; with them su(1) goes on working. */
	if (fd < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
	if (fd < 0)
		return -1;
	*ret = (int)fd;
	return 0;
}
