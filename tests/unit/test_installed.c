/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/model/lock.h"
#include "stages/installed.h"

static char bash[] = "bash", libc[] = "libc6", amd64[] = "amd64", i386[] = "i386", one[] = "1.0", two[] = "2:2-1";

static struct locked_package packages[] = {
	{ .name = bash, .version = one, .architecture = amd64 },
	{ .name = libc, .version = two, .architecture = amd64 },
	{ .name = libc, .version = two, .architecture = i386 },
};
static const struct lock_set set = { .packages = packages, .count = ARRAY_SIZE(packages) };

#define ALL "bash 1.0 amd64 ii \nlibc6 2:2-1 amd64 ii \nlibc6 2:2-1 i386 ii \n"

static const struct {
	const char *what, *list, *message;
} bad[] = {
	{ "nothing", "", "package bash is in the lock and not installed" },
	{ "one missing", "bash 1.0 amd64 ii \nlibc6 2:2-1 amd64 ii \n", "package libc6 is in the lock and not installed" },
	{ "one more", ALL "vim 9 amd64 ii \n", "package vim (amd64) is installed and not in the lock" },
	{ "another architecture", ALL "bash 1.0 i386 ii \n", "package bash (i386) is installed and not in the lock" },
	{ "another version", "bash 1.1 amd64 ii \n", "package bash: version 1.1 is installed, the lock says 1.0" },
	{ "half installed", "bash 1.0 amd64 iU \n", "package bash is not installed whole: dpkg's state is \"iU \"" },
	{ "no list at all", "dpkg-query: error\n", "dpkg-query answered \"dpkg-query:\"" },
};

int main(void)
{
	struct error err = ERROR_INIT;

	ok(installed_check(ALL, &set, &err) == 0, "all of them");
	ok(err.kind == ERROR_NONE, "no error");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ok(installed_check(bad[i].list, &set, &err) < 0, "%s is refused", bad[i].what);
		ok_str(err.message, bad[i].message, "%s", bad[i].what);
	}
	return tap_done();
}
