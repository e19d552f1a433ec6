/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"
#include "../factory/base/secret.h"
#include "credentials_source.h"

#define WORDS_MAX 64
#define TIMEOUT_MS 60000

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/*
 * Cuts a command into words, in place, as the AWS CLI does: quotes of both kinds, and backslashes outside of single
 * ones. There is no shell, so nothing is expanded. False for a quote that is not closed, and for too many words.
 */
static bool split(char *command, const char *words[static WORDS_MAX + 1])
{
	char *in = command, *out = command;
	size_t count = 0;

	for (;;) {
		char quote = '\0';

		while (is_blank(*in))
			in++;
		if (!*in)
			break;
		if (count == WORDS_MAX)
			return false;
		words[count++] = out;
		for (; *in && (quote || !is_blank(*in)); in++) {
			if (quote ? *in == quote : *in == '"' || *in == '\'')
				quote = quote ? '\0' : *in;
			else if (*in == '\\' && quote != '\'' && in[1])
				*out++ = *++in;
			else
				*out++ = *in;
		}
		if (quote)
			return false;
		/* The blank that ends the word may lie where its NUL byte goes. */
		if (*in)
			in++;
		*out++ = '\0';
	}
	words[count] = NULL;
	return count > 0;
}

int profile_by_process(struct credential_search *s, const char *profile, struct credentials *ret, struct error *err)
{
	static const struct credential_names names = {
		.key_id = "AccessKeyId", .secret = "SecretAccessKey", .token = "SessionToken", .expires = "Expiration",
	};
	const char *given = settings_of_profile(s->settings, profile, "credential_process");
	CLEANUP_SECRET_BUF struct buf output = BUF_INIT(CREDENTIALS_ANSWER_MAX);
	CLEANUP_FREE char *command = NULL, *from = NULL;
	const char *words[WORDS_MAX + 1];
	uint8_t *room;
	int r;

	if (!given)
		return 0;
	command = string_copy(given);
	from = string_printf("the credential_process of the profile \"%s\"", profile);
	if (!split(command, words))
		return error_input(err, "%s: there is no program in it, or a quote is not closed", from);
	if (buf_reserve(&output, CREDENTIALS_ANSWER_MAX, &room) < 0)
		error_no_memory();
	r = process_run(&(struct process_options) {
		.argv = words, .env = (const char *const *)environ, .output = &output, .timeout_ms = TIMEOUT_MS,
	}, NULL, err);
	if (r < 0)
		return error_wrap(err, "%s", from);
	return credentials_from_json(&output, &names, from, ret, err);
}
