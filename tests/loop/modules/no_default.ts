// Copyright 2026 the ioq authors. MIT license.

/** No function to run. */
export const nothing = 1;
