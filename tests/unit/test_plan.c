/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/hex.h"
#include "factory/base/io.h"
#include "factory/model/plan.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct description_package wanted[] = { { (char *)"bash", 7 }, { (char *)"nginx", 8 } };
static struct description_package unwanted[] = { { (char *)"openssh-server", 9 } };

static struct description description = {
	.file = (char *)"appliance.kiwi",
	.name = (char *)"mpc",
	.version = (char *)"1.2.3",
	.image = { wanted, 1 },
	.ignored = { unwanted, 1 },
};

static void add(struct lock *lock, enum lock_set_id id, const char *name)
{
	struct lock_set *set = &lock->sets[id];

	set->packages = reallocarray(set->packages, set->count + 1, sizeof(*set->packages));
	need(set->packages, "memory");
	set->packages[set->count++] = (struct locked_package){
		.name = string_copy(name),
		.version = string_copy("1"),
		.architecture = string_copy("amd64"),
		.repository = string_copy("main"),
		.path = string_copy("pool/x.deb"),
		.size = 1,
		.sha256 = HEX,
	};
}

static struct lock *make_lock(void)
{
	struct lock *lock = lock_new();

	lock->epoch = 1735689600;
	add(lock, LOCK_IMAGE, "bash");
	add(lock, LOCK_BOOT, "systemd-boot-efi");
	return lock;
}

static void test_fields(void)
{
	CLEANUP_LOCK struct lock *lock = make_lock();
	CLEANUP_PLAN struct plan *plan = NULL;
	struct error err = ERROR_INIT;

	need(plan_make(&description, lock, "/src/rootfs/init", &plan, &err) == 0, "a plan is made");
	ok_str(plan->result_name, "mpc.x86_64-1.2.3", "results are named as KIWI names them");
	ok(plan->arch == architecture_find("x86_64"), "the description's architecture");
	ok_str(plan->source_root, "/src/rootfs/init", "source root");
	ok_int(plan->epoch, 1735689600, "time comes from the lock");
	ok(plan->initrd_modules[0] != NULL, "the initrd gets modules");
}

static void test_ids(void)
{
	CLEANUP_LOCK struct lock *lock = make_lock(), *other = make_lock();
	CLEANUP_PLAN struct plan *a = NULL, *b = NULL, *c = NULL, *d = NULL;
	struct description renamed = description;
	struct error err = ERROR_INIT;
	uint8_t one[16], two[16], salt[32], start[32];

	renamed.name = (char *)"mpd";
	add(other, LOCK_BUILDER, "mmdebstrap");
	need(plan_make(&description, lock, "/src", &a, &err) == 0, "a plan");
	need(plan_make(&description, lock, "/elsewhere", &b, &err) == 0, "the same, elsewhere");
	need(plan_make(&renamed, lock, "/src", &c, &err) == 0, "of another name");
	need(plan_make(&description, other, "/src", &d, &err) == 0, "of another lock");
	ok(memcmp(a->seed, b->seed, 32) == 0, "the place does not change the seed");
	ok(memcmp(a->seed, c->seed, 32) != 0, "the name does");
	ok(memcmp(a->seed, d->seed, 32) != 0, "every set of the lock does");

	plan_uuid(a, "esp", one);
	plan_uuid(b, "esp", two);
	ok(memcmp(one, two, 16) == 0, "equal plans give equal UUIDs");
	ok_int(one[6] >> 4, 8, "version 8");
	ok_int(one[8] >> 6, 2, "variant of RFC 9562");
	plan_uuid(a, "disk", two);
	ok(memcmp(one, two, 16) != 0, "another purpose gives another UUID");
	plan_bytes(a, "esp", salt);
	memcpy(start, salt, 32);
	plan_bytes(b, "esp", salt);
	ok(memcmp(start, salt, 32) == 0, "equal plans give equal salts");
	ok(memcmp(start, one, 6) != 0, "a UUID is not the beginning of a salt");
}

/*
 * Ids of published images must not change by an accident in the code. The value was computed apart,
 * in another language.
 */
static void test_stable(void)
{
	CLEANUP_LOCK struct lock *lock = make_lock();
	CLEANUP_PLAN struct plan *plan = NULL;
	struct error err = ERROR_INIT;
	char hex[65];

	need(plan_make(&description, lock, "/src", &plan, &err) == 0, "a plan");
	hex_encode(plan->seed, 32, hex);
	ok_str(hex, "3414020973fb238b8c0ff6b70e8dc5c5017467cb9fbc1bf48b677768a161c99b", "the seed is what it always was");
}

static void test_refusals(void)
{
	CLEANUP_LOCK struct lock *lock = make_lock(), *empty = lock_new();
	struct description more = description;
	struct plan *plan = NULL;
	struct error err = ERROR_INIT;

	ok(plan_make(&description, empty, "/src", &plan, &err) < 0, "an empty lock is refused");
	ok_error(&err, "kiln fetch", "and says what to do");
	err = (struct error)ERROR_INIT;
	more.image.count = 2;
	ok(plan_make(&more, lock, "/src", &plan, &err) < 0 && err.kind == ERROR_INPUT,
	   "a package added after the lock is refused");
	ok_error(&err, "appliance.kiwi:8: package nginx", "by line and name");
	err = (struct error)ERROR_INIT;
	add(lock, LOCK_IMAGE, "openssh-server");
	ok(plan_make(&description, lock, "/src", &plan, &err) < 0, "an ignored package is refused");
	ok_error(&err, "appliance.kiwi:9: package openssh-server", "by line and name");
	ok(!plan, "no plan in any case");
}

int main(void)
{
	description.arch = architecture_default();
	test_fields();
	test_ids();
	test_stable();
	test_refusals();
	return tap_done();
}
