// Copyright 2026 the ioq authors. MIT license.

/**
 * Error numbers of what the runtime's calls throw.
 *
 * @module
 */

import { ERRNO, UNSUPPORTED } from "../../linux/errors.ts";

/** An operation failed by an error number. */
export class Failure extends Error {
  /** Which one. */
  readonly errno: number;
  constructor(errno: number) {
    super();
    this.errno = errno;
  }
}

/** The error number of what a call has thrown. */
export function errnoOf(error: unknown): number {
  if (error instanceof Failure) {
    return error.errno;
  }
  if (error instanceof Deno.errors.NotCapable) {
    return UNSUPPORTED.permission;
  }
  const { code, message } = error as { code?: string; message?: string };
  const known = code === undefined ? undefined : ERRNO[code];
  if (known !== undefined) {
    return known;
  }
  const told = /\(os error (\d+)\)/.exec(message ?? "");
  if (told !== null) {
    return Number(told[1]);
  }
  return error instanceof RangeError ? ERRNO.ENOMEM! : ERRNO.EIO!;
}
