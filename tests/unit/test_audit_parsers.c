/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/audit_tree.h"

#include <errno.h>

#include "factory/audit_initrd.h"
#include "factory/format/cpio.h"
#include "factory/format/cpio_read.h"
#include "rootfs/audit/scan.h"
#include "rootfs/audit/secrets.h"
#include "rootfs/audit/sysctl.h"
#include "rootfs/audit/unit_file.h"
#include "tests/unit/compressed.h"

/* ---------------------------------------------------------------- unit files */

static void test_unit_file(void)
{
	static const char text[] = "; comment\nX=before\n[Service]\nExecStart = /bin/a \\\n# in between\n  --b\n"
				   "ExecStart=/bin/c\n[Install]\nWantedBy=x\nno sign\n";
	struct unit_file f = { .entries = NULL };
	const struct unit_entry *e;
	size_t position = 0;

	unit_file_add(&f, text_of(text), "a");
	ok_int(f.count, 4, "four settings");
	ok_str(f.entries[0].section, "", "one before any section");
	e = unit_file_next(&f, "Service", "ExecStart", &position);
	ok_str(e->value, "/bin/a    --b", "a line that goes on, over a comment");
	ok_int(e->line, 4, "with the line that it begins in");
	ok_int(unit_file_next(&f, NULL, "ExecStart", &position)->line, 7, "the next one, and its line");
	ok(!unit_file_next(&f, NULL, "ExecStart", &position), "and no more");
	unit_file_add(&f, text_of("[Service]\nExecStart=\nExecStart=/bin/d\n"), "b");
	position = 0;
	ok_str(unit_file_next(&f, NULL, "ExecStart", &position)->value, "/bin/d", "an empty setting takes back what came before");
	ok(!unit_file_next(&f, NULL, "ExecStart", &position), "all of it");
	ok_str(unit_file_value(&f, "Install", "WantedBy"), "x", "a single value");
	ok_str(unit_file_value(&f, "Service", "WantedBy"), "", "is of its section");
	unit_file_clear(&f);
}

/* ---------------------------------------------------------------- sysctl.d */

static void test_sysctl(void)
{
	CLEANUP_SYSCTL struct sysctl s = { .settings = NULL };

	sysctl_add(&s, text_of("# x\n kernel.a = 1 \n-kernel/b=2\nnet/ipv4/conf/eth0.1/x=3\nnet.*.y = 4\nkernel.a=5\nno sign\n"), "f");
	ok_int(s.count, 5, "five settings");
	ok_str(sysctl_find(&s, "kernel.a")->value, "5", "the last one counts");
	ok_int(sysctl_find(&s, "kernel.a")->line, 6, "by its line");
	ok_str(sysctl_find(&s, "kernel.b")->value, "2", "slashes are dots, and a failure to set it is none");
	ok_str(sysctl_find(&s, "net.ipv4.conf.eth0/1.x")->value, "3", "dots between slashes are the name's own");
	ok_str(sysctl_find(&s, "net.core.y")->value, "4", "a pattern counts, too");
	ok(!sysctl_find(&s, "kernel.c"), "and what is not there is not set");
}

/* ---------------------------------------------------------------- contents */

#define DASHES "-----"
#define BEGIN DASHES "BEGIN RSA PRIVATE " "KEY" DASHES
#define END DASHES "END RSA PRIVATE " "KEY" DASHES
#define BODY "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/"

static void count_hit(void *arg, enum scan_kind kind, size_t at, const char *what)
{
	(void)at;
	(void)what;
	((unsigned int *)arg)[kind]++;
}

static void test_scan(void)
{
	static const struct {
		const char *about, *text;
		enum scan_kind kind;
		unsigned int expected;
	} cases[] = {
		{ "a private key", BEGIN "\n" BODY "\n" END "\n", SCAN_PRIVATE_KEY, 1 },
		{ "two in one file", BEGIN "\n" BODY "\n" END "\n" BEGIN "\n" BODY "\n" END, SCAN_PRIVATE_KEY, 2 },
		{ "one with fields", BEGIN "\nProc-Type: 4,ENCRYPTED\n\n" BODY "\n" END, SCAN_PRIVATE_KEY, 1 },
		{ "a header alone", BEGIN "\n" BODY "\n", SCAN_PRIVATE_KEY, 0 },
		{ "header and footer of a program", BEGIN "\\n%s" END, SCAN_PRIVATE_KEY, 0 },
		{ "a certificate", DASHES "BEGIN CERTIFICATE" DASHES "\n" BODY "\n" DASHES "END CERTIFICATE" DASHES, SCAN_PRIVATE_KEY, 0 },
		{ "a key of PuTTY", "PuTTY-User-Key-File-" "3: ssh-ed25519", SCAN_PRIVATE_KEY, 1 },
		{ "an access key", " AKIA" "ABCDEFGHIJKLMNOP ", SCAN_TOKEN, 1 },
		{ "one character too many", "AKIA" "ABCDEFGHIJKLMNOPQ", SCAN_TOKEN, 0 },
		{ "part of a longer word", "XAKIA" "ABCDEFGHIJKLMNOP", SCAN_TOKEN, 0 },
		{ "the documentation's own", "AKIA" "IOSFODNN7EXAMPLE", SCAN_TOKEN, 0 },
		{ "a token of GitHub", "ghp_" "0123456789abcdefghijklmnopqrstuvwxyz", SCAN_TOKEN, 1 },
		{ "the name of a secret key without one", "aws_secret_access_key = ${KEY}", SCAN_TOKEN, 0 },
		{ "user data", "http://169.254.169.254/latest/user-data", SCAN_USER_DATA, 1 },
		{ "meta data", "http://169.254.169.254/latest/meta-data", SCAN_USER_DATA, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int counts[4] = { 0 };
		const size_t size = strlen(cases[i].text);

		scan_bytes((const uint8_t *)cases[i].text, size, size, 0, count_hit, counts);
		ok_int(counts[cases[i].kind], cases[i].expected, "%s", cases[i].about);
	}
}

/* A key over the edge of what is read at once. */
static void test_scan_edge(void)
{
	static const char key[] = BEGIN "\n" BODY "\n" END "\n";
	const size_t edge = (size_t)4 << 20;

	for (size_t back = 0; back <= sizeof(key); back += sizeof(key) / 3) {
		CLEANUP_SCRATCH struct scratch dir = SCRATCH_INIT;
		CLEANUP_BUF struct buf b = BUF_INIT(AUDIT_TREE_MAX);
		CLEANUP_SCAN struct scan *scan = NULL;
		CLEANUP_TREE struct tree *tree = NULL;
		CLEANUP_FREE char *path = NULL;
		struct tar_member m = { .path = "f", .type = TAR_FILE, .mode = 0644, .mtime = 1, .size = edge + 1000 };
		struct error err = ERROR_INIT;

		need(tar_add_header(&b, &m) == 0 && buf_fill(&b, 'x', edge - back) == 0 && buf_add(&b, key, sizeof(key) - 1) == 0 &&
		     buf_fill(&b, '\n', 1000 + back - sizeof(key) + 1) == 0 && buf_align(&b, TAR_RECORD) == 0 && tar_add_end(&b) == 0, "memory");
		need(io_scratch_new("/tmp", &dir, &err) == 0, "%s", err.message);
		path = path_join(dir.path, "tar");
		need(io_write_file(path, b.data, b.len, 0600, &err) == 0 && tree_open_finished(path, &tree, &err) == 0, "%s", err.message);
		need(scan_tree(tree, &scan, &err) == 0, "%s", err.message);
		ok_int(scan->count, 1, "a key %zu bytes before the edge of what is read at once is found once", back);
	}
}

static void test_secrets(void)
{
	static const struct {
		const char *line;
		bool expected;
	} cases[] = {
		{ "password=q8Zr2Lm0Xv7Tn4Ks", true },
		{ "  DB_PASSWORD: 'q8Zr2Lm0Xv7Tn4Ks'", true },
		{ "\"api_key\" : \"0f3a9c7be2d14856af9e0b12\"", true },
		{ "password=/etc/keys/q8Zr2Lm0Xv7Tn4Ks", false },
		{ "password=${DB_PASSWORD_FROM_1}", false },
		{ "password=short1", false },
		{ "password=aaaaaaaaaaaaaaaaaaaaaa11", false },
		{ "password requisite pam_deny.so", false },
		{ "password	[success=1 default=ignore]	pam_unix.so obscure yescrypt", false },
		{ "token=abcdefghijklmnopqrstuvwxyz", false },
		{ "PasswordAuthentication no", false },
		{ "# the secret of 1234567890 is", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(secrets_line(text_of(cases[i].line)) == cases[i].expected, "\"%s\" %s", cases[i].line,
		   cases[i].expected ? "looks like a secret" : "does not");
}

/* ---------------------------------------------------------------- initrds */

static void add_archive(struct buf *b, const char *name)
{
	struct cpio_writer w;

	cpio_begin(&w, b);
	need(cpio_file(&w, name, 0755, "data", 4) == 0 && cpio_end(&w) == 0, "memory");
}

static int names(const struct buf *b, char *ret, size_t room, struct error *err)
{
	char **list = NULL;
	size_t count = 0;
	int r = audit_initrd_names(b->data, b->len, &list, &count, err);

	ret[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (strlen(ret) + strlen(list[i]) + 2 < room)
			snprintf(ret + strlen(ret), room - strlen(ret), "%s ", list[i]);
		free(list[i]);
	}
	free(list);
	return r;
}

static void test_initrd(void)
{
	CLEANUP_BUF struct buf plain = BUF_INIT(1 << 20), second = BUF_INIT(1 << 20), all = BUF_INIT(1 << 20), bad = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;
	char text[200];

	add_archive(&plain, "init");
	ok(names(&plain, text, sizeof(text), &err) == 0 && strcmp(text, "init ") == 0, "a plain archive: %s", text);
	add_archive(&second, "./bin/sh");
	need(buf_add(&all, plain.data, plain.len) == 0 && buf_fill(&all, 0, 512) == 0, "memory");
	need(buf_add(&all, second.data, second.len) == 0, "memory");
	ok(names(&all, text, sizeof(text), &err) == 0 && strcmp(text, "init bin/sh ") == 0, "two with zeros between: %s", text);
	buf_truncate(&all, plain.len);
	compressed_add(ARCHIVE_FILTER_ZSTD, second.data, second.len, &all);
	ok(names(&all, text, sizeof(text), &err) == 0 && strcmp(text, "init bin/sh ") == 0, "a plain and a compressed one: %s", text);
	need(buf_add(&bad, plain.data, plain.len) == 0 && buf_add_string(&bad, "rubbish that nobody knows") == 0, "memory");
	ok(names(&bad, text, sizeof(text), &err) < 0, "what is no archive is refused");
	ok_error(&err, "is no cpio archive", "by name");
	err = (struct error) ERROR_INIT;
	buf_truncate(&bad, 60);
	ok(names(&bad, text, sizeof(text), &err) < 0, "and so is a header that is cut off");
}

int main(void)
{
	test_unit_file();
	test_sysctl();
	test_scan();
	test_scan_edge();
	test_secrets();
	test_initrd();
	return tap_done();
}
