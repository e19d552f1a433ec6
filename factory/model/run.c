/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <string.h>

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/io.h"
#include "json.h"
#include "memory.h"

struct run *run_new(void)
{
	struct run *run = memory_new(sizeof(*run));

	run->kiln = string_copy("");
	run->kernel = string_copy("");
	run->machine = string_copy("");
	return run;
}

void run_free(struct run *run)
{
	if (!run)
		return;
	free(run->kiln);
	free(run->kernel);
	free(run->machine);
	free(run->qemu);
	free(run->accel);
	free(run->libguestfs);
	for (size_t i = 0; i < run->stage_count; i++) {
		free(run->stages[i].name);
		free(run->stages[i].key);
		free(run->stages[i].outcome);
	}
	free(run->stages);
	free(run);
}

void run_freep(struct run **run)
{
	run_free(*run);
}

void run_add_stage(struct run *run, const char *name, const char *key, const char *outcome,
		   double seconds)
{
	struct run_stage *stage = memory_append(&run->stages, run->stage_count, sizeof(*stage));

	*stage = (struct run_stage){
		.name = string_copy(name),
		.key = string_copy(key),
		.outcome = string_copy(outcome),
		.seconds = seconds,
	};
	run->stage_count++;
}

static void put_appliance(struct json_t *root, const struct run *run)
{
	struct json_t *o;

	if (!run->qemu) {
		json_put_null(root, "appliance");
		return;
	}
	o = json_put_object(root, "appliance");
	json_put_string(o, "qemu", run->qemu);
	json_put_string(o, "accelerator", run->accel ? run->accel : "");
	json_put_string(o, "libguestfs", run->libguestfs ? run->libguestfs : "");
}

static void put_stages(struct json_t *root, const struct run *run)
{
	struct json_t *array = json_put_array(root, "stages");

	for (size_t i = 0; i < run->stage_count; i++) {
		const struct run_stage *stage = &run->stages[i];
		struct json_t *o = json_put_object(array, NULL);

		json_put_string(o, "name", stage->name);
		json_put_string(o, "key", stage->key);
		json_put_string(o, "outcome", stage->outcome);
		json_put_real(o, "seconds", stage->seconds);
	}
}

int run_format(const struct run *run, struct buf *ret, struct error *err)
{
	struct json_t *root = json_new(), *host;
	int r;

	json_put_number(root, "schema", RUN_SCHEMA);
	json_put_string(root, "kiln", run->kiln);
	json_put_number(root, "started", (uint64_t)run->started);
	json_put_real(root, "seconds", run->seconds);
	host = json_put_object(root, "host");
	json_put_string(host, "kernel", run->kernel);
	json_put_string(host, "machine", run->machine);
	json_put_number(host, "processors", run->processors);
	put_appliance(root, run);
	put_stages(root, run);
	r = json_finish(root, false, ret);
	return r < 0 ? error_system(err, r, RUN_FILE ": cannot make its text") : 0;
}

static int find_key(const struct json_node *root, const char *stage, char ret[static 65],
		    struct error *err)
{
	struct json_node array, item;
	size_t count = 0;
	int r = json_get_array(root, "stages", &array, &count, err);

	for (size_t i = 0; i < count && r == 0; i++) {
		CLEANUP_FREE char *name = NULL;

		r = json_get_item(&array, i, &item, err);
		if (r == 0)
			r = json_get_string(&item, "name", &name, err);
		if (r == 0 && strcmp(name, stage) == 0)
			return json_get_hex(&item, "key", 32, ret, err);
	}
	return r < 0 ? r : error_input(err, "%s: there is no stage \"%s\"", root->file, stage);
}

int run_read_key(const char *path, const char *stage, char ret[static 65], struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_SIZE_MAX);
	CLEANUP_JSON struct json_node root = { .value = NULL };
	int r = io_read_file(path, JSON_SIZE_MAX, &text, err);

	if (r == 0)
		r = json_open(text.data, text.len, path, &root, err);
	if (r == 0)
		r = json_check_schema(&root, RUN_SCHEMA, NULL, err);
	return r < 0 ? r : find_key(&root, stage, ret, err);
}
