/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include <sys/stat.h>

#include "factory/base/cleanup.h"
#include "factory/base/digest.h"
#include "factory/base/io.h"
#include "upload/rehearsal/blocks.h"
#include "upload/rehearsal/object.h"

static uint8_t block[DATA_BLOCK];

static struct digest put(const char *layer, uint64_t index, int byte)
{
	struct error err = ERROR_INIT;
	struct digest d;

	memset(block, byte, sizeof(block));
	digest_of(DIGEST_SHA256, block, sizeof(block), &d);
	need(blocks_put(layer, index, block, &d, &err) == 0, "a block is put: %s", err.message);
	return d;
}

static struct blocks *open_layers(const char *young, const char *old)
{
	const char *const layers[] = { young, old };
	struct error err = ERROR_INIT;
	struct blocks *b = NULL;

	need(blocks_open(layers, old ? 2 : 1, &b, &err) == 0, "layers are opened: %s", err.message);
	return b;
}

static uint64_t next(const struct blocks *b, uint64_t from)
{
	struct error err = ERROR_INIT;
	uint64_t ret = 0;

	need(blocks_next(b, from, &ret, &err) == 0, "the next block: %s", err.message);
	return ret;
}

static void test_aggregate(const char *layer)
{
	CLEANUP_BLOCKS struct blocks *b = NULL;
	struct digest a = put(layer, 3, 1), c = put(layer, 300, 2), d = put(layer, 70000, 3), expected, got;
	struct digester *all = digester_new(DIGEST_SHA256);
	struct error err = ERROR_INIT;
	uint64_t count = 0;

	digester_add(all, a.bytes, 32);
	digester_add(all, c.bytes, 32);
	digester_add(all, d.bytes, 32);
	digester_final(all, &expected);
	digester_free(all);
	b = open_layers(layer, NULL);
	ok(next(b, 0) == 3 && next(b, 4) == 300 && next(b, 301) == 70000 && next(b, 70001) == BLOCK_NONE,
	   "blocks are found in their order, over holes");
	need(blocks_aggregate(b, &count, &got, &err) == 0, "the aggregate: %s", err.message);
	ok(count == 3 && digest_equal(&got, &expected), "is the digest of the blocks' digests");
}

static void test_layers(const char *young, const char *old)
{
	CLEANUP_BLOCKS struct blocks *b = NULL;
	struct digest top = put(young, 300, 9), got;
	struct error err = ERROR_INIT;
	bool there;

	put(young, 5, 0);
	b = open_layers(young, old);
	ok(next(b, 0) == 3 && next(b, 4) == 5 && next(b, 6) == 300, "layers are seen as one");
	need(blocks_digest(b, 300, &got, &there, &err) == 0, "a block of both");
	ok(there && digest_equal(&got, &top), "is the younger one's");
	need(blocks_read(b, 5, block, &err) == 0, "a block of zeros");
	ok(block[0] == 0 && block[DATA_BLOCK - 1] == 0, "is there, and zeros");
	need(blocks_digest(b, 6, &got, &there, &err) == 0, "a block that nobody put");
	ok(!there && blocks_read(b, 6, block, &err) < 0, "is not there");
}

static void test_export(const char *young, const char *old, const char *path)
{
	CLEANUP_BLOCKS struct blocks *b = open_layers(young, old);
	struct error err = ERROR_INIT;
	struct stat st;
	struct io_map map;

	need(blocks_export(b, (uint64_t)1 << 30, path, &err) == 0, "an export: %s", err.message);
	need(stat(path, &st) == 0 && st.st_size == 1 << 30, "is as large as asked for");
	ok(st.st_blocks * 512 < 8 << 20, "and sparse");
	need(io_map_file(path, &map, &err) == 0, "read back");
	ok(map.data[3 * DATA_BLOCK] == 1 && map.data[300 * DATA_BLOCK] == 9 && map.data[4 * DATA_BLOCK] == 0,
	   "each block is in its place");
	io_unmap(&map);
	ok(blocks_export(b, DATA_BLOCK, path, &err) < 0, "an export never overwrites");
}

static void test_objects(const char *directory)
{
	struct error err = ERROR_INIT;
	struct objects objects;
	struct object *o, *other;
	CLEANUP_FREE char *id = NULL;

	need(objects_open(directory, &objects, &err) == 0, "an empty store: %s", err.message);
	o = objects_add(&objects, "snap", "us-east-1", 1000);
	other = objects_add(&objects, "snap", "us-east-1", 1001);
	object_set(o, "Name", "a\ttab, a\nline and a \\");
	pairs_add(&o->fields, "event", "1");
	pairs_add(&o->fields, "event", "2");
	need(object_save(o, &err) == 0 && object_save(other, &err) == 0, "objects are saved: %s", err.message);
	id = string_copy(o->id);
	ok(strcmp(o->id, other->id) != 0 && strlen(id) == 22, "ids differ, and are as long as EC2's");
	objects_close(&objects);
	need(objects_open(directory, &objects, &err) == 0, "the store again: %s", err.message);
	o = objects_find(&objects, "us-east-1", id);
	need(o, "the object is there");
	ok_str(object_get(o, "Name"), "a\ttab, a\nline and a \\", "with its fields");
	ok_int(o->fields.count, 6, "all of them");
	ok_int(o->created_ms, 1000, "and its time");
	ok(!objects_find(&objects, "eu-west-1", id), "in no other region");
	ok(object_is(o, "snap") && !object_is(o, "sna"), "it is a snapshot");
	other = objects_add(&objects, "snap", "us-east-1", 2000);
	ok_int(object_number(other, "Number"), 3, "numbers go on");
	objects_close(&objects);
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	struct error err = ERROR_INIT;
	CLEANUP_FREE char *young = NULL, *old = NULL, *image = NULL, *objects = NULL;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "scratch: %s", err.message);
	young = path_join(scratch.path, "young");
	old = path_join(scratch.path, "old");
	image = path_join(scratch.path, "image");
	objects = path_join(scratch.path, "objects");
	need(blocks_create(young, &err) == 0 && blocks_create(old, &err) == 0, "layers: %s", err.message);
	test_aggregate(old);
	test_layers(young, old);
	test_export(young, old, image);
	test_objects(objects);
	return tap_done();
}
