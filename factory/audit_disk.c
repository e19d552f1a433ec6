/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_disk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../rootfs/guest.h"
#include "../rootfs/packages/store.h"
#include "../rootfs/tree.h"
#include "appliance_kernel.h"
#include "audit_initrd.h"
#include "audit_verity.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/host.h"
#include "base/io.h"
#include "base/log.h"
#include "format/fat.h"
#include "full_disk.h"
#include "model/architecture.h"
#include "model/bootfile.h"
#include "model/manifest.h"
#include "model/memory.h"

/* It mounts one file system and runs tar. */
#define MEMORY_MIB 768
#define LABEL "root"

/* malloc'ed strings and, at the end, NULL. */
struct names {
	char **items;
	size_t count;
};

struct audit_disk {
	struct scratch scratch;
	struct bootfile *b;
	struct tree *tree;
	struct names esp, partitions, initrd;
	char *cmdline, *root_problem;
	struct audit_input input;
};

/* ---------------------------------------------------------------- names */

static void add_name(struct names *names, char *name)
{
	char **slot = memory_append(&names->items, names->count++, sizeof(*slot));

	*slot = name;
}

static void clear_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static const char *const *list(struct names *names)
{
	(void)memory_append(&names->items, names->count, sizeof(*names->items));
	return (const char *const *)names->items;
}

/* ---------------------------------------------------------------- ESP, partitions, initrd */

static int add_esp_file(const struct fat_entry *e, void *arg)
{
	struct audit_disk *d = arg;

	if (!e->directory && strcasecmp(e->path, d->b->boot_path) != 0)
		add_name(&d->esp, string_copy(e->path));
	return 0;
}

static int list_esp(struct audit_disk *d, struct error *err)
{
	const struct gpt_partition *esp = bootfile_partition(d->b, gpt_type_esp);

	return fat_walk(d->b->file.data + esp->offset, esp->size, add_esp_file, d, err);
}

/* The first of each kind is the one that is used; another could be meant to be taken for it. */
static void list_partitions(struct audit_disk *d)
{
	const struct bootfile *b = d->b;
	const struct gpt_partition *const known[] = {
		bootfile_partition(b, gpt_type_esp), bootfile_partition(b, b->arch->root_type),
		bootfile_partition(b, b->arch->verity_type),
	};

	for (unsigned int i = 0; i < b->gpt.count; i++) {
		const struct gpt_partition *p = &b->gpt.partitions[i];

		if (p != known[0] && p != known[1] && p != known[2])
			add_name(&d->partitions, string_printf("partition %u (\"%s\")", p->number, p->name));
	}
}

static int list_initrd(struct audit_disk *d, struct error *err)
{
	const struct pe_section *s = pe_find(&d->b->pe, ".initrd");
	const uint8_t *data;
	size_t size;

	if (!s)
		return 0;
	pe_section_bytes(&d->b->pe, s, &data, &size);
	return audit_initrd_names(data, size, &d->initrd.items, &d->initrd.count, err);
}

static int look_at_boot(struct audit_disk *d, struct error *err)
{
	int r = list_esp(d, err);

	d->cmdline = bootfile_cmdline(d->b);
	list_partitions(d);
	return r < 0 ? r : list_initrd(d, err);
}

/* ---------------------------------------------------------------- the root */

static int check_manifest(const struct audit_disk *d, const struct manifest *m, struct error *err)
{
	char uki[2 * DIGEST_MAX + 1], root[65];
	struct digest digest;
	uint8_t hash[32];

	digest_of(DIGEST_SHA256, d->b->image, d->b->image_size, &digest);
	digest_hex(&digest, uki);
	if (strcmp(uki, m->uki_sha256) != 0)
		return error_verdict(err, "the boot file is not the one that the manifest describes");
	(void)bootfile_root_hash(d->cmdline, hash);	/* checked before */
	hex_encode(hash, sizeof(hash), root);
	if (strcmp(root, m->root_hash) != 0)
		return error_verdict(err, "the boot file names root hash %s, the manifest %s", root, m->root_hash);
	return 0;
}

/* A root that is not what it should be is looked at all the same; that is one more finding. */
static int take_root(struct audit_disk *d, const struct manifest *m, const char *copy, struct error *err)
{
	struct error problem = ERROR_INIT;
	int r = audit_verity_copy(d->b, copy, d->scratch.path, &problem);

	if (r == 0)
		r = check_manifest(d, m, &problem);
	if (r == 0)
		return 0;
	if (problem.kind != ERROR_VERDICT || !io_exists(copy)) {
		*err = problem;
		return r;
	}
	d->root_problem = string_copy(problem.message);
	return 0;
}

/* ---------------------------------------------------------------- the appliance */

static int find_kernel(const char *cache, struct appliance_kernel *ret, struct error *err)
{
	CLEANUP_STORE struct store *store = NULL;
	int r = store_open(cache, &store, err);

	if (r == 0)
		r = appliance_kernel_find(store, NULL, cache, ret, err);
	if (r == 0 && !ret->image)
		return error_outside(
			err,
			"there is no kernel for the appliance in %s yet: run \"kiln build\" or \"kiln doctor\" once with a description that has been fetched",
			cache);
	return r;
}

static int take_tree(const struct audit_disk *d, const char *cache, const char *root, const char *to, struct error *err)
{
	CLEANUP_APPLIANCE_KERNEL struct appliance_kernel kernel = { .image = NULL };
	CLEANUP_GUEST struct guest *guest = NULL;
	const struct guest_disk disk = { LABEL, root, "raw", GUEST_READ_ONLY };
	struct host host;
	int r = host_probe(&host, err);

	if (r == 0)
		r = find_kernel(cache, &kernel, err);
	if (r < 0)
		return r;
	r = guest_start(&(struct guest_options) {
		.host = &host,
		.kernel = &(struct guest_kernel) { kernel.image, kernel.modules, kernel.version },
		.cache = cache, .tmp = d->scratch.path,
		.disks = &disk, .disk_count = 1, .memory_mib = MEMORY_MIB, .cpus = 1,
	}, &guest, err);
	if (r == 0)
		r = guest_mount(guest, GUEST_DISK(LABEL), "/", true, err);
	if (r == 0)
		r = guest_tar_out(guest, "/", to, err);
	return r < 0 ? r : guest_stop(guest, err);
}

/* ---------------------------------------------------------------- all of it */

/* One part of the work; the cache is where its files go. */
typedef int (*work_fn)(struct audit_disk *d, const struct manifest *m, const char *cache, struct error *err);

static int step(unsigned int number, const char *title, work_fn work, struct audit_disk *d, const struct manifest *m,
		const char *cache, struct error *err)
{
	int r;

	log_step_begin(number, 2, title);
	r = work(d, m, cache, err);
	log_step_end(r < 0 ? "failed" : "done");
	return r;
}

static int verify(struct audit_disk *d, const struct manifest *m, const char *cache, struct error *err)
{
	CLEANUP_FREE char *root = path_join(d->scratch.path, "root.erofs");
	int r = take_root(d, m, root, err);

	return r < 0 ? full_disk_explain_cache(cache, err) : 0;
}

static int unpack(struct audit_disk *d, const struct manifest *m, const char *cache, struct error *err)
{
	CLEANUP_FREE char *root = path_join(d->scratch.path, "root.erofs"),
			  *tar = path_join(d->scratch.path, "root.tar");
	int r = take_tree(d, cache, root, tar, err);

	(void)m;
	if (r == 0)
		r = tree_open_finished(tar, &d->tree, err);
	return r < 0 ? full_disk_explain_cache(cache, err) : 0;
}

static int open_scratch(const char *cache, struct scratch *ret, struct error *err)
{
	CLEANUP_FREE char *tmp = path_join(cache, "tmp");
	int r = io_mkdirs(tmp, 0755, err);

	return r < 0 ? r : io_scratch_new(tmp, ret, err);
}

static void fill_input(struct audit_disk *d, const struct manifest *m)
{
	d->input = (struct audit_input) {
		.tree = d->tree,
		.declared = &m->declared,
		.cmdline = d->cmdline,
		.root_problem = d->root_problem,
		.esp = list(&d->esp),
		.partitions = list(&d->partitions),
		.initrd = list(&d->initrd),
	};
}

int audit_disk_open(const char *disk, const struct manifest *manifest, struct audit_disk **ret, struct error *err)
{
	CLEANUP_AUDIT_DISK struct audit_disk *d = memory_new(sizeof(*d));
	CLEANUP_FREE char *cache = NULL;
	int r;

	d->scratch = (struct scratch) SCRATCH_INIT;
	r = bootfile_open(disk, &d->b, err);
	if (r == 0 && !d->b->disk)
		r = error_input(err, "%s is a PE image, not a disk", disk);
	if (r == 0)
		r = look_at_boot(d, err);
	if (r == 0)
		r = io_cache_dir(&cache, err);
	if (r == 0)
		r = open_scratch(cache, &d->scratch, err);
	if (r == 0)
		r = step(1, "verifying the root against its hash", verify, d, manifest, cache, err);
	if (r == 0)
		r = step(2, "taking the tree out of the disk", unpack, d, manifest, cache, err);
	if (r < 0)
		return r;
	fill_input(d, manifest);
	*ret = TAKE_PTR(d);
	return 0;
}

const struct audit_input *audit_disk_input(const struct audit_disk *d)
{
	return &d->input;
}

void audit_disk_free(struct audit_disk *d)
{
	if (!d)
		return;
	tree_free(d->tree);
	bootfile_free(d->b);
	io_scratch_free(&d->scratch);
	clear_names(&d->esp);
	clear_names(&d->partitions);
	clear_names(&d->initrd);
	free(d->cmdline);
	free(d->root_problem);
	free(d);
}

void audit_disk_freep(struct audit_disk **d)
{
	audit_disk_free(*d);
}
