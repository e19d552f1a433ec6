/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/audit_tree.h"

static struct scratch dir = SCRATCH_INIT;
static const char *const nothing[] = { NULL };

/* One forbidden thing, put into a system in which every rule holds. */
struct planted {
	const char *rule;
	const char *where;		/* "PATH" or "PATH:LINE" of a finding */
	const char *about;
	const char *lines;		/* more of the tree, audit_tree.h */
	const char *cmdline;		/* NULL: the clean one */
	const char *also;		/* another rule that it breaks by its nature; or NULL */
};

#define CLEAN AUDIT_CLEAN_CMDLINE
#define UNIT "f 0644 0:0 usr/lib/systemd/system/"
#define WANTED(name) "l 0777 0:0 etc/systemd/system/multi-user.target.wants/" name " /usr/lib/systemd/system/" name "\n"
#define NFT(rules)                                                                                              \
	"f 0644 0:0 etc/nftables.conf table inet filter {\\n chain input {\\n"                                   \
	"type filter hook input priority filter; policy drop;\\ntcp dport 3000 accept\\n" rules "\\n }\\n}\\n\n"
#define BODY "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
/* In two halves, so that these tests are no file of secrets themselves. */
#define DASHES "-----"
#define PEM DASHES "BEGIN PRIVATE " "KEY" DASHES "\\n" BODY "\\n" DASHES "END PRIVATE " "KEY" DASHES "\\n\n"

static const struct planted planted[] = {
	{ "access.sshd", "/usr/sbin/sshd", "sshd", .lines = "f 0755 0:0 usr/sbin/sshd x\n" },
	{ "access.sshd", "/opt/helper", "an SSH server under another name",
	  .lines = "f 0755 0:0 opt/helper \x7f" "ELF PermitEmptyPasswords\n" },
	{ "access.sshd", "/usr/lib/systemd/system/ssh.socket", "a unit of sshd", .lines = UNIT "ssh.socket [Socket]\\n\n" },
	{ "access.sshd", "/var/lib/dpkg/status:4", "the package of sshd",
	  .lines = "f 0644 0:0 var/lib/dpkg/status Package: a\\nStatus: install ok installed\\n\\nPackage: openssh-server\\n"
	  "Status: install ok installed\\n\n" },
	{ "access.ssm-agent", "/snap/amazon-ssm-agent", "the SSM agent's snap", .lines = "d 0755 0:0 snap/amazon-ssm-agent\n" },
	{ "access.ssm-agent", "/usr/bin/amazon-ssm-agent", "the SSM agent", .lines = "f 0755 0:0 usr/bin/amazon-ssm-agent x\n" },
	{ "access.instance-connect", "/opt/aws/bin/eic_run_authorized_keys", "Instance Connect",
	  .lines = "f 0755 0:0 opt/aws/bin/eic_run_authorized_keys x\n" },
	{ "access.cloud-init", "/usr/bin/cloud-init", "cloud-init", .lines = "f 0755 0:0 usr/bin/cloud-init x\n" },
	{ "access.cloud-init", "/usr/lib/systemd/system/cloud-config.service", "a unit of cloud-init",
	  .lines = UNIT "cloud-config.service [Service]\\n\n" },
	{ "access.user-data", "/opt/start:2", "a script that reads user data",
	  .lines = "f 0755 0:0 opt/start #!/bin/sh\\ncurl http://169.254.169.254/latest/user-data | sh\\n\n" },
	{ "access.remote-shell", "/usr/sbin/in.telnetd", "telnetd", .lines = "f 0755 0:0 usr/sbin/in.telnetd x\n" },
	{ "access.remote-shell", "/usr/bin/qemu-ga", "a guest agent", .lines = "f 0755 0:0 usr/bin/qemu-ga x\n" },

	{ "login.getty", "/etc/systemd/system/serial-getty@.service", "a getty on a serial line",
	  .lines = "f 0644 0:0 etc/systemd/system/serial-getty@.service [Service]\\nExecStart=/bin/true\\n\n" },
	{ "login.getty", "/usr/lib/systemd/system/own.service:2", "a getty under another unit's name",
	  .lines = UNIT "own.service [Service]\\nExecStart=/bin/sh -c 'exec /sbin/agetty ttyS0'\\n\n" },
	{ "login.getty", "/etc/systemd/system/own.service.d/x.conf:2", "a getty in a drop-in",
	  .lines = UNIT "own.service [Service]\\nExecStart=/bin/true\\n\n"
	  "f 0644 0:0 etc/systemd/system/own.service.d/x.conf [Service]\\nExecStart=-/sbin/agetty ttyS0\\n\n" },
	{ "login.terminal", "/usr/lib/systemd/system/own.service", "a shell on a terminal",
	  .lines = UNIT "own.service [Service]\\nExecStart=/bin/bash\\nStandardInput=tty-force\\n\n" },
	{ "login.debug-shell", "(kernel command line)", "systemd.debug_shell", .lines = "", .cmdline = CLEAN " systemd.debug-shell=ttyS0" },
	{ "login.debug-shell", "(kernel command line)", "rd.break", .lines = "", .cmdline = CLEAN " rd.break" },
	{ "login.debug-shell", "/etc/systemd/system/debug-shell.service", "debug-shell.service",
	  .lines = "f 0644 0:0 etc/systemd/system/debug-shell.service [Service]\\nExecStart=/bin/true\\n\n" },
	{ "login.emergency", "/etc/systemd/system/rescue.target", "rescue.target",
	  .lines = "f 0644 0:0 etc/systemd/system/rescue.target [Unit]\\nDescription=x\\n\n" },
	{ "login.emergency", "(kernel command line)", "the old word for single-user mode", .lines = "", .cmdline = CLEAN " single" },
	{ "login.emergency", "(kernel command line)", "systemd.unit=emergency.target", .lines = "", .cmdline = CLEAN " systemd.unit=emergency.target" },
	{ "login.sulogin", "/usr/lib/systemd/system/own.service:3", "sulogin in a unit of another name",
	  .lines = UNIT "own.service [Service]\\n# comment\\nExecStart=-/sbin/sulogin \\\\n --force\\n\n" },
	{ "login.credentials", "(kernel command line)", "credentials out of SMBIOS", .lines = "",
	  .cmdline = "quiet lockdown=integrity module.sig_enforce=1 systemd.gpt_auto=0 roothash=00" },

	{ "accounts.locked", "/etc/shadow:2", "an account with a password",
	  .lines = "f 0640 0:42 etc/shadow root:*:1\\nservice:$y$j9T$abc$def:1\\n\n" },
	{ "accounts.locked", "/etc/shadow:1", "an account without any", .lines = "f 0640 0:42 etc/shadow root::1\\n\n" },
	{ "accounts.locked", "/etc/passwd:1", "a password in passwd",
	  .lines = "f 0644 0:0 etc/passwd root:abJnggxhB/yWI:0:0::/root:/usr/sbin/nologin\\n\n" },
	{ "accounts.locked", "/etc/passwd:2", "root by another name",
	  .lines = "f 0644 0:0 etc/passwd root:x:0:0::/root:/usr/sbin/nologin\\ntoor:x:0:0::/root:/usr/sbin/nologin\\n\n" },
	{ "accounts.shells", "/etc/passwd:1", "a shell", .lines = "f 0644 0:0 etc/passwd root:x:0:0::/root:/bin/bash\\n\n" },
	{ "accounts.shells", "/etc/passwd:1", "no shell named, which is /bin/sh", .lines = "f 0644 0:0 etc/passwd root:x:0:0::/root:\\n\n" },
	{ "accounts.keys", "/root/.ssh/authorized_keys", "authorized keys", .lines = "f 0600 0:0 root/.ssh/authorized_keys ssh-ed25519 AAAA\n" },

	{ "files.setuid", "/usr/bin/su", "a setuid program", .lines = "f 4755 0:0 usr/bin/su x\n" },
	{ "files.setuid", "/usr/bin/write", "a setgid program", .lines = "f 2755 0:5 usr/bin/write x\n" },
	{ "files.setuid", "/usr/lib/dbus-1.0/dbus-daemon-launch-helper", "an allowed one that everybody may run",
	  .lines = "f 4755 0:101 usr/lib/dbus-1.0/dbus-daemon-launch-helper x\n" },
	{ "files.capabilities", "/usr/bin/ping", "file capabilities", .lines = "x 0755 0:0 usr/bin/ping security.capability=x\n" },
	{ "files.acl", "/etc/hosts", "an access control list that lets group 4 write",
	  .lines = "x 0644 0:0 etc/hosts system.posix_acl_access=0x0200000001000600ffffffff04000400ffffffff080006000400000010000600ffffffff20000400ffffffff\n" },
	{ "files.acl", "/etc/hosts", "one that lets everybody write",
	  .lines = "x 0644 0:0 etc/hosts system.posix_acl_access=0x0200000001000600ffffffff04000400ffffffff20000600ffffffff\n" },
	{ "files.acl", "/etc/hosts", "an access control list that cannot be read", .lines = "x 0644 0:0 etc/hosts system.posix_acl_access=x\n" },
	{ "files.world-writable", "/var/lib/open", "a file that all may write to", .lines = "f 0666 0:0 var/lib/open x\n" },
	{ "files.world-writable", "/var/open", "a directory likewise, without the sticky bit", .lines = "d 0777 0:0 var/open\n" },
	{ "files.owner", "/usr/bin/tool", "a program of a service's user", .lines = "f 0755 999:0 usr/bin/tool x\n" },
	{ "files.owner", "/etc/service.conf", "configuration that a group may change", .lines = "f 0664 0:999 etc/service.conf x\n" },
	{ "files.devices", "/dev/sda", "a block device", .lines = "b 0660 0:6 dev/sda\n" },
	{ "files.devices", "/var/lib/kmem", "a character device", .lines = "c 0600 0:0 var/lib/kmem\n" },

	{ "mounts.fstab", "/etc/fstab:2", "a disk in fstab", .lines = "f 0644 0:0 etc/fstab # x\\n/dev/nvme1n1 /data ext4 defaults 0 2\\n\n" },
	{ "mounts.fstab", "/etc/fstab:1", "swap in fstab", .lines = "f 0644 0:0 etc/fstab /dev/nvme1n1 none swap sw 0 0\\n\n" },
	{ "mounts.units", "/etc/systemd/system/data.mount", "a mount unit",
	  .lines = "f 0644 0:0 etc/systemd/system/data.mount [Mount]\\nWhat=/dev/nvme1n1\\nWhere=/data\\nType=ext4\\n\n" },
	{ "mounts.units", "/etc/systemd/system/data.swap", "a swap unit",
	  .lines = "f 0644 0:0 etc/systemd/system/data.swap [Swap]\\nWhat=/dev/nvme1n1\\n\n" },
	{ "mounts.volumes", "/etc/crypttab:1", "crypttab", .lines = "f 0644 0:0 etc/crypttab data /dev/nvme1n1 none\\n\n" },
	{ "mounts.automatic", "(kernel command line)", "discovered partitions", .lines = "",
	  .cmdline = "quiet lockdown=integrity module.sig_enforce=1 systemd.import_credentials=no roothash=00" },
	{ "mounts.automatic", "/etc/repart.d", "systemd-repart",
	  .lines = UNIT "systemd-repart.service [Service]\\nExecStart=x\\n\nf 0644 0:0 etc/repart.d/50-data.conf [Partition]\\n\n" },
	{ "mounts.cmdline", "(kernel command line)", "swap on the command line", .lines = "", .cmdline = CLEAN " systemd.swap-extra=/dev/nvme1n1" },

	{ "kernel.cmdline", "(kernel command line)", "another init", .lines = "", .cmdline = CLEAN " init=/bin/sh" },
	{ "kernel.cmdline", "(kernel command line)", "a debugger on the console", .lines = "", .cmdline = CLEAN " kgdboc=ttyS0" },
	{ "kernel.cmdline", "(kernel command line)", "mitigations off", .lines = "", .cmdline = CLEAN " mitigations=off" },
	{ "kernel.cmdline", "(kernel command line)", "words after --", .lines = "", .cmdline = CLEAN " -- x" },
	{ "kernel.lockdown", "(kernel command line)", "no lockdown", .lines = "",
	  .cmdline = "module.sig_enforce=1 systemd.gpt_auto=0 systemd.import_credentials=0 roothash=00" },
	{ "kernel.lockdown", "(kernel command line)", "lockdown where the kernel no longer looks", .lines = "",
	  .cmdline = "module.sig_enforce=1 systemd.gpt_auto=0 systemd.import_credentials=0 roothash=00 -- lockdown=integrity", .also = "kernel.cmdline" },
	{ "kernel.modules", "(kernel command line)", "unsigned modules", .lines = "",
	  .cmdline = "lockdown=integrity systemd.gpt_auto=0 systemd.import_credentials=0 roothash=00" },
	{ "kernel.kexec", "/etc/sysctl.d/90-x.conf:1", "a later file that allows kexec", .lines = "f 0644 0:0 etc/sysctl.d/90-x.conf kernel.kexec_load_disabled = 0\\n\n" },
	{ "kernel.ebpf", "/etc/sysctl.d/90-x.conf:2", "eBPF for all",
	  .lines = "f 0644 0:0 etc/sysctl.d/90-x.conf # x\\nkernel/unprivileged_bpf_disabled=0\\n\n" },
	{ "kernel.ptrace", "/usr/lib/sysctl.d/90-x.conf:1", "ptrace for all, by a pattern",
	  .lines = "f 0644 0:0 usr/lib/sysctl.d/90-x.conf kernel.yama.* = 0\\n\n" },
	{ "kernel.core-dumps", "/usr/lib/sysctl.d/99-core.conf:1", "core dumps",
	  .lines = "f 0644 0:0 usr/lib/sysctl.d/99-core.conf kernel.core_pattern=|/usr/lib/systemd/systemd-coredump %P\\n\n" },
	{ "kernel.sysrq", "/usr/lib/sysctl.d/99-x.conf:1", "SysRq", .lines = "f 0644 0:0 usr/lib/sysctl.d/99-x.conf kernel.sysrq = 1\\n\n" },
	{ "kernel.messages", "/etc/sysctl.d/90-x.conf:1", "the kernel's messages for all",
	  .lines = "f 0644 0:0 etc/sysctl.d/90-x.conf kernel.dmesg_restrict = 0\\n\n" },

	{ "network.listeners", "/usr/lib/systemd/system/own.socket:2", "a socket unit",
	  .lines = UNIT "own.socket [Socket]\\nListenStream=22\\n\n" WANTED("own.socket") },
	{ "network.listeners", "/usr/lib/systemd/system/own.socket:2", "a socket that a started service asks for",
	  .lines = UNIT "own.socket [Socket]\\nListenStream=22\\n\n" UNIT "a.service [Unit]\\nRequires=b.service\\n\n"
	  UNIT "b.service [Unit]\\nWants=c.service own.socket\\n\n" WANTED("a.service") },
	{ "network.listeners", "/usr/lib/systemd/system/own.socket:3", "a socket of UDP at the declared TCP port",
	  .lines = UNIT "own.socket [Socket]\\nListenStream=[::]:3000\\nListenDatagram=0.0.0.0:3000\\n\n" WANTED("own.socket") },
	{ "network.listeners", "/usr/lib/systemd/system/own.socket:2", "a socket of the hypervisor's",
	  .lines = UNIT "own.socket [Socket]\\nListenStream=vsock::22\\n\n" WANTED("own.socket") },
	{ "network.listeners", "/usr/lib/systemd/system/own.service:2", "a daemon known to listen",
	  .lines = UNIT "own.service [Service]\\nExecStart=/usr/sbin/rpcbind -w\\n\n" WANTED("own.service") },
	{ "network.listeners", "/etc/systemd/resolved.conf", "a resolver that answers strangers",
	  .lines = UNIT "systemd-resolved.service [Service]\\nExecStart=x\\n\n" WANTED("systemd-resolved.service")
	  "f 0644 0:0 etc/systemd/resolved.conf [Resolve]\\nMulticastDNS=no\\n\n" },
	{ "network.firewall", "/etc/nftables.conf:5", "another port", .lines = NFT("tcp dport 22 accept") },
	{ "network.firewall", "/etc/nftables.conf", "a chain that drops nothing",
	  .lines = "f 0644 0:0 etc/nftables.conf table inet f {\\nchain input {\\ntype filter hook input priority 0; policy accept;\\n}\\n}\\n\n" },
	{ "network.firewall", "/etc/nftables.conf", "the declared port is closed",
	  .lines = "f 0644 0:0 etc/nftables.conf table inet f {\\nchain input {\\ntype filter hook input priority 0; policy drop;\\n}\\n}\\n\n" },
	{ "network.firewall", "/usr/lib/systemd/system/nftables.service", "no firewall at all",
	  .lines = "l 0777 0:0 etc/systemd/system/nftables.service /dev/null\n" },
	{ "network.chrony", "/etc/chrony/conf.d/10-port.conf:1", "chrony's command port",
	  .lines = "f 0644 0:0 etc/chrony/conf.d/10-port.conf cmdport 323\\n\n" },
	{ "network.chrony", "/etc/chrony/chrony.conf:1", "chrony as a server", .lines = "f 0644 0:0 etc/chrony/chrony.conf allow 0/0\\n\n" },

	{ "packages.managers", "/usr/bin/apt-get", "apt", .lines = "f 0755 0:0 usr/bin/apt-get x\n" },
	{ "packages.managers", "/usr/local/bin/pip3.12", "pip", .lines = "f 0755 0:0 usr/local/bin/pip3.12 x\n" },
	{ "packages.absent", "/var/lib/dpkg/status:1", "a package that the description ignores",
	  .lines = "f 0644 0:0 var/lib/dpkg/status Package: unwanted\\nStatus: install ok installed\\n\n" },

	{ "secrets.private-keys", "/opt/app/server.pem:1", "a private key", .lines = "f 0600 0:0 opt/app/server.pem " PEM },
	{ "secrets.private-keys", "/opt/app/config.json:1", "one in JSON", .lines = "f 0600 0:0 opt/app/config.json {\"key\":\"" PEM },
	{ "secrets.tokens", "/opt/app/env:1", "an access key of AWS", .lines = "f 0600 0:0 opt/app/env id=AKIA" "ABCDEFGHIJ234567\\n\n" },
	{ "secrets.tokens", "/opt/app/env:2", "a secret key of AWS",
	  .lines = "f 0600 0:0 opt/app/env #\\naws_secret_access_key = abcdefghij" "KLMNOPQRSTuvwxyz0123456789ABCD\\n\n", .also = "secrets.values" },
	{ "secrets.values", "/etc/app.conf:2", "a password in a configuration",
	  .lines = "f 0600 0:0 etc/app.conf [db]\\npassword = \"q8Zr2Lm0Xv7Tn4Ks\"\\n\n" },
	{ "secrets.files", "/root/.aws/credentials", "a credentials file", .lines = "f 0600 0:0 root/.aws/credentials x\n" },
	{ "secrets.machine-id", "/etc/machine-id:1", "a machine id", .lines = "f 0444 0:0 etc/machine-id 0123456789abcdef0123456789abcdef\\n\n" },
	{ "secrets.seeds", "/var/lib/systemd/random-seed", "a random seed", .lines = "f 0600 0:0 var/lib/systemd/random-seed x\n" },
};

static void declare(struct declared *d)
{
	declared_add_port(d, 3000, false);
	declared_add_absent(d, "unwanted");
}

static void run(const char *lines, struct audit_input input, const struct declared *d, struct audit_report *ret)
{
	CLEANUP_TREE struct tree *tree = audit_tree_make(dir.path, lines);
	struct error err = ERROR_INIT;

	input.tree = tree;
	input.declared = d;
	input.cmdline = input.cmdline ? input.cmdline : CLEAN;
	input.esp = input.esp ? input.esp : nothing;
	input.partitions = input.partitions ? input.partitions : nothing;
	input.initrd = input.initrd ? input.initrd : nothing;
	need(audit_run(&input, ret, &err) == 0, "the audit runs: %s", err.message);
}

static void complain(const struct audit_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		for (size_t k = 0; k < report->results[i].count; k++)
			printf("# %s: %s:%u: %s\n", report->results[i].rule, report->results[i].findings[k].path,
			       report->results[i].findings[k].line, report->results[i].findings[k].text);
}

static bool found_at(const struct audit_result *result, const char *where)
{
	for (size_t i = 0; i < result->count; i++) {
		const struct audit_finding *f = &result->findings[i];
		CLEANUP_FREE char *place = f->line ? string_printf("%s:%u", f->path, f->line) : string_copy(f->path);

		if (strcmp(place, where) == 0)
			return true;
	}
	return false;
}

/* That rule fails, there, and no other does. */
static bool caught(const struct audit_report *report, const char *rule, const char *where, const char *also)
{
	const struct audit_result *result = audit_result_of(report, rule);
	bool alone = true;

	for (size_t i = 0; i < report->count; i++) {
		const char *name = report->results[i].rule;

		if (strcmp(name, rule) != 0 && !(also && strcmp(name, also) == 0))
			alone = alone && audit_verdict(&report->results[i]) == AUDIT_HOLDS;
	}
	return result && audit_verdict(result) == AUDIT_FAILS && found_at(result, where) && alone;
}

static void test_clean(void)
{
	CLEANUP_DECLARED struct declared d = { .ports = NULL };
	CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };
	bool seen = true;

	declare(&d);
	run("", (struct audit_input) { .cmdline = NULL }, &d, &report);
	if (!ok_int(audit_count(&report, AUDIT_HOLDS), report.count, "in a clean system every rule holds"))
		complain(&report);
	for (size_t i = 0; i < report.count; i++)
		seen = seen && report.results[i].seen[0];
	ok(seen, "and each says what it has looked at");
}

static void test_planted(void)
{
	for (size_t i = 0; i < sizeof(planted) / sizeof(planted[0]); i++) {
		const struct planted *p = &planted[i];
		CLEANUP_DECLARED struct declared d = { .ports = NULL };
		CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };

		declare(&d);
		run(p->lines, (struct audit_input) { .cmdline = p->cmdline }, &d, &report);
		if (!ok(caught(&report, p->rule, p->where, p->also), "%s alone finds %s, at %s", p->rule, p->about, p->where))
			complain(&report);
	}
}

/* What is not in the tree. */
static void test_boot(void)
{
	static const char *const esp[] = { "\\EFI\\BOOT\\BOOTX64.EFI.extra.d\\x.cred", NULL };
	static const char *const partitions[] = { "partition 4 (\"data\")", NULL };
	static const char *const initrd[] = { "init", "usr/bin/busybox", NULL };
	static const struct {
		const char *rule, *where;
		struct audit_input input;
	} cases[] = {
		{ "boot.root", "(disk)", { .root_problem = "the tree is another" } },
		{ "boot.root", "(kernel command line)",
		  { .cmdline = "lockdown=integrity module.sig_enforce=1 systemd.gpt_auto=0 systemd.import_credentials=0" } },
		{ "boot.esp", "(ESP)", { .esp = esp } },
		{ "boot.partitions", "(disk)", { .partitions = partitions } },
		{ "boot.initrd", "(initrd)", { .initrd = initrd } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP_DECLARED struct declared d = { .ports = NULL };
		CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };

		declare(&d);
		run("", cases[i].input, &d, &report);
		if (!ok(caught(&report, cases[i].rule, cases[i].where, NULL), "%s alone finds it, at %s", cases[i].rule, cases[i].where))
			complain(&report);
	}
}

/* Every rule must have been seen to fail. */
static void test_coverage(void)
{
	CLEANUP_DECLARED struct declared d = { .ports = NULL };
	CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };

	declare(&d);
	run("", (struct audit_input) { .cmdline = NULL }, &d, &report);
	for (size_t i = 0; i < report.count; i++) {
		bool known = strncmp(report.results[i].rule, "boot.", 5) == 0;

		for (size_t k = 0; k < sizeof(planted) / sizeof(planted[0]); k++)
			known = known || strcmp(planted[k].rule, report.results[i].rule) == 0;
		ok(known, "something is planted for %s", report.results[i].rule);
		ok(audit_has_rule(report.results[i].rule), "and it is known by that name");
	}
	ok(!audit_has_rule("files.setui"), "no other name is");
}

static void test_exceptions(void)
{
	static const char lines[] = "f 4755 0:0 usr/bin/su x\nf 4755 0:0 usr/lib/a/helper x\n";
	CLEANUP_DECLARED struct declared d = { .ports = NULL };
	CLEANUP_AUDIT_REPORT struct audit_report first = { .results = NULL }, second = { .results = NULL };
	const struct audit_result *result;

	declare(&d);
	declared_add_exception(&d, "files.setuid", "/usr/lib/*/helper", "the helper needs it");
	declared_add_exception(&d, "files.devices", "", "there are none");
	run(lines, (struct audit_input) { .cmdline = NULL }, &d, &first);
	result = audit_result_of(&first, "files.setuid");
	ok_int(result->count, 2, "what is accepted is found all the same");
	ok(!result->findings[0].accepted && result->findings[1].accepted, "an exception is for the paths of its pattern");
	ok_str(result->findings[1].accepted->reason, "the helper needs it", "and its reason is at hand");
	ok_int(audit_verdict(result), AUDIT_FAILS, "what is left over still fails");
	ok_int(first.unused_count, 1, "an exception that accepts nothing is told");
	declared_add_exception(&d, "files.setuid", "/usr/bin/s?", "su is wanted");
	run(lines, (struct audit_input) { .cmdline = NULL }, &d, &second);
	ok_int(audit_verdict(audit_result_of(&second, "files.setuid")), AUDIT_ACCEPTED, "with both accepted the rule is");
	ok_int(audit_count(&second, AUDIT_FAILS), 0, "and nothing fails");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "%s", err.message);
	test_clean();
	test_planted();
	test_boot();
	test_coverage();
	test_exceptions();
	io_scratch_free(&dir);
	return tap_done();
}
