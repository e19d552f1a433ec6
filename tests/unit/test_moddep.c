/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/format/moddep.h"

#include <errno.h>

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "tap.h"

/* From a Debian cloud kernel: depmod lists a line's whole closure, nearest first. */
static const char modules_dep[] =
	"kernel/drivers/md/dm-mod.ko.xz:\n"
	"kernel/drivers/md/dm-bufio.ko.xz: kernel/drivers/md/dm-mod.ko.xz\n"
	"kernel/drivers/md/dm-verity.ko.xz: kernel/drivers/md/dm-bufio.ko.xz "
	"kernel/drivers/md/dm-mod.ko.xz kernel/lib/reed_solomon/reed_solomon.ko.xz\n"
	"kernel/lib/reed_solomon/reed_solomon.ko.xz:\n"
	"\n"
	"kernel/fs/erofs/erofs.ko.xz: kernel/lib/libcrc32c.ko.xz\n"
	"kernel/lib/libcrc32c.ko.xz:\n"
	"kernel/plain.ko:\n"
	"toplevel.ko.zst: kernel/plain.ko";

static const char modules_builtin[] = "kernel/drivers/nvme/host/nvme.ko\n"
				      "kernel/drivers/char/tpm/tpm_crb.ko\n";

/* The paths in order, one a line. */
static int resolve(const char *dep, const char *const *names, struct buf *ret, struct error *err)
{
	CLEANUP_MODDEP_LIST struct moddep_list list = {NULL, 0};
	int r = moddep_resolve(dep, modules_builtin, names, &list, err);

	for (size_t i = 0; r == 0 && i < list.count; i++)
		buf_printf(ret, "%s\n", list.paths[i]);
	return r;
}

static void test_order(void)
{
	static const struct {
		const char *names[4];
		const char *order;
	} cases[] = {
		{{NULL}, ""},
		{{"nvme", "tpm-crb"}, ""},
		{{"dm-mod"}, "kernel/drivers/md/dm-mod.ko.xz\n"},
		{{"dm_verity", "erofs", "dm-bufio"},
		 "kernel/drivers/md/dm-mod.ko.xz\nkernel/drivers/md/dm-bufio.ko.xz\n"
		 "kernel/lib/reed_solomon/reed_solomon.ko.xz\nkernel/drivers/md/dm-verity.ko.xz\n"
		 "kernel/lib/libcrc32c.ko.xz\nkernel/fs/erofs/erofs.ko.xz\n"},
		{{"reed-solomon", "reed_solomon"}, "kernel/lib/reed_solomon/reed_solomon.ko.xz\n"},
		{{"toplevel"}, "kernel/plain.ko\ntoplevel.ko.zst\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf got = BUF_INIT(65536);
		struct error err = ERROR_INIT;

		ok_int(resolve(modules_dep, cases[i].names, &got, &err), 0, "case %zu %s", i,
		       err.message);
		ok_str(buf_text(&got), cases[i].order, "case %zu: load order", i);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *what, *dep, *name, *part;
	} cases[] = {
		{"unknown", modules_dep, "dm-verit", "no module \"dm-verit\""},
		{"longer than a name", modules_dep, "dm-verity2", "no module \"dm-verity2\""},
		{"path instead of name", modules_dep, "md/dm-mod", "no module"},
		{"empty file", "", "erofs", "no module \"erofs\""},
		{"no colon", "a.ko:\nkernel/b.ko\n", "a", "modules.dep:2: not \"path: dep"},
		{"no path", ": a.ko\n", "a", "modules.dep:1:"},
		{"blank in the path", "a.ko:\n\nb c.ko:\n", "a", "modules.dep:3:"},
		{"missing dependency", "a.ko: b.ko\n", "a", "\"a.ko\" needs \"b.ko\""},
		{"itself", "a.ko: a.ko\n", "a", "\"a.ko\" depends on itself"},
		{"circle", "a.ko: b.ko\nb.ko: c.ko\nc.ko: a.ko\n", "a", "depends on itself"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *names[] = {cases[i].name, NULL};
		struct moddep_list list = {NULL, 77};
		struct error err = ERROR_INIT;

		ok_int(moddep_resolve(cases[i].dep, modules_builtin, names, &list, &err), -EINVAL,
		       "%s", cases[i].what);
		ok_error(&err, cases[i].part, "%s: %s", cases[i].what, err.message);
		ok_int(list.count, 77, "%s: the output is untouched", cases[i].what);
	}
}

static void test_depth(void)
{
	CLEANUP_BUF struct buf dep = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	for (int i = 0; i < 200; i++)
		buf_printf(&dep, "m%d.ko: m%d.ko\n", i, i + 1);
	buf_add_string(&dep, "m200.ko:\n");
	ok_int(resolve(buf_text(&dep), (const char *const[]){"m0", NULL}, &got, &err), -EINVAL,
	       "a chain of 200 modules");
	ok_error(&err, "more than 64", "%s", err.message);
	ok_int(resolve(buf_text(&dep), (const char *const[]){"m140", NULL}, &got, &err), 0,
	       "a chain of 60");
}

int main(void)
{
	test_order();
	test_refused();
	test_depth();
	return tap_done();
}
