/* SPDX-License-Identifier: Apache-2.0 */
#include "description_take.h"

#include <stddef.h>

/*
 * The part of KIWI's schema that Kiln implements: what is not in these tables is refused, and what
 * Kiln can do in one way only is accepted with that value only.
 */

#define ATTRIBUTES(list) static const struct attribute_rule list[]
#define END { .name = NULL }
#define NO_PROFILES { "profiles", .refused = "make one description for each image" }

ATTRIBUTES(image_attributes) = {
	{ "schemaversion", .required = true, .check = syntax_schema },
	{ "name", .required = true, .check = syntax_image_name },
	END
};

ATTRIBUTES(description_attributes) = {
	{ "type", .required = true, .only = "system" },
	END
};

ATTRIBUTES(profiles_attributes) = {
	NO_PROFILES,
	END
};

/* KIWI skips preferences for other machines than it runs on; here they say what the image is for. */
ATTRIBUTES(preferences_attributes) = {
	{ .name = "arch" },
	NO_PROFILES,
	END
};

#define OWN_BOOT_FILE "Kiln writes the boot file itself and runs no hook on it; remove it"

ATTRIBUTES(type_attributes) = {
	{ "image", .required = true, .only = "oem" },
	{ "firmware", .required = true, .only = "uefi" },
	/* KIWI wants it, for a write partition; there is none, so none of its values does anything. */
	{ "filesystem", .check = syntax_filesystem },
	{ "overlayroot", .required = true, .only = "true" },
	{ "overlayroot_write_partition", .required = true, .only = "false" },
	{ "overlayroot_readonly_filesystem", .required = true, .only = "erofs" },
	{ "overlayroot_readonly_partsize", .check = syntax_mib },
	{ "verity_blocks", .required = true, .only = "all" },
	{ "bootpartition", .required = true, .only = "false" },
	{ "eficsm", .only = "false" },
	{ "efiparttable", .only = "gpt" },
	{ "devicepersistency", .only = "by-partuuid" },
	{ "target_blocksize", .only = "512" },
	{ "efipartsize", .check = syntax_mib },
	{ "erofscompression", .check = syntax_compression },
	{ "kernelcmdline", .check = syntax_cmdline },
	{ "editbootinstall", .refused = OWN_BOOT_FILE },
	{ "editbootconfig", .refused = OWN_BOOT_FILE },
	END
};

ATTRIBUTES(bootloader_attributes) = {
	{ "name", .required = true, .only = "systemd_boot" },
	{ "timeout", .only = "0" },
	END
};

ATTRIBUTES(initrd_attributes) = {
	{ "action", .required = true, .only = "setup" },
	END
};

/* "Make a unified kernel image"; Kiln's initrd is its own all the same. */
ATTRIBUTES(dracut_attributes) = {
	{ "uefi", .required = true, .only = "true" },
	END
};

ATTRIBUTES(size_attributes) = {
	{ .name = "unit" },
	{ "additive", .only = "false" },
	END
};

ATTRIBUTES(user_attributes) = {
	{ "name", .required = true, .check = syntax_user },
	{ "password", .check = syntax_password },
	{ "pwdformat", .only = "encrypted" },
	{ "groups", .check = syntax_groups },
	{ "home", .check = syntax_path },
	{ "id", .check = syntax_user_id },
	{ "shell", .check = syntax_path },
	END
};

ATTRIBUTES(repository_attributes) = {
	{ "type", .required = true, .only = "apt-deb" },
	{ "alias", .check = syntax_alias },
	{ "distribution", .required = true, .check = syntax_distribution },
	{ "components", .check = syntax_components },
	/* Signatures are always checked. */
	{ "repository_gpgcheck", .only = "true" },
	{ "package_gpgcheck", .only = "true" },
	{ "sourcetype", .only = "baseurl" },
	{ "imageinclude", .only = "false" },
	{ "imageonly", .only = "false" },
	{ "priority", .refused = "the newest version of a package is taken, from whichever repository" },
	{ "customize", .refused = "Kiln runs no hook on its package lists" },
	{ "username", .refused = "credentials do not belong into a description" },
	{ "password", .refused = "credentials do not belong into a description" },
	NO_PROFILES,
	END
};

ATTRIBUTES(source_attributes) = {
	{ "path", .required = true, .check = syntax_source },
	END
};

ATTRIBUTES(signing_attributes) = {
	{ "key", .required = true, .check = syntax_key },
	END
};

ATTRIBUTES(packages_attributes) = {
	{ "type", .required = true },
	{ "patternType", .only = "onlyRequired" },
	NO_PROFILES,
	END
};

ATTRIBUTES(package_attributes) = {
	{ "name", .required = true, .check = syntax_package },
	END
};

ATTRIBUTES(archive_attributes) = {
	{ "name", .required = true, .check = syntax_archive },
	END
};

ATTRIBUTES(program_attributes) = {
	{ "name", .required = true, .check = syntax_program },
	{ "source", .required = true, .check = syntax_relative },
	{ "path", .required = true, .check = syntax_path },
	END
};

ATTRIBUTES(library_attributes) = {
	{ "name", .required = true, .check = syntax_library },
	END
};

ATTRIBUTES(path_exclude_attributes) = {
	{ "path", .required = true, .check = syntax_path },
	END
};

ATTRIBUTES(port_attributes) = {
	{ "number", .required = true, .check = syntax_port },
	{ "protocol", .check = syntax_protocol },
	END
};

ATTRIBUTES(accept_attributes) = {
	{ "rule", .required = true, .check = syntax_rule },
	{ "path", .check = syntax_pattern },
	{ "reason", .required = true, .check = syntax_reason },
	END
};

#define FIELD(name) .field = offsetof(struct description, name)
#define RPM_ONLY "it belongs to RPM package managers; apt's signatures are always checked"

const struct element_rule description_rules[] = {
	{ NULL, "image", image_attributes, .take = take_image },

	/* For people. */
	{ "image", "description", description_attributes, .required = true },
	{ "description", "author", .repeats = true, .text = true },
	{ "description", "contact", .repeats = true, .text = true },
	{ "description", "specification", .text = true },
	{ "description", "license", .repeats = true, .text = true },

	{ "image", "preferences", preferences_attributes, .required = true, .take = take_preferences },
	{ "preferences", "version", .required = true, .text = true, .check = syntax_version,
	  FIELD(version) },
	{ "preferences", "packagemanager", .required = true, .text = true, .only = "apt" },
	{ "preferences", "locale", .text = true, .check = syntax_locale, FIELD(locale) },
	{ "preferences", "keytable", .text = true, .check = syntax_keytable, FIELD(keytable) },
	{ "preferences", "timezone", .text = true, .check = syntax_timezone, FIELD(timezone) },
	{ "preferences", "rpm-check-signatures", .refused = RPM_ONLY },
	{ "preferences", "rpm-excludedocs", .refused = RPM_ONLY },
	{ "preferences", "rpm-locale-filtering", .refused = RPM_ONLY },

	{ "preferences", "type", type_attributes, .required = true, .take = take_type },
	{ "type", "bootloader", bootloader_attributes, .required = true },
	{ "type", "initrd", initrd_attributes, .required = true },
	{ "initrd", "dracut", dracut_attributes, .required = true },
	{ .parent = "type", .name = "oemconfig" },
	{ "oemconfig", "oem-resize", .text = true, .only = "false" },
	{ "type", "size", size_attributes, .text = true, .take = take_size },

	{ "image", "users", profiles_attributes, .repeats = true },
	{ "users", "user", user_attributes, .repeats = true, .take = take_user },

	{ "image", "repository", repository_attributes, .required = true, .repeats = true,
	  .take = take_repository },
	{ "repository", "source", source_attributes, .required = true, .take = take_source },
	{ "source", "signing", signing_attributes, .take = take_signing },

	{ "image", "packages", packages_attributes, .required = true, .repeats = true,
	  .take = take_packages },
	{ "packages", "package", package_attributes, .repeats = true, .take = take_package },
	{ "packages", "ignore", package_attributes, .repeats = true, .take = take_ignore },
	{ "packages", "archive", archive_attributes, .repeats = true, .take = take_archive },
	{ "packages", "namedCollection", .refused = "Debian has none; name the packages" },
	{ "packages", "collectionModule", .refused = "Debian has none; name the packages" },
	{ "packages", "product", .refused = "Debian has none; name the packages" },
	{ "packages", "file", .refused = "put the file into the overlay, root/" },

	{ .parent = "image", .name = "extension" },
	{ "extension", "kiln:program", program_attributes, .repeats = true, .take = take_program },
	{ "kiln:program", "kiln:package", package_attributes, .repeats = true,
	  .take = take_program_package },
	{ "kiln:program", "kiln:library", library_attributes, .repeats = true,
	  .take = take_program_library },
	{ "extension", "kiln:path-exclude", path_exclude_attributes, .repeats = true, .take = take_path_exclude },
	{ "extension", "kiln:port", port_attributes, .repeats = true, .take = take_port },
	{ "extension", "kiln:accept", accept_attributes, .repeats = true, .take = take_accept },

	{ "image", "profiles", .refused = "make one description for each image" },
	{ "image", "include", .refused = "put here what it includes" },
	{ .name = NULL }
};
