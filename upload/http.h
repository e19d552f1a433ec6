/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_HTTP_H
#define KILN_UPLOAD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../factory/base/buf.h"

struct error;

/*
 * Many HTTP transfers at once, in one thread: libcurl's multi interface, and the only file that sees libcurl.
 * Knows nothing of AWS. Redirects are not followed, nothing is retried. HTTP/1.1, one connection for each
 * transfer that is under way, kept for the next.
 *
 * From the environment: the proxy (https_proxy, http_proxy, all_proxy, no_proxy, as curl reads them), and whom
 * to trust (AWS_CA_BUNDLE, else CURL_CA_BUNDLE, else SSL_CERT_FILE, else what libcurl was built with).
 */

struct http_header {
	const char *name, *value;
};

struct http_request {
	const char *method, *url;	/* the URL is sent as it is */
	const struct http_header *headers;	/* copied */
	size_t header_count;
	const void *body;		/* borrowed until it is done; NULL: none (PUT and POST send an empty one) */
	size_t body_size;
	size_t answer_max;		/* in bytes, of the body; one that is longer fails */
	unsigned int stall_ms;		/* longest time in which nothing moves, connecting included; 0: 30 s */
	unsigned int total_ms;		/* of the whole transfer; 0: no limit */
	bool direct;			/* past any proxy: for addresses that only this machine can reach */
	bool fresh;			/* on a new connection: libcurl sends anew what an old one has lost */
	bool secret;			/* the answer is: its memory is wiped when it is freed */
};

struct http_answer {
	unsigned int status;
	struct http_header *headers;	/* of the last response, in its order */
	size_t header_count;
	struct buf body;
	bool secret;
};

/* The value of the header, its name in any case; NULL without one. */
const char *http_answer_header(const struct http_answer *answer, const char *name);
/* What the Date header says (RFC 9110, 6.6.1), in seconds since 1970; -ENOENT without one. */
int http_answer_date(const struct http_answer *answer, int64_t *ret);
void http_answer_free(struct http_answer *answer);
void http_answer_freep(struct http_answer **answer);
#define CLEANUP_HTTP_ANSWER __attribute__((cleanup(http_answer_freep)))

/*
 * Called by http_step() when the transfer is over. An answer of any status is one: the callee looks at it, and owns
 * it (http_answer_free()). NULL: there was none, and `why` says so in a sentence that names the host. `why->code` is
 * ETIMEDOUT after a stall, EFBIG for one too long, EINVAL for what trying again cannot mend (a certificate that does
 * not verify, a URL that is none), EHOSTUNREACH where the name was not found or nobody listens, EIO otherwise.
 * It may begin other transfers, and must not call http_step().
 */
typedef void http_done(void *arg, struct http_answer *answer, const struct error *why);

struct http;
int http_new(struct http **ret, struct error *err);
/* A file of certificates (PEM) in place of what the environment says. */
int http_trust(struct http *h, const char *path, struct error *err);
/* Drops what is pending without calling anybody. */
void http_free(struct http *h);
void http_freep(struct http **h);
#define CLEANUP_HTTP __attribute__((cleanup(http_freep)))

int http_begin(struct http *h, const struct http_request *q, http_done *done, void *arg, struct error *err);
/* Moves what can be moved; waits up to `timeout_ms` when nothing can be. -EINTR after a signal (process.h). */
int http_step(struct http *h, int timeout_ms, struct error *err);
size_t http_pending(const struct http *h);
/* Ends those that were begun with this `arg`, without calling anybody. */
void http_drop(struct http *h, const void *arg);

/* One transfer from begin to end, while those that are pending go on. The answer is the caller's. */
int http_fetch(struct http *h, const struct http_request *q, struct http_answer **ret, struct error *err);

#endif
