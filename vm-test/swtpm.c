/* SPDX-License-Identifier: Apache-2.0 */
#include "swtpm.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"

#define SETUP_TIMEOUT_MS 60000

static int need_program(const char *name, const char *package, struct error *err)
{
	CLEANUP_FREE char *path = process_find(name);

	if (!path)
		return error_outside(err, "%s is not installed (Debian package %s)", name, package);
	return 0;
}

/* The state is made by swtpm_setup because only there can the banks be chosen. No EK and no
 * certificate: those need a local CA, and the boot proof uses neither. */
static int make_state(const char *state, bool sha256_only, struct error *err)
{
	const char *const argv[] = { "swtpm_setup", "--tpm2",
				     "--tpmstate", state,
				     "--pcr-banks", sha256_only ? "sha256" : "sha256,sha384",
				     /* not the host's, which may name a CA or other banks */
				     "--config", "/dev/null",
				     NULL };
	const struct process_options options = { .argv = argv, .timeout_ms = SETUP_TIMEOUT_MS };

	if (io_mkdirs(state, 0700, err) < 0)
		return -err->code;
	return process_run(&options, NULL, err);
}

static int start(const char *state, int control, struct process **ret, struct error *err)
{
	CLEANUP_FREE char *tpmstate = string_printf("dir=%s", state);
	CLEANUP_FREE char *ctrl = string_printf("type=unixio,clientfd=%d", control);
	const int pass_fds[] = { control, -1 };
	const char *const argv[] = { "swtpm", "socket", "--tpm2", "--tpmstate", tpmstate,
				     "--ctrl", ctrl, NULL };
	const struct process_options options = { .argv = argv, .pass_fds = pass_fds };

	return process_start(&options, ret, err);
}

int swtpm_start(const char *dir, bool sha256_only, struct process **ret, int *ret_control, struct error *err)
{
	CLEANUP_FREE char *state = path_join(dir, "tpm");
	CLEANUP_CLOSE int ours = -1, theirs = -1;
	int pair[2];

	if (need_program("swtpm", "swtpm", err) < 0 ||
	    need_program("swtpm_setup", "swtpm-tools", err) < 0)
		return -err->code;
	if (make_state(state, sha256_only, err) < 0)
		return error_wrap(err, "making a TPM");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_system(err, errno, "cannot make a socket for swtpm");
	ours = pair[0];
	theirs = pair[1];
	if (start(state, theirs, ret, err) < 0)
		return error_wrap(err, "starting swtpm");
	*ret_control = TAKE_FD(ours);
	return 0;
}
