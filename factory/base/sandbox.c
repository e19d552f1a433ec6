/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

#include "cleanup.h"
#include "error.h"
#include "log.h"

/* ------------------------------------------------------------ seccomp */

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "the seccomp filter knows x86-64 and AArch64"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define FAIL(code) RETURN(SECCOMP_RET_ERRNO | (code))
#define DENY(name, code) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), FAIL(code)

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
	 CLONE_NEWNET)

static struct sock_filter instructions[] = {
	/* Numbers mean something else to another calling convention of the same machine. */
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
	FAIL(ENOSYS),
	LOAD(nr),
#if defined(__x86_64__)
	/* x32: the same arch, and bit 30 of the number. */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
	FAIL(ENOSYS),
	DENY(iopl, EPERM),
	DENY(ioperm, EPERM),
	DENY(modify_ldt, EPERM),
#endif
	DENY(socket, EPERM),
	DENY(socketpair, EPERM),

	DENY(ptrace, EPERM),
	DENY(process_vm_readv, EPERM),
	DENY(process_vm_writev, EPERM),
	DENY(pidfd_getfd, EPERM),
	DENY(kcmp, EPERM),

	DENY(bpf, EPERM),
	DENY(perf_event_open, EPERM),
	DENY(userfaultfd, EPERM),
	/* The C library does without these when the kernel does not know them. */
	DENY(io_uring_setup, ENOSYS),
	DENY(io_uring_enter, ENOSYS),
	DENY(io_uring_register, ENOSYS),

	DENY(keyctl, EPERM),
	DENY(add_key, EPERM),
	DENY(request_key, EPERM),

	DENY(mount, EPERM),
	DENY(umount2, EPERM),
	DENY(pivot_root, EPERM),
	DENY(chroot, EPERM),
	DENY(move_mount, EPERM),
	DENY(open_tree, EPERM),
	DENY(fsopen, EPERM),
	DENY(fsconfig, EPERM),
	DENY(fsmount, EPERM),
	DENY(fspick, EPERM),
	DENY(mount_setattr, EPERM),
	DENY(open_by_handle_at, EPERM),
	DENY(quotactl, EPERM),
	DENY(fanotify_init, EPERM),

	DENY(kexec_load, EPERM),
	DENY(kexec_file_load, EPERM),
	DENY(init_module, EPERM),
	DENY(finit_module, EPERM),
	DENY(delete_module, EPERM),
	DENY(reboot, EPERM),
	DENY(swapon, EPERM),
	DENY(swapoff, EPERM),
	DENY(acct, EPERM),
	DENY(syslog, EPERM),
	DENY(sethostname, EPERM),
	DENY(setdomainname, EPERM),
	DENY(settimeofday, EPERM),
	DENY(clock_settime, EPERM),
	DENY(clock_adjtime, EPERM),
	DENY(adjtimex, EPERM),

	DENY(unshare, EPERM),
	DENY(setns, EPERM),
	/* Its flags lie in memory, where a filter cannot look: without it, clone() is used. */
	DENY(clone3, ENOSYS),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
	LOAD(args[0]),	/* the low half, on both (little-endian) machines */
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1),
	FAIL(EPERM),
	RETURN(SECCOMP_RET_ALLOW),
};

static const struct sock_fprog filter = {
	.len = ARRAY_SIZE(instructions),
	.filter = instructions,
};

/* ------------------------------------------------------------ Landlock */

/* Of Linux 6.2 (ABI 3) to 6.12 (ABI 6); the headers that Kiln is built with may be older. */
#define ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)
#define ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15)
#define ACCESS_NET_BIND_CONNECT_TCP UINT64_C(3)
#define SCOPE_ABSTRACT_SOCKETS_SIGNALS UINT64_C(3)

/* struct landlock_ruleset_attr likewise. An older kernel takes a longer one whose rest is zero. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define READ_RIGHTS                                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define NODE_RIGHTS                                                                                \
	(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define WRITE_RIGHTS                                                                               \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER |   \
	 ACCESS_FS_TRUNCATE)
/* The kernel refuses a rule for a file that speaks of directories. */
#define FILE_RIGHTS                                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	 ACCESS_FS_TRUNCATE)

/* Everything there is to deny, as far as this kernel knows it. */
static struct ruleset all_rights(int abi)
{
	struct ruleset all = { .fs = READ_RIGHTS | WRITE_RIGHTS | NODE_RIGHTS };

	if (abi < 2)
		all.fs &= ~LANDLOCK_ACCESS_FS_REFER;
	if (abi < 3)
		all.fs &= ~ACCESS_FS_TRUNCATE;
	if (abi >= 4)
		all.net = ACCESS_NET_BIND_CONNECT_TCP;
	if (abi >= 5)
		all.fs |= ACCESS_FS_IOCTL_DEV;
	if (abi >= 6)
		all.scoped = SCOPE_ABSTRACT_SOCKETS_SIGNALS;
	return all;
}

static int add_rule(int ruleset, const char *path, uint64_t rights, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_system(err, errno, "cannot let a confined program use %s", path);
	rule.allowed_access = S_ISDIR(st.st_mode) ? rights : rights & FILE_RIGHTS;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return error_system(err, errno, "cannot let a confined program use %s", path);
	return 0;
}

static int add_rules(int ruleset, const char *const *paths, uint64_t rights, struct error *err)
{
	int r = 0;

	for (; paths && *paths && r == 0; paths++)
		r = add_rule(ruleset, *paths, rights, err);
	return r;
}

static int make_ruleset(const struct sandbox *s, int abi, int *ret, struct error *err)
{
	const struct ruleset all = all_rights(abi);
	CLEANUP_CLOSE int made = -1;
	CLEANUP_CLOSE int fd = -1;
	int r;

	made = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	/* Above 2, where the child's standard streams do not land on it. */
	fd = made < 0 ? -1 : fcntl(made, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return error_system(err, errno, "cannot confine a program with Landlock");
	r = add_rules(fd, s->readable, READ_RIGHTS & all.fs, err);
	if (r == 0)
		r = add_rules(fd, s->writable, (READ_RIGHTS | WRITE_RIGHTS) & all.fs, err);
	if (r < 0)
		return r;
	*ret = TAKE_FD(fd);
	return 0;
}

/* ------------------------------------------------------------ use */

static int weak_accepted(bool *ret, struct error *err)
{
	const char *wish = getenv("KILN_SANDBOX");

	if (wish && strcmp(wish, "weak") != 0)
		return error_input(err, "KILN_SANDBOX is \"%s\"; the only wish it can hold is \"weak\"",
				   wish);
	*ret = wish != NULL;
	return 0;
}

int sandbox_supported(int *ret_abi, struct error *err)
{
	static bool warned;
	bool weak = false;
	int r = weak_accepted(&weak, err);
	int abi;

	if (r < 0)
		return r;
	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1 && !weak)
		return error_outside(err,
				     "this kernel cannot confine the build's tools to their files: "
				     "Linux 5.13 or newer with \"landlock\" among its security modules "
				     "(lsm=) is needed; KILN_SANDBOX=weak does with the system call "
				     "filter alone");
	if (abi < 1 && !warned) {
		log_warning("this kernel has no Landlock: the build's tools are held back by a system "
			    "call filter alone (KILN_SANDBOX=weak)");
		warned = true;
	}
	if (ret_abi)
		*ret_abi = abi < 1 ? 0 : abi;
	return 0;
}

int sandbox_prepare(const struct sandbox *s, struct sandbox_entry *ret, struct error *err)
{
	struct sandbox_entry entry = { .ruleset = -1, .memory_max = s->memory_max };
	int abi, r;

	r = sandbox_supported(&abi, err);
	if (r == 0 && abi > 0)
		r = make_ruleset(s, abi, &entry.ruleset, err);
	if (r < 0)
		return r;
	*ret = entry;
	return 0;
}

int sandbox_enter(const struct sandbox_entry *entry)
{
	const struct rlimit no_core = { 0, 0 };
	const struct rlimit memory = { entry->memory_max, entry->memory_max };

	(void)umask(022);
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -1;
	if (entry->memory_max && setrlimit(RLIMIT_AS, &memory) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (entry->ruleset >= 0 && syscall(SYS_landlock_restrict_self, entry->ruleset, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}
