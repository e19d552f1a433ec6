/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_KEYRING_FIXTURE_H
#define KILN_TESTS_UNIT_KEYRING_FIXTURE_H

#include <time.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "keys/keyring.h"
#include "keys/keyring_make.h"
#include "tests/unit/tap.h"

/* A keyring in a scratch directory. P-256 by default: making RSA keys takes its time. */
struct keyring_fixture {
	struct scratch scratch;
	char *path;
	struct keyring_new options;
};

__attribute__((unused))
static void keyring_fixture_open(struct keyring_fixture *f, bool ecdsa)
{
	struct error err = ERROR_INIT;
	const char *tmp = getenv("TMPDIR");
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	*f = (struct keyring_fixture) {
		.scratch = SCRATCH_INIT, .options = { .name = "Test", .ecdsa = ecdsa, .begin = now.tv_sec - 60 },
	};
	need(io_scratch_new(tmp ? tmp : "/tmp", &f->scratch, &err) == 0, "scratch: %s", err.message);
	f->path = path_join(f->scratch.path, "keys");
	need(keyring_new(f->path, &f->options, &err) == 0, "a keyring is made: %s", err.message);
}

__attribute__((unused))
static void keyring_fixture_close(struct keyring_fixture *f)
{
	io_scratch_free(&f->scratch);
	free(f->path);
}

__attribute__((unused))
static struct keyring *keyring_fixture_read(const struct keyring_fixture *f)
{
	struct error err = ERROR_INIT;
	struct keyring *k = NULL;

	need(keyring_open(f->path, &k, &err) == 0, "the keyring is read: %s", err.message);
	return k;
}

#endif
