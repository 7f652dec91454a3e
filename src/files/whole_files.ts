// Copyright 2026 the ioq authors. MIT license.

/**
 * Whole files: each by one request as long as it may be copied at once, and beyond
 * that, or from a stream, by a file that is open meanwhile.
 *
 * @module
 */

import { withLenientMode } from "../lenient.ts";
import { ownOption } from "../own_option.ts";
import { onAbort } from "../signal.ts";
import { TRANSFER_MAX } from "../../ffi/layout.ts";
import { giveRoom, KeptBytes, takeRoom } from "../kept_bytes.ts";
import { checkInteger } from "../integer.ts";
import { ERRNO, hasCode, inContext, osError, showCaller } from "../linux/errors.ts";
import { checkedLength } from "../operations/arguments.ts";
import { openFile } from "./open_file.ts";
import { LateModule } from "../late.ts";
import { op } from "../operations/op.ts";
import type { AtOptions, WriteFileOptions } from "../operations/request_options.ts";
import { type CoreRequest, toCoreRequest } from "../operations/request.ts";
import { type Path, pathText, toPath } from "../path.ts";
import { CallEnd } from "../queue/call_end.ts";
import { coreOf, type OperationOptions, type Runner, runOn } from "../queue/runner.ts";

const WRITTEN_FILE = new LateModule(() => import("./written_file.ts"));

/**
 * Bytes of a file that are copied at once. Longer ones are read in pieces, and written so if there
 * is no room to copy them.
 */
const WHOLE_LENGTH_MAX = 4 * 1024 * 1024;
/** Bytes of a read that looks whether a file has more than it said. */
const PROBE_LENGTH = 64 * 1024;
/** The same of one that gave all that it was asked for. */
const PROBE_LENGTH_MAX = 2 * 1024 * 1024;

/**
 * Options of reading a whole file.
 *
 * @category Files
 */
export interface ReadFileOptions extends AtOptions, OperationOptions {
  /**
   * How many bytes it may have: what has more rejects with an error whose code is
   * `EFBIG`, without being read to its end. For what may be endless, such as
   * `/dev/zero`.
   *
   * @default {Infinity}
   */
  maxBytes?: number | undefined;
}

/** Check how many bytes a file may have. */
export function checkMaxBytes(maxBytes: number | undefined): number {
  return maxBytes === undefined || maxBytes === Infinity
    ? Infinity
    : checkInteger(maxBytes, "maxBytes", 0, Number.MAX_SAFE_INTEGER);
}

/** See {@linkcode PromiseForms.readFile}. */
export async function readWhole(
  ioq: Runner,
  path: Path,
  options: ReadFileOptions | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const maxBytes = checkMaxBytes(ownOption(options, "maxBytes"));
  const request = wholeRequest(path, options, maxBytes);
  const start = performance.now();
  try {
    const bytes = await runOn(ioq, request, options);
    if (bytes.length > maxBytes) {
      throw osError(ERRNO.EFBIG!, request.context);
    }
    return bytes;
  } catch (error) {
    if (!hasCode(error, "EFBIG") || maxBytes <= WHOLE_LENGTH_MAX) {
      throw error;
    }
    return await readInTurn(ioq, request, options, maxBytes, start);
  }
}

/** A request for a whole file that fails with EFBIG if it is to be read in pieces. */
export function wholeRequest(
  path: Path,
  options: AtOptions | undefined,
  maxBytes: number,
): CoreRequest<"readFile", Uint8Array<ArrayBuffer>> {
  const request = toCoreRequest(op.readFile(path, options));
  request.length = Math.max(1, Math.min(WHOLE_LENGTH_MAX, maxBytes));
  if (maxBytes < TRANSFER_MAX) {
    request.arg0 = Math.max(1, maxBytes);
  }
  return request;
}

/**
 * Read what {@linkcode wholeRequest} found to be too long, piece by piece.
 *
 * @param start When the call began, as `performance.now()` has it.
 */
export function readInTurn(
  ioq: Runner,
  request: CoreRequest,
  options: (AtOptions & OperationOptions) | undefined,
  maxBytes: number,
  start?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return asOne(
    ioq,
    request.context,
    options,
    (limits) => readLarge(ioq, request.path!, { ...options, ...limits }, maxBytes),
    start,
  );
}

/**
 * Do something that takes several requests, and has one signal, one time limit, one end
 * and one context for its errors.
 */
async function asOne<V>(
  ioq: Runner,
  context: string,
  options: OperationOptions | undefined,
  work: (limits: OperationOptions) => Promise<V>,
  start?: number,
): Promise<V> {
  const { scopes } = coreOf(ioq);
  using end = new CallEnd(ioq, options, context, start);
  try {
    scopes.enter(end);
    return await work(end.limits);
  } catch (error) {
    const told = inContext(error, context, end.signal);
    showCaller(told, asOne);
    throw told;
  } finally {
    scopes.leave(end);
  }
}

/** Read a file that is too long to be copied at once. */
async function readLarge(
  ioq: Runner,
  path: Path,
  options: AtOptions & OperationOptions,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const limits = { signal: ownOption(options, "signal") };
  const at = ownOption(options, "at");
  await using file = await openFile(ioq, path, {
    read: true,
    ...(at === undefined ? {} : { at }),
    ...limits,
  });
  // As ever a hint: it may grow or shrink meanwhile
  const { size } = await file.stat(limits);
  if (size > maxBytes) {
    throw osError(ERRNO.EFBIG!, "read");
  }
  let bytes = new Uint8Array(size);
  // Of what has more than it said nobody knows how much a read gives. Several at once would have
  // files that are made on the fly begin at their first byte each time
  let probe = new Uint8Array(PROBE_LENGTH);
  for (let done = 0;;) {
    const end = done < size ? size : done + probe.length;
    const rest = bytes.subarray(done, end);
    const count = await file.readAt(rest.length > 0 ? rest : probe, done, limits);
    if (count === null) {
      return done === bytes.length ? bytes : bytes.slice(0, done);
    }
    if (rest.length === 0) {
      const more = new Uint8Array(Math.max(bytes.length * 2, done + count));
      more.set(bytes);
      more.set(probe.subarray(0, count), done);
      bytes = more;
    }
    if (count === probe.length && count < PROBE_LENGTH_MAX) {
      probe = new Uint8Array(2 * count);
    }
    done += count;
    if (done > maxBytes) {
      throw osError(ERRNO.EFBIG!, "read");
    }
  }
}

/** See {@linkcode PromiseForms.writeFile}. */
export function writeWhole(
  ioq: Runner,
  path: Path,
  data: Uint8Array | ReadableStream<Uint8Array>,
  given?: WriteFileOptions & OperationOptions | null,
): Promise<undefined> {
  const options = withLenientMode(given) ?? {};
  if (data instanceof ReadableStream) {
    return writeStream(ioq, path, data, options);
  }
  let request: CoreRequest<"writeFile", undefined>;
  try {
    const length = checkedLength(data, "data");
    if (length <= WHOLE_LENGTH_MAX) {
      return runOn(ioq, toCoreRequest(op.writeFile(path, data, options)), options);
    }
    if (takeRoom(length)) {
      // By one request as well: all is copied at the call, whatever becomes of the buffer
      return writeAtOnce(ioq, path, data, options, length);
    }
    // What is longer is written by several requests
    request = toCoreRequest(op.writeFile(path, new Uint8Array(), options));
  } catch (error) {
    return Promise.reject(error);
  }
  const kept = new KeptBytes(data, false);
  return asOne(
    ioq,
    request.context,
    options,
    async (limits) => {
      const { writeChunk, writeInto } = WRITTEN_FILE.loaded ?? await WRITTEN_FILE.load();
      // Before the file is emptied
      kept.part();
      return await writeInto(
        ioq,
        request.path!,
        options,
        { limits, changesMode: true },
        (write) => writeChunk(kept.part(), write),
      );
    },
  );
}

/** Write a file by one request, for whose copy there is room. */
async function writeAtOnce(
  ioq: Runner,
  path: Path,
  data: Uint8Array,
  options: WriteFileOptions & OperationOptions,
  length: number,
): Promise<undefined> {
  try {
    return await runOn(ioq, toCoreRequest(op.writeFile(path, data, options)), options);
  } finally {
    giveRoom(length);
  }
}

/**
 * Write what a stream brings to a file. The signal and the time limit end the waiting for
 * the stream as well as that for the file.
 */
async function writeStream(
  ioq: Runner,
  path: Path,
  stream: ReadableStream<Uint8Array>,
  options: WriteFileOptions & OperationOptions,
): Promise<undefined> {
  // Before the file is emptied
  const reader = stream.getReader();
  const { scopes } = coreOf(ioq);
  let end: CallEnd | undefined;
  try {
    end = new CallEnd(ioq, options, `writefile '${pathText(toPath(path, "writefile"))}'`);
    scopes.enter(end);
    const { limits, signal } = end;
    // What relative paths mean now, they mean then
    const request = toCoreRequest(op.writeFile(path, new Uint8Array(), options));
    const { bytesOf, writeChunk, writeInto } = WRITTEN_FILE.loaded ?? await WRITTEN_FILE.load();
    // As with Deno, what brings its bytes does not change the mode of a file that exists
    const how = { limits, changesMode: false };
    return await writeInto(ioq, request.path!, options, how, async (write) => {
      for (;;) {
        const { done, value } = await unlessAborted(reader.read(), signal);
        if (done) {
          return;
        }
        await writeChunk(bytesOf(value), write);
      }
    });
  } catch (error) {
    // Whoever brings the bytes may never answer
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    reader.releaseLock();
    if (end !== undefined) {
      scopes.leave(end);
      end[Symbol.dispose]();
    }
  }
}

/** What a promise resolves to, unless a signal is aborted before. */
export async function unlessAborted<V>(promise: Promise<V>, signal: AbortSignal): Promise<V> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    onAbort(signal, abort);
  });
  promise.catch(() => {});
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort!);
  }
}
