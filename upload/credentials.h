/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_CREDENTIALS_H
#define KILN_UPLOAD_CREDENTIALS_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct http;
struct settings;

/* Who asks. Never logged, never in a message; wiped when freed. */
struct credentials {
	char *key_id, *secret;
	char *token;		/* of a session; NULL: none */
	int64_t expires;	/* seconds since 1970; 0: never, as far as is known */
	char *from;		/* for messages: "the environment", "role arn:… by profile x" */
};
#define CREDENTIALS_INIT { .key_id = NULL }
void credentials_clear(struct credentials *c);
#define CLEANUP_CREDENTIALS __attribute__((cleanup(credentials_clear)))
/* Copies; `token` may be NULL or "". */
void credentials_set(struct credentials *c, const char *key_id, const char *secret, const char *token,
		     int64_t expires, const char *from);

/* The JSON forms of other programs and services; complaints name `from` and never what stands in it. */
struct credential_names {
	const char *object;		/* the member that holds the rest; NULL: the whole */
	const char *key_id, *secret, *token;
	const char *expires;		/* RFC 3339 */
	const char *expires_ms;		/* or a number, milliseconds since 1970; NULL */
};
int credentials_from_json(const struct buf *text, const struct credential_names *names, const char *from,
			  struct credentials *ret, struct error *err);

/*
 * The chain, in the SDKs' order: environment, the profile in the shared files (a role by a source profile, web
 * identity, SSO, static keys, credential_process), web identity by the environment, the container's, and the EC2
 * instance's (IMDSv2). The first that is set up counts: when it fails, its error is the answer. Where none is,
 * ERROR_INPUT lists what was looked at. `http` must have nothing pending. Asking another machine takes up to
 * some seconds.
 */
int credentials_find(const struct settings *settings, struct http *http, struct credentials *ret, struct error *err);

#endif
