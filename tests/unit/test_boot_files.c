/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/packages.h"
#include "tests/unit/deb_package.h"

#define CONTROL "Package: test\nVersion: 1.0\nArchitecture: amd64\n"
#define OVMF "./usr/share/OVMF/OVMF_"
#define MODULES "./usr/lib/modules/"

static struct scratch dir = SCRATCH_INIT;
static struct store *store;

static bool reads(const char *path, const char *content)
{
	CLEANUP_BUF struct buf b = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	return io_read_file(path, 4096, &b, &err) == 0 && strcmp(buf_text(&b), content) == 0;
}

static void test_firmware(void)
{
	static const struct deb_entry entries[] = {
		{ OVMF "CODE_4M.fd", AE_IFREG, "plain" },
		{ OVMF "CODE_4M.secboot.fd", AE_IFREG, "code" },
		{ OVMF "VARS_4M.ms.fd", AE_IFREG, "keys" },
		{ OVMF "VARS_4M.fd", AE_IFREG, "empty" },
	};
	CLEANUP_FREE char *code = NULL, *vars = NULL, *again = NULL, *again_vars = NULL;
	struct locked_package package;
	struct error err = ERROR_INIT;

	deb_store(store, CONTROL, ARCHIVE_FILTER_XZ, entries, ARRAY_SIZE(entries), &package);
	ok_int(packages_firmware(store, package.sha256, dir.path, &code, &vars, &err), 0, "firmware");
	ok(reads(code, "code"), "the secboot build: %s", code);
	ok(reads(vars, "empty"), "the empty variable store: %s", vars);
	ok_int(packages_firmware(store, package.sha256, dir.path, &again, &again_vars, &err), 0, "again");
	ok_str(again, code, "is the same file");
}

static void test_no_firmware(void)
{
	static const struct deb_entry entries[] = { { OVMF "CODE_4M.secboot.fd", AE_IFREG, "code" } };
	CLEANUP_FREE char *code = NULL, *vars = NULL, *out = NULL;
	struct locked_package package;
	struct error err = ERROR_INIT;

	deb_store(store, CONTROL, ARCHIVE_FILTER_XZ, entries, 1, &package);
	ok(packages_firmware(store, package.sha256, dir.path, &code, &vars, &err) < 0, "half of it");
	ok_error(&err, "OVMF_VARS_4M.fd", "says which is missing");
	out = string_printf("%s/firmware/%s", dir.path, package.sha256);
	ok(!io_exists(out), "and leaves nothing");
	err = (struct error)ERROR_INIT;
	ok(packages_firmware(store, "abc", dir.path, &code, &vars, &err) < 0, "a bad digest");
	package.sha256[0] ^= 1;
	ok(packages_firmware(store, package.sha256, dir.path, &code, &vars, &err) < 0, "not in the store");
	ok_error(&err, "kiln fetch", "says how it gets there");
}

static int kernel(const struct deb_entry *entries, size_t count, char **image, char **modules,
		  char **version, struct error *err)
{
	struct locked_package package;
	struct lock lock = { .sets[LOCK_APPLIANCE] = { .packages = &package, .count = 1 } };

	deb_store(store, CONTROL, ARCHIVE_FILTER_XZ, entries, count, &package);
	return packages_appliance_kernel(store, &lock, dir.path, image, modules, version, err);
}

static void test_kernel(void)
{
	static const struct deb_entry entries[] = {
		{ "./boot/vmlinuz-9.9-cloud", AE_IFREG, "kernel" },
		{ "./boot/config-9.9-cloud", AE_IFREG, "config" },
		{ MODULES "9.9-cloud/modules.order", AE_IFREG, "" },
		{ MODULES "9.9-cloud/modules.builtin", AE_IFREG, "kernel/drivers/nvme.ko\n" },
	};
	CLEANUP_FREE char *image = NULL, *modules = NULL, *version = NULL, *dep = NULL;
	CLEANUP_FREE char *again = NULL, *again_modules = NULL, *again_version = NULL;
	struct error err = ERROR_INIT;

	ok_int(kernel(entries, ARRAY_SIZE(entries), &image, &modules, &version, &err), 0,
	       "the appliance's kernel %s", err.message);
	need(image && modules && version, "all three");
	ok_str(version, "9.9-cloud", "its version");
	ok(reads(image, "kernel"), "its image: %s", image);
	dep = path_join(modules, "modules.dep");
	ok(io_exists(dep), "its modules, with modules.dep: %s", dep);
	ok_int(kernel(entries, ARRAY_SIZE(entries), &again, &again_modules, &again_version, &err), 0, "again");
	ok_str(again, image, "is the same file");
}

static void test_odd_kernels(void)
{
	static const struct {
		struct deb_entry entries[3];
		const char *complaint;
	} cases[] = {
		{ { { "./boot/vmlinuz-1", AE_IFREG, "k" } }, "no modules" },
		{ { { MODULES "1/modules.order", AE_IFREG, "" } }, "no such kernel" },
		{ { { "./boot/vmlinuz-2", AE_IFREG, "k" }, { MODULES "1/x", AE_IFREG, "" } }, "no such kernel" },
		{ { { "./boot/vmlinuz-1", AE_IFREG, "k" }, { MODULES "1/x", AE_IFREG, "" },
		    { MODULES "2/x", AE_IFREG, "" } }, "two kernels" },
	};
	struct lock empty = { .epoch = 0 };
	char *image = NULL, *modules = NULL, *version = NULL;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t count = cases[i].entries[1].name ? cases[i].entries[2].name ? 3 : 2 : 1;

		err = (struct error)ERROR_INIT;
		ok(kernel(cases[i].entries, count, &image, &modules, &version, &err) < 0, "odd kernel %zu", i);
		ok_error(&err, cases[i].complaint, "says what is odd");
	}
	err = (struct error)ERROR_INIT;
	ok(packages_appliance_kernel(store, &empty, dir.path, &image, &modules, &version, &err) < 0,
	   "a lock without one");
	ok_error(&err, "--update", "says what to do");
	ok(!image && !modules && !version, "nothing is returned");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	need(store_open(dir.path, &store, &err) == 0, "store");
	test_firmware();
	test_no_firmware();
	test_kernel();
	test_odd_kernels();
	store_free(store);
	io_scratch_free(&dir);
	return tap_done();
}
