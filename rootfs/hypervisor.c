/* SPDX-License-Identifier: Apache-2.0 */
#include "hypervisor.h"

#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/host.h"
#include "../factory/base/io.h"
#include "shell.h"

#define SCRIPT_MAX 4096

/* Until libguestfs has started its guest it does not say which process that is. */
static const char begin_arguments[] =
	"#!/bin/sh\n"
	"[ -z \"${" HYPERVISOR_PID_FILE ":-}\" ] || echo $$ > \"$" HYPERVISOR_PID_FILE "\"\n"
	"kernel=\n"
	"for argument do\n"
	"\tshift\n"
	"\tcase $argument in\n";

/*
 * libguestfs says "-machine accel=tcg", and QEMU refuses "-accel" beside it, so the one is replaced by
 * the other. Its tests of QEMU's features say "accel=kvm:tcg" and stay as they are.
 */
static const char replace_accel[] =
	"\taccel=tcg) set -- \"$@\" pc -accel %s ;;\n"
	"\taccel=tcg,*) set -- \"$@\" \"${argument#accel=tcg,}\" -accel %s ;;\n"
	"\t*,accel=tcg) set -- \"$@\" \"${argument%%,accel=tcg}\" -accel %s ;;\n";

/*
 * A kernel that QEMU is given needs little of the firmware: this one gets to it in a fraction of SeaBIOS's time.
 * Missing it is no fault.
 */
static const char note_kernel[] = "\t-kernel) kernel=yes; set -- \"$@\" \"$argument\" ;;\n";
static const char quick_firmware[] =
	"[ -z \"$kernel\" ] || [ ! -e " HYPERVISOR_QUICK_FIRMWARE " ] ||"
	" set -- \"$@\" -bios " HYPERVISOR_QUICK_FIRMWARE "\n";

/*
 * When a disk's file cannot grow because the host's disk is full, QEMU stops the guest by default until somebody has
 * made room and tells it to go on, which nobody would. The guest is to see the failure.
 */
static const char end_arguments[] =
	"\tfile*,if=none | file*,if=none,*) set -- \"$@\" \"$argument,werror=report\" ;;\n"
	"\t*) set -- \"$@\" \"$argument\" ;;\n"
	"\tesac\n"
	"done\n";

int hypervisor_script(const struct host *host, struct buf *ret)
{
	const char *accel = host_accel_argument(host);
	int r = buf_add_string(ret, begin_arguments);

	if (r == 0 && host->accel == HOST_TCG)
		r = buf_printf(ret, replace_accel, accel, accel, accel);
	if (r == 0)
		r = buf_add_string(ret, note_kernel);
	if (r == 0)
		r = buf_add_string(ret, end_arguments);
	if (r == 0)
		r = buf_add_string(ret, quick_firmware);
	/* The parent's death is a signal to the child since util-linux 2.33. */
	if (r == 0)
		r = buf_add_string(ret, "exec setpriv --pdeathsig KILL ");
	if (r == 0)
		r = shell_quote(ret, host->qemu);
	return r < 0 ? r : buf_add_string(ret, " \"$@\"\n");
}

int hypervisor_write(const struct host *host, const char *directory, char **ret, struct error *err)
{
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	CLEANUP_FREE char *path = path_join(directory, "qemu");
	int r = hypervisor_script(host, &script);

	if (r < 0)
		return error_system(err, r, "%s", path);
	r = io_update_file(path, script.data, script.len, 0755, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(path);
	return 0;
}
