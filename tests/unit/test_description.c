/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <sys/stat.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/architecture.h"
#include "factory/model/description.h"

/* The shape of AWS's sample for attestable images, for apt. One element a line: tests name lines. */
static const char sample[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	"<image schemaversion=\"7.5\" name=\"mpc\">\n"
	"<description type=\"system\"><author>A</author><contact>C</contact><specification>S</specification></description>\n"
	"<preferences>\n"
	"<version>1.0.0</version>\n"
	"<packagemanager>apt</packagemanager>\n"
	"<locale>en_US</locale><keytable>us</keytable><timezone>UTC</timezone>\n"
	"<type image=\"oem\" filesystem=\"xfs\" firmware=\"uefi\" eficsm=\"false\" bootpartition=\"false\" "
	"kernelcmdline=\"console=ttyS0  rd.shell=0 rd.kiwi.verity_options=panic-on-corruption\" "
	"overlayroot=\"true\" overlayroot_write_partition=\"false\" overlayroot_readonly_filesystem=\"erofs\" "
	"overlayroot_readonly_partsize=\"2048\" erofscompression=\"lz4hc,level=12\" verity_blocks=\"all\" "
	"efipartsize=\"200\">\n"
	"<oemconfig><oem-resize>false</oem-resize></oemconfig>\n"
	"<bootloader name=\"systemd_boot\" timeout=\"0\"/>\n"
	"<initrd action=\"setup\"><dracut uefi=\"true\"/></initrd>\n"
	"<size unit=\"G\">4</size>\n"
	"</type>\n"
	"</preferences>\n"
	"<users><user name=\"svc\" password=\"$y$j9T$abc$def\" pwdformat=\"encrypted\" groups=\"a,b\" home=\"/home/svc\" id=\"900\" shell=\"/bin/sh\"/></users>\n"
	"<repository type=\"apt-deb\" distribution=\"trixie\" components=\"main contrib\" repository_gpgcheck=\"true\"><source path=\"distro:debian\"/></repository>\n"
	"<repository type=\"apt-deb\" alias=\"own\" distribution=\"stable\"><source path=\"https://example.org/debian\"><signing key=\"file:///usr/share/keyrings/own.gpg\"/></source></repository>\n"
	"<packages type=\"image\">\n"
	"<package name=\"systemd\"/>\n"
	"<package name=\"libstdc++6\"/>\n"
	"<ignore name=\"openssh-server\"/>\n"
	"<archive name=\"extra.tar.gz\"/>\n"
	"</packages>\n"
	"<packages type=\"bootstrap\"><package name=\"base-files\"/></packages>\n"
	"<packages type=\"delete\"><package name=\"cpio\"/></packages>\n"
	"<packages type=\"uninstall\"><package name=\"xz-utils\"/></packages>\n"
	"<extension xmlns:kiln=\"urn:kiln:image:1\">\n"
	"<kiln:path-exclude path=\"/usr/share/doc\"/><kiln:path-exclude path=\"/usr/share/man/\"/>"
	"<kiln:port number=\"3000\"/><kiln:port number=\"5353\" protocol=\"udp\"/>"
	"<kiln:accept rule=\"files.setuid\" path=\"/usr/*/su\" reason=\"the service needs it\"/>"
	"<kiln:accept rule=\"kernel.ebpf\" reason=\"the service needs it, too\"/>"
	"<kiln:program name=\"gateway\" source=\"src\" path=\"/usr/lib/mpc/gateway\"><kiln:package name=\"libmicrohttpd-dev\"/><kiln:library name=\"microhttpd\"/></kiln:program>\n"
	"</extension>\n"
	"</image>\n";

static int parse(const char *xml, struct description **ret, struct error *err)
{
	return description_parse(xml, strlen(xml), "appliance.kiwi", NULL, ret, err);
}

/* The sample with the first `from` in it replaced; malloc'ed. */
static char *with(const char *from, const char *to)
{
	const char *at = strstr(sample, from);

	need(at, "the sample has %s", from);
	return string_printf("%.*s%s%s", (int)(at - sample), sample, to, at + strlen(from));
}

static void test_sample(void)
{
	CLEANUP_DESCRIPTION struct description *d = NULL;
	struct error err = ERROR_INIT;

	need(parse(sample, &d, &err) == 0, "the sample is read: %s", err.message);
	ok_str(d->file, "appliance.kiwi", "file");
	ok_str(d->name, "mpc", "name");
	ok_str(d->version, "1.0.0", "version");
	ok_str(d->locale, "en_US", "locale");
	ok_str(d->keytable, "us", "keytable");
	ok_str(d->timezone, "UTC", "time zone");
	ok_str(d->cmdline, "console=ttyS0 rd.shell=0 rd.kiwi.verity_options=panic-on-corruption",
	       "command line, blanks folded");
	ok_str(d->compression, "lz4hc,level=12", "compression");
	ok_int(d->esp_mib, 200, "ESP");
	ok_int(d->root_max_mib, 2048, "root's limit");
	ok_int(d->size_gib, 4, "size");
	ok_int(d->archive_count, 1, "one archive");
	ok_str(d->archives[0], "extra.tar.gz", "its name");
}

static void test_architecture(void)
{
	CLEANUP_DESCRIPTION struct description *plain = NULL, *arm = NULL;
	CLEANUP_FREE char *xml = with("<preferences>", "<preferences arch=\"aarch64\">");
	struct error err = ERROR_INIT;

	need(parse(sample, &plain, &err) == 0 && parse(xml, &arm, &err) == 0, "both are read: %s", err.message);
	ok(plain->arch == architecture_find("x86_64"), "an image is for x86_64, whatever this machine is");
	ok(arm->arch == architecture_find("aarch64"), "unless its preferences say otherwise");
}

static void test_sample_lists(void)
{
	CLEANUP_DESCRIPTION struct description *d = NULL;
	struct error err = ERROR_INIT;

	need(parse(sample, &d, &err) == 0, "the sample is read: %s", err.message);
	need(d->user_count == 1 && d->repository_count == 2 && d->program_count == 1, "lists");
	ok_str(d->users[0].password, "$y$j9T$abc$def", "password");
	ok_str(d->users[0].groups, "a,b", "groups");
	ok_str(d->users[0].id, "900", "id");
	ok_str(d->repositories[0].alias, "repository-1", "an alias is made up");
	ok_str(d->repositories[0].path, "distro:debian", "path");
	ok_str(d->repositories[0].components, "main contrib", "components");
	ok(!d->repositories[0].signing_key, "the distribution's own key");
	ok_str(d->repositories[1].alias, "own", "an alias is taken");
	ok_str(d->repositories[1].components, "main", "main by default");
	ok_str(d->repositories[1].signing_key, "/usr/share/keyrings/own.gpg", "key");
	ok_int(d->repositories[1].line, 17, "line");
	ok_int(d->image.count, 2, "image packages");
	ok_str(d->image.items[1].name, "libstdc++6", "a name with plus signs");
	ok_int(d->image.items[1].line, 20, "its line");
	ok_str(d->bootstrap.items[0].name, "base-files", "bootstrap package");
	ok_str(d->ignored.items[0].name, "openssh-server", "ignored package");
	ok_int(d->uninstalled.count, 2, "packages to remove, of both kinds");
	ok_str(d->programs[0].source, "src", "source, as given without a directory");
	ok(d->excluded_path_count == 2 && strcmp(d->excluded_paths[0], "/usr/share/doc") == 0 &&
	   strcmp(d->excluded_paths[1], "/usr/share/man/") == 0, "two paths that are left out");
	ok(d->port_count == 2 && d->ports[0].number == 3000 && !d->ports[0].udp && d->ports[1].udp, "two ports, TCP by default");
	ok(d->exception_count == 2 && strcmp(d->exceptions[0].path, "/usr/*/su") == 0 && !d->exceptions[1].path,
	   "two exceptions, one for every path");
	ok_str(d->exceptions[0].reason, "the service needs it", "with their reasons");
	ok_str(d->programs[0].path, "/usr/lib/mpc/gateway", "path of a program");
	ok_str(d->programs[0].packages[0], "libmicrohttpd-dev", "its package");
	ok_str(d->programs[0].libraries[0], "microhttpd", "its library");
}

static void test_defaults(void)
{
	CLEANUP_FREE char *xml = with("kernelcmdline=\"console=ttyS0  rd.shell=0 "
				      "rd.kiwi.verity_options=panic-on-corruption\" ", "");
	CLEANUP_DESCRIPTION struct description *d = NULL;
	struct error err = ERROR_INIT;

	need(parse(xml, &d, &err) == 0, "no command line");
	ok_str(d->cmdline, "", "is an empty one");
	ok(!d->config_script && !d->overlay, "without a directory nothing lies beside it");
}

struct change {
	const char *from, *to, *message;
};

static void test_accepted(void)
{
	static const struct change cases[] = {
		{ "schemaversion=\"7.5\"", "schemaversion=\"8.5\"", NULL },
		{ "<size unit=\"G\">4", "<size unit=\"M\">4096", NULL },
		{ "<size unit=\"G\">4", "<size>4096", NULL },
		{ "eficsm=\"false\"", "eficsm=\"0\"", NULL },
		{ "overlayroot=\"true\"", "overlayroot=\"1\"", NULL },
		{ "<locale>en_US", "<locale> C.UTF-8\n", NULL },
		{ "<version>1.0.0", "<version><!-- why -->1.0<![CDATA[.0]]>", NULL },
		{ "name=\"mpc\"", "name=\"m&#112;c\"", NULL },
		{ "distro:debian", "file:///srv/repository", NULL },
		{ "erofscompression=\"lz4hc,level=12\"", "", NULL },
		{ "<oemconfig><oem-resize>false</oem-resize></oemconfig>", "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *xml = with(cases[i].from, cases[i].to);
		CLEANUP_DESCRIPTION struct description *d = NULL;
		struct error err = ERROR_INIT;

		ok(parse(xml, &d, &err) == 0, "case %zu is accepted %s", i, err.message);
		ok(d && strcmp(d->name, "mpc") == 0 && strcmp(d->version, "1.0.0") == 0, "... whole");
	}
}

static void expect_refusals(const struct change *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP_FREE char *xml = with(cases[i].from, cases[i].to);
		struct description *d = NULL;
		struct error err = ERROR_INIT;

		ok(parse(xml, &d, &err) < 0 && !d && err.kind == ERROR_INPUT, "refused: %s", cases[i].message);
		ok_error(&err, cases[i].message, "... with file, line and reason");
	}
}

static void test_unknown(void)
{
	static const struct change cases[] = {
		{ "<version>", "<release-version>1</release-version>\n<version>",
		  "appliance.kiwi:5: element <release-version> in <preferences> is not supported" },
		{ "<users>", "<profiles/><users>", "kiwi:15: element <profiles> is not supported: make one" },
		{ "<users>", "<include from=\"x\"/><users>", "kiwi:15: element <include> is not supported" },
		{ "<users>", "<drivers/><users>", "kiwi:15: element <drivers> in <image> is not supported" },
		{ "<users>", "<users profiles=\"a\">", "attribute profiles of <users> is not supported" },
		{ "<preferences>", "<preferences profiles=\"a\">", "kiwi:4: attribute profiles of <preferences>" },
		{ "<preferences>", "<preferences arch=\"ppc64le\">",
		  "kiwi:4: attribute arch of <preferences> must be x86_64 or aarch64, not \"ppc64le\"" },
		{ "<preferences>", "<preferences arch=\"x86_64,aarch64\">", "must be x86_64 or aarch64, not" },
		{ "<ignore", "<namedCollection", "kiwi:21: element <namedCollection> is not supported" },
		{ "<ignore", "<file", "kiwi:21: element <file> is not supported: put the file" },
		{ "<package name=\"systemd\"", "<package arch=\"x86_64\" name=\"systemd\"",
		  "kiwi:19: attribute arch of <package> is not supported" },
		{ "<packagemanager>", "<rpm-check-signatures>true</rpm-check-signatures><packagemanager>",
		  "kiwi:6: element <rpm-check-signatures> is not supported: it belongs to RPM" },
		{ "<type ", "<type editbootinstall=\"e.sh\" ", "kiwi:8: attribute editbootinstall of <type>" },
		{ "<type ", "<type editbootinstall=\"e.sh\" ", "Kiln writes the boot file itself" },
		{ "<type ", "<type luks=\"x\" ", "kiwi:8: attribute luks of <type> is not supported" },
		{ "urn:kiln:image:1", "urn:kiln:image:2", "<path-exclude> is of an unknown namespace" },
		{ "<image ", "<image xmlns=\"urn:x\" ", "<image> is of an unknown namespace" },
		{ "<package name=\"systemd\"", "<package xmlns:k=\"urn:k\" k:x=\"1\" name=\"systemd\"",
		  "attribute x of <package> is not supported" },
		{ "<kiln:library", "<kiln:option", "element <kiln:option> in <kiln:program> is not" },
		{ "type=\"apt-deb\"", "type=\"apt-deb\" priority=\"1\"", "attribute priority of <repository>" },
		{ "type=\"apt-deb\"", "type=\"apt-deb\" customize=\"x\"", "attribute customize of <repository>" },
		{ "<type ", "stray text <type ", "<preferences> must not contain text" },
		{ "<size unit=\"G\">4", "<size unit=\"G\"><x/>4", "element <x> in <size> is not supported" },
	};

	expect_refusals(cases, ARRAY_SIZE(cases));
}

static void test_only_value(void)
{
	static const struct change cases[] = {
		{ "image=\"oem\"", "image=\"iso\"", "attribute image of <type> must be \"oem\", not \"iso\"" },
		{ "firmware=\"uefi\"", "firmware=\"bios\"", "attribute firmware of <type> must be \"uefi\"" },
		{ "eficsm=\"false\"", "eficsm=\"true\"", "eficsm of <type> must be \"false\"" },
		{ "overlayroot=\"true\" ", "", "<type> must have overlayroot=\"true\"" },
		{ "verity_blocks=\"all\"", "", "kiwi:8: <type> must have verity_blocks=\"all\"" },
		{ "verity_blocks=\"all\"", "verity_blocks=\"10\"", "must be \"all\", not \"10\"" },
		{ "_write_partition=\"false\"", "_write_partition=\"true\"", "must be \"false\"" },
		{ "filesystem=\"erofs\"", "filesystem=\"squashfs\"", "must be \"erofs\"" },
		{ ">apt<", ">dnf<", "kiwi:6: <packagemanager> must be \"apt\", not \"dnf\"" },
		{ "<oem-resize>false", "<oem-resize>true", "<oem-resize> must be \"false\"" },
		{ "timeout=\"0\"", "timeout=\"5\"", "timeout of <bootloader> must be \"0\"" },
		{ "\"systemd_boot\"", "\"grub2\"", "name of <bootloader> must be \"systemd_boot\"" },
		{ "<dracut uefi=\"true\"/>", "", "<initrd> must have <dracut> in it" },
		{ "<bootloader name=\"systemd_boot\" timeout=\"0\"/>", "", "<type> must have <bootloader>" },
		{ "gpgcheck=\"true\"", "gpgcheck=\"false\"", "repository_gpgcheck of <repository> must be \"true\"" },
		{ "pwdformat=\"encrypted\"", "pwdformat=\"plain\"", "must be \"encrypted\", not \"plain\"" },
	};

	expect_refusals(cases, ARRAY_SIZE(cases));
}

static void test_syntax(void)
{
	static const struct change cases[] = {
		{ "schemaversion=\"7.5\"", "schemaversion=\"7.4\"", "schemaversion of <image> must be a KIWI" },
		{ "schemaversion=\"7.5\"", "schemaversion=\"9.0\"", "from 7.5 to 8" },
		{ "schemaversion=\"7.5\"", "", "<image> must have the attribute schemaversion" },
		{ "name=\"mpc\"", "name=\"../mpc\"", "kiwi:2: attribute name of <image> must consist" },
		{ "name=\"mpc\"", "name=\"\"", "attribute name of <image> must consist" },
		{ ">1.0.0<", ">1.0<", "kiwi:5: <version> must be a version like 1.2.3 (it is \"1.0\")" },
		{ ">1.0.0<", ">1.0.0/x<", "<version> must be a version" },
		{ ">1.0.0<", "><", "<version> must be a version" },
		{ ">en_US<", ">en_US,de_DE<", "<locale> must be one locale" },
		{ ">UTC<", ">../UTC<", "<timezone> must be a time zone" },
		{ "\"systemd\"", "\"Systemd\"", "kiwi:19: attribute name of <package> must be a Debian" },
		{ "\"systemd\"", "\"-o\"", "must be a Debian package's name (it is \"-o\")" },
		{ "\"systemd\"", "\"bash:i386\"", "must be a Debian package's name" },
		{ "\"distro:debian\"", "\"obs://x\"", "path of <source> must be distro:NAME or a URL" },
		{ "\"distro:debian\"", "\"https://h/a b\"", "path of <source> must be distro:NAME or a URL" },
		{ "\"main contrib\"", "\"main  contrib\"", "components of <repository> must be words" },
		{ "\"trixie\"", "\"../x\"", "distribution of <repository> must be a suite" },
		{ "distribution=\"trixie\"", "", "<repository> must have the attribute distribution" },
		{ "file:///usr", "https://usr", "key of <signing> must be file:NAME" },
		{ "\"lz4hc,level=12\"", "\"brotli\"", "erofscompression of <type> must be what mkfs.erofs" },
		{ "\"lz4hc,level=12\"", "\"zstd -x\"", "erofscompression of <type> must be what mkfs.erofs" },
		{ "\"200\"", "\"0\"", "efipartsize of <type> must be a number of MiB" },
		{ "\"200\"", "\"99999999999\"", "efipartsize of <type> must be a number of MiB" },
		{ ">4<", ">4.5<", "<size> must be whole GiB" },
		{ ">4<", ">0<", "<size> must be whole GiB" },
		{ "unit=\"G\">4<", "unit=\"M\">1000<", "<size> must be whole GiB" },
		{ "unit=\"G\"", "unit=\"T\"", "unit of <size> must be" },
		{ "name=\"svc\"", "name=\"Svc\"", "name of <user> must be a user name" },
		{ "\"$y$j9T$abc$def\"", "\"secret\"", "password of <user> must be a hash" },
		{ "\"$y$j9T$abc$def\"", "\"\"", "password of <user> must be a hash" },
		{ "\"$y$j9T$abc$def\"", "\"$y$a:b\"", "password of <user> must be a hash" },
		{ "password=\"$y$j9T$abc$def\" ", "", "user svc has a pwdformat but no password" },
		{ "\"/home/svc\"", "\"/home/../etc\"", "home of <user> must be an absolute path" },
		{ "\"900\"", "\"-1\"", "id of <user> must be a number" },
		{ "\"extra.tar.gz\"", "\"../x.tar\"", "name of <archive> must be the name of a file" },
		{ "\"src\"", "\"/src\"", "source of <kiln:program> must be a path relative" },
		{ "\"/usr/lib/mpc/gateway\"", "\"usr/x\"", "path of <kiln:program> must be an absolute" },
		{ "\"/usr/share/doc\"", "\"usr/share/doc\"", "path of <kiln:path-exclude> must be an absolute" },
		{ "\"/usr/share/doc\"", "\"/usr/../doc\"", "path of <kiln:path-exclude> must be an absolute" },
		{ "number=\"3000\"", "number=\"65536\"", "number of <kiln:port> must be a port" },
		{ "protocol=\"udp\"", "protocol=\"sctp\"", "protocol of <kiln:port> must be tcp or udp" },
		{ "\"files.setuid\"", "\"setuid\"", "rule of <kiln:accept> must be a rule" },
		{ "\"/usr/*/su\"", "\"/usr/../su\"", "path of <kiln:accept> must be an absolute" },
		{ "\"the service needs it\"", "\"because\"", "reason of <kiln:accept> must say why" },
		{ "\"microhttpd\"", "\"-Wl,x\"", "name of <kiln:library> must be a library" },
	};

	expect_refusals(cases, ARRAY_SIZE(cases));
}

static void test_cmdline(void)
{
	static const struct change cases[] = {
		{ "rd.shell=0", "roothash=00", "kernelcmdline of <type> must not contain roothash=" },
		{ "rd.shell=0", "usrhash=00", "must not contain usrhash=" },
		{ "rd.shell=0", "root=/dev/sda", "must not contain root=" },
		{ "rd.shell=0", "init=/bin/sh", "must not contain init=" },
		{ "rd.shell=0", "rdinit=/bin/sh", "must not contain rdinit=" },
		{ "rd.shell=0", "initrd=\\x", "must not contain initrd=" },
		{ "rd.shell=0", "systemd.verity=no", "must not contain systemd.verity=" },
		{ "rd.shell=0", "dm-mod.create=x", "must not contain dm-mod" },
		{ "rd.shell=0", "-- x", "must not contain --" },
		{ "rd.shell=0", "a=&quot;b c&quot;", "must be printable ASCII without quotation" },
		{ "rd.shell=0", "a=\xc3\xa4", "must be printable ASCII" },
		{ "=panic-on-corruption", "=ignore-corruption", "other verity options" },
		{ "=panic-on-corruption", "=", "other verity options" },
	};

	expect_refusals(cases, ARRAY_SIZE(cases));
}

static void test_contradictions(void)
{
	static const struct change cases[] = {
		{ "<version>1.0.0</version>", "<version>1.0.0</version><version>2.0.0</version>",
		  "kiwi:5: <version> is given twice, first in line 5" },
		{ "<version>1.0.0</version>", "", "kiwi:4: <preferences> must have <version> in it" },
		{ "<packagemanager>apt</packagemanager>", "", "<preferences> must have <packagemanager>" },
		{ "\"openssh-server\"", "\"systemd\"", "kiwi:21: package systemd is to be ignored, but line 19" },
		{ "\"openssh-server\"", "\"base-files\"", "package base-files is to be ignored, but line 24" },
		{ "\"libstdc++6\"", "\"systemd\"", "kiwi:20: package systemd is named twice, first in line 19" },
		{ "<packages type=\"image\">", "<packages type=\"bootstrap\">", "<archive> belongs to" },
		{ "<archive name=\"extra.tar.gz\"/>\n</packages>\n<packages type=\"bootstrap\">",
		  "</packages>\n<packages type=\"product\">", "must be image, bootstrap, uninstall or delete" },
		{ "<packages type=\"delete\"><package", "<packages type=\"delete\"><ignore",
		  "<ignore> has no meaning" },
		{ "<package name=\"systemd\"/>\n<package name=\"libstdc++6\"/>", "", "no <package> in" },
		{ "</users>", "<user name=\"svc\"/></users>", "user svc is given twice, first in line 15" },
		{ "alias=\"own\"", "alias=\"repository-1\"", "repository repository-1 is given twice" },
		{ "</extension>", "<kiln:program name=\"gateway\" source=\"s\" path=\"/x\"/></extension>",
		  "program gateway has the name or path of the one in line 28" },
		{ "\"/usr/share/doc\"", "\"/\"", "without the packages' files there is no image" },
		{ "</extension>", "<kiln:port number=\"3000\"/></extension>", "port 3000 is declared twice, first in line 28" },
		{ "<kiln:port number=\"3000\"/>", "", "the first <kiln:port> must be one of TCP" },
		{ "</extension>", "<kiln:accept rule=\"kernel.ebpf\" reason=\"once more, to be sure\"/></extension>",
		  "this is accepted already in line 28" },
		{ "</extension>", "<kiln:program name=\"g\" source=\"s\" path=\"/usr/lib/mpc/gateway\"/></extension>",
		  "program g has the name or path" },
		{ "<image ", "<images ", "appliance.kiwi:" },
	};

	expect_refusals(cases, ARRAY_SIZE(cases));
}

static void test_not_xml(void)
{
	static const struct {
		const char *xml, *message;
	} cases[] = {
		{ "", "appliance.kiwi:1: " },
		{ "<image>\n<a>\n</b>\n</image>", "appliance.kiwi:3: Opening and ending tag mismatch" },
		{ "<image", "appliance.kiwi:1: " },
		{ "<image>\n&nosuch;</image>", "appliance.kiwi:2: Entity 'nosuch' not defined" },
		{ "<image>\n<k:a/></image>", "appliance.kiwi:2: Namespace prefix k" },
		{ "<image a=\"1\" a=\"2\"/>", "appliance.kiwi:1: Attribute a redefined" },
		{ "<image>\xff</image>", "appliance.kiwi:1: " },
		{ "<installation/>", "begins with <image>, not <installation>" },
		{ "<!DOCTYPE image>\n<image/>", "document type declaration is not allowed" },
		{ "<!DOCTYPE i [\n<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">\n"
		  "<!ENTITY c \"&b;&b;&b;&b;&b;\">]>\n<image name=\"&c;\"/>",
		  "document type declaration is not allowed" },
		{ "<!DOCTYPE i SYSTEM \"file:///etc/passwd\"><image/>", "document type declaration" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct description *d = NULL;
		struct error err = ERROR_INIT;

		ok(parse(cases[i].xml, &d, &err) < 0 && err.kind == ERROR_INPUT, "case %zu is refused", i);
		ok_error(&err, cases[i].message, "... and says where");
		ok(!strchr(err.message, '\n'), "... in one line");
	}
}

static void test_limits(void)
{
	CLEANUP_BUF struct buf xml = BUF_INIT(4 << 20);
	CLEANUP_FREE char *far = NULL;
	struct description *d = NULL;
	struct error err = ERROR_INIT;

	need(buf_fill(&xml, ' ', (1 << 20) + 1) == 0, "a megabyte");
	ok(description_parse(xml.data, xml.len, "f", NULL, &d, &err) < 0, "too large a file is refused");
	ok_error(&err, "f: larger than 1048576 bytes", "and says the limit");

	/* libxml2 counts lines in 16 bits. */
	err = (struct error)ERROR_INIT;
	buf_truncate(&xml, 0);
	need(buf_fill(&xml, '\n', 64000) == 0 && buf_add_string(&xml, "<drivers/><users>") == 0, "lines");
	far = with("<users>", buf_text(&xml));
	ok(parse(far, &d, &err) < 0, "an error far down");
	ok_error(&err, "appliance.kiwi:64015: element <drivers>", "has its true line number");
	err = (struct error)ERROR_INIT;
	buf_truncate(&xml, 0);
	need(buf_fill(&xml, '\n', 70000) == 0, "too many lines");
	ok(description_parse(xml.data, xml.len, "f", NULL, &d, &err) < 0, "are refused");
	ok_error(&err, "f: more than 65000 lines", "with the limit");
}

/* The checks that compare each with all others must stay short. */
static void test_many(void)
{
	CLEANUP_BUF struct buf users = BUF_INIT(1 << 20);
	CLEANUP_FREE char *xml = NULL;
	struct description *d = NULL;
	struct error err = ERROR_INIT;

	for (int i = 0; i < 10000; i++)
		if (buf_printf(&users, "<user name=\"u%d\"/>", i) < 0)
			need(false, "a user");
	need(buf_add_string(&users, "</users>") == 0, "users");
	xml = with("</users>", buf_text(&users));
	ok(parse(xml, &d, &err) < 0, "too many elements are refused");
	ok_error(&err, "more than 10000 elements", "and says the limit");
}

/* ---------------------------------------------------------------- with files */

static void put(const char *dir, const char *name, const char *text)
{
	CLEANUP_FREE char *path = path_join(dir, name);
	struct error err = ERROR_INIT;

	need(io_write_file(path, text, strlen(text), 0755, &err) == 0, "%s is written", name);
}

static void drop(const char *dir, const char *name)
{
	CLEANUP_FREE char *path = path_join(dir, name);
	struct error err = ERROR_INIT;

	need(io_remove_tree(path, &err) == 0, "%s is removed", name);
}

static void expect_refused(const char *dir, const char *message)
{
	struct description *d = NULL;
	struct error err = ERROR_INIT;

	ok(description_read(dir, &d, &err) < 0 && !d && err.kind == ERROR_INPUT, "refused: %s", message);
	ok_error(&err, message, "... and says why");
}

static void make_directory(const char *dir)
{
	CLEANUP_FREE char *xml = with("file:///usr/share/keyrings/own.gpg", "file:own.gpg");
	CLEANUP_FREE char *src = path_join(dir, "src"), *root = path_join(dir, "root/etc");
	struct error err = ERROR_INIT;

	need(io_mkdirs(src, 0755, &err) == 0 && io_mkdirs(root, 0755, &err) == 0, "directories");
	put(dir, "appliance.kiwi", xml);
	put(dir, "own.gpg", "key");
	put(dir, "extra.tar.gz", "archive");
	put(dir, "config.sh", "#!/bin/sh\n");
}

static void test_read(const char *dir)
{
	CLEANUP_DESCRIPTION struct description *d = NULL;
	struct error err = ERROR_INIT;
	CLEANUP_FREE char *real = realpath(dir, NULL), *config = path_join(real, "config.sh");
	CLEANUP_FREE char *src = path_join(real, "src"), *root = path_join(real, "root");
	CLEANUP_FREE char *key = path_join(real, "own.gpg");

	need(description_read(dir, &d, &err) == 0, "a directory is read: %s", err.message);
	ok_str(d->directory, real, "directory");
	ok_str(d->config_script, config, "config.sh is found");
	ok(!d->images_script, "images.sh is not there");
	ok_str(d->overlay, root, "root/ is found");
	ok_str(d->programs[0].source, src, "a program's source is absolute");
	ok_str(d->repositories[1].signing_key, key, "so is a key");
}

static void test_missing(const char *dir)
{
	drop(dir, "src");
	expect_refused(dir, "appliance.kiwi:28: src: No such file");
	put(dir, "src", "a file");
	expect_refused(dir, "appliance.kiwi:28: src is not a directory");
	drop(dir, "extra.tar.gz");
	expect_refused(dir, "appliance.kiwi:22: extra.tar.gz: No such file");
	drop(dir, "own.gpg");
	expect_refused(dir, "appliance.kiwi:17: own.gpg: No such file");
	drop(dir, "src");
	make_directory(dir);
}

static void test_beside(const char *dir)
{
	put(dir, "config.sh", "");
	expect_refused(dir, "config.sh is empty");
	drop(dir, "config.sh");
	put(dir, "images.sh", "#!/bin/sh\n");
	put(dir, "disk.sh", "#!/bin/sh\n");
	expect_refused(dir, "disk.sh is not supported: use images.sh");
	drop(dir, "disk.sh");
	put(dir, "root.tar.gz", "x");
	expect_refused(dir, "root.tar.gz is not supported: unpack it as root/");
	drop(dir, "root.tar.gz");
	drop(dir, "root");
	put(dir, "root", "x");
	expect_refused(dir, "root is not a directory");
	drop(dir, "root");
	drop(dir, "images.sh");
}

static void test_names(const char *dir)
{
	CLEANUP_DESCRIPTION struct description *d = NULL;
	CLEANUP_FREE char *from = path_join(dir, "appliance.kiwi"), *to = path_join(dir, "config.xml");
	CLEANUP_FREE char *other = path_join(dir, "mpc.kiwi");
	struct error err = ERROR_INIT;

	need(rename(from, to) == 0, "renamed");
	ok(description_read(dir, &d, &err) == 0 && strstr(d->file, "config.xml"), "config.xml is read");
	description_free(d);
	d = NULL;
	need(rename(to, other) == 0, "renamed");
	ok(description_read(dir, &d, &err) == 0 && strstr(d->file, "mpc.kiwi"), "a single *.kiwi is read");
	put(dir, "second.kiwi", "<image/>");
	expect_refused(dir, "more than one *.kiwi");
	drop(dir, "second.kiwi");
	drop(dir, "mpc.kiwi");
	expect_refused(dir, "no image description");
	expect_refused("/nonexistent", "/nonexistent: No such file");
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	struct error err = ERROR_INIT;

	test_sample();
	test_architecture();
	test_sample_lists();
	test_defaults();
	test_accepted();
	test_unknown();
	test_only_value();
	test_syntax();
	test_cmdline();
	test_contradictions();
	test_not_xml();
	test_limits();
	test_many();
	need(io_scratch_new("/tmp", &scratch, &err) == 0, "a scratch directory");
	make_directory(scratch.path);
	test_read(scratch.path);
	test_missing(scratch.path);
	test_beside(scratch.path);
	test_names(scratch.path);
	return tap_done();
}
