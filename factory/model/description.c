/* SPDX-License-Identifier: Apache-2.0 */
#include "description.h"

#include <stdlib.h>

static void free_packages(struct description_packages *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
}

static void free_strings(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

static void clear_repository(struct description_repository *r)
{
	free(r->alias);
	free(r->path);
	free(r->distribution);
	free(r->components);
	free(r->signing_key);
}

static void clear_user(struct description_user *u)
{
	free(u->name);
	free(u->password);
	free(u->groups);
	free(u->home);
	free(u->id);
	free(u->shell);
}

static void clear_program(struct description_program *p)
{
	free(p->name);
	free(p->source);
	free(p->path);
	free_strings(p->packages, p->package_count);
	free_strings(p->libraries, p->library_count);
}

static void clear_exception(struct description_exception *e)
{
	free(e->rule);
	free(e->path);
	free(e->reason);
}

static void free_lists(struct description *d)
{
	for (size_t i = 0; i < d->repository_count; i++)
		clear_repository(&d->repositories[i]);
	for (size_t i = 0; i < d->user_count; i++)
		clear_user(&d->users[i]);
	for (size_t i = 0; i < d->program_count; i++)
		clear_program(&d->programs[i]);
	free(d->repositories);
	free(d->users);
	free(d->programs);
	for (size_t i = 0; i < d->exception_count; i++)
		clear_exception(&d->exceptions[i]);
	free(d->exceptions);
	free(d->ports);
	free_packages(&d->bootstrap);
	free_packages(&d->image);
	free_packages(&d->ignored);
	free_packages(&d->uninstalled);
	free_strings(d->excluded_paths, d->excluded_path_count);
	free_strings(d->archives, d->archive_count);
}

void description_free(struct description *d)
{
	if (!d)
		return;
	free_lists(d);
	free(d->file);
	free(d->directory);
	free(d->name);
	free(d->version);
	free(d->locale);
	free(d->keytable);
	free(d->timezone);
	free(d->cmdline);
	free(d->compression);
	free(d->config_script);
	free(d->images_script);
	free(d->overlay);
	free(d);
}

void description_freep(struct description **d)
{
	description_free(*d);
}
