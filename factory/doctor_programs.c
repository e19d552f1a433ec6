/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/process.h"
#include "doctor.h"
#include "pipeline.h"

#define VERSION_TIMEOUT_MS 10000

/* Programs that Kiln, or a library it uses, runs on the host. QEMU is doctor_host.c's. */
static const struct program {
	const char *name, *debian, *fedora, *why;
} programs[] = {
	{ "qemu-img", "qemu-utils", "qemu-img", "makes the appliance's disks" },
	{ "supermin", "supermin", "supermin", "makes the appliance" },
	{ "setpriv", "util-linux", "util-linux", "ends the appliance together with Kiln" },
	{ "depmod", "kmod", "kmod", "indexes the modules of the appliance's kernel" },
	{ "swtpm", "swtpm", "swtpm", "is the TPM of the boot proof" },
	{ "swtpm_setup", "swtpm-tools", "swtpm-tools", "prepares the TPM of the boot proof" },
};

/* What `kiln fetch` downloads with: the first of them that is there. */
static const char *const downloaders[] = { "apt-get", "curl", "wget" };

static const char *const keyrings[] = {
	"/usr/share/keyrings/debian-archive-keyring.gpg",
	"/usr/share/keyrings/debian-archive-keyring.pgp",
};

/* Also where an ordinary user's PATH does not reach. */
static char *find(const char *name)
{
	static const char *const places[] = { "", "/usr/sbin/", "/sbin/" };
	char *path = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !path; i++) {
		CLEANUP_FREE char *name_there = string_printf("%s%s", places[i], name);

		path = process_find(name_there);
	}
	return path;
}

/* The first word of the first line that looks like one: "kmod version 30", "GNU Wget 1.21.3 built on". */
static char *version_in(const char *text)
{
	static const char letters[] = "0123456789.+~-:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (const char *p = text; *p && *p != '\n'; p++)
		if (p > text && p[-1] == ' ' && *p >= '0' && *p <= '9')
			return string_printf("%.*s", (int)strspn(p, letters), p);
	return NULL;
}

/* A program that is there and does not even start lacks a library, or is another machine's. The exit code
 * says little: swtpm_setup 0.7 tells its version and exits 1. */
static int ask_version(const char *path, char **ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	int r = process_run(&(struct process_options) {
		.argv = (const char *const[]){ path, "--version", NULL },
		.output = &text,
		.timeout_ms = VERSION_TIMEOUT_MS,
	}, NULL, err);

	*ret = version_in(buf_text(&text));
	if (*ret)
		return 0;
	return r < 0 ? r : error_outside(err, "it does not tell its version");
}

static void check_program(struct doctor *d, const struct program *p)
{
	CLEANUP_FREE char *path = find(p->name), *version = NULL;
	CLEANUP_FREE char *mend = doctor_install(p->debian, p->fedora);
	struct error err = ERROR_INIT;

	if (!path)
		doctor_say(d, FINDING_FAIL, p->name, mend, "missing; it %s", p->why);
	else if (ask_version(path, &version, &err) < 0)
		doctor_say(d, FINDING_FAIL, p->name, mend, "it %s: %s", p->why, err.message);
	else
		doctor_say(d, FINDING_OK, p->name, NULL, "%s, %s", version, path);
}

static void check_download(struct doctor *d)
{
	CLEANUP_FREE char *mend = doctor_install("apt", "curl");

	for (size_t i = 0; i < ARRAY_SIZE(downloaders); i++) {
		CLEANUP_FREE char *path = find(downloaders[i]), *version = NULL;
		struct error err = ERROR_INIT;

		if (!path || ask_version(path, &version, &err) < 0)
			continue;
		doctor_say(d, FINDING_OK, "download", NULL, "%s %s, %s", downloaders[i], version, path);
		return;
	}
	doctor_say(d, FINDING_FAIL, "download", mend,
		   "neither apt nor curl nor wget: \"kiln fetch\" has nothing to download with");
}

static void check_keyring(struct doctor *d)
{
	CLEANUP_FREE char *mend = doctor_install("debian-archive-keyring", "debian-keyring");

	for (size_t i = 0; i < ARRAY_SIZE(keyrings); i++) {
		if (access(keyrings[i], R_OK) < 0)
			continue;
		doctor_say(d, FINDING_OK, "keyring", NULL, "%s", keyrings[i]);
		return;
	}
	doctor_say(d, FINDING_WARN, "keyring", mend,
		   "no keys of Debian's archive: only repositories with a signing key of their own can be fetched from");
}

/* Programs for the image are compiled from what Kiln ships. */
static void check_sources(struct doctor *d)
{
	CLEANUP_FREE char *root = NULL;
	struct error err = ERROR_INIT;

	if (pipeline_source_root(&root, &err) < 0)
		doctor_say(d, FINDING_FAIL, "sources", "set KILN_SOURCE to a checkout of Kiln", "%s",
			   err.message);
	else
		doctor_say(d, FINDING_OK, "sources", NULL, "%s", root);
}

void doctor_check_programs(struct doctor *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		check_program(d, &programs[i]);
	check_download(d);
	check_keyring(d);
	check_sources(d);
}
