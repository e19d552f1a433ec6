/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/deb_install.h"
#include "../rootfs/shell.h"
#include "../rootfs/workshop.h"
#include "inside.h"
#include "installed.h"
#include "registry.h"

/*
 * The packages configured: they lie unpacked in the tree, all at once, and here each one's maintainer
 * scripts run, once, in the order that dpkg finds. The few that cannot be unpacked so (deb_install.h) come
 * last.
 */

#define SCRIPT_MAX (1 << 20)
#define LIST_MAX (4 << 20)

/*
 * Programs that maintainer scripts call and whose work would be for nothing: Kiln makes its own initrd,
 * which is not in the file system at all, and nothing is to be started in here. They are found first
 * in PATH, in a directory that is gone afterwards. policy-rc.d keeps invoke-rc.d from starting services.
 */
static const char shield[] =
	"mkdir run/kiln\n"
	"for program in update-initramfs update-tirfs mkinitramfs dracut start-stop-daemon; do\n"
	"\tprintf '#!/bin/sh\\nexit 0\\n' >run/kiln/$program\n"
	"\tchmod 755 run/kiln/$program\n"
	"done\n"
	"printf '#!/bin/sh\\nexit 101\\n' >run/kiln/policy-rc.d\n"
	"chmod 755 run/kiln/policy-rc.d\n"
	"[ -e usr/sbin/policy-rc.d ] || ln -s /run/kiln/policy-rc.d usr/sbin/policy-rc.d\n"
	"unshield() {\n"
	"\t[ \"$(readlink usr/sbin/policy-rc.d)\" != /run/kiln/policy-rc.d ] || rm usr/sbin/policy-rc.d\n"
	"}\n"
	"trap 'unshield; leave' EXIT\n"
	"export PATH=/run/kiln:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root\n"
	"unset TMPDIR\n"
	/* INITRD=No is the kernel packages' own way to be told that no initrd is wanted (linux-base). */
	"export SOURCE_DATE_EPOCH=\"$epoch\" INITRD=No DEBIAN_FRONTEND=noninteractive"
	" DEBCONF_NONINTERACTIVE_SEEN=true\n";

/*
 * preinst, with what dpkg tells it (policy 6.5; dpkg(1), ENVIRONMENT) and from where dpkg runs it: debconf
 * knows the package by the control file that lies beside it there. base-passwd's first: it makes /etc/passwd.
 */
static const char prepare[] =
	"info=var/lib/dpkg/info\n"
	"new=var/lib/dpkg/tmp.ci\n"
	"prepare() {\n"
	"\tpackage=${1##*/}\n"
	"\tpackage=${package%.preinst}\n"
	"\techo \"preinst of $package\"\n"
	"\tmkdir $new\n"
	"\tfor file in \"$info/$package\".*; do cp -p \"$file\" \"$new/${file#\"$info/$package.\"}\"; done\n"
	"\tprintf 'Package: %s\\nArchitecture: %s\\n' \"${package%%:*}\" \"$arch\" >$new/control\n"
	"\tDPKG_ROOT= DPKG_ADMINDIR=/var/lib/dpkg DPKG_MAINTSCRIPT_NAME=preinst DPKG_MAINTSCRIPT_ARCH=$arch"
	" DPKG_MAINTSCRIPT_PACKAGE=${package%%:*} DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1"
	" DPKG_RUNNING_VERSION=$running chroot . /$new/preinst install\n"
	"\trm -r $new\n"
	"}\n"
	"for script in $info/base-passwd.preinst $info/*.preinst; do\n"
	"\t[ ! -e \"$script\" ] || [ \"$script\" = \"${done-}\" ] || prepare \"$script\"\n"
	"\tdone=${done-$script}\n"
	"done\n";

/*
 * force-unsafe-io: the disk is scratch until it is saved whole. The counter: dpkg logs "status
 * installed NAME:ARCH", some packages more than once.
 */
static const char configure[] =
	"count() {\n"
	/* Its sleep outlives it, and must not keep the tree from being unmounted. */
	"\tcd /\n"
	"\twhile sleep 2; do\n"
	"\t\tn=$(awk '/ status installed /{ seen[$5] = 1 } END { for (i in seen) n++; print n + 0 }'"
	" " WORKSHOP_ROOT "/var/log/dpkg.log) && echo \"kiln-progress $n $total packages\" >/dev/console\n"
	"\tdone\n"
	"}\n"
	"count </dev/null >/dev/null 2>&1 &\n"
	"counter=$!\n"
	"trap 'kill $counter || :; unshield; leave' EXIT\n"
	"configure() { chroot . dpkg --force-unsafe-io \"$@\" --configure --pending; }\n"
	/*
	 * What dpkg unpacks itself finds the others configured, as far as they do not wait for it: then dpkg says so
	 * and fails, and only a script that failed counts.
	 */
	"unbroken() { ! chroot . dpkg-query --show --showformat='${db:Status-Status}\\n' | grep -qx half-configured; }\n"
	"if [ -d " DEB_INSTALL_LATER " ]; then\n"
	"\tconfigure --abort-after=1000000 || unbroken\n"
	"\tchroot . sh -c 'dpkg --force-depends --force-unsafe-io \"$@\" --unpack /" DEB_INSTALL_LATER "/*.deb' dpkg $exclude\n"
	"\trm -r " DEB_INSTALL_LATER "\n"
	"fi\n"
	"configure\n";

static const char list_installed[] =
	"dpkg-query --admindir=" WORKSHOP_ROOT "/var/lib/dpkg --show --showformat='" INSTALLED_FORMAT "'\n";

/* For what dpkg unpacks itself. The paths are made of characters that the shell takes as they are. */
static int write_excluded_paths(const struct description *d, struct buf *ret)
{
	int r = buf_add_string(ret, "exclude='");

	for (size_t i = 0; i < d->excluded_path_count && r == 0; i++) {
		const char *path = d->excluded_paths[i];

		if (path[strlen(path) - 1] == '/')
			r = buf_printf(ret, " --path-exclude=%s*", path);
		else
			r = buf_printf(ret, " --path-exclude=%s --path-exclude=%s/*", path, path);
	}
	return r < 0 ? r : buf_add_string(ret, "'\n");
}

static int write_script(const struct plan *plan, struct buf *ret, struct error *err)
{
	const struct lock_set *set = &plan->lock->sets[LOCK_IMAGE];
	const struct locked_package *dpkg = lock_find(plan->lock, LOCK_IMAGE, "dpkg");
	int r = buf_printf(ret, "epoch=%" PRId64 "\ntotal=%zu\n", plan->epoch, set->count);

	if (!dpkg)
		return error_input(err, "the image's packages do not include dpkg, which installs them; packages can be taken away again with <packages type=\"uninstall\">");
	if (r == 0)
		r = write_excluded_paths(plan->description, ret);
	if (r == 0)
		r = shell_assign(ret, "arch", plan->arch->deb);
	if (r == 0)
		r = shell_assign(ret, "running", dpkg->version);
	if (r == 0)
		r = buf_printf(ret, "%s%s%s%s", inside_enter, shield, prepare, configure);
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

	if (r < 0)
		return r;
	r = guest_run(workshop_guest(ctx->workshop), buf_text(&script), err);
	if (r < 0)
		return error_wrap(err, "dpkg");
	r = check_installed(ctx, err);
	return r < 0 ? r : workshop_save_layer(ctx->workshop, layer, err);
}

static int base_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	int r;

	stage_key_packages(key, "packages", plan->lock, LOCK_IMAGE);
	r = write_script(plan, &script, err);
	if (r == 0)
		stage_key_string(key, "script", buf_text(&script));
	return r;
}

const struct stage stage_base = {
	.name = "base",
	.title = "configuring packages",
	.version = "4",
	.room = ROOM_APPLIANCE,
	.outputs = { "base.qcow2" },
	.key = base_key,
	.run = base_run,
};
