// Copyright 2026 the ioq authors. MIT license.

/**
 * A whole file that is written in pieces: as they come, or because there is more than is
 * copied at once.
 *
 *     in place   open, truncate ──▶ pieces ──▶ (sync) ──▶ close ──▶ (sync the folder)
 *     atomic     temporary file ──▶ pieces ──▶ it takes the name, or is forgotten ──▶ close
 *
 * A temporary file is removed whatever happens to the queue, on this thread if need be;
 * and where the library is not there to make one, the pieces are gathered and written by
 * one request.
 *
 * @module
 */

import { REPLACE_FORGET, REPLACE_SYNC, REPLACE_TAKE } from "../../ffi/layout.ts";
import { hasCode } from "../linux/errors.ts";
import { op } from "../operations/op.ts";
import { beginReplacing, endReplacing, isAtomic } from "../operations/replace.ts";
import { toCoreRequest } from "../operations/request.ts";
import type { WriteFileOptions } from "../operations/request_options.ts";
import { ownOptions } from "../own_option.ts";
import type { Path } from "../path.ts";
import { coreOf, type OperationOptions, type Runner, runOn } from "../queue/runner.ts";
import type { IoqFile } from "./file.ts";
import { openFile } from "./open_file.ts";
import { PIECE_LENGTH } from "./pieces.ts";

export { bytesOf, writeChunk } from "./writable.ts";

/** Writes some bytes behind what was written before; resolves to how many. */
export type WritePiece = (bytes: Uint8Array) => Promise<number>;

/** How a file is written, beside the caller's options. */
export interface Writing {
  /** What ends each of its requests. */
  readonly limits: OperationOptions;
  /** Whether a file that exists is given the mode. */
  readonly changesMode: boolean;
}

/**
 * Write a file.
 *
 * @param how What ends it, and what it changes.
 * @param produce Writes all that is to be in it.
 */
export async function writeInto(
  ioq: Runner,
  path: Path,
  options: WriteFileOptions,
  how: Writing,
  produce: (write: WritePiece) => Promise<void>,
): Promise<undefined> {
  // Getters are called once
  const all = ownOptions(options);
  return isAtomic(all)
    ? await replaceInPieces(ioq, path, all, how, produce)
    : await writeInPlace(ioq, path, all, how, produce);
}

/** Open a file as `writeFile` does. */
async function openToWrite(
  ioq: Runner,
  path: Path,
  options: WriteFileOptions,
  how: Writing,
): Promise<IoqFile> {
  const { mode, at } = options;
  const append = options.append === true;
  const createNew = options.createNew === true;
  const file = await openFile(ioq, path, {
    write: true,
    ...(append ? { append } : createNew ? {} : { truncate: true }),
    create: (options.create ?? true) === true,
    createNew,
    ...(mode === undefined ? {} : { mode }),
    ...(at === undefined ? {} : { at }),
    ...how.limits,
  });
  try {
    if (mode !== undefined && how.changesMode) {
      // On a file that exists, too
      await runOn(ioq, op.chmod(file.fd, mode), how.limits);
    }
    return file;
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function writeInPlace(
  ioq: Runner,
  path: Path,
  options: WriteFileOptions,
  how: Writing,
  produce: (write: WritePiece) => Promise<void>,
): Promise<undefined> {
  await using file = await openToWrite(ioq, path, options, how);
  await produce((bytes) => file.write(bytes, how.limits));
  if (options.durable !== true) {
    return;
  }
  try {
    await file.sync(how.limits);
  } catch (error) {
    if (!hasCode(error, "EINVAL")) {
      throw error;
    }
    // Pipes and terminals have nothing to sync
    return;
  }
  await runOn(ioq, endReplacing(path, options, false, -1, REPLACE_SYNC), how.limits);
}

async function replaceInPieces(
  ioq: Runner,
  path: Path,
  options: WriteFileOptions,
  how: Writing,
  produce: (write: WritePiece) => Promise<void>,
): Promise<undefined> {
  let fd: number;
  try {
    fd = await runOn(ioq, beginReplacing(path, options, how.changesMode), how.limits);
  } catch (error) {
    if (!hasCode(error, "ENOTSUP")) {
      throw error;
    }
    return await gather(ioq, path, options, how, produce);
  }
  const { scopes } = coreOf(ioq);
  const scope = { context: `close file descriptor ${fd}` };
  let taken = false;
  try {
    let offset = 0;
    await produce(async (bytes) => {
      const write = toCoreRequest(op.write(fd, bytes.subarray(0, PIECE_LENGTH), offset));
      // Nobody else may use that file
      write.trusted = true;
      const count = await runOn(ioq, write, how.limits);
      offset += count;
      return count;
    });
    const take = endReplacing(path, options, how.changesMode, fd, REPLACE_TAKE);
    await runOn(ioq, take, how.limits);
    taken = true;
  } finally {
    scopes.hold(scope);
    try {
      if (!taken) {
        forget(ioq, path, options, fd);
      }
      const close = toCoreRequest(op.close(fd));
      close.trusted = true;
      await runOn(ioq, close);
    } finally {
      scopes.leave(scope);
    }
  }
}

/** Remove a temporary file at once: the queue may accept nothing any more. */
function forget(ioq: Runner, path: Path, options: WriteFileOptions, fd: number): void {
  try {
    const request = endReplacing(path, options, false, fd, REPLACE_FORGET);
    // It was allowed when the file was made
    request.trusted = true;
    coreOf(ioq).synchronous().run(request);
  } catch {
    // Whoever writes that file next removes it
  }
}

/** Write what comes in pieces by one request. */
async function gather(
  ioq: Runner,
  path: Path,
  options: WriteFileOptions,
  how: Writing,
  produce: (write: WritePiece) => Promise<void>,
): Promise<undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  await produce((bytes) => {
    pieces.push(bytes.slice());
    length += bytes.length;
    return Promise.resolve(bytes.length);
  });
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  const request = toCoreRequest(op.writeFile(path, all, options));
  request.arg0 &= Number(how.changesMode);
  return await runOn(ioq, request, how.limits);
}
