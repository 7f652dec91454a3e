// Copyright 2026 the ioq authors. MIT license.

/** Operations by plain system calls. */

#ifndef IOQ_PERFORM_H
#define IOQ_PERFORM_H

#include "calls/directory.h"

/** Run an entry to its end by system calls. It may block. */
void perform(struct entry *entry, struct scratch *scratch);

#endif // IOQ_PERFORM_H
