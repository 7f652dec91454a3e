// Copyright 2026 the ioq authors. MIT license.

/** How many processors this process may use. */

#ifndef IOQ_PROCESSORS_H
#define IOQ_PROCESSORS_H

/**
 * Processors that this process may use: those of its affinity, and no more than its
 * control groups grant it time of. At least 1.
 */
unsigned int count_processors(void);

#endif // IOQ_PROCESSORS_H
