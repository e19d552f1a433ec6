/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_DESCRIPTION_TAKE_H
#define KILN_MODEL_DESCRIPTION_TAKE_H

#include "description_reader.h"

/*
 * One function an element: puts it into the description. Its attributes have passed their rules; what
 * is left to check is what one rule cannot see (another element, the file system).
 */
take_function take_image, take_preferences, take_type, take_size, take_user, take_repository, take_source;
take_function take_signing, take_packages, take_package, take_ignore, take_archive;
take_function take_program, take_program_package, take_program_library;
take_function take_path_exclude, take_port, take_accept;

#endif
