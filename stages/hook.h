/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_HOOK_H
#define KILN_STAGES_HOOK_H

#include "../factory/base/buf.h"
#include "../factory/model/stage.h"

/*
 * A description's own script, config.sh or images.sh, run in the image's tree by chroot, with KIWI's variables
 * in its environment and in /.profile. It is watched (artifact "watch"): one that asks for another machine is
 * refused, ERROR_INPUT, whatever it makes of the answer that there is none.
 */

/* `path` on this machine; NULL: there is no such script, and nothing is done. */
int hook_run(const struct stage_context *ctx, const char *path, const char *name, struct error *err);
/* Appends what any script is run with, for a stage's key. */
int hook_text(const struct plan *plan, struct buf *ret, struct error *err);

#endif
