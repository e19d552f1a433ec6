/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/digest.h"
#include "../base/error.h"
#include "../base/io.h"
#include "memory.h"

/*
 * What /init needs between power on and the switch to the real root on EC2 and in the proof, where
 * the boot disk is NVMe alike. Dependencies and modules that are built in are moddep's business.
 */
static const char *const initrd_modules[] = { "nvme", "dm_verity", "erofs", "overlay", NULL };

static int check_described(const struct description *d, const struct description_packages *list,
			   const struct lock *lock, struct error *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (!lock_find(lock, LOCK_IMAGE, list->items[i].name))
			return error_input(err,
					   "%s:%d: package %s is not in the lock: run \"kiln fetch\" again "
					   "(a virtual package must be replaced by one that provides it)",
					   d->file, list->items[i].line, list->items[i].name);
	return 0;
}

/* A lock older than the description would quietly build yesterday's image. */
static int check_lock(const struct description *d, const struct lock *lock, struct error *err)
{
	int r;

	if (lock->sets[LOCK_IMAGE].count == 0)
		return error_input(err, "the lock holds no packages for the image: run \"kiln fetch\"");
	r = check_described(d, &d->bootstrap, lock, err);
	if (r == 0)
		r = check_described(d, &d->image, lock, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < d->ignored.count; i++)
		if (lock_find(lock, LOCK_IMAGE, d->ignored.items[i].name))
			return error_input(err,
					   "%s:%d: package %s is to be ignored and yet in the lock: run \"kiln fetch\" again",
					   d->file, d->ignored.items[i].line, d->ignored.items[i].name);
	return 0;
}

static void add_text(struct digester *digester, const char *text)
{
	uint8_t size[8];

	write_le64(size, strlen(text));
	digester_add(digester, size, sizeof(size));
	digester_add(digester, text, strlen(text));
}

/* Length before text, so that no two sequences run together. Published ids hang on this form. */
static void add_string(struct digester *digester, const char *label, const char *text)
{
	digester_add(digester, "s", 1);
	add_text(digester, label);
	add_text(digester, text);
}

static void make_seed(struct plan *plan)
{
	CLEANUP_DIGESTER struct digester *digester = digester_new(DIGEST_SHA256);
	struct digest digest;
	char set[65];

	add_string(digester, "seed", "kiln 1");
	add_string(digester, "name", plan->description->name);
	for (int i = 0; i < LOCK_SETS; i++) {
		lock_set_digest(plan->lock, i, set);
		add_string(digester, lock_set_names[i], set);
	}
	digester_final(digester, &digest);
	memcpy(plan->seed, digest.bytes, sizeof(plan->seed));
}

int plan_make(const struct description *d, const struct lock *lock, const char *source_root,
	      struct plan **ret, struct error *err)
{
	struct plan *plan;
	int r = check_lock(d, lock, err);

	if (r < 0)
		return r;
	plan = memory_new(sizeof(*plan));
	plan->description = d;
	plan->lock = lock;
	plan->arch = d->arch;
	plan->tools = architecture_host();
	plan->epoch = lock->epoch;
	plan->result_name = string_printf("%s.%s-%s", d->name, plan->arch->name, d->version);
	plan->initrd_modules = initrd_modules;
	plan->source_root = string_copy(source_root);
	make_seed(plan);
	*ret = plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	free(plan->result_name);
	free(plan->source_root);
	free(plan);
}

void plan_freep(struct plan **plan)
{
	plan_free(*plan);
}

static void derive(const struct plan *plan, const char *kind, const char *purpose,
		   struct digest *ret)
{
	CLEANUP_DIGESTER struct digester *digester = digester_new(DIGEST_SHA256);

	digester_add(digester, plan->seed, sizeof(plan->seed));
	add_string(digester, kind, purpose);
	digester_final(digester, ret);
}

void plan_uuid(const struct plan *plan, const char *purpose, uint8_t ret[static 16])
{
	struct digest digest;

	derive(plan, "uuid", purpose, &digest);
	memcpy(ret, digest.bytes, 16);
	ret[6] = (ret[6] & 0x0f) | 0x80;	/* version 8: what the bits mean is ours to say */
	ret[8] = (ret[8] & 0x3f) | 0x80;	/* the variant of RFC 9562 */
}

void plan_bytes(const struct plan *plan, const char *purpose, uint8_t ret[static 32])
{
	struct digest digest;

	derive(plan, "bytes", purpose, &digest);
	memcpy(ret, digest.bytes, 32);
}
