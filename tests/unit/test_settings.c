/* SPDX-License-Identifier: Apache-2.0 */
#include "upload/settings.h"

#include <errno.h>

#include "tests/unit/aws_environment.h"

#define CONFIG \
	"[default]\nregion = eu-west-1\n" \
	"[profile two]\nregion = eu-west-2\noutput = json\nendpoint_url = http://127.0.0.1:3\nservices = s\n" \
	"[services s]\nebs =\n  endpoint_url = http://127.0.0.1:4\n" \
	"[sso-session x]\nsso_region = eu-west-3\n" \
	"[profile fips]\nregion = us-east-1\nuse_fips_endpoint = true\n"
#define CREDENTIALS "[two]\naws_access_key_id = K\noutput = text\n[only]\naws_access_key_id = O\n"

static struct settings *load(const char *region, const char *profile)
{
	struct settings *s = NULL;
	struct error err = ERROR_INIT;

	need(settings_load(region, profile, &s, &err) == 0, "loaded (%s)", err.message);
	return s;
}

static void refuse(const char *region, const char *profile, const char *complaint)
{
	struct settings *s = NULL;
	struct error err = ERROR_INIT;

	ok_int(settings_load(region, profile, &s, &err), -EINVAL, "refused");
	ok_error(&err, complaint, "because of: %s", complaint);
}

static void test_regions(void)
{
	static const char *const bad[] = {"us-east",   "us_east_1", "us-east-1.evil.com", "us-east-1/", "1",
					  "US-EAST-1", "us--1",	    "us-east-100",	  "-east-1"};
	static const char *const good[] = {"us-east-1", "us-gov-west-1", "eusc-de-east-1", "ap-southeast-12",
					   "us-iso-east-1"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(bad[i], NULL, "is no region, such as us-east-1");
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CLEANUP_SETTINGS struct settings *s = load(good[i], NULL);

		ok_str(s->region, good[i], "%s is one", good[i]);
	}
}

static void test_order(void)
{
	CLEANUP_SETTINGS struct settings *profile = load(NULL, NULL), *named = NULL, *variable = NULL, *option = NULL;

	ok_str(profile->profile, "default", "the profile is called default");
	ok_str(profile->region, "eu-west-1", "whose region counts");
	setenv("AWS_DEFAULT_PROFILE", "nobody", 1);
	setenv("AWS_PROFILE", "two", 1);
	named = load(NULL, NULL);
	ok_str(named->region, "eu-west-2", "before it AWS_PROFILE's");
	ok(!named->profile_given, "which is no option");
	setenv("AWS_DEFAULT_REGION", "eu-south-1", 1);
	variable = load(NULL, NULL);
	ok_str(variable->region, "eu-south-1", "before that AWS_DEFAULT_REGION");
	setenv("AWS_REGION", "eu-north-1", 1);
	settings_freep(&variable);
	variable = load(NULL, NULL);
	ok_str(variable->region, "eu-north-1", "before that AWS_REGION");
	option = load("sa-east-1", "default");
	ok_str(option->region, "sa-east-1", "and before all the option");
	ok(option->profile_given && strcmp(option->profile, "default") == 0, "which names the profile as well");
	aws_environment_clear();
}

static void test_profiles(void)
{
	CLEANUP_SETTINGS struct settings *s = load(NULL, "two");

	ok_str(settings_of_profile(s, "two", "output"), "text", "the credentials file goes before the config file");
	ok_str(settings_of_profile(s, "two", "region"), "eu-west-2", "which has the rest");
	ok(!settings_of_profile(s, "two", "none"), "what there is not");
	ok(settings_has_profile(s, "only"), "a profile may be in one of them alone");
	ok_str(settings_of_section(s, "sso-session", "x", "sso_region"), "eu-west-3",
	       "other sections are found by their kind");
	refuse(NULL, "nobody", "there is no profile \"nobody\" in ");
	refuse(NULL, "only", "no region: give --region, set AWS_REGION, or set region in the profile \"only\"");
}

static void endpoint_is(const struct settings *s, const char *service, const char *region, const char *expected)
{
	CLEANUP_FREE char *url = NULL;
	struct error err = ERROR_INIT;

	need(settings_endpoint(s, service, region, &url, &err) == 0, "an endpoint (%s)", err.message);
	ok_str(url, expected, "%s is at %s", service, expected);
}

static void test_aws_endpoints(void)
{
	CLEANUP_SETTINGS struct settings *s = load(NULL, NULL), *fips = load(NULL, "fips");

	endpoint_is(s, "ebs", NULL, "https://ebs.eu-west-1.amazonaws.com");
	endpoint_is(s, "ec2", "cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn");
	endpoint_is(s, "sts", "us-isob-east-1", "https://sts.us-isob-east-1.sc2s.sgov.gov");
	endpoint_is(s, "sso", "eu-west-3", "https://portal.sso.eu-west-3.amazonaws.com");
	endpoint_is(s, "sso_oidc", "eu-west-3", "https://oidc.eu-west-3.amazonaws.com");
	endpoint_is(fips, "ebs", NULL, "https://ebs-fips.us-east-1.amazonaws.com");
	endpoint_is(fips, "ebs", "us-gov-west-1", "https://ebs.us-gov-west-1.amazonaws.com");
}

static void test_endpoints(void)
{
	CLEANUP_SETTINGS struct settings *s = load(NULL, "two");
	CLEANUP_FREE char *url = NULL;
	static const char *const bad[] = {"127.0.0.1:1",    "ftp://x",	   "http://",
					  "https://x/path", "https://u@x", "https://x?y"};

	endpoint_is(s, "ec2", NULL, "http://127.0.0.1:3");
	endpoint_is(s, "ebs", NULL, "http://127.0.0.1:4");
	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1/", 1);
	setenv("AWS_ENDPOINT_URL_EC2", "https://127.0.0.1:2", 1);
	endpoint_is(s, "ebs", NULL, "http://127.0.0.1:1");
	endpoint_is(s, "ec2", NULL, "https://127.0.0.1:2");
	setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
	endpoint_is(s, "ec2", NULL, "https://ec2.eu-west-2.amazonaws.com");
	unsetenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;

		setenv("AWS_ENDPOINT_URL_EC2", bad[i], 1);
		ok_int(settings_endpoint(s, "ec2", NULL, &url, &err), -EINVAL, "refused: %s", bad[i]);
		ok_error(&err, bad[i], "by its name");
	}
	aws_environment_clear();
}

static void test_files(void)
{
	CLEANUP_SETTINGS struct settings *s = NULL;
	struct error err = ERROR_INIT;

	setenv("AWS_CONFIG_FILE", "~/elsewhere/config", 1);
	aws_home_file("elsewhere/config", "[default]\nregion = ca-west-1\n");
	s = load(NULL, NULL);
	ok_str(s->region, "ca-west-1", "AWS_CONFIG_FILE names another file");
	settings_freep(&s);
	aws_home_file("elsewhere/config", "[default]\nregion\n");
	ok_int(settings_load(NULL, NULL, &s, &err), -EINVAL, "one that cannot be read");
	ok_error(&err, "elsewhere/config:2:", "is refused by its line");
	setenv("AWS_CONFIG_FILE", "~/nothing", 1);
	refuse(NULL, NULL, "no region");
	aws_environment_clear();
	unsetenv("HOME");
	refuse(NULL, NULL, "no region");
	setenv("HOME", aws_home.path, 1);
}

int main(void)
{
	aws_environment_begin();
	aws_home_file(".aws/config", CONFIG);
	aws_home_file(".aws/credentials", CREDENTIALS);
	test_regions();
	test_order();
	test_profiles();
	test_aws_endpoints();
	test_endpoints();
	test_files();
	aws_environment_end();
	return tap_done();
}
