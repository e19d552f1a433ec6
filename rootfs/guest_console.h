/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_GUEST_CONSOLE_H
#define KILN_ROOTFS_GUEST_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the appliance says: its console in pieces as they come, and the output of its commands. */

struct guest_console {
	char line[256];			/* the line so far; what is longer counts for nothing */
	size_t len;
	char tail[512];			/* the last bytes of all that came */
	size_t tail_len;
	bool kvm_failed;		/* QEMU has said that KVM cannot go on with the guest; it stays, stopped */
};

/* To the log; and to the progress display where a line says "kiln-progress N M UNIT". */
void guest_console_add(struct guest_console *c, const char *text, size_t size);
/* Like guest_last_words() of what came; "" when nothing did. */
void guest_console_last_words(const struct guest_console *c, char *ret, size_t size);

struct guest_progress {
	uint64_t done, total;
	char unit[32];
};
bool guest_progress_parse(const char *line, struct guest_progress *ret);

/* The end of a command's output as part of a sentence: whole lines where they fit, parted by "; ". */
void guest_last_words(const char *text, char *ret, size_t size);

#endif
