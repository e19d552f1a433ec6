/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "credentials_source.h"
#include "sts.h"

#define SESSION_NAME "kiln-upload"

/* What "credential_source" may say. */
static const struct {
	const char *name;
	credential_source *find;
} places[] = {
	{ "Environment", credentials_of_variables },
	{ "EcsContainer", credentials_of_container },
	{ "Ec2InstanceMetadata", credentials_of_instance },
};

static int by_place(struct credential_search *s, const char *profile, const char *place, struct credentials *ret,
		    struct error *err)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (strcmp(place, places[i].name) != 0)
			continue;
		r = places[i].find(s, ret, err);
		if (r == 0 && !ret->key_id)
			return error_input(err, "the credential_source %s of the profile \"%s\" has no credentials",
					   place, profile);
		return r;
	}
	return error_input(err, "the profile \"%s\" has the credential_source %s, which may be Environment, EcsContainer or Ec2InstanceMetadata",
			   profile, place);
}

static bool is_on_the_way(const struct credential_search *s, const char *profile)
{
	for (unsigned int i = 0; i < s->profile_count; i++)
		if (strcmp(s->profiles[i], profile) == 0)
			return true;
	return false;
}

static int by_profile(struct credential_search *s, const char *profile, const char *source, struct credentials *ret,
		      struct error *err)
{
	int r;

	if (!settings_has_profile(s->settings, source))
		return error_input(err, "the profile \"%s\" has the source_profile \"%s\", which there is not", profile,
				   source);
	/* A profile may be its own source: then its keys are. */
	if (strcmp(source, profile) == 0)
		r = profile_by_keys(s, source, ret, err);
	else if (is_on_the_way(s, source))
		return error_input(err, "the source_profile of the profile \"%s\" leads back to \"%s\"", profile,
				   source);
	else
		r = profile_credentials(s, source, ret, err);
	if (r == 0 && !ret->key_id)
		return error_input(err, "the source_profile \"%s\" of the profile \"%s\" has no credentials", source,
				   profile);
	return r;
}

static int assume(struct credential_search *s, const char *profile, const char *role, const struct credentials *by,
		  struct credentials *ret, struct error *err)
{
	const char *name = settings_of_profile(s->settings, profile, "role_session_name");
	const char *external = settings_of_profile(s->settings, profile, "external_id");
	const char *seconds = settings_of_profile(s->settings, profile, "duration_seconds");
	CLEANUP_FREE char *from = string_printf("the role %s by the profile \"%s\"", role, profile);
	struct aws_pair parameters[5] = {
		{ "Action", "AssumeRole" },
		{ "RoleArn", role },
		{ "RoleSessionName", name ? name : SESSION_NAME },
	};
	size_t count = 3;

	if (external)
		parameters[count++] = (struct aws_pair) { "ExternalId", external };
	if (seconds)
		parameters[count++] = (struct aws_pair) { "DurationSeconds", seconds };
	return sts_assume(s, parameters, count, by, from, ret, err);
}

int profile_by_role(struct credential_search *s, const char *profile, struct credentials *ret, struct error *err)
{
	CLEANUP_CREDENTIALS struct credentials by = CREDENTIALS_INIT;
	const char *role = settings_of_profile(s->settings, profile, "role_arn");
	const char *source = settings_of_profile(s->settings, profile, "source_profile");
	const char *place = settings_of_profile(s->settings, profile, "credential_source");
	int r;

	if (!role || settings_of_profile(s->settings, profile, "web_identity_token_file"))
		return 0;
	if (!source == !place)
		return error_input(err, "the profile \"%s\" has role_arn and %s source_profile %s credential_source",
				   profile, source ? "both" : "neither", source ? "and" : "nor");
	if (settings_of_profile(s->settings, profile, "mfa_serial"))
		return error_input(err, "the profile \"%s\" asks for a code of mfa_serial, which Kiln does not: get a session with the AWS CLI, and put it into the environment",
				   profile);
	r = source ? by_profile(s, profile, source, &by, err) : by_place(s, profile, place, &by, err);
	return r < 0 ? r : assume(s, profile, role, &by, ret, err);
}
