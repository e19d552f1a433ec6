/* SPDX-License-Identifier: Apache-2.0 */
/* What watches a hook reads from programs it does not know: socket addresses, command lines, the kernel's words. */
#include "rootfs/watch/aim.c"
#include "rootfs/watch/command.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const uint8_t *data, size_t size)
{
	char text[64];
	enum aim aim = aim_of(data, size);

	aim_describe(data, size, text, sizeof(text));
	if (strlen(text) == 0 || (aim != AIM_HERE && aim != AIM_NAME_SERVER && aim != AIM_NETWORK))
		abort();
}

static void check_line(const uint8_t *data, size_t size)
{
	char line[COMMAND_SIZE];
	size_t len = size < sizeof(line) - 1 ? size : sizeof(line) - 1;

	memcpy(line, data, len);
	command_clean(line, len, sizeof(line));
	if (strlen(line) > len)
		abort();
	for (const char *p = line; *p; p++)
		if (*p < ' ' || *p > '~')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char status[4096];
	size_t len = size < sizeof(status) - 1 ? size : sizeof(status) - 1;

	check_address(data, size);
	check_line(data, size);
	memcpy(status, data, len);
	status[len] = '\0';
	(void)command_parent(status);
	return 0;
}
