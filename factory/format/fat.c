/* SPDX-License-Identifier: Apache-2.0 */
#include "fat.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/bytes.h"
#include "../base/error.h"
#include "fat_volume.h"
#include "utf16.h"

#define ENTRY_SIZE 32
#define DEPTH_MAX 16
#define SEPARATORS "\\/"

#define ATTRIBUTE_VOLUME_ID 0x08
#define ATTRIBUTE_DIRECTORY 0x10
#define ATTRIBUTE_LONG_NAME 0x0f
#define ATTRIBUTE_MASK 0x3f

#define LONG_LAST 0x40
#define LONG_UNITS 13 /* of the name in one long entry */
#define LONG_ENTRIES 20

/* Set by Windows NT and Linux where a short name is lower case. */
#define CASE_LOWER_BASE 0x08
#define CASE_LOWER_EXTENSION 0x10

/* A file or a directory, as its parent describes it. */
struct node {
	char name[UTF16_TO_UTF8_MAX(LONG_UNITS * LONG_ENTRIES)];
	bool directory;
	uint32_t cluster, size;
};

/* The long entries before a short one, last part first. */
struct long_name {
	uint8_t text[2 * LONG_UNITS * LONG_ENTRIES];
	unsigned int units; /* 0: none begun */
	unsigned int missing; /* parts still to come */
	uint8_t checksum;
};

/* A place in a directory. `cluster` is 0 in the fixed root directory of FAT12 and FAT16. */
struct cursor {
	struct fat_volume *volume;
	const uint8_t *data;
	size_t size, position;
	uint32_t cluster;
};

static int cursor_open_cluster(struct cursor *c, uint32_t cluster, struct error *err)
{
	int r = fat_volume_enter(c->volume, cluster, &c->data, err);

	c->size = c->volume->cluster_size;
	c->position = 0;
	c->cluster = cluster;
	return r;
}

static int cursor_open_root(struct fat_volume *v, struct cursor *c, struct error *err)
{
	c->volume = v;
	if (v->bits == 32)
		return cursor_open_cluster(c, v->root_cluster, err);
	c->data = v->data + v->root;
	c->size = v->root_size;
	c->position = 0;
	c->cluster = 0;
	return 0;
}

/* 1 and the next 32 bytes, or 0 at the end. */
static int cursor_next(struct cursor *c, const uint8_t **ret, struct error *err)
{
	if (c->position == c->size) {
		uint32_t next = c->cluster ? fat_volume_next(c->volume, c->cluster) : 0;
		int r;

		if (next == 0)
			return 0;
		r = cursor_open_cluster(c, next, err);
		if (r < 0)
			return r;
	}
	if (c->data[c->position] == 0)
		return 0;
	*ret = c->data + c->position;
	c->position += ENTRY_SIZE;
	return 1;
}

/* An entry out of order or of another name makes the parts so far an orphan, which is ignored. */
static void long_name_add(struct long_name *n, const uint8_t *entry)
{
	unsigned int part = entry[0] & 0x1f;
	uint8_t *text;

	if (entry[0] & LONG_LAST) {
		*n = (struct long_name){.units = part * LONG_UNITS,
					.missing = part,
					.checksum = entry[13]};
	}
	if (part == 0 || part > LONG_ENTRIES || part != n->missing || entry[13] != n->checksum) {
		n->units = 0;
		return;
	}
	text = n->text + (size_t)(part - 1) * LONG_UNITS * 2;
	memcpy(text, entry + 1, 10);
	memcpy(text + 10, entry + 14, 12);
	memcpy(text + 22, entry + 28, 4);
	n->missing--;
}

static bool long_name_belongs(const struct long_name *n, const uint8_t *entry)
{
	uint8_t sum = 0;

	for (int i = 0; i < 11; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + entry[i]);
	return n->units && n->missing == 0 && n->checksum == sum;
}

/* One half of an 8.3 name. The code page is unknown, so only ASCII is shown. */
static size_t short_name_part(const uint8_t *field, size_t size, bool lower, char *ret)
{
	while (size > 0 && field[size - 1] == ' ')
		size--;
	for (size_t i = 0; i < size; i++) {
		bool printable = field[i] >= 0x20 && field[i] < 0x7f;
		bool upper = field[i] >= 'A' && field[i] <= 'Z';

		ret[i] = printable ? (char)(field[i] + (lower && upper ? 'a' - 'A' : 0)) : '?';
	}
	ret[size] = '\0';
	return size;
}

static void short_name(const uint8_t *entry, char *ret)
{
	size_t len = short_name_part(entry, 8, entry[12] & CASE_LOWER_BASE, ret);

	ret[len] = '.';
	if (short_name_part(entry + 8, 3, entry[12] & CASE_LOWER_EXTENSION, ret + len + 1) == 0)
		ret[len] = '\0';
}

static void describe(const struct fat_volume *v, const uint8_t *entry, const struct long_name *n,
		     struct node *ret)
{
	if (long_name_belongs(n, entry))
		utf16le_to_utf8(n->text, n->units, ret->name);
	else
		short_name(entry, ret->name);
	ret->directory = entry[11] & ATTRIBUTE_DIRECTORY;
	ret->size = ret->directory ? 0 : read_le32(entry + 28);
	ret->cluster = read_le16(entry + 26);
	if (v->bits == 32)
		ret->cluster |= (uint32_t)(read_le16(entry + 20) & 0x0fff) << 16;
}

/* 1 and the next file or directory, or 0 at the end. */
static int next_node(struct cursor *c, struct node *ret, struct error *err)
{
	struct long_name name = {.units = 0};
	const uint8_t *entry;
	int r;

	while ((r = cursor_next(c, &entry, err)) == 1) {
		if (entry[0] == 0xe5 || entry[0] == '.') {
			name.units = 0; /* deleted, or "." and ".." */
		} else if ((entry[11] & ATTRIBUTE_MASK) == ATTRIBUTE_LONG_NAME) {
			long_name_add(&name, entry);
		} else if (entry[11] & ATTRIBUTE_VOLUME_ID) {
			name.units = 0;
		} else {
			describe(c->volume, entry, &name, ret);
			return 1;
		}
	}
	return r;
}

/* ASCII only: what lies beyond has no case here. */
static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(const char *name, const char *component, size_t size)
{
	for (; size > 0 && *name; name++, component++, size--)
		if (fold(*name) != fold(*component))
			return false;
	return size == 0 && *name == '\0';
}

static int find_node(struct cursor *c, const char *component, size_t size, struct node *ret,
		     struct error *err)
{
	int r;

	while ((r = next_node(c, ret, err)) == 1)
		if (same_name(ret->name, component, size))
			return 0;
	return r < 0 ? r : error_input(err, "there is no \"%.*s\"", (int)size, component);
}

static int enter_directory(struct cursor *c, const struct node *node, struct error *err)
{
	if (!node->directory)
		return error_input(err, "\"%s\" is no directory", node->name);
	return cursor_open_cluster(c, node->cluster, err);
}

static int find_path(struct fat_volume *v, const char *path, struct node *ret, struct error *err)
{
	const char *p = path + strspn(path, SEPARATORS);
	struct cursor c;
	int r = cursor_open_root(v, &c, err);

	*ret = (struct node){.directory = true};
	while (r == 0 && *p) {
		size_t len = strcspn(p, SEPARATORS);

		r = find_node(&c, p, len, ret, err);
		p += len;
		p += strspn(p, SEPARATORS);
		if (r == 0 && *p)
			r = enter_directory(&c, ret, err);
	}
	return r;
}

/* The clusters of a file, of the last one what belongs to it. */
static int each_piece(struct fat_volume *v, const struct node *node, fat_piece each, void *arg, struct error *err)
{
	uint32_t cluster = node->cluster, left = node->size;

	while (left > 0) {
		uint32_t part = left < v->cluster_size ? left : (uint32_t)v->cluster_size;
		const uint8_t *data;
		int r;

		if (cluster == 0)
			return error_input(err, "the chain ends %" PRIu32 " bytes early", left);
		r = fat_volume_enter(v, cluster, &data, err);
		if (r == 0)
			r = each((uint64_t)(data - v->data), part, arg);
		if (r != 0)
			return r;
		left -= part;
		cluster = fat_volume_next(v, cluster);
	}
	return 0;
}

int fat_find_file(const uint8_t *volume, size_t size, const char *path, fat_piece each, void *arg, struct error *err)
{
	CLEANUP_FAT_VOLUME struct fat_volume v = {.entered = NULL};
	struct node node;
	int r = fat_volume_open(volume, size, &v, err);

	if (r < 0)
		return r;
	r = find_path(&v, path, &node, err);
	if (r == 0 && node.directory)
		r = error_input(err, "it is a directory");
	if (r == 0)
		r = each_piece(&v, &node, each, arg, err);
	if (r < 0 && err->kind != ERROR_NONE)
		return error_wrap(err, "FAT volume, \"%s\"", path);
	return r;
}

struct contents {
	const uint8_t *volume;
	struct buf *ret;
};

static int add_piece(uint64_t offset, size_t size, void *arg)
{
	struct contents *c = arg;

	return buf_add(c->ret, c->volume + offset, size);
}

int fat_read_file(const uint8_t *volume, size_t size, const char *path, struct buf *ret,
		  struct error *err)
{
	struct contents c = {.volume = volume, .ret = ret};
	size_t before = ret->len;
	int r = fat_find_file(volume, size, path, add_piece, &c, err);

	if (r == 0)
		return 0;
	buf_truncate(ret, before);
	if (err->kind != ERROR_NONE)
		return r;
	if (r == -EFBIG)
		return error_input(err, "FAT volume, \"%s\": its bytes are too many: the limit is %zu", path, ret->max);
	return error_system(err, r, "FAT volume, \"%s\": cannot hold its bytes", path);
}

struct walk {
	int (*each)(const struct fat_entry *e, void *arg);
	void *arg;
	struct fat_entry entry; /* its path is that of the directory being read */
};

static int walk_directory(struct walk *w, struct cursor *c, unsigned int depth, struct error *err);

static int walk_into(struct walk *w, struct fat_volume *v, const struct node *node,
		     unsigned int depth, struct error *err)
{
	struct cursor below = {.volume = v};
	int r;

	if (depth == DEPTH_MAX)
		return error_input(err, "FAT volume: directories more than %d deep at \"%s\"",
				   DEPTH_MAX, w->entry.path);
	r = cursor_open_cluster(&below, node->cluster, err);
	if (r < 0)
		return error_wrap(err, "directory \"%s\"", w->entry.path);
	return walk_directory(w, &below, depth + 1, err);
}

static int walk_node(struct walk *w, struct fat_volume *v, const struct node *node,
		     unsigned int depth, struct error *err)
{
	size_t len = strlen(w->entry.path), room = sizeof(w->entry.path) - len;
	int r;

	if ((size_t)snprintf(w->entry.path + len, room, "\\%s", node->name) >= room)
		return error_input(err, "FAT volume: a path of more than %zu bytes at \"%s\"",
				   sizeof(w->entry.path) - 1, w->entry.path);
	w->entry.size = node->size;
	w->entry.directory = node->directory;
	r = w->each(&w->entry, w->arg);
	if (r == 0 && node->directory)
		r = walk_into(w, v, node, depth, err);
	w->entry.path[len] = '\0';
	return r;
}

static int walk_directory(struct walk *w, struct cursor *c, unsigned int depth, struct error *err)
{
	struct node node;
	int r;

	while ((r = next_node(c, &node, err)) == 1) {
		r = walk_node(w, c->volume, &node, depth, err);
		if (r != 0)
			return r;
	}
	return r;
}

int fat_walk(const uint8_t *volume, size_t size, int (*each)(const struct fat_entry *e, void *arg),
	     void *arg, struct error *err)
{
	CLEANUP_FAT_VOLUME struct fat_volume v = {.entered = NULL};
	struct walk w = {.each = each, .arg = arg};
	struct cursor root;
	int r = fat_volume_open(volume, size, &v, err);

	if (r == 0)
		r = cursor_open_root(&v, &root, err);
	return r < 0 ? r : walk_directory(&w, &root, 0, err);
}
