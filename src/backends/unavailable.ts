// Copyright 2026 the ioq authors. MIT license.

/**
 * What is told when a backend, or the library that it needs, cannot be had.
 *
 * @module
 */

import { type Library, LibraryError, loadLibrary } from "../../ffi/library.ts";
import { errnoCode } from "../linux/errors.ts";
import { NativeOpenError } from "./native.ts";

/** A backend cannot be had: in the words and with the code of the cause. */
export class Unavailable extends Deno.errors.NotSupported {
  readonly code?: string;
  readonly errno?: number;

  constructor(message: string, cause: Error) {
    super(message, { cause });
    if (cause instanceof NativeOpenError) {
      this.code = errnoCode(cause.errno);
      this.errno = cause.errno;
    }
  }
}

/** Load the library, if it can be. */
export function tryLibrary(path: string | undefined): Library | LibraryError {
  try {
    return loadLibrary(path);
  } catch (error) {
    if (error instanceof LibraryError) {
      return error;
    }
    throw error;
  }
}
