/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/host.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/base/process.h"
#include "appliance.h"
#include "guest_console.h"
#include "guest_qemu.h"
#include "guestfs_library.h"
#include "hypervisor.h"

#define WORDS_SIZE 900			/* of a command's output in an error message */
#define PARAMETER_MAX 1024
#define OUTPUT_MAX "1000000"		/* bytes of a command's output: libguestfs carries at most 4 MiB */

struct guest {
	const struct guestfs_library *lib;
	guestfs_h *handle;
	struct guest_console console;
	struct guest_qemu qemu;
};

/* ---------------------------------------------------------------- errors */

/* The one place where libguestfs's complaints become ours. */
static int complain(const struct guest *g, struct error *err, const char *what)
{
	const char *text = g->lib->last_error(g->handle);
	char words[WORDS_SIZE];
	int r = process_check_interrupt(err);

	if (r < 0)
		return r;
	guest_last_words(text ? text : "no reason given", words, sizeof(words));
	return error_outside(err, "%s: %s", what, words);
}

/* ---------------------------------------------------------------- start and end */

static void on_console(guestfs_h *handle, void *data, uint64_t event, int event_handle, int flags,
		       const char *text, size_t size, const uint64_t *array, size_t array_size)
{
	struct guest *g = data;

	(void)handle;
	(void)event;
	(void)event_handle;
	(void)flags;
	(void)array;
	(void)array_size;
	guest_console_add(&g->console, text, size);
	/* Libguestfs would wait for it. */
	if (g->console.kvm_failed)
		guest_qemu_kill(&g->qemu);
}

/*
 * Where libguestfs keeps its appliance: it looks whether the host's packages have changed, never
 * whether the kernel has, so each kernel has a directory of its own.
 */
static int appliance_directory(const struct guest_options *o, char **ret, struct error *err)
{
	char hex[2 * DIGEST_MAX + 1];
	CLEANUP_FREE char *path = NULL;
	struct digest digest;
	int r;

	digest_of(DIGEST_SHA256, o->kernel->image, strlen(o->kernel->image), &digest);
	digest_hex(&digest, hex);
	path = string_printf("%s/guestfs/%.16s", o->cache, hex);
	r = io_mkdirs(path, 0700, err);
	if (r == 0)
		*ret = TAKE_PTR(path);
	return r;
}

/* supermin, which libguestfs runs to make its appliance, takes its kernel from the environment only. */
static int set_environment(const struct guest_kernel *kernel, struct error *err)
{
	if (setenv("SUPERMIN_KERNEL", kernel->image, 1) < 0 ||
	    setenv("SUPERMIN_MODULES", kernel->modules, 1) < 0 ||
	    setenv("SUPERMIN_KERNEL_VERSION", kernel->version, 1) < 0)
		return error_system(err, errno, "cannot set the environment");
	/* It copies this directory's attributes, though nothing that is in it. */
	if (!io_exists("/lib/modules"))
		return error_outside(err, "supermin wants the directory /lib/modules, even an empty one: create it with \"sudo mkdir /lib/modules\"");
	return 0;
}

/* The disks' labels, for the appliance to wait for. */
static int set_disks(struct guest *g, const struct guest_options *o, struct error *err)
{
	CLEANUP_BUF struct buf parameter = BUF_INIT(PARAMETER_MAX);
	int r = buf_add_string(&parameter, APPLIANCE_DISKS);

	for (unsigned int i = 0; i < o->disk_count && r == 0; i++)
		r = buf_printf(&parameter, "%s,", o->disks[i].label);
	if (r < 0)
		return error_system(err, r, "labels of disks");
	return g->lib->set_append(g->handle, buf_text(&parameter)) < 0 ? complain(g, err, "libguestfs") : 0;
}

static int set_appliance(struct guest *g, const struct guest_options *o, const char *directory, struct error *err)
{
	CLEANUP_FREE char *path = NULL;
	int r = appliance_write(g->lib->get_path(g->handle), directory, &path, err);

	if (r < 0 || !path)
		return r;
	if (g->lib->set_path(g->handle, path) < 0)
		return complain(g, err, "libguestfs");
	return set_disks(g, o, err);
}

static int configure(struct guest *g, const struct guest_options *o, struct error *err)
{
	char force_tcg[] = "force_tcg";
	char *settings[] = { force_tcg, NULL };
	CLEANUP_FREE char *directory = NULL, *qemu = NULL;
	guestfs_h *h = g->handle;
	int r;

	r = set_environment(o->kernel, err);
	if (r == 0)
		r = appliance_directory(o, &directory, err);
	if (r == 0)
		r = set_appliance(g, o, directory, err);
	if (r == 0)
		r = hypervisor_write(o->host, directory, &qemu, err);
	if (r < 0)
		return r;
	if (g->lib->set_backend(h, "direct") < 0 || g->lib->set_hv(h, qemu) < 0 ||
	    g->lib->set_cachedir(h, directory) < 0 || g->lib->set_tmpdir(h, o->tmp) < 0 ||
	    g->lib->set_memsize(h, (int)o->memory_mib) < 0 || g->lib->set_smp(h, (int)o->cpus) < 0 ||
	    g->lib->set_network(h, 0) < 0 || g->lib->set_recovery_proc(h, 1) < 0 ||
	    g->lib->set_pgroup(h, 1) < 0)	/* Ctrl-C is for us to pass on */
		return complain(g, err, "libguestfs");
	if (o->host->accel == HOST_TCG && g->lib->set_backend_settings(h, settings) < 0)
		return complain(g, err, "libguestfs");
	if (g->lib->set_event_callback(h, on_console, GUESTFS_EVENT_APPLIANCE, 0, g) < 0)
		return complain(g, err, "libguestfs");
	return 0;
}

/*
 * "unsafe" spares the host an fsync for each of the guest's flushes; the data is in the host's page
 * cache all the same, and whoever keeps a disk syncs it once at the end.
 */
static int add_disk(struct guest *g, const struct guest_disk *disk, struct error *err)
{
	int r = g->lib->add_drive_opts(g->handle, disk->path,
				       GUESTFS_ADD_DRIVE_OPTS_FORMAT, disk->format,
				       GUESTFS_ADD_DRIVE_OPTS_LABEL, disk->label,
				       GUESTFS_ADD_DRIVE_OPTS_READONLY, disk->mode == GUEST_READ_ONLY,
				       GUESTFS_ADD_DRIVE_OPTS_CACHEMODE, "unsafe", -1);

	return r < 0 ? complain(g, err, disk->path) : 0;
}

/* libguestfs tells only how to debug it; what QEMU or the kernel said last is on the console. */
static int complain_of_launch(const struct guest *g, struct error *err)
{
	static const char what[] = "the appliance does not start (the log holds its console)";
	char words[WORDS_SIZE];
	int r = process_check_interrupt(err);

	if (r < 0)
		return r;
	if (g->console.kvm_failed)
		return error_outside(err, "KVM of this host cannot run the appliance: KILN_ACCEL=tcg does without it");
	guest_console_last_words(&g->console, words, sizeof(words));
	return words[0] ? error_outside(err, "%s: %s", what, words) : complain(g, err, what);
}

static int launch(struct guest *g, const struct guest_options *o, struct error *err)
{
	int r = configure(g, o, err);

	for (unsigned int i = 0; i < o->disk_count && r == 0; i++)
		r = add_disk(g, &o->disks[i], err);
	if (r == 0)
		r = guest_qemu_watch(&g->qemu, o->tmp, err);
	if (r < 0)
		return r;
	if (g->lib->launch(g->handle) < 0)
		return complain_of_launch(g, err);
	return process_check_interrupt(err);
}

static int start(const struct guest_options *options, bool *ret_kvm_failed, struct guest **ret, struct error *err)
{
	CLEANUP_GUEST struct guest *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		error_no_memory();
	g->qemu = (struct guest_qemu) GUEST_QEMU_INIT;
	r = guestfs_library_load(&g->lib, err);
	if (r < 0)
		return r;
	/* What the user's LIBGUESTFS_* variables say must not change an image. */
	g->handle = g->lib->create_flags(GUESTFS_CREATE_NO_ENVIRONMENT);
	if (!g->handle)
		error_no_memory();
	/* Errors come back to us; by default they are printed as well. */
	g->lib->set_error_handler(g->handle, NULL, NULL);
	r = launch(g, options, err);
	*ret_kvm_failed = g->console.kvm_failed;
	if (r == 0)
		*ret = TAKE_PTR(g);
	return r;
}

/* The probe of KVM is a small guest: a kernel may find out what that did not. */
int guest_start(const struct guest_options *options, struct guest **ret, struct error *err)
{
	struct host host = *options->host;
	struct guest_options plain = *options;
	bool kvm_failed = false;
	int r = start(options, &kvm_failed, ret, err);

	if (r == 0 || !kvm_failed || host.accel != HOST_KVM || !host_distrust_kvm(&host))
		return r;
	log_warning("%s: going on without it", host.accel_reason);
	*err = (struct error) ERROR_INIT;
	plain.host = &host;
	return start(&plain, &kvm_failed, ret, err);
}

int guest_stop(struct guest *g, struct error *err)
{
	guest_qemu_stop_watching(&g->qemu);
	if (g->lib->shutdown(g->handle) < 0)
		return complain(g, err, "the appliance did not end well");
	return process_check_interrupt(err);
}

void guest_free(struct guest *g)
{
	if (!g)
		return;
	/* Closing a running handle would first wait for the guest to sync; there is nothing to keep. */
	guest_qemu_stop_watching(&g->qemu);
	guest_qemu_kill(&g->qemu);
	if (g->handle)
		g->lib->close(g->handle);
	guest_qemu_clear(&g->qemu);
	free(g);
}

void guest_freep(struct guest **g)
{
	guest_free(*g);
}

/* ---------------------------------------------------------------- disks and places */

int guest_create_disk(const char *path, uint64_t size, struct error *err)
{
	CLEANUP_FREE char *bytes = string_printf("%" PRIu64, size);
	const char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", path, bytes, NULL };

	return process_run(&(struct process_options) { .argv = argv }, NULL, err);
}

int guest_format_ext4(struct guest *g, const char *device, struct error *err)
{
	/* No journal: what a crash leaves behind is thrown away, not recovered. */
	int r = g->lib->mke2fs(g->handle, device, GUESTFS_MKE2FS_FSTYPE, "ext4",
			       GUESTFS_MKE2FS_FORCECREATE, 1, GUESTFS_MKE2FS_HASJOURNAL, 0,
			       GUESTFS_MKE2FS_LAZYITABLEINIT, 1,
			       GUESTFS_MKE2FS_RESERVEDBLOCKSPERCENTAGE, 0, -1);

	return r < 0 ? complain(g, err, device) : 0;
}

int guest_mount(struct guest *g, const char *device, const char *mountpoint, bool read_only,
		struct error *err)
{
	if (g->lib->mount_options(g->handle, read_only ? "ro" : "noatime", device, mountpoint) < 0)
		return complain(g, err, mountpoint);
	return 0;
}

int guest_mkdirs(struct guest *g, const char *path, struct error *err)
{
	return g->lib->mkdir_p(g->handle, path) < 0 ? complain(g, err, path) : 0;
}

int guest_sync(struct guest *g, struct error *err)
{
	return g->lib->sync(g->handle) < 0 ? complain(g, err, "sync") : 0;
}

/* ---------------------------------------------------------------- commands */

#define ENVIRONMENT                                                                                \
	"export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"                 \
	" LC_ALL=C.UTF-8 HOME=/root\n"                                                             \
	"[ ! -d /scratch/tmp ] || export TMPDIR=/scratch/tmp\n"

static const char marker[] = "\nkiln-exit ";

/* Logs the output before the last line, which must be the marker with the exit code. */
static int take_exit_code(const char *output, struct error *err)
{
	const char *end = NULL;
	char words[WORDS_SIZE];
	CLEANUP_FREE char *text = NULL;

	for (const char *p = output; (p = strstr(p, marker)); p++)
		end = p;
	if (!end)
		return error_outside(err, "the appliance's shell ended without an exit code");
	log_foreign("command", output, (size_t)(end - output));
	log_foreign("command", "\n", 1);
	end += strlen(marker);
	if (strcmp(end, "0\n") == 0)
		return 0;
	text = string_printf("%.*s", (int)(end - output - strlen(marker)), output);
	guest_last_words(text, words, sizeof(words));
	return error_outside(err, "exit code %.*s: %s", (int)strcspn(end, "\n"), end, words);
}

/*
 * libguestfs gives back the output of a command that succeeds, or the errors of one that fails. So that
 * the log has both in any case, the shell around the script never fails and says how it ended.
 */
int guest_run(struct guest *g, const char *script, struct error *err)
{
	CLEANUP_FREE char *command = string_printf(
		ENVIRONMENT "{\n(\nset -eu\n%s\n) </dev/null 2>&1\n"
		"printf '%s%%d\\n' $?\n} | tail -c " OUTPUT_MAX, script, "\\nkiln-exit ");
	CLEANUP_FREE char *output = g->lib->sh(g->handle, command);

	if (!output)
		return complain(g, err, "the appliance");
	return take_exit_code(output, err);
}

int guest_run_output(struct guest *g, const char *script, struct buf *ret, struct error *err)
{
	CLEANUP_FREE char *command = string_printf(ENVIRONMENT "set -eu\n%s\n", script);
	CLEANUP_FREE char *output = g->lib->sh(g->handle, command);
	int r;

	if (!output)
		return complain(g, err, "the appliance");
	r = buf_add_string(ret, output);
	return r < 0 ? error_system(err, r, "output of the appliance") : 0;
}

/* ---------------------------------------------------------------- files */

int guest_upload(struct guest *g, const char *from, const char *to, struct error *err)
{
	return g->lib->upload(g->handle, from, to) < 0 ? complain(g, err, to) : 0;
}

int guest_write(struct guest *g, const char *to, const void *data, size_t size, struct error *err)
{
	return g->lib->write(g->handle, to, data, size) < 0 ? complain(g, err, to) : 0;
}

int guest_tar_out(struct guest *g, const char *directory, const char *to, struct error *err)
{
	int r = g->lib->tar_out_opts(g->handle, directory, to, GUESTFS_TAR_OUT_OPTS_NUMERICOWNER, 1,
				     GUESTFS_TAR_OUT_OPTS_XATTRS, 1, -1);

	return r < 0 ? complain(g, err, directory) : 0;
}
