/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/plan.h"
#include "factory/step.h"
#include "factory/steps.h"
#include "keys/keyring.h"
#include "stages/registry.h"
#include "tests/unit/tap.h"

/*
 * Every input of a build changes the keys of the stages that read it and of all that read their outputs, and no
 * other key: else an image would be made of yesterday's inputs, or a change would cost more than it must. The
 * inputs are the members of the structs in description.h, lock.h and plan.h, and whoever adds one finds it
 * missing here.
 */

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char xml[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	"<image schemaversion=\"7.5\" name=\"tiny\">\n"
	"<description type=\"system\"><author>A</author><contact>C</contact><specification>S</specification></description>\n"
	"<preferences><version>1.0.0</version><packagemanager>apt</packagemanager>\n"
	"<locale>C.UTF-8</locale><keytable>us</keytable><timezone>UTC</timezone>\n"
	"<type image=\"oem\" filesystem=\"xfs\" firmware=\"uefi\" eficsm=\"false\" bootpartition=\"false\" "
	"kernelcmdline=\"quiet\" overlayroot=\"true\" overlayroot_write_partition=\"false\" "
	"overlayroot_readonly_filesystem=\"erofs\" overlayroot_readonly_partsize=\"2048\" "
	"erofscompression=\"zstd,level=3\" verity_blocks=\"all\" efipartsize=\"200\">\n"
	"<oemconfig><oem-resize>false</oem-resize></oemconfig><bootloader name=\"systemd_boot\" timeout=\"0\"/>\n"
	"<initrd action=\"setup\"><dracut uefi=\"true\"/></initrd><size unit=\"G\">4</size></type></preferences>\n"
	"<users><user name=\"svc\" password=\"$y$j9T$abc$def\" pwdformat=\"encrypted\" groups=\"adm\" home=\"/home/svc\" "
	"id=\"900\" shell=\"/bin/sh\"/></users>\n"
	"<repository type=\"apt-deb\" alias=\"main\" distribution=\"trixie\" components=\"main\">"
	"<source path=\"distro:debian\"/></repository>\n"
	"<packages type=\"image\"><package name=\"bash\"/><ignore name=\"openssh-server\"/>"
	"<archive name=\"extra.tar\"/></packages>\n"
	"<packages type=\"bootstrap\"><package name=\"base-files\"/></packages>\n"
	"<packages type=\"delete\"><package name=\"cpio\"/></packages>\n"
	"<extension xmlns:kiln=\"urn:kiln:image:1\">\n"
	"<kiln:program name=\"gateway\" source=\"src\" path=\"/usr/lib/gateway\"><kiln:package name=\"zlib1g-dev\"/>"
	"<kiln:library name=\"z\"/></kiln:program><kiln:path-exclude path=\"/usr/share/doc\"/><kiln:port number=\"3000\"/>"
	"<kiln:accept rule=\"files.setuid\" path=\"/usr/bin/su\" reason=\"for the sake of this\"/></extension>\n"
	"</image>\n";

/* A description's directory, a lock, and what is made of them. */
struct world {
	struct scratch scratch;
	struct description *description;
	struct lock *lock;
	struct plan *plan;
	struct description whole;	/* its counts, which changes lower */
};

static void set(char **field, const char *value)
{
	free(*field);
	*field = string_copy(value);
}

static char *at(const struct world *w, const char *name)
{
	return path_join(w->scratch.path, name);
}

static void put(const struct world *w, const char *name, const char *text, mode_t mode)
{
	CLEANUP_FREE char *path = at(w, name), *directory = string_copy(path);
	struct error err = ERROR_INIT;

	*strrchr(directory, '/') = '\0';
	need(io_mkdirs(directory, 0755, &err) == 0 && io_write_file(path, text, strlen(text), mode, &err) == 0,
	     "%s: %s", name, err.message);
}

static void point(const struct world *w, const char *name, const char *target)
{
	CLEANUP_FREE char *path = at(w, name);

	(void)unlink(path);
	need(symlink(target, path) == 0, "%s", name);
}

static void add_package(struct lock *lock, enum lock_set_id id, const char *name)
{
	struct lock_set *s = &lock->sets[id];

	s->packages = reallocarray(s->packages, s->count + 1, sizeof(*s->packages));
	need(s->packages, "memory");
	s->packages[s->count++] = (struct locked_package) {
		.name = string_copy(name), .version = string_copy("1"), .architecture = string_copy("amd64"),
		.repository = string_copy("main"), .path = string_copy("pool/x.deb"), .size = 1, .sha256 = HEX64,
	};
	snprintf(s->index_sha256, sizeof(s->index_sha256), "%s", HEX64);
}

static struct lock *make_lock(void)
{
	struct lock *lock = lock_new();

	lock->epoch = 1735689600;
	snprintf(lock->request_sha256, sizeof(lock->request_sha256), "%s", HEX64);
	lock->repositories = calloc(1, sizeof(*lock->repositories));
	need(lock->repositories, "memory");
	lock->repository_count = 1;
	lock->repositories[0] = (struct locked_repository) {
		.alias = string_copy("main"), .source = string_copy("distro:debian"),
		.suite = string_copy("trixie"), .components = string_copy("main"),
		.release_sha256 = HEX64, .keyring_sha256 = HEX64, .date = 1735689600,
	};
	for (int i = 0; i < LOCK_SETS; i++)
		for (const char *const *name = (const char *const[]) { "base-files", "bash", "cpio", "dash", "dpkg", NULL };
		     *name; name++)
			add_package(lock, i, *name);
	return lock;
}

static void make_files(const struct world *w)
{
	static const char *const sources[] = {
		"rootfs/init/main.c", "rootfs/watch/main.c", "factory/base/bytes.h", "factory/format/gpt.c", "factory/format/gpt.h",
		"factory/format/utf16.h", "factory/format/verity.c", "factory/format/verity.h",
	};

	put(w, "image/appliance.kiwi", xml, 0644);
	put(w, "image/config.sh", "true\n", 0755);
	put(w, "image/images.sh", "true\n", 0755);
	put(w, "image/extra.tar", "", 0644);
	put(w, "image/src/main.c", "int main(void) { return 0; }\n", 0644);
	put(w, "image/root/etc/hostname", "tiny\n", 0644);
	point(w, "image/root/etc/link", "hostname");
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		CLEANUP_FREE char *name = path_join("source", sources[i]);

		put(w, name, "", 0644);
	}
}

static void open_world(struct world *w)
{
	CLEANUP_FREE char *directory = NULL;
	struct error err = ERROR_INIT;
	const char *tmp = getenv("TMPDIR");

	*w = (struct world) { .scratch = SCRATCH_INIT, .lock = make_lock() };
	need(io_scratch_new(tmp ? tmp : "/tmp", &w->scratch, &err) == 0, "%s", err.message);
	make_files(w);
	directory = at(w, "image");
	need(description_read(directory, &w->description, &err) == 0, "%s", err.message);
	w->whole = *w->description;
}

static void close_world(struct world *w)
{
	w->description->repository_count = w->whole.repository_count;
	w->description->image.count = w->whole.image.count;
	w->description->archive_count = w->whole.archive_count;
	w->description->user_count = w->whole.user_count;
	w->description->program_count = w->whole.program_count;
	w->description->excluded_path_count = w->whole.excluded_path_count;
	w->description->port_count = w->whole.port_count;
	w->description->exception_count = w->whole.exception_count;
	w->description->programs[0].library_count = 1;
	w->lock->repository_count = 1;
	plan_free(w->plan);
	description_free(w->description);
	lock_free(w->lock);
	io_scratch_free(&w->scratch);
}

/* ---------------------------------------------------------------- keys */

#define STAGES_MAX 32

struct keys {
	char text[STAGES_MAX][65];
	char *own[STAGES_MAX];		/* what a stage reads by itself: its inputs without the artifacts */
};

static void clear_keys(struct keys *keys)
{
	for (size_t i = 0; i < STAGES_MAX; i++)
		free(keys->own[i]);
}

static char *without_artifacts(const char *inputs)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);

	while (*inputs) {
		size_t size = strcspn(inputs, "\n") + 1;

		if (strncmp(inputs, "artifact\t", 9))
			need(buf_add(&text, inputs, size) == 0, "memory");
		inputs += size;
	}
	return string_copy(buf_text(&text));
}

static void make_plan(struct world *w)
{
	CLEANUP_FREE char *source = at(w, "source");
	struct error err = ERROR_INIT;

	need(plan_make(w->description, w->lock, source, &w->plan, &err) == 0, "a plan: %s", err.message);
}

/* By the engine itself, which adds the ids of the artifacts that a stage reads. */
static void read_keys_of(struct world *w, const struct stage *const *stages, struct keys *ret)
{
	CLEANUP_ARTIFACTS struct artifacts *artifacts = artifacts_new();
	static const char *const nothing[] = { NULL };
	CLEANUP_FREE char *cache = at(w, "cache");
	CLEANUP_STEPS struct steps *s = NULL;
	struct error err = ERROR_INIT;
	const struct steps_options options = {
		.stages = stages, .plan = w->plan, .cache = cache, .wanted = nothing,
	};

	need(steps_plan(&options, artifacts, &s, &err) == 0, "keys: %s", err.message);
	need(s->count < STAGES_MAX, "room for all stages");
	memset(ret, 0, sizeof(*ret));
	for (unsigned int i = 0; i < s->count; i++) {
		memcpy(ret->text[i], s->items[i].entry.key, 65);
		ret->own[i] = without_artifacts(s->items[i].entry.inputs);
	}
}

static void read_keys(struct world *w, struct keys *ret)
{
	read_keys_of(w, stage_registry, ret);
}

static bool has_word(const char *list, const char *word)
{
	size_t size = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += size)
		if ((p == list || p[-1] == ' ') && (p[size] == ' ' || !p[size]))
			return true;
	return false;
}

static bool reads(const struct stage *reader, const struct stage *maker)
{
	for (const char *const *output = maker->outputs; *output; output++)
		if (step_names(reader->inputs, *output) || (reader->layer && strcmp(reader->layer, *output) == 0) ||
		    (reader->room == ROOM_APPLIANCE && (strcmp(*output, STEPS_BUILDER) == 0 ||
							strcmp(*output, STEPS_PACKAGES) == 0)))
			return true;
	return false;
}

/* The stages named, and all that read what they make. */
static void add_readers(const char *readers, bool ret[static STAGES_MAX])
{
	for (size_t i = 0; stage_registry[i]; i++) {
		ret[i] = has_word(readers, stage_registry[i]->name);
		for (size_t j = 0; j < i; j++)
			ret[i] = ret[i] || (ret[j] && reads(stage_registry[i], stage_registry[j]));
	}
}

/* ---------------------------------------------------------------- changes */

#define D (w->description)
#define P (w->plan)
#define IMAGE (&w->lock->sets[LOCK_IMAGE].packages[1])

#define CHANGE(name, ...) static void name(struct world *w) { __VA_ARGS__; }

static const char *const other_modules[] = { "nvme", "dm_verity", "erofs", NULL };

/* An architecture of which nothing is as in the table. */
static const struct architecture other = {
	.name = "other", .deb = "other", .triple = "other", .loader = "/other", .efi_name = "OTHER.EFI",
	.stub_path = "other.stub", .root_label = "other", .verity_label = "other", .binutils = "other-binutils",
	.compiler = "other-compiler", .emulator = "usr/bin/other",
};

CHANGE(none, (void)w)
CHANGE(description_arch, D->arch = &other)
CHANGE(name, set(&D->name, "other"))
CHANGE(version, set(&D->version, "2.0.0"))
CHANGE(locale, set(&D->locale, "de_DE.UTF-8"))
CHANGE(keytable, set(&D->keytable, "de"))
CHANGE(timezone_, set(&D->timezone, "Europe/Berlin"))
CHANGE(cmdline, set(&D->cmdline, "debug"))
CHANGE(compression, set(&D->compression, "lz4"))
CHANGE(esp_mib, D->esp_mib++)
CHANGE(root_max_mib, D->root_max_mib--)
CHANGE(size_gib, D->size_gib++)
CHANGE(repository_alias, set(&D->repositories[0].alias, "x"))
CHANGE(repository_path, set(&D->repositories[0].path, "x"))
CHANGE(repository_distribution, set(&D->repositories[0].distribution, "x"))
CHANGE(repository_components, set(&D->repositories[0].components, "x"))
CHANGE(repository_signing_key, set(&D->repositories[0].signing_key, "x"))
CHANGE(repositories, D->repository_count = 0)
CHANGE(bootstrap, set(&D->bootstrap.items[0].name, "dash"))
CHANGE(image, set(&D->image.items[0].name, "dash"))
CHANGE(ignored, set(&D->ignored.items[0].name, "exim4"))
CHANGE(uninstalled, set(&D->uninstalled.items[0].name, "dash"))
CHANGE(archive, put(w, "image/extra.tar", "x", 0644))
CHANGE(archive_name, put(w, "image/more.tar", "x", 0644); set(&D->archives[0], "more.tar"))
CHANGE(user_name, set(&D->users[0].name, "other"))
CHANGE(user_password, set(&D->users[0].password, "$y$j9T$abc$xyz"))
CHANGE(user_groups, set(&D->users[0].groups, "sys"))
CHANGE(user_home, set(&D->users[0].home, "/srv"))
CHANGE(user_id, set(&D->users[0].id, "901"))
CHANGE(user_shell, set(&D->users[0].shell, "/bin/bash"))
CHANGE(program_name, set(&D->programs[0].name, "other"))
CHANGE(program_source, put(w, "image/src/main.c", "int main(void) { return 1; }\n", 0644))
CHANGE(program_path, set(&D->programs[0].path, "/usr/lib/other"))
CHANGE(program_libraries, set(&D->programs[0].libraries[0], "m"))
CHANGE(program_packages, set(&D->programs[0].packages[0], "libbz2-dev"))
CHANGE(excluded_path, set(&D->excluded_paths[0], "/usr/share/man"))
CHANGE(excluded_path_count, D->excluded_path_count = 0)
CHANGE(port_number, D->ports[0].number = 3001)
CHANGE(port_udp, D->ports[0].udp = true)
CHANGE(port_count, D->port_count = 0)
CHANGE(exception_rule, set(&D->exceptions[0].rule, "files.acl"))
CHANGE(exception_path, set(&D->exceptions[0].path, "/usr/bin/mount"))
CHANGE(exception_reason, set(&D->exceptions[0].reason, "for another sake"))
CHANGE(exception_count, D->exception_count = 0)
CHANGE(config_script, put(w, "image/config.sh", "false\n", 0755))
CHANGE(images_script, put(w, "image/images.sh", "false\n", 0755))
CHANGE(overlay_content, put(w, "image/root/etc/hostname", "TINY\n", 0644))
CHANGE(overlay_mode, put(w, "image/root/etc/hostname", "tiny\n", 0600))
CHANGE(overlay_name, put(w, "image/root/etc/more", "", 0644))
CHANGE(overlay_link, point(w, "image/root/etc/link", "/etc/hostname"))
CHANGE(archive_count, D->archive_count = 0)
CHANGE(user_count, D->user_count = 0)
CHANGE(program_count, D->program_count = 0)
CHANGE(library_count, D->programs[0].library_count = 0)
CHANGE(image_count, D->image.count = 0)
CHANGE(lock_repository_count, w->lock->repository_count = 0)
CHANGE(source_init, put(w, "source/rootfs/init/main.c", "x", 0644))
CHANGE(source_watch, put(w, "source/rootfs/watch/main.c", "x", 0644))
CHANGE(source_more, put(w, "source/rootfs/init/more.h", "x", 0644))
CHANGE(source_format, put(w, "source/factory/format/verity.c", "x", 0644))

CHANGE(lock_epoch, w->lock->epoch++)
CHANGE(lock_request, w->lock->request_sha256[0] = 'f')
CHANGE(lock_snapshot, snprintf(w->lock->snapshot, sizeof(w->lock->snapshot), "20260131T000000Z"))
CHANGE(lock_alias, set(&w->lock->repositories[0].alias, "x"))
CHANGE(lock_source, set(&w->lock->repositories[0].source, "x"))
CHANGE(lock_suite, set(&w->lock->repositories[0].suite, "x"))
CHANGE(lock_components, set(&w->lock->repositories[0].components, "x"))
CHANGE(lock_release, w->lock->repositories[0].release_sha256[0] = 'f')
CHANGE(lock_keyring, w->lock->repositories[0].keyring_sha256[0] = 'f')
CHANGE(lock_date, w->lock->repositories[0].date++)
CHANGE(package_name, set(&IMAGE->name, "bash-static"); set(&D->image.items[0].name, "bash-static"))
CHANGE(package_version, set(&IMAGE->version, "2"))
CHANGE(package_architecture, set(&IMAGE->architecture, "all"))
CHANGE(package_repository, set(&IMAGE->repository, "x"))
CHANGE(package_path, set(&IMAGE->path, "pool/y.deb"))
CHANGE(package_size, IMAGE->size++)
CHANGE(package_sha256, IMAGE->sha256[0] = 'f')
CHANGE(index_sha256, w->lock->sets[LOCK_IMAGE].index_sha256[0] = 'f')
CHANGE(one_more, add_package(w->lock, LOCK_IMAGE, "zsh"))
CHANGE(set_boot, add_package(w->lock, LOCK_BOOT, "zsh"))
CHANGE(set_sysroot, add_package(w->lock, LOCK_SYSROOT, "zsh"))
CHANGE(set_builder, add_package(w->lock, LOCK_BUILDER, "zsh"))
CHANGE(set_appliance, add_package(w->lock, LOCK_APPLIANCE, "zsh"))
CHANGE(set_firmware, add_package(w->lock, LOCK_FIRMWARE, "zsh"))

CHANGE(arch, P->arch = &other)
CHANGE(tools, P->tools = &other)
CHANGE(epoch, P->epoch++)
CHANGE(result_name, set(&P->result_name, "x"))
CHANGE(modules, P->initrd_modules = other_modules)
CHANGE(seed, P->seed[0]++)

/* Public parts alone: what a stage's key may be made of. */
static struct keyring_entry entries[] = {
	{ .role = SECURE_PK, .key = (char *)"PK.key", .certificate = { (uint8_t *)"pk", 2, 2, 2 }, .sha256 = "1" },
	{ .role = SECURE_KEK, .key = (char *)"KEK.key", .certificate = { (uint8_t *)"kek", 3, 3, 3 }, .sha256 = "2" },
	{ .role = SECURE_DB, .key = (char *)"db.key", .certificate = { (uint8_t *)"db", 2, 2, 2 }, .sha256 = "3" },
};
static struct keyring ring = { .directory = (char *)"keys", .entries = entries, .count = ARRAY_SIZE(entries) };

CHANGE(keyring, P->keyring = &ring)
CHANGE(pending, (P->keyring = &ring, P->signature_pending = true))

/* Ids and salts come from the name and the packages of all sets. */
#define SEEDED "verity erofs esp disk"
#define LOCK SEEDED " measure"

static const struct change {
	const char *field;	/* STRUCT.MEMBER, without array or "struct" */
	void (*make)(struct world *w);
	const char *readers;	/* the stages that read it; what follows them in the road follows by itself */
} changes[] = {
	/* For messages, and for finding what else is named. */
	{ "description.file", none, "" },
	{ "description.directory", none, "" },
	{ "description_repository.line", none, "" },
	{ "description_package.line", none, "" },
	{ "description_user.line", none, "" },
	{ "description_program.line", none, "" },
	{ "description_port.line", none, "" },
	{ "description_exception.line", none, "" },

	/* config.sh finds name, version and command line in its .profile. */
	{ "description.name", name, "config " LOCK },
	{ "description.version", version, "config measure" },
	{ "description.locale", locale, "config" },
	{ "description.keytable", keytable, "config" },
	{ "description.timezone", timezone_, "config" },
	{ "description.cmdline", cmdline, "config uki" },
	{ "description.compression", compression, "erofs" },
	{ "description.esp_mib", esp_mib, "esp" },
	{ "description.size_gib", size_gib, "disk" },
	{ "description.uninstalled", uninstalled, "config measure" },
	{ "description.archives", archive, "config" },
	{ "description.archives", archive_name, "config" },
	{ "description.archive_count", archive_count, "config" },
	{ "description.users", user_name, "config" },
	{ "description.user_count", user_count, "config" },
	{ "description_user.name", user_name, "config" },
	{ "description_user.password", user_password, "config" },
	{ "description_user.groups", user_groups, "config" },
	{ "description_user.home", user_home, "config" },
	{ "description_user.id", user_id, "config" },
	{ "description_user.shell", user_shell, "config" },
	{ "description.programs", program_source, "programs" },
	{ "description.program_count", program_count, "programs" },
	{ "description_program.name", program_name, "programs" },
	{ "description_program.source", program_source, "programs" },
	{ "description_program.path", program_path, "programs" },
	{ "description_program.libraries", program_libraries, "programs" },
	{ "description_program.library_count", library_count, "programs" },
	{ "description.excluded_paths", excluded_path, "unpack base" },
	{ "description.excluded_path_count", excluded_path_count, "unpack base" },
	{ "description.ports", port_number, "measure" },
	{ "description_port.number", port_number, "measure" },
	{ "description_port.udp", port_udp, "measure" },
	{ "description.exceptions", exception_rule, "measure" },
	{ "description.exception_count", exception_count, "measure" },
	{ "description_exception.rule", exception_rule, "measure" },
	{ "description_exception.path", exception_path, "measure" },
	{ "description_exception.reason", exception_reason, "measure" },
	{ "description.ignored", ignored, "measure" },
	{ "description.config_script", config_script, "config" },
	{ "description.images_script", images_script, "config" },
	{ "description.overlay", overlay_content, "config" },
	{ "description.overlay", overlay_mode, "config" },
	{ "description.overlay", overlay_name, "config" },
	{ "description.overlay", overlay_link, "config" },

	/* Without any it is this one. */
	{ "description.port_count", port_count, "" },

	/* A limit that no stage holds the root to at present; who does reads it. */
	{ "description.root_max_mib", root_max_mib, "" },

	/* What "kiln fetch" reads. A build knows them as the lock's packages, and refuses a lock for another
	 * request. */
	{ "description.repositories", repositories, "" },
	{ "description.repository_count", repositories, "" },
	{ "description_repository.alias", repository_alias, "" },
	{ "description_repository.path", repository_path, "" },
	{ "description_repository.distribution", repository_distribution, "" },
	{ "description_repository.components", repository_components, "" },
	{ "description_repository.signing_key", repository_signing_key, "" },
	{ "description.bootstrap", bootstrap, "" },
	{ "description.image", image, "" },
	{ "description_package.name", image, "" },
	{ "description_packages.items", image, "" },
	{ "description_packages.count", image_count, "" },
	{ "description_program.packages", program_packages, "" },
	{ "description_program.package_count", program_packages, "" },

	/* The manifest names the lock by its digest. */
	{ "lock.epoch", lock_epoch, "unpack base config tree erofs esp measure" },
	{ "lock.request_sha256", lock_request, "measure" },
	{ "lock.snapshot", lock_snapshot, "measure" },
	{ "lock.repositories", lock_alias, "measure" },
	{ "lock.repository_count", lock_repository_count, "measure" },
	{ "locked_repository.alias", lock_alias, "measure" },
	{ "locked_repository.source", lock_source, "measure" },
	{ "locked_repository.suite", lock_suite, "measure" },
	{ "locked_repository.components", lock_components, "measure" },
	{ "locked_repository.release_sha256", lock_release, "measure" },
	{ "locked_repository.keyring_sha256", lock_keyring, "measure" },
	{ "locked_repository.date", lock_date, "measure" },
	{ "lock_set.packages", one_more, "unpack base " LOCK },
	{ "lock_set.count", one_more, "unpack base " LOCK },
	{ "lock_set.index_sha256", index_sha256, "unpack base " LOCK },
	{ "locked_package.name", package_name, "unpack base " LOCK },
	{ "locked_package.version", package_version, "unpack base " LOCK },
	{ "locked_package.architecture", package_architecture, "unpack base " LOCK },
	{ "locked_package.repository", package_repository, "unpack base " LOCK },
	{ "locked_package.path", package_path, "unpack base " LOCK },
	{ "locked_package.size", package_size, "unpack base " LOCK },
	{ "locked_package.sha256", package_sha256, "unpack base " LOCK },
	{ "lock.sets", set_boot, "uki " LOCK },
	{ "lock.sets", set_sysroot, "programs " LOCK },
	{ "lock.sets", set_builder, "tools builder " LOCK },
	{ "lock.sets", set_appliance, LOCK },
	{ "lock.sets", set_firmware, LOCK },

	{ "description.arch", description_arch, "tools builder programs base uki esp disk measure" },
	{ "plan.description", name, "config " LOCK },
	{ "plan.lock", set_boot, "uki " LOCK },
	{ "plan.source_root", source_init, "programs" },
	{ "plan.source_root", source_watch, "programs" },
	{ "plan.source_root", source_more, "programs" },
	{ "plan.source_root", source_format, "programs" },
};

/* Made to the finished plan. */
static const struct change plan_changes[] = {
	{ "plan.arch", arch, "tools builder programs base uki esp disk measure" },
	{ "plan.tools", tools, "tools builder" },
	{ "plan.epoch", epoch, "unpack base config tree erofs esp" },
	{ "plan.result_name", result_name, "measure" },
	{ "plan.initrd_modules", modules, "kernel" },
	{ "plan.seed", seed, SEEDED },
	{ "plan.keyring", keyring, "sign measure" },
	{ "plan.signature_pending", pending, "sign measure" },
};

static void check(const struct change *c, bool late, const struct keys *before)
{
	bool expected[STAGES_MAX];
	struct keys after;
	struct world w;

	open_world(&w);
	if (late)
		make_plan(&w);
	c->make(&w);
	if (!late)
		make_plan(&w);
	read_keys(&w, &after);
	add_readers(c->readers, expected);
	for (size_t i = 0; stage_registry[i]; i++) {
		const char *stage = stage_registry[i]->name;
		bool changed = strcmp(before->text[i], after.text[i]) != 0;
		bool reads_it = strcmp(before->own[i], after.own[i]) != 0;

		if (reads_it != has_word(c->readers, stage))
			ok(false, "%s %s read by %s", c->field, reads_it ? "is" : "is not", stage);
		if (changed != expected[i])
			ok(false, "%s %s the key of %s", c->field, changed ? "changes" : "does not change", stage);
	}
	ok(true, "%s changes the keys of its readers and of no other stage", c->field);
	clear_keys(&after);
	close_world(&w);
}

static void test_changes(void)
{
	struct keys keys, again;
	struct world w;

	open_world(&w);
	make_plan(&w);
	read_keys(&w, &keys);
	close_world(&w);
	open_world(&w);
	make_plan(&w);
	read_keys(&w, &again);
	close_world(&w);
	need(memcmp(keys.text, again.text, sizeof(keys.text)) == 0, "the same inputs elsewhere give the same keys");
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		check(&changes[i], false, &keys);
	for (size_t i = 0; i < ARRAY_SIZE(plan_changes); i++)
		check(&plan_changes[i], true, &keys);
	clear_keys(&keys);
	clear_keys(&again);
}

/* ---------------------------------------------------------------- keyrings */

static void keys_with_ring(bool pending_signature, struct keys *ret)
{
	struct world w;

	open_world(&w);
	make_plan(&w);
	w.plan->keyring = &ring;
	w.plan->signature_pending = pending_signature;
	read_keys(&w, ret);
	close_world(&w);
}

static bool differs(const struct keys *a, const struct keys *b, const char *stage)
{
	for (size_t i = 0; stage_registry[i]; i++)
		if (strcmp(stage_registry[i]->name, stage) == 0)
			return strcmp(a->own[i], b->own[i]) != 0;
	need(false, "there is a stage %s", stage);
	return false;
}

/* Of a keyring the certificates count, and each where it goes; where the private key lies does not. */
static void test_keyring(void)
{
	struct keys before, after;

	keys_with_ring(false, &before);
	keys_with_ring(true, &after);
	ok(differs(&before, &after, "sign") && differs(&before, &after, "measure"), "whether the signature is made counts");
	clear_keys(&after);
	entries[2].key = (char *)"pkcs11:object=db";
	ring.directory = (char *)"elsewhere";
	keys_with_ring(false, &after);
	ok(!differs(&before, &after, "sign") && !differs(&before, &after, "measure"), "where the private key is does not");
	clear_keys(&after);
	entries[1].certificate.data = (uint8_t *)"KEK";
	keys_with_ring(false, &after);
	ok(!differs(&before, &after, "sign") && differs(&before, &after, "measure"),
	   "another KEK is another prediction, and the same signature");
	clear_keys(&after);
	entries[2].sha256[0] = '4';
	keys_with_ring(false, &after);
	ok(differs(&before, &after, "sign"), "another db certificate is another signature");
	clear_keys(&after);
	clear_keys(&before);
}

/* ---------------------------------------------------------------- stages */

/* The same bytes from the same inputs: that is what a stage's name and version stand for. */
static void check_stage(struct world *w, size_t index, bool rename, const struct keys *before)
{
	const struct stage *stages[STAGES_MAX] = { NULL };
	struct stage changed = *stage_registry[index];
	bool expected[STAGES_MAX], right = true;
	struct keys after;

	if (rename)
		changed.name = "other";
	else
		changed.version = "other";
	for (size_t i = 0; stage_registry[i]; i++)
		stages[i] = i == index ? &changed : stage_registry[i];
	read_keys_of(w, stages, &after);
	add_readers(stage_registry[index]->name, expected);
	for (size_t i = 0; stage_registry[i]; i++)
		right = right && (strcmp(before->text[i], after.text[i]) != 0) == expected[i];
	ok(right, "another %s of %s changes its key, those of its readers and no other",
	   rename ? "name" : "version", stage_registry[index]->name);
	clear_keys(&after);
}

static void test_stages(void)
{
	struct keys keys;
	struct world w;

	open_world(&w);
	make_plan(&w);
	read_keys(&w, &keys);
	for (size_t i = 0; stage_registry[i]; i++) {
		check_stage(&w, i, false, &keys);
		check_stage(&w, i, true, &keys);
	}
	clear_keys(&keys);
	close_world(&w);
}

/* ---------------------------------------------------------------- members */

static bool is_covered(const char *structure, const char *member)
{
	CLEANUP_FREE char *field = string_printf("%s.%s", structure, member);

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if (strcmp(changes[i].field, field) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(plan_changes); i++)
		if (strcmp(plan_changes[i].field, field) == 0)
			return true;
	return false;
}

/* "char *name, *version;" in a struct's body: the last word of each declarator, before any array's size. */
static unsigned int check_declaration(const char *structure, char *line)
{
	unsigned int count = 0;
	char *declarator;

	while ((declarator = strsep(&line, ","))) {
		size_t end = strcspn(declarator, "[;"), begin;

		while (end && !isalnum((unsigned char)declarator[end - 1]) && declarator[end - 1] != '_')
			end--;
		for (begin = end; begin && (isalnum((unsigned char)declarator[begin - 1]) || declarator[begin - 1] == '_');)
			begin--;
		declarator[end] = '\0';
		ok(is_covered(structure, declarator + begin),
		   "%s.%s is in the table above: say which stages' keys it changes", structure, declarator + begin);
		count++;
	}
	return count;
}

/* Comments go: the headers have none with a semicolon before a member on its line. */
static void strip_comment(char *line, bool *inside)
{
	char *begin = *inside ? line : strstr(line, "/*"), *end = begin ? strstr(begin, "*/") : NULL;

	if (!begin)
		return;
	*begin = '\0';
	*inside = !end;
}

static void check_header(const char *path, unsigned int least)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;
	char structure[64] = "", *line, *rest;
	unsigned int count = 0;
	bool comment = false;

	need(io_read_file(path, text.max, &text, &err) == 0, "%s", err.message);
	rest = (char *)text.data;
	while ((line = strsep(&rest, "\n"))) {
		strip_comment(line, &comment);
		if (strncmp(line, "struct ", 7) == 0 && strchr(line, '{'))
			snprintf(structure, sizeof(structure), "%.*s", (int)strcspn(line + 7, " "), line + 7);
		else if (line[0] == '}')
			structure[0] = '\0';
		else if (structure[0] && strchr(line, ';'))
			count += check_declaration(structure, line);
	}
	ok(count >= least, "%s: %u members were found", path, count);
}

int main(void)
{
	test_changes();
	test_keyring();
	test_stages();
	check_header("factory/model/description.h", 45);
	check_header("factory/model/lock.h", 20);
	check_header("factory/model/plan.h", 8);
	return tap_done();
}
