/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_CREDENTIALS_SOURCE_H
#define KILN_UPLOAD_CREDENTIALS_SOURCE_H

#include <stdint.h>

#include "../factory/base/buf.h"
#include "credentials.h"
#include "http.h"
#include "settings.h"

struct error;

/* How the sources of credentials and the chain speak with each other; nobody else includes this. */

#define PROFILE_CHAIN_MAX 8

struct credential_search {
	const struct settings *settings;
	struct http *http;
	struct buf looked;		/* where there was nothing, and why */
	const char *profiles[PROFILE_CHAIN_MAX];	/* that lead from one to the other by source_profile */
	unsigned int profile_count;
};

/*
 * 0 with ret->key_id set: found. 0 without: not set up, and *looked says so (search_nothing()). An error: it is set
 * up and does not work, which ends the search.
 */
typedef int credential_source(struct credential_search *s, struct credentials *ret, struct error *err);
credential_source credentials_of_environment, credentials_of_profile, credentials_of_web_identity,
	credentials_of_container, credentials_of_instance;
/* The environment's, also where a profile is named by an option. */
credential_source credentials_of_variables;

/* The ways in which a profile can have credentials; likewise, and they add nothing to *looked. */
typedef int profile_source(struct credential_search *s, const char *profile, struct credentials *ret,
			   struct error *err);
profile_source profile_by_role, profile_by_web_identity, profile_by_sso, profile_by_keys, profile_by_process;
/* All of them, in their order. */
int profile_credentials(struct credential_search *s, const char *profile, struct credentials *ret, struct error *err);

/* Adds "WHERE (WHY)". */
void search_nothing(struct credential_search *s, const char *where, const char *why_format, ...)
	__attribute__((format(printf, 3, 4)));

/* One answer, of status 200, to a request that is tried three times if need be; `what` is for messages. */
int credentials_fetch(struct credential_search *s, const struct http_request *q, const char *what,
		      struct http_answer **ret, struct error *err);
#define CREDENTIALS_ANSWER_MAX (64u << 10)

#endif
