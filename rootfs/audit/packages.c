/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/model/declared.h"
#include "../tree.h"
#include "installed.h"
#include "rules.h"

/* dpkg and rpm themselves reach no network. */
static int check_managers(struct audit *a, struct error *err)
{
	static const char *const names[] = {
		"apt", "apt-get", "aptitude", "apk", "bun", "cargo", "conda", "dnf", "dnf5", "dnf-3", "flatpak", "gem", "go", "microdnf",
		"nix", "npm", "npx", "pacman", "pip", "pip3", "pipx", "pnpm", "snap", "snapd", "tdnf", "unattended-upgrade", "uv", "yarn",
		"yum", "zypper", NULL,
	};
	struct tree_node node;
	size_t position = 0;

	(void)err;
	while (tree_next(a->in->tree, &position, &node)) {
		if (audit_is_program(&node) && (audit_among(audit_base(node.path), names) ||
						fnmatch("pip3.[0-9]*", audit_base(node.path), 0) == 0))
			audit_find(a, node.path, 0, "a package manager that can fetch from a network");
		else if (audit_is_program(&node) && fnmatch("usr/lib/apt/methods/http*", node.path, 0) == 0)
			audit_find(a, node.path, 0, "fetches for a package manager");
	}
	audit_seen(a, "none of %zu names", ARRAY_SIZE(names));
	return 0;
}

static const struct installed_package *find_package(const struct installed *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->names[i].name, name) == 0)
			return &list->names[i];
	return NULL;
}

/* KIWI's <ignore> is no guarantee: a dependency brings the package in all the same. */
static int check_absent(struct audit *a, struct error *err)
{
	const struct declared *d = a->in->declared;
	CLEANUP_INSTALLED struct installed list = { .names = NULL };
	int r = installed_read(a, &list, err);

	if (r < 0)
		return r;
	if (!list.known && d->absent_count > 0)
		audit_find(a, "var/lib/dpkg/status", 0,
			   "there is no database of packages that can be read, so nobody can tell");
	for (size_t i = 0; i < d->absent_count; i++) {
		const struct installed_package *p = find_package(&list, d->absent[i]);

		if (p)
			audit_find(a, p->place, p->line,
				   "package %s is installed, though the description leaves it out", p->name);
	}
	audit_seen(a, "%zu packages installed, none of the %zu that the description leaves out", list.count,
		   d->absent_count);
	return 0;
}

const struct audit_rule audit_package_rules[] = {
	{ "packages.managers", "no package manager that reaches a network", check_managers },
	{ "packages.absent", "what the description leaves out is not there", check_absent },
	{ .id = NULL }
};
