/* SPDX-License-Identifier: Apache-2.0 */
#include "hook.h"

#include <inttypes.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/shell.h"
#include "../rootfs/workshop.h"
#include "inside.h"

#define SCRIPT_MAX (1 << 20)
#define ROOT WORKSHOP_ROOT

/* Outside the image's tree; rootfs/watch/watch.h. */
#define WATCH "/scratch/watch"
#define FINDINGS "/scratch/network"

/* KIWI's profile variables, those that mean something here. Scripts source the file as "/.profile". */
static int write_profile(const struct description *d, struct buf *ret)
{
	const char *const variables[][2] = {
		{ "kiwi_iname", d->name },
		{ "kiwi_name", d->name },
		{ "kiwi_iversion", d->version },
		{ "kiwi_type", "oem" },
		{ "kiwi_firmware", "uefi" },
		{ "kiwi_cmdline", d->cmdline },
		{ "kiwi_language", d->locale ? d->locale : "" },
		{ "kiwi_keytable", d->keytable ? d->keytable : "" },
		{ "kiwi_timezone", d->timezone ? d->timezone : "" },
		{ "kiwi_profiles", "" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(variables) && r == 0; i++)
		r = shell_assign(ret, variables[i][0], variables[i][1]);
	return r;
}

/* ---------------------------------------------------------------- running it, watched */

static const char run_hook[] =
	"cp image/profile .profile\n"
	"chmod 755 " WATCH " \"image/$hook\"\n"
	/* A script without "#!" is the shell's, as execvp(3) has it. */
	"[ \"$(head -c 2 \"image/$hook\")\" = '#!' ] && shell= || shell=/bin/sh\n"
	"code=0\n"
	"(\n"
	"set -a\n"
	". ./.profile\n"
	"set +a\n"
	INSIDE_ENVIRONMENT
	"exec " WATCH " " FINDINGS " chroot . $shell \"/image/$hook\"\n"
	") || code=$?\n"
	"[ ! -s " FINDINGS " ] || code=1\n"
	"exit $code\n";

static int write_script(const struct plan *plan, const char *name, struct buf *ret, struct error *err)
{
	int r = buf_printf(ret, "SOURCE_DATE_EPOCH=%" PRId64 "\nhook=%s\n%s%s", plan->epoch, name,
			   inside_enter, run_hook);

	return r < 0 ? error_system(err, r, "%s", name) : 0;
}

/* `findings`: lines of watch's report. */
static int refuse_network(const char *path, const char *findings, struct error *err)
{
	const size_t first = strcspn(findings, "\n");
	const char *more = findings[first] && findings[first + 1] ? " (the log has more)" : "";

	return error_input(err, "%s used the network: %.*s%s; there is none while an image is built: put what the script fetches into the overlay, a package or an <archive>",
			   path, (int)first, findings, more);
}

/* A script that failed for want of the network is better told by that than by its last words. */
static int run_watched(struct guest *g, const char *path, const char *script, struct error *err)
{
	CLEANUP_BUF struct buf findings = BUF_INIT(SCRIPT_MAX);
	struct error ignored = ERROR_INIT;
	int r = guest_run(g, script, err);

	if (r == 0)
		return 0;
	(void)guest_run_output(g, "cat " FINDINGS "\n", &findings, &ignored);
	return findings.len > 0 ? refuse_network(path, buf_text(&findings), err) : error_wrap(err, "%s", path);
}

int hook_run(const struct stage_context *ctx, const char *path, const char *name, struct error *err)
{
	CLEANUP_BUF struct buf profile = BUF_INIT(SCRIPT_MAX), script = BUF_INIT(SCRIPT_MAX);
	CLEANUP_FREE char *to = string_printf(ROOT "/image/%s", name);
	struct guest *g = workshop_guest(ctx->workshop);
	int r;

	if (!path)
		return 0;
	r = write_profile(ctx->plan->description, &profile);
	if (r < 0)
		return error_system(err, r, "profile of the image");
	r = write_script(ctx->plan, name, &script, err);
	if (r == 0)
		r = guest_mkdirs(g, ROOT "/image", err);
	if (r == 0)
		r = guest_write(g, ROOT "/image/profile", profile.data, profile.len, err);
	if (r == 0)
		r = guest_upload(g, path, to, err);
	if (r == 0)
		r = guest_upload(g, artifacts_path(ctx->artifacts, "watch"), WATCH, err);
	return r < 0 ? r : run_watched(g, path, buf_text(&script), err);
}

int hook_text(const struct plan *plan, struct buf *ret, struct error *err)
{
	int r = write_script(plan, "config.sh", ret, err);

	if (r < 0)
		return r;
	r = write_profile(plan->description, ret);
	return r < 0 ? error_system(err, r, "profile of the image") : 0;
}
