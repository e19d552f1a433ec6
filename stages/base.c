/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/store.h"
#include "../rootfs/shell.h"
#include "../rootfs/workshop.h"
#include "installed.h"
#include "registry.h"
#include "transfer.h"

/*
 * The packages: the locked ones, all of them and no others, installed by the builder root's mmdebstrap
 * from a repository that holds nothing else.
 */

#define SCRIPT_MAX (1 << 20)
#define LIST_MAX (4 << 20)

/* ---------------------------------------------------------------- the repository */

static int link_object(const struct stage_context *ctx, const char *sha256, const char *name,
		       const char *path, struct error *err)
{
	CLEANUP_FREE char *object = NULL, *copy = string_copy(path);
	int r = store_verified(ctx->store, sha256, name, &object, err);

	if (r == 0)
		r = io_mkdirs(dirname(copy), 0755, err);
	if (r < 0)
		return r;
	/* Two repositories may offer one file. */
	if (symlink(object, path) < 0 && errno != EEXIST)
		return error_system(err, errno, "%s", path);
	return 0;
}

/*
 * mmdebstrap chooses the essential packages by the suite's name, so that has to be there. No date:
 * apt takes one for a promise. No signature: these are bytes whose digests were just checked.
 */
static int write_release(const struct stage_context *ctx, const char *directory, uint64_t index_size,
			 struct error *err)
{
	const char *suite = ctx->plan->description->repositories[0].distribution;
	CLEANUP_FREE char *path = path_join(directory, "Release");
	CLEANUP_FREE char *text = string_printf(
		"Origin: Kiln\nLabel: Kiln\nSuite: %s\nCodename: %s\nArchitectures: %s\n"
		"SHA256:\n %s %" PRIu64 " Packages\n",
		suite, suite, ctx->plan->deb_arch, ctx->plan->lock->sets[LOCK_IMAGE].index_sha256, index_size);

	return io_write_file(path, text, strlen(text), 0644, err);
}

static int make_repository(const struct stage_context *ctx, const char *directory, struct error *err)
{
	const struct lock_set *set = &ctx->plan->lock->sets[LOCK_IMAGE];
	CLEANUP_FREE char *index = path_join(directory, "Packages");
	struct stat st;
	int r;

	r = link_object(ctx, set->index_sha256, "the index of the image's packages", index, err);
	for (size_t i = 0; i < set->count && r == 0; i++) {
		CLEANUP_FREE char *path = path_join(directory, set->packages[i].path);

		r = link_object(ctx, set->packages[i].sha256, set->packages[i].name, path, err);
	}
	if (r < 0)
		return r;
	if (stat(index, &st) < 0)
		return error_system(err, errno, "%s", index);
	return write_release(ctx, directory, (uint64_t)st.st_size, err);
}

static int send_repository(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *tmp = path_join(ctx->cache, "tmp");
	int r = io_mkdirs(tmp, 0755, err);

	if (r == 0)
		r = io_scratch_new(tmp, &scratch, err);
	if (r == 0)
		r = make_repository(ctx, scratch.path, err);
	if (r == 0)
		r = transfer_tree(workshop_guest(ctx->workshop), scratch.path, TRANSFER_TARGETS,
				  "/scratch/repository", err);
	return r;
}

/* ---------------------------------------------------------------- the installation */

/*
 * INITRD=No is the kernel packages' own way to be told that no initrd is wanted (linux-base,
 * /etc/kernel/postinst.d). force-unsafe-io: the disk is scratch until it is saved whole.
 * The counter: dpkg logs "status installed NAME:ARCH", some packages more than once.
 */
static const char install[] =
	"export SOURCE_DATE_EPOCH=\"$epoch\" INITRD=No DEBIAN_FRONTEND=noninteractive\n"
	"count() {\n"
	"\twhile sleep 2; do\n"
	"\t\tn=$(awk '/ status installed /{ seen[$5] = 1 } END { for (i in seen) n++; print n + 0 }'"
	" /target/root/var/log/dpkg.log) && echo \"kiln-progress $n $total packages\" >/dev/console\n"
	"\tdone\n"
	"}\n"
	"count </dev/null >/dev/null 2>&1 &\n"
	"trap \"kill $!\" EXIT\n"
	"mmdebstrap --mode=root --variant=essential --format=directory --architectures=\"$arch\""
	" --include=\"$names\" --dpkgopt=force-unsafe-io --aptopt='Acquire::Check-Date \"false\"'"
	" \"$suite\" /target/root 'deb [trusted=yes] copy:/scratch/repository ./'\n"
	"rm -r /scratch/repository\n"
	/* What mmdebstrap wrote for apt and dpkg speaks of this appliance. */
	"cd /target/root/etc\n"
	"rm -f apt/sources.list apt/sources.list.d/* apt/apt.conf.d/99mmdebstrap dpkg/dpkg.cfg.d/99mmdebstrap\n"
	"rm -f resolv.conf hostname\n";

static const char list_installed[] =
	"dpkg-query --admindir=/target/root/var/lib/dpkg --show --showformat='" INSTALLED_FORMAT "'\n";

static int write_names(const struct lock_set *set, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < set->count && r == 0; i++)
		r = buf_printf(ret, "%s%s", i ? "," : "", set->packages[i].name);
	return r;
}

static int write_script(const struct plan *plan, struct buf *ret, struct error *err)
{
	const struct lock_set *set = &plan->lock->sets[LOCK_IMAGE];
	CLEANUP_BUF struct buf names = BUF_INIT(SCRIPT_MAX);
	int r = write_names(set, &names);

	if (r == 0)
		r = buf_printf(ret, "epoch=%" PRId64 "\ntotal=%zu\n", plan->epoch, set->count);
	if (r == 0)
		r = shell_assign(ret, "names", buf_text(&names));
	if (r == 0)
		r = shell_assign(ret, "arch", plan->deb_arch);
	if (r == 0)
		r = shell_assign(ret, "suite", plan->description->repositories[0].distribution);
	if (r == 0)
		r = buf_add_string(ret, install);
	return r < 0 ? error_system(err, r, "list of packages") : 0;
}

static int check_installed(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_BUF struct buf list = BUF_INIT(LIST_MAX);
	int r = guest_run_output(workshop_guest(ctx->workshop), list_installed, &list, err);

	return r < 0 ? r : installed_check(buf_text(&list), &ctx->plan->lock->sets[LOCK_IMAGE], err);
}

static int base_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *layer = path_join(ctx->output, "base.qcow2");
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	int r = write_script(ctx->plan, &script, err);

	if (r == 0)
		r = send_repository(ctx, err);
	if (r < 0)
		return r;
	r = guest_run(workshop_guest(ctx->workshop), buf_text(&script), err);
	if (r < 0)
		return error_wrap(err, "mmdebstrap");
	r = check_installed(ctx, err);
	return r < 0 ? r : workshop_save_layer(ctx->workshop, layer, err);
}

static int base_key(const struct plan *plan, struct digester *key, struct error *err)
{
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	char digest[65];
	int r;

	lock_set_digest(plan->lock, LOCK_IMAGE, digest);
	stage_key_string(key, "packages", digest);
	r = write_script(plan, &script, err);
	if (r == 0)
		stage_key_string(key, "script", buf_text(&script));
	return r;
}

const struct stage stage_base = {
	.name = "base",
	.title = "installing packages",
	.version = "1",
	.room = ROOM_APPLIANCE,
	.outputs = { "base.qcow2" },
	.key = base_key,
	.run = base_run,
};
