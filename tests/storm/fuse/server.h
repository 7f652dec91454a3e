// Copyright 2026 the ioq authors. MIT license.

/** Answering the kernel's requests: see fuse(4) and <linux/fuse.h>. */

#ifndef STORM_SERVER_H
#define STORM_SERVER_H

#include "weather.h"

/** Serve the requests of a mount, in several threads, until it is gone. */
int serve(int fuse, const struct weather *weather);

#endif
