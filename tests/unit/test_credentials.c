/* SPDX-License-Identifier: Apache-2.0 */
#include "upload/credentials.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "factory/base/sha1.h"
#include "tests/unit/aws_environment.h"
#include "tests/unit/http_server.h"
#include "upload/http.h"
#include "upload/settings.h"

#define LATER "2126-01-02T03:04:05Z"
#define LATER_S INT64_C(4922996645)
#define SESSION(key) \
	"<Credentials><AccessKeyId>" key "</AccessKeyId><SecretAccessKey>s&amp;s</SecretAccessKey>" \
	"<SessionToken>token</SessionToken><Expiration>" LATER "</Expiration></Credentials>"
#define JSON(key) \
	"{\"Version\": 1, \"Code\": \"Success\", \"AccessKeyId\": \"" key "\", \"SecretAccessKey\": \"sesame\", " \
	"\"Token\": \"token\", \"SessionToken\": \"token\", \"Expiration\": \"" LATER "\"}"

/* What the services answer; a test changes what it is about. */
static struct {
	const char *imds_token_status, *roles, *container, *sso, *oidc_status;
	unsigned int sts_failures;
} services;

static bool contains(const struct served *q, const char *text)
{
	return q->body && strstr((const char *)q->body, text);
}

static bool serve_sts(int fd, const struct served *q)
{
	if (services.sts_failures > 0) {
		services.sts_failures--;
		return serve_text(fd, "503 Busy", "", "");
	}
	if (contains(q, "RoleArn=refused"))
		return serve_text(fd, "403 No", "",
				  "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User x is not "
				  "authorized to perform: sts:AssumeRole on "
				  "resource</Message></Error></ErrorResponse>");
	if (contains(q, "Action=AssumeRoleWithWebIdentity&"))
		return serve_text(fd, "200 OK", "",
				  "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>" SESSION("WEB")
				  "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
	if (contains(q, "RoleArn=torn"))
		return serve_text(fd, "200 OK", "",
				  "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
				  "<AccessKeyId>sesame</AccessKeyId></Credentials></AssumeRoleResult>"
				  "</AssumeRoleResponse>");
	return serve_text(fd, "200 OK", "", "<AssumeRoleResponse><AssumeRoleResult>" SESSION("ROLE")
			  "</AssumeRoleResult></AssumeRoleResponse>");
}

static bool serve_imds(int fd, const struct served *q)
{
	if (strcmp(q->path, "/latest/api/token") == 0)
		return serve_text(fd, strcmp(q->method, "PUT") ? "405 No" : services.imds_token_status, "",
				  "imds-token");
	if (strcmp(served_header(q, "x-aws-ec2-metadata-token"), "imds-token") != 0)
		return serve_text(fd, "401 No", "", "");
	if (strcmp(q->path, "/latest/meta-data/iam/security-credentials/") == 0)
		return serve_text(fd, services.roles ? "200 OK" : "404 Not Found", "",
				  services.roles ? services.roles : "");
	if (strcmp(q->path, "/latest/meta-data/iam/security-credentials/my-role") == 0)
		return serve_text(fd, "200 OK", "", JSON("IMDS"));
	return serve_text(fd, "404 Not Found", "", "");
}

static bool serve(void *arg, int fd, const struct served *q)
{
	(void)arg;
	if (strncmp(q->path, "/latest/", 8) == 0)
		return serve_imds(fd, q);
	if (strncmp(q->path, "/federation/", 12) == 0)
		return serve_text(fd, "200 OK", "", services.sso);
	if (strcmp(q->path, "/token") == 0)
		return serve_text(fd, services.oidc_status, "", "{\"accessToken\": \"renewed\", \"expiresIn\": 3600, "
				  "\"refreshToken\": \"refresh-2\", \"tokenType\": \"Bearer\"}");
	if (strcmp(q->path, "/container") == 0)
		return serve_text(fd, "200 OK", "", services.container);
	return serve_sts(fd, q);
}

static void services_reset(void)
{
	services.imds_token_status = "200 OK";
	services.roles = "my-role";
	services.container = JSON("CONTAINER");
	services.sso = "{\"roleCredentials\": {\"accessKeyId\": \"SSO\", \"secretAccessKey\": \"s\", \"sessionToken\": "
		       "\"token\","
		       " \"expiration\": 4922996645000}}";
	services.oidc_status = "200 OK";
	services.sts_failures = 0;
	http_server_forget();
}

/* ---------------------------------------------------------------- asking */

static int find(const char *profile, struct credentials *ret, struct error *err)
{
	CLEANUP_SETTINGS struct settings *s = NULL;
	CLEANUP_HTTP struct http *h = NULL;

	*err = (struct error)ERROR_INIT;
	credentials_clear(ret);
	need(settings_load("us-east-1", profile, &s, err) == 0, "settings (%s)", err->message);
	need(http_new(&h, err) == 0, "transfers (%s)", err->message);
	return credentials_find(s, h, ret, err);
}

static void finds(const char *profile, const char *key_id, const char *token, int64_t expires, const char *from)
{
	CLEANUP_CREDENTIALS struct credentials c = CREDENTIALS_INIT;
	struct error err;

	if (!ok_int(find(profile, &c, &err), 0, "%s", from)) {
		printf("# %s\n", err.message);
		return;
	}
	ok_str(c.key_id, key_id, "its key");
	ok_str(c.token ? c.token : "", token ? token : "", "its token");
	ok_int(c.expires, expires, "its end");
	ok_str(c.from, from, "its name");
}

static void fails(const char *profile, const char *complaint)
{
	CLEANUP_CREDENTIALS struct credentials c = CREDENTIALS_INIT;
	struct error err;

	ok(find(profile, &c, &err) < 0, "no credentials");
	ok_error(&err, complaint, "because: %s", complaint);
	ok(!strstr(err.message, "sesame"), "without a secret in the message");
	ok(!c.key_id, "and nothing comes out");
}

/* ---------------------------------------------------------------- sources */

static void test_environment(void)
{
	setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
	fails(NULL, "credentials: AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
	setenv("AWS_SECRET_ACCESS_KEY", "sesame", 1);
	finds(NULL, "ENV", NULL, 0, "the environment");
	setenv("AWS_SESSION_TOKEN", "t", 1);
	setenv("AWS_CREDENTIAL_EXPIRATION", LATER, 1);
	finds(NULL, "ENV", "t", LATER_S, "the environment");
	aws_home_file(".aws/credentials", "[given]\naws_access_key_id = GIVEN\naws_secret_access_key = s\n");
	finds("given", "GIVEN", NULL, 0, "the profile \"given\"");
	setenv("AWS_PROFILE", "given", 1);
	finds(NULL, "ENV", "t", LATER_S, "the environment");
	aws_environment_clear();
}

static void test_keys(void)
{
	aws_home_file(".aws/credentials",
		      "[default]\naws_access_key_id = FILE\naws_secret_access_key = sesame/+=\naws_session_token = t\n"
		      "[half]\naws_access_key_id = sesame\n");
	finds(NULL, "FILE", "t", 0, "the profile \"default\"");
	fails("half", "the profile \"half\" has aws_access_key_id and not aws_secret_access_key");
}

static void test_roles(void)
{
	aws_home_file(".aws/credentials", "[keys]\naws_access_key_id = BASE\naws_secret_access_key = sesame\n");
	aws_home_file(".aws/config",
		      "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = keys\nexternal_id = e/x\n"
		      "duration_seconds = 900\nrole_session_name = me\n"
		      "[profile chain]\nrole_arn = arn:second\nsource_profile = role\n"
		      "[profile self]\nrole_arn = arn:self\nsource_profile = self\naws_access_key_id = SELF\n"
		      "aws_secret_access_key = s\n"
		      "[profile refused]\nrole_arn = refused\nsource_profile = keys\n"
		      "[profile torn]\nrole_arn = torn\nsource_profile = keys\n"
		      "[profile loop]\nrole_arn = a\nsource_profile = loop2\n"
		      "[profile loop2]\nrole_arn = a\nsource_profile = loop\n"
		      "[profile none]\nrole_arn = a\nsource_profile = gone\n"
		      "[profile empty]\nregion = us-east-1\n"
		      "[profile of-empty]\nrole_arn = a\nsource_profile = empty\n"
		      "[profile mfa]\nrole_arn = a\nsource_profile = keys\nmfa_serial = m\n"
		      "[profile half]\nrole_arn = a\n"
		      "[profile place]\nrole_arn = arn:place\ncredential_source = Environment\n"
		      "[profile elsewhere]\nrole_arn = a\ncredential_source = Moon\n");
	setenv("AWS_ENDPOINT_URL_STS", served_url(""), 1);
	finds("role", "ROLE", "token", LATER_S, "the role arn:aws:iam::1:role/r by the profile \"role\"");
	ok_str((const char *)last_request()->body,
	       "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&ExternalId=e%2Fx&"
	       "DurationSeconds=900&Version=2011-06-15",
	       "STS was asked for it");
	ok(strstr(served_header(last_request(), "authorization"), "Credential=BASE/"), "by the source's key");
	ok(strstr(served_header(last_request(), "authorization"), "/us-east-1/sts/aws4_request"), "in the region");
	finds("chain", "ROLE", "token", LATER_S, "the role arn:second by the profile \"chain\"");
	ok_str(served_header(last_request(), "x-amz-security-token"), "token",
	       "the second role was asked for by the first");
	finds("self", "ROLE", "token", LATER_S, "the role arn:self by the profile \"self\"");
	ok(strstr(served_header(last_request(), "authorization"), "Credential=SELF/"), "by its own keys");
	services.sts_failures = 2;
	finds("role", "ROLE", "token", LATER_S, "the role arn:aws:iam::1:role/r by the profile \"role\"");
	fails("refused", "sts:AssumeRole: the credentials of the profile \"keys\" lack the permission sts:AssumeRole "
			 "(AccessDenied");
	fails("torn", "sts:AssumeRole: the credentials in the answer are not whole");
	fails("loop", "the source_profile of the profile \"loop2\" leads back to \"loop\"");
	fails("none", "the profile \"none\" has the source_profile \"gone\", which there is not");
	fails("of-empty", "the source_profile \"empty\" of the profile \"of-empty\" has no credentials");
	fails("mfa", "asks for a code of mfa_serial");
	fails("half", "has role_arn and neither source_profile nor credential_source");
	fails("place", "the credential_source Environment of the profile \"place\" has no credentials");
	fails("elsewhere", "has the credential_source Moon, which may be");
	setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "sesame", 1);
	finds("place", "ROLE", "token", LATER_S, "the role arn:place by the profile \"place\"");
	ok(strstr(served_header(last_request(), "authorization"), "Credential=ENV/"), "by the environment's key");
	aws_environment_clear();
}

static void test_web_identity(void)
{
	CLEANUP_FREE char *file = string_copy(aws_home_file("token", "a.b.c\n"));
	CLEANUP_FREE char *config =
		string_printf("[profile web]\nrole_arn = arn:w\nweb_identity_token_file = %s\n", file);

	aws_home_file(".aws/config", config);
	setenv("AWS_ENDPOINT_URL_STS", served_url(""), 1);
	finds("web", "WEB", "token", LATER_S, "the role arn:w by the web identity of the profile \"web\"");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file, 1);
	fails(NULL, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
	setenv("AWS_ROLE_ARN", "arn:e", 1);
	setenv("AWS_ROLE_SESSION_NAME", "me", 1);
	finds(NULL, "WEB", "token", LATER_S, "the role arn:e by the web identity of the environment");
	ok_str((const char *)last_request()->body,
	       "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Ae&RoleSessionName=me&WebIdentityToken=a.b.c&Version="
	       "2011-06-15",
	       "STS was asked for it, with the file's first line");
	ok_str(served_header(last_request(), "authorization"), "", "and nothing is signed");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", aws_home_file("empty", "\n"), 1);
	fails(NULL, "/empty is empty");
	aws_environment_clear();
}

static void write_token(const char *name, const char *expires)
{
	CLEANUP_FREE char *text =
		string_printf("{\"accessToken\": \"sso-token\", \"expiresAt\": \"%s\", \"region\": \"r\"}", expires);
	char hex[SHA1_DIGITS + 1], path[100];

	sha1_hex(name, strlen(name), hex);
	snprintf(path, sizeof(path), ".aws/sso/cache/%s.json", hex);
	aws_home_file(path, text);
}

static void test_sso(void)
{
	aws_home_file(".aws/config",
		      "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n"
		      "[profile sso]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = Up Loader\n"
		      "[profile old]\nsso_start_url = https://old.example/start\nsso_region = eu-west-1\n"
		      "sso_account_id = 4\n"
		      "sso_role_name = r\n"
		      "[profile half]\nsso_session = corp\nsso_role_name = r\n");
	setenv("AWS_ENDPOINT_URL_SSO", served_url(""), 1);
	fails("sso", "the SSO session of the profile \"sso\" has not begun: run \"aws sso login --profile sso\"");
	write_token("corp", LATER);
	finds("sso", "SSO", "token", LATER_S, "the SSO role Up Loader of account 123 by the profile \"sso\"");
	ok_str(last_request()->path, "/federation/credentials?role_name=Up%20Loader&account_id=123",
	       "the portal was asked for it");
	ok_str(served_header(last_request(), "x-amz-sso_bearer_token"), "sso-token", "with the cached token");
	ok_str(served_header(last_request(), "authorization"), "", "unsigned");
	write_token("https://old.example/start", "2126-01-02T03:04:05UTC");
	finds("old", "SSO", "token", LATER_S, "the SSO role r of account 4 by the profile \"old\"");
	write_token("corp", "2020-01-02T03:04:05Z");
	fails("sso", "the SSO session of the profile \"sso\" has ended");
	fails("half", "lacks one of its sso-session or of sso_start_url");
	write_token("corp", LATER);
	services.sso = "{\"message\": \"sesame\"";
	fails("sso", "what it gave is no JSON object");
	aws_environment_clear();
}

#define REGISTRATION \
	"\"clientId\": \"client\", \"clientSecret\": \"sesame\", \"registrationExpiresAt\": \"%s\", " \
	"\"refreshToken\": \"refresh-1\"}"

static void write_renewable(const char *expires, const char *registration)
{
	CLEANUP_FREE char *text = string_printf("{\"accessToken\": \"sso-token\", \"expiresAt\": \"%s\", \"region\": "
						"\"r\", " REGISTRATION,
						expires, registration);
	char hex[SHA1_DIGITS + 1], path[100];

	sha1_hex("corp", 4, hex);
	snprintf(path, sizeof(path), ".aws/sso/cache/%s.json", hex);
	aws_home_file(path, text);
}

static void test_sso_renewal(void)
{
	static const char question[] =
		"{\n  \"grantType\": \"refresh_token\",\n  \"clientId\": \"client\",\n  \"clientSecret\": \"sesame\",\n"
		"  \"refreshToken\": \"refresh-1\"\n}\n";
	static const char from[] = "the SSO role r of account 1 by the profile \"sso\"";

	aws_home_file(".aws/config",
		      "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n"
		      "[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n");
	setenv("AWS_ENDPOINT_URL", served_url(""), 1);
	write_renewable("2020-01-02T03:04:05Z", LATER);
	finds("sso", "SSO", "token", LATER_S, from);
	ok_str((const char *)http_server.requests[0]->body, question, "a token that has ended is renewed");
	ok_str(served_header(last_request(), "x-amz-sso_bearer_token"), "renewed", "and the new one shown");
	http_server_forget();
	finds("sso", "SSO", "token", LATER_S, from);
	ok_int(http_server.count, 1, "it has been kept");
	ok_str(served_header(last_request(), "x-amz-sso_bearer_token"), "renewed", "for the next time");
	write_renewable("2020-01-02T03:04:05Z", "2020-01-02T03:04:05Z");
	fails("sso", "the SSO session of the profile \"sso\" has ended: run");
	write_renewable("2020-01-02T03:04:05Z", LATER);
	services.oidc_status = "400 No";
	fails("sso", "the SSO session of the profile \"sso\" has ended: run");
	aws_environment_clear();
}

static void test_process(void)
{
	CLEANUP_FREE char *script = string_copy(aws_home_file("my program",
		"#!/bin/sh\n[ \"$1\" = 'a b' ] && [ \"$2\" = 'c\"$HOME' ] || { echo \"odd: $*\" >&2; exit 3; }\n"
		"printf '%s' '" JSON("PROCESS") "'\n"));
	CLEANUP_FREE char *config = string_printf(
		"[profile process]\ncredential_process = \"%s\" 'a b' c\\\"$HOME\n"
		"[profile broken]\ncredential_process = \"%s\" x\n"
		"[profile open]\ncredential_process = \"%s\n"
		"[profile none]\ncredential_process = /nowhere/program\n"
		"[profile text]\ncredential_process = echo sesame\n", script, script, script);

	need(chmod(script, 0700) == 0, "a program");
	aws_home_file(".aws/config", config);
	finds("process", "PROCESS", "token", LATER_S, "the credential_process of the profile \"process\"");
	fails("broken", "exited 3: odd: x");
	fails("open", "a quote is not closed");
	fails("none", "/nowhere/program");
	fails("text", "what it gave is no JSON object");
}

static void test_container(void)
{
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", served_url("/container"), 1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "by-variable", 1);
	finds(NULL, "CONTAINER", "token", LATER_S, "the container");
	ok_str(served_header(last_request(), "authorization"), "by-variable", "with the token of the environment");
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", aws_home_file("container-token", "by-file\n"), 1);
	finds(NULL, "CONTAINER", "token", LATER_S, "the container");
	ok_str(served_header(last_request(), "authorization"), "by-file", "or with that of a file");
	services.container = "{\"AccessKeyId\": \"K\"}";
	fails(NULL, "the container: SecretAccessKey is missing");
	services.container = "{\"AccessKeyId\": \"\", \"SecretAccessKey\": \"\"}";
	fails(NULL, "the container: the access key is empty");
	services.container = "{\"AccessKeyId\": \"K\", \"SecretAccessKey\": \"sesame\", \"Expiration\": \"soon\"}";
	fails(NULL, "the container: Expiration is no time");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x", 1);
	fails(NULL, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https:// nor an address of this machine");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.example.com/x", 1);
	fails(NULL, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "file:///etc/passwd", 1);
	fails(NULL, "does not begin with https:// or http://");
	setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "x", 1);
	fails(NULL, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
	aws_environment_clear();
}

static void test_instance(void)
{
	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", served_url("/"), 1);
	/* A proxy cannot speak for this machine. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	finds(NULL, "IMDS", "token", LATER_S, "the EC2 instance's role");
	ok_str(served_header(http_server.requests[0], "x-aws-ec2-metadata-token-ttl-seconds"), "21600",
	       "first a token was asked for");
	services.roles = NULL;
	fails(NULL, "the EC2 instance's role (it has none)");
	services.roles = "";
	fails(NULL, "the EC2 instance's role (it has none)");
	services.roles = "other";
	fails(NULL, "the EC2 instance's role: HTTP status 404");
	services.imds_token_status = "403 No";
	fails(NULL, "no token by IMDSv2: HTTP status 403");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1", 1);
	fails(NULL, "the EC2 instance's role (127.0.0.1:1: no answer");
	aws_environment_clear();
}

static void test_nothing(void)
{
	aws_home_file(".aws/config", "[default]\nregion = us-east-1\n");
	aws_home_file(".aws/credentials", "");
	fails(NULL, "no credentials for AWS; looked at: the environment (AWS_ACCESS_KEY_ID is not set); the profile "
		    "\"default\" of ");
	fails(NULL, "(no role, web identity, SSO session, keys or credential_process); web identity "
		    "(AWS_WEB_IDENTITY_TOKEN_FILE is not set); "
		    "the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are "
		    "not set); "
		    "the EC2 instance's role (AWS_EC2_METADATA_DISABLED is true)");
	fails("default", "the environment (passed over for --profile)");
}

/* The chain's order: what comes first counts, though all are there. */
static void test_order(void)
{
	aws_home_file(".aws/credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n");
	setenv("AWS_ENDPOINT_URL_STS", served_url(""), 1);
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", served_url(""), 1);
	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", served_url("/container"), 1);
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", aws_home_file("token", "t"), 1);
	setenv("AWS_ROLE_ARN", "arn:e", 1);
	setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	finds(NULL, "ENV", NULL, 0, "the environment");
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	finds(NULL, "FILE", NULL, 0, "the profile \"default\"");
	aws_home_file(".aws/credentials", "");
	finds(NULL, "WEB", "token", LATER_S, "the role arn:e by the web identity of the environment");
	unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
	finds(NULL, "CONTAINER", "token", LATER_S, "the container");
	unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	finds(NULL, "IMDS", "token", LATER_S, "the EC2 instance's role");
	aws_environment_clear();
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_environment, test_keys, test_roles, test_web_identity, test_sso, test_sso_renewal,
		test_process, test_container, test_instance, test_nothing, test_order,
	};

	aws_environment_begin();
	http_server_start(serve, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		services_reset();
		tests[i]();
	}
	aws_environment_end();
	return tap_done();
}
