// Copyright 2026 the ioq authors. MIT license.

/**
 * The requests of an open file: how many are in flight, so that it is not closed under
 * them, and those that are over and wait to be used again. Nothing is as frequent as a
 * transfer, so its requests are neither made anew nor by way of `op`.
 *
 * @module
 */

import { HINT_OFFSET } from "../../ffi/layout.ts";
import { checkInteger } from "../integer.ts";
import { checkBytes } from "../operations/arguments.ts";
import { decodeIntoOrEnd } from "../operations/decode.ts";
import { CoreRequest, type Holder } from "../operations/request.ts";

/** Requests that are kept to be used again, of each kind. */
const SPARES_MAX = 256;

/** Instead of an offset: the file's own position, which then moves. */
export const OWN_POSITION = -1;

/** See the module. */
export class FileRequests implements Holder {
  /** How many are in flight. */
  count = 0;
  /** Those that are no reads. */
  others = 0;
  /** What to call when there are none left. */
  onIdle: (() => void) | undefined;
  readonly #reads: CoreRequest<"readInto", number | null>[] = [];
  readonly #writes: CoreRequest<"write">[] = [];

  /** A request is in flight from now on. */
  enter(request: CoreRequest): void {
    this.count++;
    if (request.op !== "readInto") {
      this.others++;
    }
  }

  leave(request: CoreRequest): void {
    if (request.op !== "readInto") {
      this.others--;
    }
    if (request.op === "readInto") {
      request.target = undefined;
      if (this.#reads.length < SPARES_MAX) {
        this.#reads.push(request as CoreRequest<"readInto", number | null>);
      }
    } else if (request.op === "write") {
      request.bytes = undefined;
      if (this.#writes.length < SPARES_MAX) {
        this.#writes.push(request as CoreRequest<"write">);
      }
    }
    if (--this.count === 0) {
      this.onIdle?.();
    }
  }

  /**
   * A request to read.
   *
   * @param offset Where; {@linkcode OWN_POSITION} is a place, too.
   */
  read(
    fd: number,
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
  ): CoreRequest<"readInto", number | null> {
    const request = this.#reads.pop() ?? makeRead(fd);
    request.target = buffer;
    request.length = buffer.byteLength;
    place(request, offset);
    return request;
  }

  /** A request to write. */
  write(fd: number, bytes: Uint8Array, offset: number): CoreRequest<"write"> {
    const request = this.#writes.pop() ?? makeWrite(fd);
    request.bytes = bytes;
    request.length = bytes.byteLength;
    place(request, offset);
    return request;
  }
}

/** Holds what needs no holder: a file's own closing. */
export const NOBODY: Holder = { leave() {} };

function makeRead(fd: number): CoreRequest<"readInto", number | null> {
  const request = new CoreRequest("readInto").readBy(decodeIntoOrEnd);
  request.fd = fd;
  return request;
}

function makeWrite(fd: number): CoreRequest<"write"> {
  const request = new CoreRequest("write");
  request.fd = fd;
  return request;
}

/** Have a transfer take place somewhere. */
function place(request: CoreRequest, offset: number): void {
  if (offset === OWN_POSITION) {
    request.hints = 0;
  } else {
    request.offset = offset;
    request.hints = HINT_OFFSET;
  }
}

/** Check what is to be read into. */
export function checkBuffer(buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  checkBytes(buffer, "buffer");
  return buffer;
}

/** Check an offset that must be given. */
export function checkedOffset(offset: number): number {
  return checkInteger(offset, "offset", 0, Number.MAX_SAFE_INTEGER);
}
