/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/cleanup.h"
#include "factory/base/library.h"
#include "rootfs/guestfs_library.h"
#include "tests/unit/tap.h"

static void test_load(void)
{
	double (*cosine)(double) = NULL, (*missing)(double) = NULL;
	const struct library_function good[] = { { "cos", &cosine } };
	const struct library_function bad[] = { { "cos", &cosine }, { "no_such_function", &missing } };
	struct error err = ERROR_INIT;

	ok_int(library_load("libm.so.6", "libc6", good, ARRAY_SIZE(good), &err), 0, "a library is loaded %s",
	       err.message);
	ok(cosine && cosine(0) == 1, "and its function works");
	ok_int(library_load("libm.so.6", "libc6", bad, ARRAY_SIZE(bad), &err), -EIO,
	       "a function that is not there is an error");
	ok_error(&err, "no_such_function", "that names it");
	ok(!missing, "and leaves its pointer alone");
	err = (struct error)ERROR_INIT;
	ok_int(library_load("libkiln-no-such.so.9", "kiln-nothing", good, 1, &err), -EIO,
	       "a library that is not there too");
	ok_error(&err, "libkiln-no-such.so.9", "which is named");
	ok_error(&err, "install kiln-nothing", "with what to install");
}

/* All functions that the appliance's wrapper calls, of the libguestfs that is installed. */
static void test_guestfs(void)
{
	const struct guestfs_library *lib = NULL, *again = NULL;
	struct error err = ERROR_INIT;
	guestfs_h *handle;

	ok_int(guestfs_library_load(&lib, &err), 0, "libguestfs has every function %s", err.message);
	need(lib, "and is there");
	handle = lib->create_flags(GUESTFS_CREATE_NO_ENVIRONMENT);
	ok(handle && !lib->last_error(handle), "its functions work");
	lib->close(handle);
	ok(guestfs_library_load(&again, &err) == 0 && again == lib, "loading twice is loading once");
}

int main(void)
{
	test_load();
	test_guestfs();
	return tap_done();
}
