// Copyright 2026 the ioq authors. MIT license.

/** The way into a turn: requests become entries. See queue/accept.c. */

#ifndef IOQ_TAKE_H
#define IOQ_TAKE_H

#include "queue/dispatch.h"

/** Take one request: complete it right away, or have its entry placed. */
void accept_request(struct ioq *ioq, struct turn_in *in, const struct ioq_request *request, const uint8_t *input);

#endif // IOQ_TAKE_H
