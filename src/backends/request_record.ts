// Copyright 2026 the ioq authors. MIT license.

/**
 * Writing a request's record, as `native/ioq.h` has it.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import type { CoreRequest } from "../operations/request.ts";

/** Write a request's record, but for its slot and its paths. */
export function writeRecord(words: Int32Array, at: number, request: CoreRequest): void {
  words[at + layout.REQUEST_OP_AND_HINTS] = request.code | request.hints << 16;
  words[at + layout.REQUEST_FD] = request.fd;
  words[at + layout.REQUEST_FLAGS] = request.flags;
  words[at + layout.REQUEST_MODE] = request.mode;
  words[at + layout.REQUEST_LENGTH] = request.length;
  const offset = request.offset;
  // Most are small, and a division of others takes longer than all the rest
  const isShort = (offset | 0) === offset && offset >= 0;
  words[at + layout.REQUEST_OFFSET_LOW] = isShort ? offset : offset % 0x1_0000_0000;
  words[at + layout.REQUEST_OFFSET_HIGH] = isShort ? 0 : Math.floor(offset / 0x1_0000_0000);
  words[at + layout.REQUEST_FD2] = request.fd2;
  words[at + layout.REQUEST_ARGS] = request.arg0;
  words[at + layout.REQUEST_ARGS + 1] = request.arg1;
  words[at + layout.REQUEST_ARGS + 2] = request.arg2;
  words[at + layout.REQUEST_ARGS + 3] = request.arg3;
}
