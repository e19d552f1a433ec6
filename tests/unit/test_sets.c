/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/model/architecture.h"
#include "factory/model/description.h"
#include "rootfs/packages/download.h"
#include "rootfs/packages/sets.h"

static int place_of(const char *const *list, const char *name)
{
	for (int i = 0; list[i]; i++)
		if (strcmp(list[i], name) == 0)
			return i;
	return -1;
}

static bool is_sorted(const char *const *list)
{
	for (size_t i = 1; list[0] && list[i]; i++)
		if (strcmp(list[i - 1], list[i]) >= 0)
			return false;
	return true;
}

static void test_description(void)
{
	struct description_package bootstrap[] = { { (char *)"zeta", 3 }, { (char *)"dropped", 4 } };
	struct description_package image[] = { { (char *)"alpha", 6 }, { (char *)"zeta", 7 } };
	struct description_package ignored[] = { { (char *)"dropped", 8 }, { (char *)"apt", 9 } };
	char *packages[] = { (char *)"libthing-dev", (char *)"linux-libc-dev" };
	struct description_program program = { .packages = packages, .package_count = 2, .line = 20 };
	struct description d = {
		.file = (char *)"a.kiwi",
		.arch = architecture_default(),
		.bootstrap = { bootstrap, 2 },
		.image = { image, 2 },
		.ignored = { ignored, 2 },
		.programs = &program,
		.program_count = 1,
	};
	CLEANUP_PACKAGE_SETS struct package_sets sets;
	const struct package_set_request *set;
	int place;

	package_sets_make(&d, &sets);
	set = &sets.requests[LOCK_IMAGE];
	ok_int(set->reach, REACH_CLOSURE, "the image's set is a closure");
	ok_str(set->names[0], "?and(?essential,?not(?exact-name(apt)))", "of the essential packages");
	ok(!set->origins[0], "which nobody asked for");
	place = place_of(set->names, "zeta");
	need(place > 0, "and of those named");
	ok_str(set->origins[place], "a.kiwi:3", "with the line that did");
	ok(place_of(set->names, "alpha") > 0 && !set->names[3], "each once");
	ok(place_of(set->names, "dropped") < 0, "without the ignored");
	ok_str(set->excluded[0], "apt", "which are excluded");
	ok_str(set->excluded[1], "dropped", "in order");

	set = &sets.requests[LOCK_SYSROOT];
	place = place_of(set->names, "linux-libc-dev");
	need(place >= 0 && place_of(set->names, "libthing-dev") >= 0, "the sysroot serves the programs");
	ok_str(set->origins[place], "a.kiwi:20", "who asked first is the description");
	ok(!set->excluded[0], "what is ignored is so in the image alone");
	ok(place_of(sets.requests[LOCK_BUILDER].names, "erofs-utils") >= 0, "the builder has its tools");
	ok_int(sets.requests[LOCK_APPLIANCE].reach, REACH_BEHIND, "the kernel stands behind a name");
	ok_int(sets.requests[LOCK_FIRMWARE].reach, REACH_ALONE, "firmware stands alone");
	for (unsigned int i = 0; i < LOCK_SETS; i++)
		ok(sets.requests[i].set == i && is_sorted(sets.requests[i].names), "set %s is sorted",
		   lock_set_names[i]);
}

static void test_no_programs(void)
{
	struct description d = { .file = (char *)"a.kiwi", .arch = architecture_default() };
	CLEANUP_PACKAGE_SETS struct package_sets sets;

	package_sets_make(&d, &sets);
	ok(place_of(sets.requests[LOCK_SYSROOT].names, "libc6-dev") >= 0, "without programs, /init still wants its C library");
	ok(sets.requests[LOCK_IMAGE].names[0] && !sets.requests[LOCK_IMAGE].names[1],
	   "an image of the essential packages alone");
}

/* The image is for the one machine of the table that this is not. */
static void test_foreign(void)
{
	const struct architecture *host = architecture_host(), *arch = &architectures[host == &architectures[0]];
	struct description d = { .file = (char *)"a.kiwi", .arch = arch };
	CLEANUP_PACKAGE_SETS struct package_sets sets;
	const struct package_set_request *builder;

	package_sets_make(&d, &sets);
	builder = &sets.requests[LOCK_BUILDER];
	ok_str(builder->arch, host->deb, "tools run here");
	ok_str(sets.requests[LOCK_APPLIANCE].arch, host->deb, "and so does the appliance");
	ok_str(sets.requests[LOCK_APPLIANCE].names[0], host->kernel, "with a kernel of its own");
	for (unsigned int i = 0; i < LOCK_SETS; i++)
		if (i != LOCK_BUILDER && i != LOCK_APPLIANCE)
			ok_str(sets.requests[i].arch, arch->deb, "set %s is the image's", lock_set_names[i]);
	ok(place_of(builder->names, arch->compiler) >= 0 && place_of(builder->names, arch->binutils) >= 0,
	   "the compiler is for the image");
	ok(place_of(builder->names, host->compiler) < 0, "and for nothing else");
	ok(place_of(builder->names, "qemu-user") >= 0, "what runs the image's scripts is a tool");
	ok(place_of(builder->names, "libgcc-14-dev") < 0 &&
	   place_of(sets.requests[LOCK_SYSROOT].names, "libgcc-14-dev") >= 0, "gcc's library is the image's own");
	ok_str(sets.requests[LOCK_FIRMWARE].names[0], arch->firmware, "and so is the firmware");
}

static void test_quote(void)
{
	static const struct {
		const char *path, *quoted;
	} cases[] = {
		{ "", "" },
		{ "pool/main/b/bash/bash_5.2-1_amd64.deb", "pool/main/b/bash/bash_5.2-1_amd64.deb" },
		{ "libstdc++6_1~a%2b.deb", "libstdc%2b%2b6_1~a%252b.deb" },
		{ "a b\"\xc3\xa9", "a%20b%22%c3%a9" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *quoted = download_quote(cases[i].path);

		ok_str(quoted, cases[i].quoted, "quoted \"%s\"", cases[i].path);
	}
}

int main(void)
{
	test_description();
	test_no_programs();
	test_foreign();
	test_quote();
	return tap_done();
}
