/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"
#include "../factory/model/memory.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"

const char *settings_variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* ---------------------------------------------------------------- profiles */

/* In the config file all profiles but "default" are called "profile NAME"; that one may be. */
static const char *of_config(const struct settings *s, const char *profile, const char *key)
{
	CLEANUP_FREE char *section = string_printf("profile %s", profile);
	const char *value = ini_get(s->config, section, key);

	if (!value && strcmp(profile, "default") == 0)
		value = ini_get(s->config, profile, key);
	return value;
}

const char *settings_of_profile(const struct settings *s, const char *profile, const char *key)
{
	const char *value = ini_get(s->credentials, profile, key);

	if (!value || !value[0])
		value = of_config(s, profile, key);
	return value && value[0] ? value : NULL;
}

bool settings_has_profile(const struct settings *s, const char *profile)
{
	CLEANUP_FREE char *section = string_printf("profile %s", profile);

	return ini_has(s->credentials, profile) || ini_has(s->config, section) ||
	       (strcmp(profile, "default") == 0 && ini_has(s->config, profile));
}

const char *settings_of_section(const struct settings *s, const char *kind, const char *name, const char *key)
{
	CLEANUP_FREE char *section = string_printf("%s %s", kind, name);
	const char *value = ini_get(s->config, section, key);

	return value && value[0] ? value : NULL;
}

static int choose_profile(struct settings *s, const char *given, struct error *err)
{
	const char *name = given;

	if (!name)
		name = settings_variable("AWS_PROFILE");
	if (!name)
		name = settings_variable("AWS_DEFAULT_PROFILE");
	s->profile = string_copy(name ? name : "default");
	s->profile_given = given != NULL;
	if (name && !settings_has_profile(s, name))
		return error_input(err, "there is no profile \"%s\" in %s or %s", name, s->config_file,
				   s->credentials_file);
	return 0;
}

/* ---------------------------------------------------------------- files */

/* malloc'ed; "~/" is the home directory. NULL where that is wanted and not known. */
static char *file_path(const char *variable, const char *otherwise)
{
	const char *path = settings_variable(variable), *home = settings_variable("HOME");

	if (!path)
		path = otherwise;
	if (strncmp(path, "~/", 2) != 0)
		return string_copy(path);
	return home ? path_join(home, path + 2) : NULL;
}

static int read_file(const char *variable, const char *otherwise, char **ret_path, struct ini **ret, struct error *err)
{
	CLEANUP_SECRET_BUF struct buf text = BUF_INIT(INI_SIZE_MAX);
	char *path = file_path(variable, otherwise);
	int r = 0;

	*ret_path = path ? path : string_copy(otherwise);
	if (path && io_exists(path))
		r = io_read_file(path, INI_SIZE_MAX, &text, err);
	return r < 0 ? r : ini_parse(buf_text(&text), text.len, *ret_path, ret, err);
}

/* ---------------------------------------------------------------- region and endpoint */

/* "us-east-1", "us-gov-west-1", "eusc-de-east-1" */
static bool is_region(const char *text)
{
	const char *at = text + strspn(text, LOWER);
	unsigned int words = 0;
	size_t n;

	if (at == text)
		return false;
	while (at[0] == '-' && (n = strspn(at + 1, LOWER)) > 0) {
		at += 1 + n;
		words++;
	}
	if (words == 0 || at[0] != '-')
		return false;
	n = strspn(at + 1, "0123456789");
	return n > 0 && n < 3 && !at[1 + n];
}

static int choose_region(struct settings *s, const char *given, struct error *err)
{
	const char *region = given;

	if (!region)
		region = settings_variable("AWS_REGION");
	if (!region)
		region = settings_variable("AWS_DEFAULT_REGION");
	if (!region)
		region = settings_of_profile(s, s->profile, "region");
	if (!region)
		return error_input(err, "no region: give --region, set AWS_REGION, or set region in the profile \"%s\" of %s",
				   s->profile, s->config_file);
	if (!is_region(region))
		return error_input(err, "\"%s\" is no region, such as us-east-1", region);
	s->region = string_copy(region);
	return 0;
}

static bool is_true(const char *value)
{
	return value && strcasecmp(value, "true") == 0;
}

/* The domain that the regions of a partition have in common. */
static const char *domain_of(const char *region)
{
	static const struct {
		const char *prefix, *domain;
	} partitions[] = {
		{ "cn-", "amazonaws.com.cn" },
		{ "us-iso-", "c2s.ic.gov" },
		{ "us-isob-", "sc2s.sgov.gov" },
		{ "us-isof-", "csp.hci.ic.gov" },
		{ "eu-isoe-", "cloud.adc-e.uk" },
		{ "eusc-", "amazonaws.eu" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(partitions); i++)
		if (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) == 0)
			return partitions[i].domain;
	return "amazonaws.com";
}

/* The services whose host is not called as they are. */
static const char *host_of(const char *service)
{
	if (strcmp(service, "sso") == 0)
		return "portal.sso";
	return strcmp(service, "sso_oidc") == 0 ? "oidc" : service;
}

static char *aws_endpoint(const struct settings *s, const char *service, const char *region)
{
	const char *setting = settings_variable("AWS_USE_FIPS_ENDPOINT");
	bool fips;

	if (!setting)
		setting = settings_of_profile(s, s->profile, "use_fips_endpoint");
	/* GovCloud's are FIPS endpoints under the plain name. */
	fips = is_true(setting) && strncmp(region, "us-gov-", 7) != 0;
	return string_printf("https://%s%s.%s.%s", host_of(service), fips ? "-fips" : "", region, domain_of(region));
}

static const char *variable_of_service(const char *service)
{
	CLEANUP_FREE char *name = string_printf("AWS_ENDPOINT_URL_%s", service);

	for (char *c = name; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	return settings_variable(name);
}

/* Of the section that the profile's "services" names: "ebs =", and indented below it "endpoint_url = ...". */
static const char *profile_of_service(const struct settings *s, const char *service)
{
	const char *section = settings_of_profile(s, s->profile, "services");
	CLEANUP_FREE char *key = string_printf("%s.endpoint_url", service);

	return section ? settings_of_section(s, "services", section, key) : NULL;
}

static const char *configured_endpoint(const struct settings *s, const char *service)
{
	const char *setting = settings_variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), *url;

	if (!setting)
		setting = settings_of_profile(s, s->profile, "ignore_configured_endpoint_urls");
	if (is_true(setting))
		return NULL;
	url = variable_of_service(service);
	if (!url)
		url = settings_variable("AWS_ENDPOINT_URL");
	if (!url)
		url = profile_of_service(s, service);
	return url ? url : settings_of_profile(s, s->profile, "endpoint_url");
}

int settings_endpoint(const struct settings *s, const char *service, const char *region, char **ret, struct error *err)
{
	const char *url = configured_endpoint(s, service), *host;
	size_t n;

	if (!url) {
		*ret = aws_endpoint(s, service, region ? region : s->region);
		return 0;
	}
	host = strstr(url, "://");
	if (!host || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0))
		return error_input(err, "the endpoint %s of %s does not begin with https:// or http://", url, service);
	host += 3;
	n = strcspn(host, "/?#@ ");
	if (n == 0 || (host[n] && strcmp(host + n, "/") != 0))
		return error_input(err, "the endpoint %s of %s is more than a scheme and a host", url, service);
	*ret = string_printf("%.*s", (int)(host + n - url), url);
	return 0;
}

/* ---------------------------------------------------------------- the whole */

int settings_load(const char *region, const char *profile, struct settings **ret, struct error *err)
{
	CLEANUP_SETTINGS struct settings *s = memory_new(sizeof(*s));
	int r = read_file("AWS_CONFIG_FILE", "~/.aws/config", &s->config_file, &s->config, err);

	if (r == 0)
		r = read_file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", &s->credentials_file,
			      &s->credentials, err);
	if (r == 0)
		r = choose_profile(s, profile, err);
	if (r == 0)
		r = choose_region(s, region, err);
	if (r == 0)
		*ret = TAKE_PTR(s);
	return r;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	ini_free(s->config);
	ini_free(s->credentials);
	free(s->config_file);
	free(s->credentials_file);
	free(s->profile);
	free(s->region);
	free(s);
}

void settings_freep(struct settings **s)
{
	settings_free(*s);
	*s = NULL;
}
