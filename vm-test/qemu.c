/* SPDX-License-Identifier: Apache-2.0 */
#include "qemu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/host.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"

#define ARGUMENTS_MAX 64
#define VERSION_TIMEOUT_MS 20000

/* An argument vector that owns its strings. */
struct arguments {
	char *items[ARGUMENTS_MAX + 1];
	size_t count;
};

static void arguments_free(struct arguments *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->items[i]);
}
#define CLEANUP_ARGUMENTS __attribute__((cleanup(arguments_free)))

/* Takes ownership of `value`; NULL for an option that has none. */
static void add_owned(struct arguments *a, const char *option, char *value)
{
	/* The longest command line below is fixed, and shorter. */
	if (a->count + 2 > ARGUMENTS_MAX)
		abort();
	a->items[a->count++] = string_copy(option);
	if (value)
		a->items[a->count++] = value;
}

static void add(struct arguments *a, const char *option, const char *value)
{
	add_owned(a, option, value ? string_copy(value) : NULL);
}

/* A value inside QEMU's comma-separated options: a comma is written twice. */
static char *quote(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + 1), *to = quoted;

	if (!quoted)
		abort();
	for (; *text; text++) {
		if (*text == ',')
			*to++ = ',';
		*to++ = *text;
	}
	*to = '\0';
	return quoted;
}

static void add_board(struct arguments *a, const struct qemu_options *o)
{
	CLEANUP_FREE char *code = quote(o->firmware_code);
	CLEANUP_FREE char *vars = quote(o->firmware_vars);

	add(a, "-name", "kiln-boot-test");
	/* The .secboot.fd firmware keeps its variables behind SMM, and only this build measures the
	 * SecureBoot variable as EC2's firmware does. */
	add(a, "-machine", "q35,smm=on");
	add(a, "-global", "driver=cfi.pflash01,property=secure,value=on");
	add_owned(a, "-drive", string_printf("if=pflash,unit=0,format=raw,readonly=on,file=%s", code));
	add_owned(a, "-drive", string_printf("if=pflash,unit=1,format=raw,file=%s", vars));
	add(a, "-accel", host_accel_argument(o->host));
	add(a, "-cpu", "max");
	add_owned(a, "-m", string_printf("%u", o->memory_mib));
	add_owned(a, "-smp", string_printf("%u", o->cpus));
	add(a, "-display", "none");
	/* No default devices: firmware that first tries an empty DVD drive measures that in PCR 4. */
	add(a, "-nodefaults", NULL);
	add(a, "-no-user-config", NULL);
	if (!o->allow_reboot)
		add(a, "-no-reboot", NULL);
	add(a, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

/* QEMU has no read-only NVMe disk; a snapshot takes the guest's writes instead. */
static void add_disk(struct arguments *a, const char *id, const char *file, const char *index)
{
	CLEANUP_FREE char *quoted = quote(file);

	add_owned(a, "-drive", string_printf("if=none,id=%s,format=raw,snapshot=on,file=%s", id, quoted));
	add_owned(a, "-device", string_printf("nvme,drive=%s,serial=kiln-%s%s", id, id, index));
}

static void add_smbios(struct arguments *a, const char *text)
{
	CLEANUP_FREE char *quoted = quote(text);

	add_owned(a, "-smbios", string_printf("type=11,value=%s", quoted));
}

static void add_network(struct arguments *a, const struct qemu_options *o)
{
	if (o->network_fd >= 0)
		add_owned(a, "-netdev", string_printf("dgram,id=net,local.type=fd,local.str=%d", o->network_fd));
	else
		add_owned(a, "-netdev",
			  string_printf("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:%u-:%u", o->host_port,
					o->guest_port));
}

/* A screen and a second serial port, and a bus to plug a keyboard into (the board has one of the old kind). */
static void add_examination(struct arguments *a, const struct qemu_options *o)
{
	add_owned(a, "-chardev", string_printf("socket,id=second,fd=%d", o->second_console_fd));
	add(a, "-serial", "chardev:second");
	add_owned(a, "-chardev", string_printf("socket,id=control,fd=%d", o->control_fd));
	add(a, "-mon", "chardev=control,mode=control");
	add(a, "-device", "VGA");
	add(a, "-device", "qemu-xhci,id=usb");
}

static void add_devices(struct arguments *a, const struct qemu_options *o)
{
	add_disk(a, "disk", o->disk, o->no_boot_index ? "" : ",bootindex=1");
	if (o->second_disk)
		add_disk(a, "second", o->second_disk, "");
	add_network(a, o);
	/* No option ROM, which would be measured in PCR 2 and offer to boot from the network. */
	add(a, "-device", "virtio-net-pci,netdev=net,romfile=");
	add_owned(a, "-chardev", string_printf("socket,id=tpm,fd=%d", o->tpm_fd));
	add(a, "-tpmdev", "emulator,id=tpm,chardev=tpm");
	add(a, "-device", "tpm-crb,tpmdev=tpm");
	add_owned(a, "-chardev", string_printf("socket,id=console,fd=%d", o->console_fd));
	add(a, "-serial", "chardev:console");
	if (o->control_fd >= 0)
		add_examination(a, o);
	if (o->smbios_string)
		add_smbios(a, o->smbios_string);
}

int qemu_start(const struct qemu_options *o, struct process **ret, struct error *err)
{
	CLEANUP_ARGUMENTS struct arguments a = { .count = 0 };
	CLEANUP_FREE char *tmpdir = string_printf("TMPDIR=%s", o->tmp);
	const char *const env[] = { tmpdir, "LANG=C.UTF-8", NULL };
	const int pass_fds[] = { o->tpm_fd, o->console_fd, o->network_fd, o->control_fd, o->second_console_fd, -1 };
	struct process_options options = { .env = env, .pass_fds = pass_fds };

	add(&a, o->host->qemu, NULL);
	add_board(&a, o);
	add_devices(&a, o);
	options.argv = (const char *const *)a.items;
	if (process_start(&options, ret, err) < 0)
		return error_wrap(err, "starting QEMU");
	return 0;
}

int qemu_version(const struct host *host, char **ret, struct error *err)
{
	CLEANUP_BUF struct buf output = BUF_INIT(4096);
	const char *const argv[] = { host->qemu, "--version", NULL };
	const struct process_options options = { .argv = argv,
						 .output = &output,
						 .timeout_ms = VERSION_TIMEOUT_MS };

	if (process_run(&options, NULL, err) < 0)
		return -err->code;
	buf_truncate(&output, strcspn(buf_text(&output), "\n"));
	*ret = string_copy(buf_text(&output));
	return 0;
}
