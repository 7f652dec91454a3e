// Copyright 2026 the ioq authors. MIT license.

/**
 * The flags of `open(2)`: requests have Linux's, and other systems have others.
 *
 * @module
 */

import * as linux from "../../linux/fcntl.ts";

/** Flags that may be given; the two of a mode of access are told by their value. */
const NAMES = [
  "O_CREAT",
  "O_EXCL",
  "O_TRUNC",
  "O_APPEND",
  "O_NONBLOCK",
  "O_DSYNC",
  "O_DIRECTORY",
  "O_NOFOLLOW",
] as const satisfies (keyof typeof linux)[];

/** The bits of the mode of access, which all systems have alike. */
const ACCESS = linux.O_WRONLY | linux.O_RDWR;

/**
 * The flags of another system; what it does not have is left out.
 *
 * @param flags As Linux has them.
 * @param constants Those of the system, by the same names.
 */
export function translateFlags(
  flags: number,
  constants: Readonly<Record<string, number | undefined>>,
): number {
  let translated = flags & ACCESS;
  for (const name of NAMES) {
    if (flags & linux[name]) {
      translated |= constants[name] ?? 0;
    }
  }
  return translated;
}
