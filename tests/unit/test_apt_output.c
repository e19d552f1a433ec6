/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "rootfs/packages/apt_output.h"

#define HEX "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static void test_choices(void)
{
	static const struct {
		const char *line;
		bool choice;
	} cases[] = {
		{ "'http://m/pool/a%2b_1.deb' a+_1.deb 10 SHA256:" HEX, true },
		{ "'file:/m/a b.deb' a.deb 10 SHA512:00 SHA256:" HEX, true },
		{ "'http://m/a.deb' a.deb 10 SHA256:" HEX "0", false },
		{ "'http://m/a.deb' a.deb 10 MD5Sum:1234", false },
		{ "'http://m/a.deb' a.deb 10 SHA256:zz" HEX, false },
		{ "Need to get SHA256:" HEX, false },
		{ "'", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t sha256[32] = { 0 };
		char hex[65];

		ok_int(apt_output_choice(text_of(cases[i].line), sha256), cases[i].choice, "line %zu", i);
		hex_encode(sha256, sizeof(sha256), hex);
		ok(!cases[i].choice || strcmp(hex, HEX) == 0, "its digest");
	}
}

static const char unmet[] =
	"Reading package lists...\n"
	"Package 'libc6' is not installed, so not removed\n"
	"The following packages have unmet dependencies:\n"
	" mount : PreDepends: libc6 (>= 2.38) but it is not going to be installed\n"
	" systemd : PreDepends: libx (>= 2.38) but it is not going to be installed\n"
	"           Depends: libmount1 (>= 2.41)\n";

static void test_relations(void)
{
	static const char output[] =
		"  not one of them\n"
		"The following packages have unmet dependencies:\n"
		" app : Depends: liba (>= 2) but 1 is to be installed or\n"
		"                libb but it is not installable\n"
		"       Breaks: libc (< 3) but 2 is to be installed\n"
		" new : PreDepends: app\n"
		"E: Unable to correct problems, you have held broken packages.\n";
	static const struct {
		const char *package, *name;
		bool depends;
	} expected[] = {
		{ "app", "liba", true }, { "app", "libb", true }, { "app", "libc", false }, { "new", "app", true },
	};
	struct apt_relation relation = { .depends = false };
	struct text rest = text_of(output);

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ok(apt_output_relation(&rest, &relation), "relation %zu", i);
		ok(text_equal(relation.package, expected[i].package), "of %s", expected[i].package);
		ok(text_equal(relation.name, expected[i].name), "on %s", expected[i].name);
		ok_int(relation.depends, expected[i].depends, "a dependency or not");
	}
	ok(!apt_output_relation(&rest, &relation), "and no more");
	relation = (struct apt_relation) { .depends = false };
	rest = text_of("E: other\n a : Depends: b\n");
	ok(!apt_output_relation(&rest, &relation), "none without apt's headline");
}

static void test_unmet(void)
{
	struct text dependent = { NULL, 0 };
	char folded[512], little[12];

	ok(apt_output_dependent(text_of(unmet), "libc6", &dependent) && text_equal(dependent, "mount"),
	   "who needs it");
	ok(apt_output_dependent(text_of(unmet), "libmount1", &dependent) &&
	   text_equal(dependent, "systemd"), "on a further line");
	ok(!apt_output_dependent(text_of(unmet), "libc", &dependent), "names count whole");
	ok(!apt_output_dependent(text_of(""), "libc6", &dependent), "of nothing, nobody");
	ok(apt_output_unmet(text_of(unmet), folded, sizeof(folded)), "there are unmet dependencies");
	ok(strncmp(folded, "mount : PreDepends: libc6 (>= 2.38) but", 39) == 0, "on one line: %s", folded);
	ok(apt_output_unmet(text_of(unmet), little, sizeof(little)), "in little room");
	ok_str(little, "mount :", "what fits");
	ok(!apt_output_unmet(text_of("E: other"), folded, sizeof(folded)), "none");
}

int main(void)
{
	test_choices();
	test_relations();
	test_unmet();
	return tap_done();
}
