/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_request.h"

#include "base/arguments.h"

int boot_request_parse(const struct command *command, int argc, char **argv, bool check,
		       struct boot_request *request, struct error *err)
{
	struct boot_options *options = &request->options;
	const char *manifest = NULL, *keyring = NULL;
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "manifest", .kind = ARGUMENT_TEXT, .target = &manifest },
		{ .name = "secure-boot", .kind = ARGUMENT_TEXT, .target = &keyring },
		{ .name = "port", .kind = ARGUMENT_NUMBER, .target = &options->port, .least = 1, .most = 65535 },
		{ .name = "memory", .kind = ARGUMENT_NUMBER, .target = &options->memory_mib,
		  .least = 256, .most = 1048576 },
		{ .name = options->timeout_s ? "timeout" : NULL, .kind = ARGUMENT_NUMBER,
		  .target = &options->timeout_s, .least = 1, .most = 86400 },
		{ .name = NULL },
	};

	r = arguments_parse(command, table, argc, argv, "disk", 1, 1, &operands, err);
	if (r == 0)
		r = shipped_open(operands.items[0], manifest, check, &request->shipped, err);
	if (r == 0 && keyring)
		r = enrol_keyring(keyring, request->shipped.manifest, &request->enrolled, err);
	if (r < 0)
		return r;
	shipped_boot_options(&request->shipped, options);
	options->secure_boot = keyring;
	options->variables = request->enrolled.variables;
	options->variable_count = request->enrolled.count;
	return 0;
}

void boot_request_clear(struct boot_request *request)
{
	shipped_clear(&request->shipped);
	enrolled_clear(&request->enrolled);
}
