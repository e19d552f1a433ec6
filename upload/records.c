/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/memory.h"

#define SUFFIX ".blocks"

/* One file, of which only the head has been read. */
struct found {
	char *path;
	struct block_record head;
};
struct list {
	struct found *items;
	size_t count;
};

static void list_free(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].path);
	free(list->items);
}
#define CLEANUP_LIST __attribute__((cleanup(list_free)))

static int read_head(const char *path, struct block_record *ret, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t head[BLOCK_RECORD_HEAD];
	int r;

	if (fd < 0)
		return error_system(err, errno, "cannot open %s", path);
	r = io_pread_full(fd, head, sizeof(head), 0, path, err);
	return r < 0 ? r : block_record_parse_head(head, sizeof(head), path, ret, err);
}

static void add(struct list *list, const char *directory, const char *name)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	struct block_record head = BLOCK_RECORD_INIT;
	struct error err = ERROR_INIT;
	struct found *f;

	if (read_head(path, &head, &err) < 0) {
		log_warning("%s", err.message);
		return;
	}
	f = memory_append(&list->items, list->count, sizeof(*f));
	list->count++;
	f->path = TAKE_PTR(path);
	f->head = head;
}

static bool is_record(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(SUFFIX) && strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

/* The newest first; names decide between equals, never readdir(). */
static int compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->head.completed != y->head.completed)
		return x->head.completed > y->head.completed ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int list_records(const char *directory, struct list *ret, struct error *err)
{
	CLEANUP_CLOSEDIR DIR *d = opendir(directory);
	struct dirent *entry;

	if (!d)
		return error_system(err, errno, "cannot list %s", directory);
	while ((entry = readdir(d)))
		if (is_record(entry->d_name))
			add(ret, directory, entry->d_name);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare);
	return 0;
}

static bool matches(const struct found *f, const char *region, const char *snapshot)
{
	return strcmp(f->head.region, region) == 0 && (!snapshot || strcmp(f->head.snapshot, snapshot) == 0);
}

static int load(const char *path, struct block_record *ret, struct error *err)
{
	CLEANUP_IO_MAP struct io_map map = { .data = NULL };
	int r = io_map_file(path, &map, err);

	return r < 0 ? r : block_record_parse(map.data, map.size, path, ret, err);
}

int records_find(const char *directory, const char *region, const char *snapshot, struct block_record *ret,
		 bool *ret_found, struct error *err)
{
	CLEANUP_LIST struct list list = { .items = NULL };
	int r = list_records(directory, &list, err);

	*ret_found = false;
	for (size_t i = 0; r == 0 && !*ret_found && i < list.count; i++) {
		struct error why = ERROR_INIT;

		if (!matches(&list.items[i], region, snapshot))
			continue;
		if (load(list.items[i].path, ret, &why) == 0)
			*ret_found = true;
		else
			log_warning("%s", why.message);
	}
	return r;
}

static char *record_path(const char *directory, const char *snapshot)
{
	return string_printf("%s/%s%s", directory, snapshot, SUFFIX);
}

static int remove_oldest(const char *directory, struct error *err)
{
	CLEANUP_LIST struct list list = { .items = NULL };
	int r = list_records(directory, &list, err);

	for (size_t i = RECORDS_KEPT; r == 0 && i < list.count; i++)
		if (unlink(list.items[i].path) < 0 && errno != ENOENT)
			r = error_system(err, errno, "cannot remove %s", list.items[i].path);
	return r;
}

int records_save(const char *directory, const struct block_record *record, struct error *err)
{
	CLEANUP_FREE char *path = record_path(directory, record->snapshot);
	CLEANUP_BUF struct buf data = BUF_INIT(SIZE_MAX);
	int r;

	block_record_format(record, &data);
	r = io_write_file(path, data.data, data.len, 0644, err);
	return r < 0 ? r : remove_oldest(directory, err);
}
