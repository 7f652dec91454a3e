// Copyright 2026 the ioq authors. MIT license.

/** What statx(2) says, in the form that JavaScript reads. */

#ifndef IOQ_STAT_H
#define IOQ_STAT_H

#include "ioq.h"

#include <sys/stat.h>

/** What a STAT asks for. */
#define STATX_MASK (STATX_BASIC_STATS | STATX_BTIME)

/** Bring a result of statx(2) into that form. */
void stat_pack(struct ioq_stat *to, const struct statx *from);

#endif // IOQ_STAT_H
