/* SPDX-License-Identifier: Apache-2.0 */
#include "description_take.h"

#include <libxml/tree.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/io.h"
#include "architecture.h"
#include "description_files.h"
#include "description_reader.h"
#include "memory.h"

#define NAMES_MAX 1000

static char *copy_attribute(const xmlNode *node, const char *name)
{
	const char *value = reader_attribute(node, name);

	return value ? string_copy(value) : NULL;
}

static unsigned int number_attribute(const xmlNode *node, const char *name)
{
	const char *value = reader_attribute(node, name);

	/* Its rule has checked that these are digits, and how many. */
	return value ? (unsigned int)strtoul(value, NULL, 10) : 0;
}

/* Words with one blank between them. */
static char *fold_blanks(const char *text)
{
	char *folded = string_copy(text), *to = folded;

	for (const char *p = text; *p; p++) {
		bool blank = strchr(" \t\r\n", *p);

		if (!blank)
			*to++ = *p;
		else if (to > folded && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to > folded && to[-1] == ' ')
		to--;
	*to = '\0';
	return folded;
}

/* ---------------------------------------------------------------- image, preferences */

int take_image(struct reader *r, const xmlNode *node, struct error *err)
{
	(void)err;
	r->d->name = copy_attribute(node, "name");
	return 0;
}

int take_preferences(struct reader *r, const xmlNode *node, struct error *err)
{
	const char *name = reader_attribute(node, "arch");
	CLEANUP_BUF struct buf known = BUF_INIT(NAMES_MAX);

	if (!name)
		return 0;
	r->d->arch = architecture_find(name);
	if (r->d->arch)
		return 0;
	for (size_t i = 0; i < architecture_count; i++)
		(void)buf_printf(&known, "%s%s", i ? " or " : "", architectures[i].name);
	return reader_complain(r, node, err, "attribute arch of <preferences> must be %s, not \"%.80s\"",
			       buf_text(&known), name);
}

int take_type(struct reader *r, const xmlNode *node, struct error *err)
{
	const char *cmdline = reader_attribute(node, "kernelcmdline");
	const char *compression = reader_attribute(node, "erofscompression");

	(void)err;
	r->d->cmdline = fold_blanks(cmdline ? cmdline : "");
	r->d->compression = string_copy(compression ? compression : "");
	r->d->esp_mib = number_attribute(node, "efipartsize");
	r->d->root_max_mib = number_attribute(node, "overlayroot_readonly_partsize");
	return 0;
}

/* EBS volumes are whole GiB, up to 64 TiB (io2 Block Express; gp3 is smaller). */
int take_size(struct reader *r, const xmlNode *node, struct error *err)
{
	const char *unit = reader_attribute(node, "unit");
	CLEANUP_FREE char *text = reader_text(node);
	unsigned long mib;

	if (!unit || strcmp(unit, "M") == 0)
		mib = strtoul(text, NULL, 10);
	else if (strcmp(unit, "G") == 0)
		mib = strtoul(text, NULL, 10) * 1024;
	else
		return reader_complain(r, node, err, "attribute unit of <size> must be \"M\" or \"G\"");
	if (syntax_mib(text) || mib % 1024 || mib > 64ul << 20)
		return reader_complain(r, node, err,
				       "<size> must be whole GiB, from 1 to 65536, because volumes are (it is \"%.20s\")",
				       text);
	r->d->size_gib = (unsigned int)(mib / 1024);
	return 0;
}

/* ---------------------------------------------------------------- users */

int take_user(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description *d = r->d;
	const char *name = reader_attribute(node, "name");
	struct description_user *user;

	for (size_t i = 0; i < d->user_count; i++)
		if (strcmp(d->users[i].name, name) == 0)
			return reader_complain(r, node, err, "user %s is given twice, first in line %d",
					       name, d->users[i].line);
	if (reader_attribute(node, "pwdformat") && !reader_attribute(node, "password"))
		return reader_complain(r, node, err, "user %s has a pwdformat but no password", name);
	user = memory_append(&d->users, d->user_count++, sizeof(*user));
	user->name = string_copy(name);
	user->password = copy_attribute(node, "password");
	user->groups = copy_attribute(node, "groups");
	user->home = copy_attribute(node, "home");
	user->id = copy_attribute(node, "id");
	user->shell = copy_attribute(node, "shell");
	user->line = reader_line(node);
	return 0;
}

/* ---------------------------------------------------------------- repositories */

int take_repository(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description *d = r->d;
	const char *components = reader_attribute(node, "components");
	char *alias = copy_attribute(node, "alias");
	struct description_repository *repository;

	if (!alias)
		alias = string_printf("repository-%zu", d->repository_count + 1);
	repository = memory_append(&d->repositories, d->repository_count++, sizeof(*repository));
	repository->alias = alias;
	repository->path = string_copy("");
	repository->distribution = copy_attribute(node, "distribution");
	repository->components = string_copy(components ? components : "main");
	repository->line = reader_line(node);
	for (size_t i = 0; i + 1 < d->repository_count; i++)
		if (strcmp(d->repositories[i].alias, alias) == 0)
			return reader_complain(r, node, err,
					       "repository %s is given twice, first in line %d", alias,
					       d->repositories[i].line);
	return 0;
}

int take_source(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description_repository *repository = &r->d->repositories[r->d->repository_count - 1];

	(void)err;
	free(repository->path);
	repository->path = copy_attribute(node, "path");
	return 0;
}

int take_signing(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description_repository *repository = &r->d->repositories[r->d->repository_count - 1];
	const char *key = reader_attribute(node, "key") + strlen("file:");
	int result;

	/* file:///PATH, whose host part is empty */
	if (strncmp(key, "///", 3) == 0)
		key += 2;
	result = files_find(r->directory, key, FILES_FILE, &repository->signing_key, err);
	return result < 0 ? error_wrap(err, "%s:%d", r->d->file, reader_line(node)) : 0;
}

/* ---------------------------------------------------------------- packages */

/* The <packages> section an element stands in. */
static const char *section(const xmlNode *node)
{
	return reader_attribute(node->parent, "type");
}

static bool is_removal(const char *section_type)
{
	return strcmp(section_type, "uninstall") == 0 || strcmp(section_type, "delete") == 0;
}

int take_packages(struct reader *r, const xmlNode *node, struct error *err)
{
	const char *type = reader_attribute(node, "type");

	if (strcmp(type, "image") != 0 && strcmp(type, "bootstrap") != 0 && !is_removal(type))
		return reader_complain(r, node, err,
				       "attribute type of <packages> must be image, bootstrap, uninstall or delete, not \"%.80s\"",
				       type);
	return 0;
}

static void add_package(struct description_packages *list, const xmlNode *node)
{
	struct description_package *package;

	package = memory_append(&list->items, list->count++, sizeof(*package));
	package->name = copy_attribute(node, "name");
	package->line = reader_line(node);
}

int take_package(struct reader *r, const xmlNode *node, struct error *err)
{
	const char *type = section(node);

	(void)err;
	if (is_removal(type))
		add_package(&r->d->uninstalled, node);
	else
		add_package(strcmp(type, "image") == 0 ? &r->d->image : &r->d->bootstrap, node);
	return 0;
}

int take_ignore(struct reader *r, const xmlNode *node, struct error *err)
{
	if (is_removal(section(node)))
		return reader_complain(r, node, err, "<ignore> has no meaning among packages to remove");
	add_package(&r->d->ignored, node);
	return 0;
}

int take_archive(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description *d = r->d;
	const char *name = reader_attribute(node, "name");
	CLEANUP_FREE char *path = NULL;
	char **slot;

	if (strcmp(section(node), "image") != 0)
		return reader_complain(r, node, err, "<archive> belongs to <packages type=\"image\">");
	if (files_find(r->directory, name, FILES_FILE, &path, err) < 0)
		return error_wrap(err, "%s:%d", d->file, reader_line(node));
	slot = memory_append(&d->archives, d->archive_count++, sizeof(*slot));
	*slot = string_copy(name);
	return 0;
}

/* ---------------------------------------------------------------- Kiln's own */

static int check_program(const struct reader *r, const xmlNode *node, struct error *err)
{
	const char *name = reader_attribute(node, "name"), *path = reader_attribute(node, "path");

	for (size_t i = 0; i < r->d->program_count; i++) {
		const struct description_program *other = &r->d->programs[i];

		if (strcmp(other->name, name) == 0 || strcmp(other->path, path) == 0)
			return reader_complain(r, node, err,
					       "program %s has the name or path of the one in line %d",
					       name, other->line);
	}
	return 0;
}

int take_program(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description *d = r->d;
	struct description_program *program;
	char *source;
	int result = check_program(r, node, err);

	if (result < 0)
		return result;
	if (files_find(r->directory, reader_attribute(node, "source"), FILES_DIRECTORY, &source,
		       err) < 0)
		return error_wrap(err, "%s:%d", d->file, reader_line(node));
	program = memory_append(&d->programs, d->program_count++, sizeof(*program));
	program->name = copy_attribute(node, "name");
	program->source = source;
	program->path = copy_attribute(node, "path");
	program->line = reader_line(node);
	return 0;
}

int take_program_package(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description_program *program = &r->d->programs[r->d->program_count - 1];
	char **slot = memory_append(&program->packages, program->package_count++, sizeof(*slot));

	(void)err;
	*slot = copy_attribute(node, "name");
	return 0;
}

int take_program_library(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description_program *program = &r->d->programs[r->d->program_count - 1];
	char **slot = memory_append(&program->libraries, program->library_count++, sizeof(*slot));

	(void)err;
	*slot = copy_attribute(node, "name");
	return 0;
}

int take_path_exclude(struct reader *r, const xmlNode *node, struct error *err)
{
	const char *path = reader_attribute(node, "path");
	char **slot;

	if (strcmp(path, "/") == 0)
		return reader_complain(r, node, err, "without the packages' files there is no image");
	slot = memory_append(&r->d->excluded_paths, r->d->excluded_path_count++, sizeof(*slot));
	*slot = copy_attribute(node, "path");
	return 0;
}

int take_port(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description *d = r->d;
	const char *protocol = reader_attribute(node, "protocol");
	const unsigned int number = number_attribute(node, "number");
	const bool udp = protocol && strcmp(protocol, "udp") == 0;
	struct description_port *port;

	for (size_t i = 0; i < d->port_count; i++)
		if (d->ports[i].number == number && d->ports[i].udp == udp)
			return reader_complain(r, node, err, "port %u is declared twice, first in line %d", number,
					       d->ports[i].line);
	if (udp && d->port_count == 0)
		return reader_complain(r, node, err, "the first <kiln:port> must be one of TCP: the boot proof asks there");
	port = memory_append(&d->ports, d->port_count++, sizeof(*port));
	*port = (struct description_port) { number, udp, reader_line(node) };
	return 0;
}

static bool same_path(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int take_accept(struct reader *r, const xmlNode *node, struct error *err)
{
	struct description *d = r->d;
	const char *rule = reader_attribute(node, "rule"), *path = reader_attribute(node, "path");
	struct description_exception *e;

	for (size_t i = 0; i < d->exception_count; i++)
		if (strcmp(d->exceptions[i].rule, rule) == 0 && same_path(d->exceptions[i].path, path))
			return reader_complain(r, node, err, "this is accepted already in line %d",
					       d->exceptions[i].line);
	e = memory_append(&d->exceptions, d->exception_count++, sizeof(*e));
	e->rule = copy_attribute(node, "rule");
	e->path = copy_attribute(node, "path");
	e->reason = copy_attribute(node, "reason");
	e->line = reader_line(node);
	return 0;
}
