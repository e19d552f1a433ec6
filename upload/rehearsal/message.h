/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_MESSAGE_H
#define KILN_REHEARSAL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "../../factory/base/buf.h"
#include "query.h"

/* A request's body may have so many bytes; a block has 524288, a form with UefiData less than 200000. */
#define REQUEST_BODY_MAX ((size_t)1 << 20)

struct request {
	char *method;
	char *path;			/* as it was sent, still percent-encoded, without the query */
	char *query;			/* what follows '?', likewise; "" for none */
	struct pairs headers;		/* names in lower case */
	struct buf body;
	void *context;			/* the handler's */
};

struct answer {
	unsigned int status;
	struct pairs headers;
	struct buf body;

	/* How it goes wrong. */
	unsigned int delay_ms;		/* before it is sent */
	bool stalled;			/* nothing is sent until the client goes away */
	bool lost;			/* nothing is sent, and the connection closed */
	size_t cut_after;		/* of the body; SIZE_MAX: not at all */
	size_t piece;			/* so many bytes of the body at a time; 0: as it comes */
	unsigned int pause_ms;		/* between two of them */
};

#endif
