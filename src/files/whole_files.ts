// Copyright 2026 the ioq authors. MIT license.

/**
 * Whole files: each by one request as long as it may be copied at once, and beyond
 * that, or from a stream, by a file that is open meanwhile.
 *
 * @module
 */

import { ownOption } from "../own_option.ts";
import { hasCode, inContext } from "../linux/errors.ts";
import type { IoqFile } from "./file.ts";
import { openFile } from "./open_file.ts";
import { op } from "../operations/op.ts";
import type { AtOptions, WriteFileOptions } from "../operations/request_options.ts";
import { toCoreRequest } from "../operations/request.ts";
import type { Path } from "../path.ts";
import { limitsOf, type OperationOptions, type Runner } from "../queue/runner.ts";

/** Bytes of a file that are copied at once; longer ones are read and written in pieces. */
const WHOLE_LENGTH_MAX = 4 * 1024 * 1024;
/** Bytes of a read that looks whether a file has more than it said. */
const PROBE_LENGTH = 64 * 1024;

/** See {@linkcode PromiseForms.readFile}. */
export async function readWhole(
  ioq: Runner,
  path: Path,
  options: AtOptions & OperationOptions | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const request = toCoreRequest(op.readFile(path, options));
  request.length = WHOLE_LENGTH_MAX;
  try {
    return await ioq.run(request, options);
  } catch (error) {
    if (!hasCode(error, "EFBIG")) {
      throw error;
    }
    return await readLarge(ioq, request.path!, options ?? {}).catch((error) => {
      throw inContext(error, request.context, options?.signal);
    });
  }
}

/** Read a file that is too long to be copied at once. */
async function readLarge(
  ioq: Runner,
  path: Path,
  options: AtOptions & OperationOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const limits = limitsOf(options);
  const at = ownOption(options, "at");
  await using file = await openFile(ioq, path, {
    read: true,
    ...(at === undefined ? {} : { at }),
    ...limits,
  });
  // As ever a hint: it may grow or shrink meanwhile
  let bytes = new Uint8Array((await file.stat(limits)).size);
  const probe = new Uint8Array(PROBE_LENGTH);
  for (let done = 0;;) {
    const rest = bytes.subarray(done);
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
    done += count;
  }
}

/** See {@linkcode PromiseForms.writeFile}. */
export function writeWhole(
  ioq: Runner,
  path: Path,
  data: Uint8Array | ReadableStream<Uint8Array>,
  options: WriteFileOptions & OperationOptions = {},
): Promise<undefined> {
  if (data instanceof ReadableStream) {
    return writeStream(ioq, path, data, options);
  }
  let request;
  try {
    request = toCoreRequest(op.writeFile(path, data, options));
  } catch (error) {
    return Promise.reject(error);
  }
  return data.byteLength > WHOLE_LENGTH_MAX
    ? writeLarge(ioq, request.path!, data, options).catch((error) => {
      throw inContext(error, request.context, options.signal);
    })
    : ioq.run(request, options);
}

/** Open a file as `writeFile` does. */
async function openToWrite(
  ioq: Runner,
  path: Path,
  options: WriteFileOptions & OperationOptions,
): Promise<IoqFile> {
  const append = ownOption(options, "append");
  const create = ownOption(options, "create") ?? true;
  const createNew = ownOption(options, "createNew");
  const mode = ownOption(options, "mode");
  const at = ownOption(options, "at");
  const limits = limitsOf(options);
  const file = await openFile(ioq, path, {
    write: true,
    ...(append ? { append } : createNew ? {} : { truncate: true }),
    create,
    ...(createNew === undefined ? {} : { createNew }),
    ...(mode === undefined ? {} : { mode }),
    ...(at === undefined ? {} : { at }),
    ...limits,
  });
  try {
    if (mode !== undefined) {
      // On a file that exists, too
      await ioq.run(op.chmod(file.fd, mode), limits);
    }
    return file;
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/** Write what a stream brings to a file. */
async function writeStream(
  ioq: Runner,
  path: Path,
  stream: ReadableStream<Uint8Array>,
  options: WriteFileOptions & OperationOptions,
): Promise<undefined> {
  let file;
  try {
    file = await openToWrite(ioq, path, options);
  } catch (error) {
    await stream.cancel(error).catch(() => {});
    throw error;
  }
  const { signal } = limitsOf(options);
  // The runtime reads what its options inherit
  const how: StreamPipeOptions = Object.create(null);
  if (signal !== undefined) {
    how.signal = signal;
  }
  await stream.pipeTo(file.writable, how);
}

/** Write bytes that are too many to be copied at once. */
async function writeLarge(
  ioq: Runner,
  path: Path,
  bytes: Uint8Array,
  options: WriteFileOptions & OperationOptions,
): Promise<undefined> {
  const limits = limitsOf(options);
  await using file = await openToWrite(ioq, path, options);
  for (let done = 0; done < bytes.length;) {
    const count = await file.write(bytes.subarray(done), limits);
    if (count === 0) {
      throw new Deno.errors.WriteZero("failed to write whole buffer");
    }
    done += count;
  }
}
