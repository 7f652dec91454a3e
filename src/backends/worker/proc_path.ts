// Copyright 2026 the ioq authors. MIT license.

/**
 * Paths that are relative to a descriptor, for calls that know no such thing.
 *
 * @module
 */

import { UNSUPPORTED } from "../../linux/errors.ts";
import { AT_FDCWD } from "../../linux/fcntl.ts";
import { Failure } from "./failure.ts";

/** A path that is relative to a directory's descriptor. */
export function pathAt(fd: number, path: string): string {
  if (fd === AT_FDCWD || path.startsWith("/")) {
    return path;
  }
  if (Deno.build.os !== "linux") {
    throw new Failure(UNSUPPORTED.at);
  }
  return `/proc/self/fd/${fd}/${path}`;
}
