/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel takes no more messages than this in one sendmmsg(). */
#define MESSAGES_MAX 1024

/* Another process's memory, as it is now: it waits for our answer, and its other threads, which could change
 * it meanwhile, have no reason to. */
static bool read_memory(int memory, uint64_t at, void *ret, size_t size)
{
	return pread(memory, ret, size, (off_t)at) == (ssize_t)size;
}

/* An address that cannot be read is one that the kernel will refuse. */
static enum aim aim_at(int memory, uint64_t at, uint64_t size, struct address *ret)
{
	struct address a = { .size = size < ADDRESS_MAX ? (size_t)size : ADDRESS_MAX };
	enum aim aim;

	if (!at || size < sizeof(sa_family_t) || !read_memory(memory, at, a.bytes, a.size))
		return AIM_HERE;
	aim = aim_of(a.bytes, a.size);
	if (aim != AIM_HERE)
		*ret = a;
	return aim;
}

static enum aim aim_of_message(int memory, uint64_t at, struct address *ret)
{
	struct msghdr header;

	if (!read_memory(memory, at, &header, sizeof(header)))
		return AIM_HERE;
	return aim_at(memory, (uint64_t)(uintptr_t)header.msg_name, header.msg_namelen, ret);
}

static enum aim aim_of_messages(int memory, uint64_t at, uint64_t count, struct address *ret)
{
	enum aim aim = AIM_HERE;

	if (count > MESSAGES_MAX)
		count = MESSAGES_MAX;
	for (uint64_t i = 0; i < count && aim == AIM_HERE; i++)
		aim = aim_of_message(memory, at + i * sizeof(struct mmsghdr) +
					     offsetof(struct mmsghdr, msg_hdr), ret);
	return aim;
}

static enum aim aim_in(int memory, const struct seccomp_data *d, struct address *ret)
{
	switch (d->nr) {
	case SYS_connect:
		return aim_at(memory, d->args[1], (uint32_t)d->args[2], ret);
	case SYS_sendto:
		return aim_at(memory, d->args[4], (uint32_t)d->args[5], ret);
	case SYS_sendmsg:
		return aim_of_message(memory, d->args[1], ret);
	case SYS_sendmmsg:
		return aim_of_messages(memory, d->args[1], (uint32_t)d->args[2], ret);
	default:
		return AIM_HERE;
	}
}

bool call_aim(const struct seccomp_notif *call, enum aim *ret_aim, struct address *ret_address)
{
	char path[64];
	int memory;

	(void)snprintf(path, sizeof(path), "/proc/%u/mem", call->pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	if (memory < 0 && errno != ENOENT && errno != ESRCH)
		return false;
	/* Who is gone meanwhile calls nobody. */
	*ret_aim = memory < 0 ? AIM_HERE : aim_in(memory, &call->data, ret_address);
	if (memory >= 0)
		close(memory);
	return true;
}
