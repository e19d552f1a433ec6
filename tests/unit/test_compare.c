/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "factory/compare.h"
#include "factory/compare_part.h"
#include "factory/format/cpio.h"
#include "factory/model/manifest.h"
#include "tests/unit/tar_archive.h"
#include "tests/unit/tiny_disk.h"

#define MIB (1 << 20)
#define ESP_OFFSET MIB
#define ROOT_BYTES (TINY_BLOCKS * 4096)

/* ---------------------------------------------------------------- a disk and its copy */

struct two {
	struct fixture f;
	char *a, *b;
};

static void two_open(struct two *t)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);

	tiny_disk(&t->f, NULL);
	t->a = string_copy(artifacts_path(t->f.artifacts, "disk.raw"));
	t->b = path_join(t->f.scratch.path, "copy.raw");
	need(fixture_tool((const char *const[]) { "cp", "--sparse=always", t->a, t->b, NULL }, &out) == 0, "cp");
}

/* Undoes what a case has done to the copy. */
static void two_reset(const struct two *t)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);

	need(fixture_tool((const char *const[]) { "cp", "--sparse=always", t->a, t->b, NULL }, &out) == 0, "cp");
}

static void two_close(struct two *t)
{
	free(t->a);
	free(t->b);
	fixture_close(&t->f);
}

static void change_byte(const char *path, uint64_t offset)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	need(fd >= 0 && pread(fd, &byte, 1, (off_t)offset) == 1, "reading %s", path);
	byte ^= 1;
	need(pwrite(fd, &byte, 1, (off_t)offset) == 1 && close(fd) == 0, "writing %s", path);
}

static uint64_t partition_offset(const char *disk, unsigned int number)
{
	static uint8_t head[GPT_HEAD_SIZE];
	static struct gpt gpt;
	int fd = open(disk, O_RDONLY | O_CLOEXEC);

	need(fd >= 0 && pread(fd, head, sizeof(head), 0) == sizeof(head) && close(fd) == 0, "%s", disk);
	need(!gpt_parse(head, sizeof(head), UINT64_MAX, &gpt) && number <= gpt.count, "the table of %s", disk);
	return gpt.partitions[number - 1].offset;
}

static const char *text_of(const struct comparison *c, enum compare_part part)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->findings[i].part == part)
			return c->findings[i].text;
	return "(nothing)";
}

static void compare_paths(const char *a, const char *b, const char *tree_a, const char *tree_b,
			  struct comparison *ret)
{
	CLEANUP_COMPARE_IMAGE struct compare_image image_a = { .name = NULL }, image_b = { .name = NULL };
	struct error err = ERROR_INIT;

	need(compare_image_open(a, NULL, &image_a, &err) == 0, "%s", err.message);
	need(compare_image_open(b, NULL, &image_b, &err) == 0, "%s", err.message);
	image_a.tree = tree_a ? string_copy(tree_a) : NULL;
	image_b.tree = tree_b ? string_copy(tree_b) : NULL;
	comparison_clear(ret);
	need(compare_images(&image_a, &image_b, ret, &err) == 0, "%s", err.message);
}

/* The cause is of this part, and is said in words that hold `words`. */
static void expect_cause(const struct comparison *c, enum compare_part part, const char *words,
			 const char *what)
{
	const struct compare_finding *cause = comparison_cause(c);

	if (!ok(cause && cause->part == part && strstr(cause->text, words), "%s", what))
		printf("# cause: %s: %s\n", cause ? compare_part_names[cause->part] : "none",
		       cause ? cause->text : "");
}

/* ---------------------------------------------------------------- disks */

static void test_same(struct two *t)
{
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };
	static const uint8_t zeros[65536];
	int fd;

	compare_paths(t->a, t->b, NULL, NULL, &c);
	ok_int(c.count, 0, "a disk and its copy are the same");
	ok(!comparison_cause(&c), "for which there is no cause");
	fd = open(t->b, O_RDWR | O_CLOEXEC);
	need(fd >= 0 && pwrite(fd, zeros, sizeof(zeros), 500 * MIB) == sizeof(zeros) && close(fd) == 0, "zeros");
	compare_paths(t->a, t->b, NULL, NULL, &c);
	ok_int(c.count, 0, "written zeros are the same as a hole");
	change_byte(t->b, 500 * MIB + 77);
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_DISK, "byte 524288077", "a byte outside of all partitions is found");
	two_reset(t);
}

static void test_root(struct two *t)
{
	CLEANUP_BUF struct buf tar = BUF_INIT(65536);
	CLEANUP_FREE char *tree_a = path_join(t->f.scratch.path, "a.tar");
	CLEANUP_FREE char *tree_b = path_join(t->f.scratch.path, "b.tar");
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };
	struct error err = ERROR_INIT;

	tar_add(&tar, "etc/hostname", NULL, '0', "alpha", 5);
	tar_end(&tar);
	need(io_write_file(tree_a, tar.data, tar.len, 0644, &err) == 0, "%s", err.message);
	need(io_write_file(tree_b, tar.data, tar.len, 0644, &err) == 0, "%s", err.message);
	change_byte(t->b, partition_offset(t->b, 2) + 5000);
	compare_paths(t->a, t->b, NULL, tree_b, &c);
	expect_cause(&c, COMPARE_ROOT, "byte 5000, block 1", "a byte of the root partition is found");
	ok_int(c.count, 1, "and nothing else");
	compare_paths(t->a, t->b, tree_a, tree_b, &c);
	expect_cause(&c, COMPARE_ROOT, "same tree, packed differently at byte 5000",
		     "of the same tree it is said that it is the same");
	change_byte(tree_b, 512 + 2);
	compare_paths(t->a, t->b, tree_a, tree_b, &c);
	expect_cause(&c, COMPARE_ROOT, "etc/hostname: the contents differ at byte 2", "the file is named");
	two_reset(t);
}

static void test_verity(struct two *t)
{
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };
	uint64_t verity = partition_offset(t->b, 3);

	change_byte(t->b, verity + 88);
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_VERITY, "salt", "another salt is a cause");
	change_byte(t->b, verity + 16);
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_VERITY, "UUID", "and so is another UUID");
	two_reset(t);
	change_byte(t->b, verity + 4096);
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_VERITY, "hash tree differs at byte 4096", "a wrong tree over the same root is one");
	two_reset(t);
}

static void run(const char *const *argv)
{
	CLEANUP_BUF struct buf out = BUF_INIT(65536);

	need(fixture_tool(argv, &out) == 0, "%s: %s", argv[0], buf_text(&out));
}

static void test_table(struct two *t)
{
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };

	run((const char *const[]) { "sgdisk", "-c", "1:other", t->b, NULL });
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_TABLE, "partition 1 (\"esp\"): the name", "another name is named, not its checksum");
	two_reset(t);
	run((const char *const[]) { "sgdisk", "-U", "11111111-2222-3333-4444-555555555555", t->b, NULL });
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_TABLE, "the disk id", "another disk id is named");
	two_reset(t);
	run((const char *const[]) { "sgdisk", "-u", "2:11111111-2222-3333-4444-555555555555", t->b, NULL });
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_TABLE, "partition 2 (\"root-x86-64\"): the id",
		     "another id over the same root is a cause");
	two_reset(t);
	/* Only the backup, which no parser here reads. */
	change_byte(t->b, (UINT64_C(1) << 30) - 512 + 100);
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_DISK, "backup table", "a damaged backup table does not go unseen");
	two_reset(t);
	need(truncate(t->b, (off_t)2 << 30) == 0, "truncate");
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_DISK, "byte 1073741824", "a longer disk is another disk");
	two_reset(t);
}

static void test_esp(struct two *t)
{
	CLEANUP_FREE char *esp = string_printf("%s@@%d", t->b, ESP_OFFSET);
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };

	change_byte(t->b, ESP_OFFSET + 39);
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_ESP, "volume id", "another volume id is named");
	two_reset(t);
	run((const char *const[]) { "mcopy", "-i", esp, "Makefile", "::/EFI/note", NULL });
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_ESP, "\\EFI\\note", "a file more is named");
	two_reset(t);
	change_byte(t->b, ESP_OFFSET + 510);
	compare_paths(t->a, t->b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_ESP, "differs at byte 510", "what is no FAT is compared as bytes");
	two_reset(t);
}

/* The same image over another root: one cause, and all the rest follows. */
static void test_consequences(const struct two *t)
{
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	char hash[ROOT_HASH_DIGITS + 1];
	struct error err = ERROR_INIT;
	struct fixture f;
	size_t causes = 0;

	fixture_open(&f);
	fixture_pattern(&f, "root.erofs", ROOT_BYTES);
	change_byte(artifacts_path(f.artifacts, "root.erofs"), 12345);
	need(fixture_run(&f, &stage_verity, &err) == 0, "verity: %s", err.message);
	fixture_hand_on(&f, "root.verity");
	fixture_hand_on(&f, "root.hash");
	need(verity_root_hash(f.artifacts, hash, &err) == 0, "root hash: %s", err.message);
	tiny_uki(&f, f.plan.arch->pe_machine, hash);
	tiny_esp(&f);
	need(fixture_run(&f, &stage_disk, &err) == 0, "disk: %s", err.message);
	fixture_hand_on(&f, "disk.raw");

	compare_paths(t->a, artifacts_path(f.artifacts, "disk.raw"), NULL, NULL, &c);
	expect_cause(&c, COMPARE_ROOT, "byte 12345", "of two whole images the root is the cause");
	for (size_t i = 0; i < c.count; i++)
		causes += !c.findings[i].follows;
	ok_int(causes, 1, "and the only one");
	ok(strstr(text_of(&c, COMPARE_VERITY), "hash tree"), "the hash tree follows");
	ok(strstr(text_of(&c, COMPARE_BOOT_FILE), "the root hash"), "and the command line");
	ok(strstr(text_of(&c, COMPARE_TABLE), "the id"), "and the partitions' ids");
	ok_int(comparison_table(&c, &text), 0, "the table is made");
	ok(strstr(buf_text(&text), "follows from the above"), "and says so");
	fixture_close(&f);
}

static void test_no_disks(const struct two *t)
{
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };
	CLEANUP_COMPARE_IMAGE struct compare_image image = { .name = NULL };
	CLEANUP_FREE char *a = path_join(t->f.scratch.path, "a.txt");
	CLEANUP_FREE char *b = path_join(t->f.scratch.path, "b.txt");
	struct error err = ERROR_INIT;

	need(io_write_file(a, "abc", 3, 0644, &err) == 0 && io_write_file(b, "abd", 3, 0644, &err) == 0, "files");
	compare_paths(a, b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_DISK, "byte 2", "files that are no disks are compared as bytes");
	need(io_write_file(b, "", 0, 0644, &err) == 0, "file");
	compare_paths(a, b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_DISK, "byte 0", "an empty one ends at once");
	ok(compare_image_open("tests/none", NULL, &image, &err) < 0 && err.kind == ERROR_INPUT,
	   "a missing file is refused");
	ok(compare_image_open("tests", NULL, &image, &err) < 0 && err.kind == ERROR_INPUT,
	   "and so is a directory without results");
	ok_error(&err, "manifest.json", "for the lack of a manifest");
}

/* ---------------------------------------------------------------- boot files */

struct boot {
	struct buf image, initrd;
};

static void boot_make(struct boot *b, const char *osrel, const char *cmdline, const char *init, uint8_t kernel)
{
	CLEANUP_BUF struct buf stub = BUF_INIT(65536), linux_image = BUF_INIT(65536);
	struct error err = ERROR_INIT;
	struct cpio_writer w;

	b->image = (struct buf)BUF_INIT(MIB);
	b->initrd = (struct buf)BUF_INIT(MIB);
	cpio_begin(&w, &b->initrd);
	need(cpio_directory(&w, "dev", 0755) == 0 && cpio_device(&w, "dev/console", 0600, 5, 1) == 0 &&
	     cpio_file(&w, "init", 0755, init, strlen(init)) == 0 && cpio_end(&w) == 0, "cpio");
	image_stub(&stub, IMAGE_MAGIC("257.13-1"));
	image_kernel(&linux_image);
	linux_image.data[linux_image.len - 100] = kernel;

	const struct uki_part parts[UKI_SECTIONS] = {
		[UKI_LINUX] = { linux_image.data, linux_image.len },
		[UKI_OSREL] = { (const uint8_t *)osrel, strlen(osrel) },
		[UKI_CMDLINE] = { (const uint8_t *)cmdline, strlen(cmdline) },
		[UKI_INITRD] = { b->initrd.data, b->initrd.len },
	};

	need(uki_write(stub.data, stub.len, parts, &b->image, &err) == 0, "UKI: %s", err.message);
}

static void boot_free(struct boot *b)
{
	buf_free(&b->image);
	buf_free(&b->initrd);
}

static void expect_boot(const struct boot *a, struct boot *b, const char *words, const char *what)
{
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };
	const struct compare_span in_a = { a->image.data, a->image.len };
	const struct compare_span in_b = { b->image.data, b->image.len };

	compare_boot_files("\\BOOT", &in_a, &in_b, &c);
	expect_cause(&c, COMPARE_BOOT_FILE, words, what);
	boot_free(b);
}

static void test_boot_files(void)
{
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };
	struct boot a, b;

	boot_make(&a, "ID=a", "quiet roothash=11", "code", 0);
	boot_make(&b, "ID=b", "quiet roothash=11", "code", 0);
	expect_boot(&a, &b, "\\BOOT: section .osrel: differs at byte 3", "a section is named, with the place in it");
	boot_make(&b, "ID=a", "quiet roothash=11", "code", 1);
	expect_boot(&a, &b, "section .linux", "the kernel");
	boot_make(&b, "ID=a", "quiet panic=1 roothash=11", "code", 0);
	expect_boot(&a, &b, "section .cmdline: \"roothash=11\" and \"panic=1\"", "a word of the command line");
	boot_make(&b, "ID=a", "quiet roothash=12", "code", 0);
	expect_boot(&a, &b, "section .cmdline", "a root hash is a cause where the root is the same");
	boot_make(&b, "ID=a", "quiet  roothash=11", "code", 0);
	expect_boot(&a, &b, "blanks", "a blank more in the command line");
	boot_make(&b, "ID=a", "quiet roothash=11", "cope", 0);
	expect_boot(&a, &b, "section .initrd: init: the contents differ at byte 2", "a file of the initrd is named");
	boot_make(&b, "ID=a", "quiet roothash=11", "code", 0);
	b.image.data[8] ^= 1;
	expect_boot(&a, &b, "outside its sections", "a byte of the headers");
	boot_make(&b, "ID=a", "quiet roothash=11", "code", 0);
	image_sign(&b.image, "a signature", 11);
	expect_boot(&a, &b, "only the signature differs", "one is signed and the other is not");
	boot_make(&b, "ID=a", "quiet roothash=11", "code", 0);
	memcpy(b.image.data, "--", 2);
	expect_boot(&a, &b, "differs at byte 0", "what is no PE file is compared as bytes");

	const struct compare_span span = { a.image.data, a.image.len };

	compare_boot_files("\\BOOT", &span, &span, &c);
	ok_int(c.count, 0, "the same file is the same");
	boot_free(&a);
}

/* ---------------------------------------------------------------- directories of results */

static void put(const char *directory, const char *name, const char *text)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	struct error err = ERROR_INIT;

	need(io_write_file(path, text, strlen(text), 0644, &err) == 0, "%s", err.message);
}

static char *results(const struct two *t, const char *name, struct manifest *m, const char *packages)
{
	char *directory = path_join(t->f.scratch.path, name);
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	struct error err = ERROR_INIT;

	need(io_mkdirs(directory, 0755, &err) == 0, "%s", err.message);
	need(manifest_format(m, &text, &err) == 0, "%s", err.message);
	put(directory, "manifest.json", buf_text(&text));
	put(directory, "pcr_measurements.json", m->uki_size == 1 ? "{\"PCR4\": 1}\n" : "{\"PCR4\": 2}\n");
	put(directory, "tiny.raw", m->uki_size == 1 ? "disk" : "risk");
	put(directory, "tiny.packages", packages);
	return directory;
}

static void set(char **field, const char *text)
{
	free(*field);
	*field = string_copy(text);
}

static struct manifest *small_manifest(void)
{
	struct manifest *m = manifest_new();

	set(&m->name, "tiny");
	set(&m->disk_file, "tiny.raw");
	set(&m->version, "1");
	m->disk_size = m->uki_size = 1;
	m->stub_version = 257;
	m->service_port = 3000;
	memset(m->disk_data_sha256, '1', 64);
	memset(m->uki_sha256, '1', 64);
	memset(m->lock_sha256, '1', 64);
	memset(m->firmware_sha256, '1', 64);
	memset(m->root_hash, '1', 64);
	return m;
}

static void test_results(const struct two *t)
{
	CLEANUP_COMPARISON struct comparison c = { .findings = NULL };
	CLEANUP_MANIFEST struct manifest *m = small_manifest();
	CLEANUP_FREE char *a = results(t, "a", m, "libc6 2.41\n"), *b = results(t, "b", m, "libc6 2.41\n");

	compare_paths(a, b, NULL, NULL, &c);
	ok_int(c.count, 0, "the same results are the same");
	free(results(t, "b", m, "libc6 2.42\n"));
	compare_paths(a, b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_PACKAGES, "\"libc6 2.41\" and \"libc6 2.42\"", "a package's line is shown");

	uploads_add(&m->uploads, &(struct upload){ .region = (char *)"r", .image = (char *)"ami-1",
						.snapshot = (char *)"snap-1", .name = (char *)"n" });
	free(results(t, "b", m, "libc6 2.41\n"));
	put(b, "pcr_measurements.json", "{\"PCR4\": 1, \"ImageId\": \"ami-1\", \"Time\": \"x\"}\n");
	compare_paths(a, b, NULL, NULL, &c);
	ok_int(c.count, 0, "an upload of one of them makes no difference");
	uploads_clear(&m->uploads);

	memset(m->lock_sha256, '2', 64);
	free(results(t, "b", m, "libc6 2.41\n"));
	compare_paths(a, b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_INPUTS, "lock_sha256", "another lock is the cause");

	memset(m->lock_sha256, '1', 64);
	m->uki_size = 2;
	free(results(t, "b", m, "libc6 2.41\n"));
	compare_paths(a, b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_DISK, "byte 0", "what the manifest says of the disk is none");
	ok_str(text_of(&c, COMPARE_MANIFEST), "uki.size is 1 and 2", "but is said, by its path");
	ok_str(text_of(&c, COMPARE_MEASUREMENTS), "PCR4 is 1 and 2", "and so are the measurements");
	ok(c.findings[c.count - 1].follows && c.findings[c.count - 2].follows, "as consequences");

	put(b, "tiny.raw", "disk");
	compare_paths(a, b, NULL, NULL, &c);
	expect_cause(&c, COMPARE_MANIFEST, "uki.size", "unless the disk is the same");
}

int main(void)
{
	struct two t;

	two_open(&t);
	test_same(&t);
	test_root(&t);
	test_verity(&t);
	test_table(&t);
	test_esp(&t);
	test_consequences(&t);
	test_no_disks(&t);
	test_boot_files();
	test_results(&t);
	two_close(&t);
	return tap_done();
}
