/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_SETTINGS_H
#define KILN_UPLOAD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "ini.h"

struct error;

/*
 * What the user has set, where the SDKs look for it: an option, the environment, the profile. The environment is
 * read when asked for, the files once: AWS_CONFIG_FILE (~/.aws/config), AWS_SHARED_CREDENTIALS_FILE
 * (~/.aws/credentials). A file that is not there is empty.
 */
struct settings {
	char *profile;			/* the option, else AWS_PROFILE, else AWS_DEFAULT_PROFILE, else "default" */
	bool profile_given;		/* by the option */
	char *region;			/* the option, else AWS_REGION, AWS_DEFAULT_REGION, the profile's */
	char *config_file, *credentials_file;	/* paths */
	struct ini *config, *credentials;
};

/* A profile that was asked for and is in neither file, a region that is none, and a missing region are ERROR_INPUT. */
int settings_load(const char *region, const char *profile, struct settings **ret, struct error *err);
void settings_free(struct settings *s);
void settings_freep(struct settings **s);
#define CLEANUP_SETTINGS __attribute__((cleanup(settings_freep)))

/* Of the environment; "" counts as not set. */
const char *settings_variable(const char *name);
/* Of a profile: of the credentials file, else of the config file. NULL without one, or when it is empty. */
const char *settings_of_profile(const struct settings *s, const char *profile, const char *key);
bool settings_has_profile(const struct settings *s, const char *profile);
/* Of another section of the config file: "sso-session x". */
const char *settings_of_section(const struct settings *s, const char *kind, const char *name, const char *key);

/*
 * Where a service ("ebs") answers: AWS_ENDPOINT_URL_EBS, AWS_ENDPOINT_URL, the profile's endpoint_url, or AWS's
 * own for the region (with AWS_USE_FIPS_ENDPOINT, its FIPS one). malloc'ed, "https://host" without a path.
 * `region` NULL: the one of the settings.
 */
int settings_endpoint(const struct settings *s, const char *service, const char *region, char **ret, struct error *err);

#endif
