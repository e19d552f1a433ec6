/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_LIVE_H
#define KILN_MODEL_LIVE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What a running machine answered to whoever tried to get in: seen by vm-test, judged by the audit. Strings are
 * malloc'ed; zero-initialised it is empty.
 */

enum live_scan_kind { LIVE_TCP4, LIVE_UDP4, LIVE_TCP6, LIVE_UDP6, LIVE_SCANS };
extern const char *const live_scan_names[LIVE_SCANS];	/* "TCP over IPv4" */

/* Ports 1 to 65535. */
struct live_scan {
	bool done;			/* false: the machine has no address of that family */
	unsigned int *open;		/* those that answered, ascending */
	size_t open_count;
	unsigned int closed, silent;	/* how many refused, and how many did not answer at all */
};

/* Something was typed or pressed. */
enum live_touch {
	LIVE_SERIAL, LIVE_SECOND_SERIAL, LIVE_KEYBOARD, LIVE_USB_KEYBOARD, LIVE_SYSRQ, LIVE_CTRL_ALT_DEL,
	LIVE_POWER_BUTTON, LIVE_TOUCHES
};

struct live_list {
	char **items;
	size_t count;
};

struct live {
	struct live_scan scans[LIVE_SCANS];
	char *effects[LIVE_TOUCHES];	/* what came of it; NULL: nothing */
	struct live_list user_data;	/* what the machine asked the metadata service for, "GET /latest/user-data" */
	struct live_list sent;		/* to whom it sent of itself, "udp 10.0.2.2:53" */
};

/* Unless it is there already. */
void live_list_add(struct live_list *list, const char *text);
void live_clear(struct live *l);
#define CLEANUP_LIVE __attribute__((cleanup(live_clear)))

#endif
