/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_DESCRIPTION_H
#define KILN_MODEL_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>

struct architecture;
struct error;

/*
 * A KIWI image description (schema 7.5 and up), reduced to what Kiln builds. Everything the reader
 * does not implement it refuses as ERROR_INPUT "FILE:LINE: ..."; nothing is silently ignored. All
 * strings are owned by the description and never NULL unless a comment says so.
 */

struct description_repository {
	char *alias;			/* given, or "repository-N" */
	char *path;			/* a URL, or "distro:debian" */
	char *distribution;		/* "trixie" */
	char *components;		/* "main contrib", as given; "main" by default */
	char *signing_key;		/* path of a keyring; NULL: the distribution's own */
	int line;
};

struct description_package {
	char *name;
	int line;
};

struct description_packages {
	struct description_package *items;
	size_t count;
};

struct description_user {
	char *name, *password;		/* password: crypt(5) hash, or NULL = locked */
	char *groups, *home, *id, *shell;	/* comma separated groups; each NULL when not given */
	int line;
};

/* Kiln's own part, in KIWI's <extension> section: a program compiled for the image from source. */
struct description_program {
	char *name;
	char *source;			/* absolute directory of .c files */
	char *path;			/* where it goes in the image, "/usr/lib/mpc/gateway" */
	char **packages;		/* development packages whose headers and libraries it needs */
	size_t package_count;
	char **libraries;		/* -l names, in order */
	size_t library_count;
	int line;
};

/* Kiln's own, too: what the finished image is held to by `kiln audit`. */
struct description_port {
	unsigned int number;
	bool udp;
	int line;
};
struct description_exception {
	char *rule;			/* "files.setuid" */
	char *path;			/* a pattern of paths in the image; NULL: wherever the rule finds something */
	char *reason;
	int line;
};

struct description {
	char *file;			/* appliance.kiwi or config.xml, as found */
	char *directory;		/* absolute */
	char *name, *version;
	const struct architecture *arch;	/* the table's; architecture_default() when not given */
	char *locale, *keytable, *timezone;	/* each NULL when not given */
	char *cmdline;			/* kernelcmdline, blanks folded; "" when not given */
	char *compression;		/* for mkfs.erofs -z, e.g. "zstd,level=9"; "" = none */
	unsigned int esp_mib;		/* efipartsize; 0 = as small as fits */
	unsigned int root_max_mib;	/* overlayroot_readonly_partsize: the EROFS must fit; 0 = no limit */
	unsigned int size_gib;		/* <size>; 0 = as small as fits, in whole GiB */
	struct description_repository *repositories;
	size_t repository_count;
	struct description_packages bootstrap, image, ignored, uninstalled;
	char **excluded_paths;		/* "/usr/share/doc", with all below; "/usr/share/doc/" only what is below */
	size_t excluded_path_count;
	char **archives;		/* file names in the directory */
	size_t archive_count;
	struct description_user *users;
	size_t user_count;
	struct description_program *programs;
	size_t program_count;
	struct description_port *ports;	/* none: 3000 over TCP; the first is TCP and what the boot proof asks */
	size_t port_count;
	struct description_exception *exceptions;
	size_t exception_count;
	char *config_script;		/* absolute path of config.sh, NULL when there is none */
	char *images_script;		/* images.sh, likewise */
	char *overlay;			/* root/, likewise */
};

/*
 * Reads DIRECTORY/appliance.kiwi, else DIRECTORY/config.xml, else the single *.kiwi in it.
 * ERROR_INPUT for anything malformed, unknown, contradictory or missing.
 */
int description_read(const char *directory, struct description **ret, struct error *err);
/* The same from bytes; `file` is for messages, `directory` (may be NULL) for what lies beside it. Fuzzed. */
int description_parse(const void *xml, size_t size, const char *file, const char *directory,
		      struct description **ret, struct error *err);
void description_free(struct description *d);
void description_freep(struct description **d);
#define CLEANUP_DESCRIPTION __attribute__((cleanup(description_freep)))

#endif
