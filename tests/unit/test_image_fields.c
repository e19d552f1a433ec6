/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/arguments.h"
#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "upload/image_fields.h"
#include "upload/share.h"
#include "upload/xml.h"

#define DISK "a5f70fcc683537c0e248e53bcbe1b51faa58b6d0bc04c1bbc3f58fd0593d8507"

static void make_tags(struct tags *ret, const char *const *given)
{
	struct argument_list list = { .count = 0 };
	struct error err = ERROR_INIT;

	for (; *given; given++)
		list.items[list.count++] = *given;
	need(tags_make("mpc-1", "mpc", DISK, "yes", &list, ret, &err) == 0, "tags: %s", err.message);
}

static void test_tags(void)
{
	static const char *const bad[] = { "x", "=x", "aws:x=1", "kiln:disk=1", "a=1" };
	CLEANUP_TAGS struct tags t = TAGS_INIT;
	struct argument_list list = { .items = { "a=2" }, .count = 1 };
	struct error err = ERROR_INIT;

	make_tags(&t, (const char *const[]) { "team=red", "empty=", "Name=mine", "eq=a=b", NULL });
	ok_int(t.count, 7, "Kiln's three and what was given");
	ok(strcmp(t.items[1].key, TAG_DISK) == 0 && strcmp(t.items[1].value, DISK) == 0, "the disk is among them");
	ok(strcmp(t.items[5].key, "Name") == 0 && strcmp(t.items[5].value, "mine") == 0, "a Name that is given stays");
	ok_str(t.items[6].value, "a=b", "a value may have an equals sign");
	tags_free(&t);
	make_tags(&t, (const char *const[]) { NULL });
	ok(strcmp(t.items[3].key, "Name") == 0 && strcmp(t.items[3].value, "mpc-1") == 0, "otherwise it is the image's");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct tags none = TAGS_INIT;

		list.items[list.count] = bad[i];
		list.count = 2;
		err = (struct error)ERROR_INIT;
		ok(tags_make("n", "i", DISK, "yes", &list, &none, &err) < 0 && err.kind == ERROR_INPUT && none.count == 0,
		   "no tag: %s", err.message);
		list.count = 1;
	}
}

static void test_names(void)
{
	static const char *const good[] = { "mpc-1.0.0-a5f70fcc6835", "a b", "()[] ./-'@_" };
	static const char *const bad[] = { "", "ab", "a\nbc", "a+bc", "a,bc", "\303\244bc" };
	CLEANUP_FREE char *longest = string_printf("%0128d", 0), *longer = string_printf("%0129d", 0);
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ok(image_check_name(good[i], &err) == 0, "EC2 takes the name \"%s\"", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(image_check_name(bad[i], &err) < 0 && err.kind == ERROR_INPUT, "but not number %zu", i);
	ok(image_check_name(longest, &err) == 0 && image_check_name(longer, &err) < 0, "128 characters and no more");
	ok_str(image_architecture("aarch64"), "arm64", "aarch64 is arm64");
	ok_str(image_architecture("x86_64"), "x86_64", "x86_64 is itself");
	ok(!image_architecture("riscv64"), "and there are no others");
}

static void is_field(const struct form *f, const char *name, const char *value)
{
	ok_str(form_get(f, name), value, "%s", name);
}

static void request(struct image_request *q, const struct tags *tags)
{
	*q = (struct image_request){
		.name = "mpc-1", .description = "what", .architecture = "x86_64", .snapshot = "snap-1", .gib = 4,
		.tags = tags,
	};
}

static void test_register(void)
{
	CLEANUP_FORM struct form f = FORM_INIT, with_keys = FORM_INIT;
	CLEANUP_TAGS struct tags tags = TAGS_INIT;
	struct image_request q;

	make_tags(&tags, (const char *const[]) { NULL });
	request(&q, &tags);
	image_register_form(&q, &f);
	is_field(&f, "Name", "mpc-1");
	is_field(&f, "Architecture", "x86_64");
	is_field(&f, "VirtualizationType", "hvm");
	is_field(&f, "BootMode", "uefi");
	is_field(&f, "TpmSupport", "v2.0");
	is_field(&f, "ImdsSupport", "v2.0");
	is_field(&f, "EnaSupport", "true");
	is_field(&f, "RootDeviceName", "/dev/xvda");
	is_field(&f, "BlockDeviceMapping.1.DeviceName", "/dev/xvda");
	is_field(&f, "BlockDeviceMapping.1.Ebs.SnapshotId", "snap-1");
	is_field(&f, "BlockDeviceMapping.1.Ebs.VolumeSize", "4");
	is_field(&f, "BlockDeviceMapping.1.Ebs.VolumeType", "gp3");
	is_field(&f, "TagSpecification.1.ResourceType", "image");
	is_field(&f, "TagSpecification.1.Tag.2.Key", TAG_DISK);
	is_field(&f, "TagSpecification.1.Tag.2.Value", DISK);
	ok(!form_get(&f, "UefiData"), "without keys there is no UefiData");
	ok(!form_get(&f, "BlockDeviceMapping.1.Ebs.Encrypted"), "nor may encryption be named beside a snapshot");
	q.uefi_data = "QU1aTlVFRkk=";
	image_register_form(&q, &with_keys);
	is_field(&with_keys, "UefiData", "QU1aTlVFRkk=");
}

#define ANSWER(boot_mode) \
	"<DescribeImagesResponse><imagesSet><item><imageId>ami-1</imageId><imageState>available</imageState>" \
	"<creationDate>2026-11-28T21:00:00.000Z</creationDate><name>mpc-1</name><architecture>x86_64</architecture>" \
	"<virtualizationType>hvm</virtualizationType><bootMode>" boot_mode "</bootMode><tpmSupport>v2.0</tpmSupport>" \
	"<imdsSupport>v2.0</imdsSupport><enaSupport>true</enaSupport><rootDeviceName>/dev/xvda</rootDeviceName>" \
	"<blockDeviceMapping><item><deviceName>/dev/xvdb</deviceName><ebs><snapshotId>snap-9</snapshotId></ebs></item>" \
	"<item><deviceName>/dev/xvda</deviceName><ebs><snapshotId>snap-1</snapshotId><volumeSize>4</volumeSize></ebs>" \
	"</item></blockDeviceMapping><tagSet><item><key>x</key><value>y</value></item><item><key>kiln:disk</key><value>" \
	DISK "</value></item></tagSet></item></imagesSet></DescribeImagesResponse>"

static void check(const char *text, const char *complaint)
{
	CLEANUP_XML struct xml *xml = NULL;
	CLEANUP_IMAGE struct image i = { .id = NULL };
	struct image_request q;
	struct error err = ERROR_INIT;
	int r;

	need(xml_parse(text, strlen(text), "x", &xml, &err) == 0, "XML");
	image_parse(xml_find(xml_root(xml), "imagesSet/item"), &i);
	request(&q, NULL);
	r = image_check(&i, &q, &err);
	if (complaint) {
		ok(r < 0, "another image is not it");
		ok_error(&err, complaint, "and the field is named");
		return;
	}
	ok(r == 0, "what was asked for is there: %s", err.message);
	ok_str(i.snapshot, "snap-1", "the snapshot is the root device's");
	ok_str(i.disk_tag, DISK, "the tag of the disk");
	ok_str(i.image_tag, "", "a tag that is not there is empty");
	ok_str(i.created, "2026-11-28T21:00:00.000Z", "the time");
}

static void test_share(void)
{
	struct argument_list with = { .items = { "123456789012", "arn:aws:organizations::1:organization/o-abc",
						 "arn:aws:organizations::1:ou/o-abc/ou-d-e" }, .count = 3 };
	static const char *const bad[] = { "12345678901", "12345678901x", "arn:aws:iam::123456789012:root", "" };
	CLEANUP_FORM struct form f = FORM_INIT;
	struct error err = ERROR_INIT;

	ok(share_check(&with, &err) == 0, "accounts, organisations and units can be shared with");
	share_form("ami-1", &with, true, &f);
	is_field(&f, "ImageId", "ami-1");
	is_field(&f, "LaunchPermission.Add.1.UserId", "123456789012");
	is_field(&f, "LaunchPermission.Add.2.OrganizationArn", with.items[1]);
	is_field(&f, "LaunchPermission.Add.3.OrganizationalUnitArn", with.items[2]);
	is_field(&f, "LaunchPermission.Add.4.Group", "all");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		with.items[0] = bad[i];
		ok(share_check(&with, &err) < 0, "but not with \"%s\"", bad[i]);
	}
}

int main(void)
{
	test_tags();
	test_names();
	test_register();
	check(ANSWER("uefi"), NULL);
	check(ANSWER("uefi-preferred"), "its bootMode is \"uefi-preferred\", not \"uefi\"");
	test_share();
	return tap_done();
}
