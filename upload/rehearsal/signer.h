/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_SIGNER_H
#define KILN_REHEARSAL_SIGNER_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* Who may sign: one long-lived key, and those with a session token that the server gives out. */
struct signer {
	char access_key[33];
	char secret[129];
	char token[257];		/* "" for the long-lived one */
	char arn[257];			/* who signs with it */
	int64_t expires;		/* seconds of the epoch, by the server's clock */
};

struct signers {
	struct signer *items;
	size_t count;
};

/* The first, long-lived. */
void signers_add(struct signers *c, const char *access_key, const char *secret, const char *arn);
/* A new one with a token; valid until the next is added. ERROR_OUTSIDE: no random numbers. */
int signers_issue(struct signers *c, const char *arn, int64_t expires, const struct signer **ret,
		      struct error *err);
/* NULL: nobody's. */
const struct signer *signers_find(const struct signers *c, const char *access_key);
void signers_free(struct signers *c);

#endif
