// Copyright 2026 the ioq authors. MIT license.

/**
 * A large file from begin to end. An operation is the whole file.
 *
 * @module
 */

import type { Ioq, IoqFile } from "@ioq/ioq";
import { type Case, peer, type Run, subject } from "../../harness.ts";
import { sideBySide } from "../../side_by_side.ts";
import { LARGE_LENGTH } from "./large_file.ts";

/** Its table. */
export const SEQUENTIAL = "read 1 GiB from begin to end";
const SMALL_CHUNK = 64 * 1024;
const LARGE_CHUNK = 1024 * 1024;

async function readChunks(file: IoqFile, chunk: number, inFlight: number): Promise<number> {
  let next = 0;
  return await sideBySide(inFlight, async () => {
    const buffer = new Uint8Array(chunk);
    let sum = 0;
    while (next < LARGE_LENGTH) {
      const offset = next;
      next += chunk;
      sum += (await file.readAt(buffer, offset))!;
    }
    return sum;
  });
}

/** The same into memory of the library's, which takes no copying. */
async function readChunksAllocated(
  ioq: Ioq,
  file: IoqFile,
  chunk: number,
  inFlight: number,
): Promise<number> {
  let next = 0;
  return await sideBySide(inFlight, async () => {
    using buffer = ioq.allocate(chunk);
    let sum = 0;
    while (next < LARGE_LENGTH) {
      const offset = next;
      next += chunk;
      sum += (await file.readAt(buffer.bytes, offset))!;
    }
    return sum;
  });
}

async function readStream(stream: ReadableStream<Uint8Array>): Promise<number> {
  let sum = 0;
  for await (const chunk of stream) {
    sum += chunk.length;
  }
  return sum;
}

async function readFsFileChunks(path: string, chunk: number): Promise<number> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(chunk);
  let sum = 0;
  for (let count; (count = await file.read(buffer)) !== null;) {
    sum += count;
  }
  return sum;
}

function readFsFileChunksSync(path: string, chunk: number): number {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(chunk);
  let sum = 0;
  for (let count; (count = file.readSync(buffer)) !== null;) {
    sum += count;
  }
  return sum;
}

async function cat(path: string): Promise<number> {
  const { success } = await new Deno.Command("cat", { args: [path], stdout: "null" }).output();
  if (!success) {
    throw new Error("cat failed");
  }
  return LARGE_LENGTH;
}

/** A run that does the whole several times. */
function whole(once: () => number | Promise<number>): Run {
  return async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += await once();
    }
    return sum;
  };
}

/** Read it all. */
export function sequentialCase(ioq: Ioq, large: string, cached: IoqFile): Case {
  return {
    group: SEQUENTIAL,
    inFlight: 1,
    effort: { rounds: 3, sampleMs: 0, warmRuns: 0, verifyOperations: 1 },
    runners: [
      subject("64 KiB, 8 at once", whole(() => readChunks(cached, SMALL_CHUNK, 8))),
      subject("1 MiB, 4 at once", whole(() => readChunks(cached, LARGE_CHUNK, 4))),
      subject(
        "1 MiB, 4 at once, allocate()",
        whole(() => readChunksAllocated(ioq, cached, LARGE_CHUNK, 4)),
      ),
      subject(
        "readable",
        whole(async () => await readStream((await ioq.openFile(large)).readable)),
      ),
      peer("FsFile 64 KiB", whole(() => readFsFileChunks(large, SMALL_CHUNK))),
      peer("FsFile 1 MiB", whole(() => readFsFileChunks(large, LARGE_CHUNK))),
      peer("readSync 1 MiB", whole(() => readFsFileChunksSync(large, LARGE_CHUNK))),
      peer("Deno stream", whole(async () => await readStream((await Deno.open(large)).readable))),
      peer("Deno.readFile", whole(async () => (await Deno.readFile(large)).length)),
      peer("cat", whole(() => cat(large))),
    ],
  };
}
