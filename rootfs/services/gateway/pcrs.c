/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pcrs.h"

#define PCRS_DIRECTORY "/sys/class/tpm/tpm0/pcr-sha384"

static int read_one(unsigned int index, char hex[static PCRS_HEX + 1])
{
	char path[sizeof(PCRS_DIRECTORY) + 16], text[PCRS_HEX + 2];
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), PCRS_DIRECTORY "/%u", index);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ENODEV : -errno;
	got = fread(text, 1, sizeof(text), file);
	fclose(file);
	if (got < PCRS_HEX)
		return -EIO;
	for (size_t i = 0; i < PCRS_HEX; i++) {
		if (!isxdigit((unsigned char)text[i]))
			return -EIO;
		hex[i] = (char)tolower((unsigned char)text[i]);
	}
	hex[PCRS_HEX] = '\0';
	return 0;
}

int pcrs_read(struct pcrs *ret)
{
	struct pcrs pcrs;

	for (unsigned int i = 0; i < PCRS_COUNT; i++) {
		int r = read_one(i, pcrs.hex[i]);

		if (r < 0)
			return r;
	}
	*ret = pcrs;
	return 0;
}
