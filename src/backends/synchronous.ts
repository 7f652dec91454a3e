// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests that run on the caller's thread, past the queue: what the synchronous
 * members of files are made of. A call holds the thread up for as long as it takes,
 * and takes no slot.
 *
 * @module
 */

import { byteLengthOf, checkThere, copyInto, goneError, plainBytes } from "../byte_length.ts";
import * as layout from "../../ffi/layout.ts";
import type { Payload } from "../operations/payload.ts";
import { osError } from "../linux/errors.ts";
import { admit } from "../operations/admission.ts";
import { CoreRequest } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";
import { encodePath, pathBound } from "../path.ts";
import { writeRecord } from "./request_record.ts";
import type { Executor, RawMode } from "./worker/executor.ts";

const NONE: readonly Uint8Array[] = [];
const NOTHING = new Uint8Array();
/** What the kernel puts behind the path of what has none any more. */
const DELETED = " (deleted)";
/** Payloads up to this many bytes are at hand as words. */
const SMALL = 1024;

/** What an executor's last request produced. */
export class ExecutorPayload implements Payload {
  readonly words: Int32Array = new Int32Array(SMALL / 4);
  readonly at = 0;
  length = 0;
  readonly #small = new Uint8Array(this.words.buffer);
  readonly #executor: Executor;
  #whole: Uint8Array | undefined;

  /** @param executor What runs the requests. */
  constructor(executor: Executor) {
    this.#executor = executor;
  }

  /** Have it at hand. */
  load(): void {
    this.#whole = undefined;
    this.length = this.#executor.length;
    if (this.length > 0 && this.length <= SMALL) {
      this.#executor.take(this.#small.subarray(0, this.length));
    }
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.length);
    this.take(bytes);
    return bytes;
  }

  take(target: Uint8Array<ArrayBuffer>): void {
    if (this.length <= SMALL) {
      copyInto(target, this.#small.subarray(0, Math.min(this.length, byteLengthOf(target))));
    } else {
      this.#executor.take(target);
    }
  }

  takePart(at: number, target: Uint8Array<ArrayBuffer>): void {
    this.#whole ??= this.bytes();
    copyInto(target, this.#whole.subarray(at, at + byteLengthOf(target)));
  }
}

/** A request as an executor takes it. */
export interface EncodedRequest {
  /** Its record. */
  readonly record: Int32Array;
  /** Its paths and what it writes. */
  readonly input: Uint8Array;
}

/**
 * A request's record, and its paths and bytes as one.
 *
 * @throws {TypeError} If its bytes have gone.
 */
export function encodeRequest(request: CoreRequest): EncodedRequest {
  const { path, path2 } = request;
  const length = writtenLength(request);
  const record = new Int32Array(layout.REQUEST_SIZE / 4);
  const bound = (path === undefined ? 0 : pathBound(path)) +
    (path2 === undefined ? 0 : pathBound(path2));
  const room = new Uint8Array(bound + length);
  const used = writeInput(record, 0, request, room, 0);
  return { record, input: room.subarray(0, used) };
}

/**
 * How many bytes a request writes.
 *
 * @throws {TypeError} If they have gone.
 */
export function writtenLength({ bytes, sources, length }: CoreRequest): number {
  if (bytes !== undefined) {
    checkThere(bytes, length);
    return length;
  }
  if (sources === undefined) {
    return 0;
  }
  let there = 0;
  for (const part of sources) {
    there += byteLengthOf(part);
  }
  if (there !== length) {
    throw goneError();
  }
  return length;
}

/** Write a record, and the input behind it; returns how many bytes that has. */
export function writeInput(
  words: Int32Array,
  at: number,
  request: CoreRequest,
  into: Uint8Array,
  start: number,
): number {
  const { path, path2, bytes, sources } = request;
  writeRecord(words, at, request);
  const length = path === undefined ? 0 : encodePath(path, into, start);
  let used = length > layout.PATH_MAX ? 0 : length;
  const length2 = path2 === undefined ? 0 : encodePath(path2, into, start + used);
  used += length2 > layout.PATH_MAX ? 0 : length2;
  words[at + layout.REQUEST_PATH] = 0;
  words[at + layout.REQUEST_PATH_LENGTH] = length;
  words[at + layout.REQUEST_PATH2_LENGTH] = length2;
  if (bytes === undefined && sources === undefined) {
    return used;
  }
  for (const part of bytes === undefined ? sources ?? NONE : [bytes]) {
    // They may have become more since the request was made, or may never have been there
    const there = byteLengthOf(part);
    const most = bytes === undefined ? there : request.length;
    if (most > 0) {
      into.set(there > most ? plainBytes(part).subarray(0, most) : part, start + used);
    }
    used += most;
  }
  return used;
}

/** Says why a request cannot be run, as a number, or 0. */
export type Refuse = (request: CoreRequest) => number;

/** Runs requests at once. */
export class SynchronousCalls {
  readonly #executor: Executor;
  readonly #refuse: Refuse;
  readonly #payload: ExecutorPayload;
  /** The record of requests without paths, whose input is what they write. */
  readonly #record = new Int32Array(layout.REQUEST_SIZE / 4);

  /**
   * @param executor What runs them; closed with this.
   * @param refuse What it cannot run.
   */
  constructor(executor: Executor, refuse: Refuse) {
    this.#executor = executor;
    this.#refuse = refuse;
    this.#payload = new ExecutorPayload(executor);
  }

  /**
   * Run a request to its end.
   *
   * @returns What the operation resolves to.
   * @throws What its promise would reject with.
   */
  run<V>(request: CoreRequest<OpName, V>): V {
    const admitted = admit(request, (fd, last) => this.findPath(fd, last));
    try {
      return this.#perform(admitted as CoreRequest<OpName, V>);
    } finally {
      if (admitted.holder !== request.holder) {
        admitted.leaveHolder();
      }
    }
  }

  #perform<V>(request: CoreRequest<OpName, V>): V {
    const refusal = this.#refuse(request);
    if (refusal !== 0) {
      throw osError(refusal, request.context);
    }
    let record: Int32Array = this.#record;
    let input: Uint8Array = NOTHING;
    if (request.path === undefined && request.sources === undefined) {
      // A transfer, or another that only needs its record: nothing is copied here
      writtenLength(request);
      writeRecord(record, 0, request);
      if (request.bytes !== undefined) {
        input = plainBytes(request.bytes).subarray(0, request.length);
      }
    } else {
      ({ record, input } = encodeRequest(request));
    }
    const result = this.#executor.perform(record, 0, input, 0, input.length);
    if (result < 0) {
      throw osError(-result, request.context);
    }
    this.#payload.load();
    return request.decode(result, this.#payload, request);
  }

  /**
   * The path of a descriptor's file, if it has one and `/proc` is there to tell.
   *
   * @param last Whether to tell that of a file, too, whose name is gone.
   */
  findPath(fd: number, last = false): string | undefined {
    const path = `/proc/self/fd/${fd}`;
    let found;
    try {
      found = this.#perform(new CoreRequest("readLink", { path, trusted: true }));
    } catch {
      return undefined;
    }
    // Pipes and the like have names of another kind; bytes that no text stands for
    // would be another path; and what is deleted is nowhere
    const isPath = found.startsWith("/") && !found.includes("\ufffd");
    if (isPath && found.endsWith(DELETED)) {
      return last ? found.slice(0, -DELETED.length) : undefined;
    }
    return isPath ? found : undefined;
  }

  /** See {@linkcode Executor.isTerminal}. */
  isTerminal(fd: number): boolean {
    return this.#executor.isTerminal(fd);
  }

  /** Set the mode of a terminal, see {@linkcode Executor.setRaw}. */
  setRaw(fd: number, mode: RawMode, state: Uint8Array<ArrayBuffer>): void {
    const result = this.#executor.setRaw(fd, mode, state);
    if (result < 0) {
      throw osError(-result, `setRaw file descriptor ${fd}`);
    }
  }

  /** Release everything. */
  close(): void {
    this.#executor.close();
  }
}
