/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_DESCRIPTION_SYNTAX_H
#define KILN_MODEL_DESCRIPTION_SYNTAX_H

/*
 * What the strings of a description may look like. They end in file names, package manager options and
 * configuration files of the image, so each kind is held to its own alphabet. Every function
 * returns NULL, or what is demanded ("must be a version like 1.2.3"); static text.
 */
typedef const char *syntax_check(const char *text);

syntax_check syntax_image_name, syntax_version, syntax_schema;
syntax_check syntax_alias, syntax_distribution, syntax_components, syntax_source, syntax_key;
syntax_check syntax_package, syntax_archive;
syntax_check syntax_locale, syntax_keytable, syntax_timezone;
syntax_check syntax_filesystem, syntax_compression, syntax_cmdline, syntax_mib;
syntax_check syntax_user, syntax_groups, syntax_user_id, syntax_password, syntax_path;
syntax_check syntax_program, syntax_relative, syntax_library;
syntax_check syntax_port, syntax_protocol, syntax_rule, syntax_pattern, syntax_reason;

#endif
