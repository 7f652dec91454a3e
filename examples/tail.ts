// Copyright 2026 the ioq authors. MIT license.

/**
 * The end of a file, and what is appended to it from then on, as `tail -F` does:
 *
 *     deno run --allow-ffi --allow-read examples/tail.ts [-n LINES] FILE
 *
 * A file that is truncated is followed from its start; one that is replaced, as
 * log rotation does, is read to its end, and then the new one from its start. The
 * file is looked at every 100 ms: a stat through the queue costs microseconds, and
 * works on file systems that tell nobody of changes.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Ioq, type IoqFile } from "@ioq/ioq";

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Where the last lines of a file begin, read from its end backwards. */
async function findLastLines(file: IoqFile, size: number, lines: number): Promise<number> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  // The file's last newline ends its last line and begins none
  let end = size - 1;
  for (let left = lines; end > 0 && left > 0;) {
    const start = Math.max(0, end - chunk.length);
    const count = await file.readAt(chunk.subarray(0, end - start), start) ?? 0;
    for (let at = count; at > 0;) {
      at = chunk.lastIndexOf(NEWLINE, at - 1);
      if (at >= 0 && --left === 0) {
        return start + at + 1;
      }
    }
    end = start;
  }
  return lines === 0 ? size : 0;
}

/** How to follow a file. */
export interface FollowOptions {
  /** How many lines of what is there already come first. */
  lines: number;
  /** Ends it; so does cancelling the task, if a task's handle is what it goes through. */
  signal?: AbortSignal;
  /** How often to look. */
  intervalMs?: number;
}

/** A queue, or the handle of a task. */
export type Files = Pick<Ioq, "openFile" | "stat" | "sleep">;

/** What may be missing for a moment, while a file is being replaced. */
async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return undefined;
    }
    throw error;
  }
}

/**
 * The last lines of a file and all that is appended to it, until the signal fires.
 * The bytes are valid until the next are asked for; none tell that the file, or the
 * one that has taken its place, begins anew.
 */
export async function* follow(
  files: Files,
  path: string,
  { lines, signal, intervalMs = 100 }: FollowOptions,
): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  let file = await files.openFile(path);
  try {
    let { ino, dev, size } = await file.stat();
    let position = await findLastLines(file, size, lines);
    while (!signal?.aborted) {
      const count = await file.readAt(chunk, position);
      if (count !== null) {
        position += count;
        yield chunk.subarray(0, count);
        continue;
      }
      // At the end. Has it become another file, or shorter?
      const now = await unlessMissing(files.stat(path));
      if (now !== undefined && (now.ino !== ino || now.dev !== dev)) {
        if ((await file.stat()).size > position) {
          continue; // something was appended before it was replaced
        }
        const next = await unlessMissing(files.openFile(path));
        if (next !== undefined) {
          await file.close();
          file = next;
          ({ ino, dev } = await file.stat());
          position = 0;
          yield chunk.subarray(0, 0);
          continue;
        }
      }
      ({ size } = await file.stat());
      if (size < position) {
        position = 0;
        yield chunk.subarray(0, 0);
      }
      try {
        await files.sleep(intervalMs, signal === undefined ? {} : { signal });
      } catch (error) {
        if (!signal?.aborted) {
          throw error;
        }
      }
    }
  } finally {
    await file.close();
  }
}

if (import.meta.main) {
  const { values, positionals: [path] } = parseArgs({
    options: { lines: { type: "string", short: "n", default: "10" } },
    allowPositionals: true,
  });
  if (path === undefined || !/^\d+$/.test(values.lines)) {
    console.error("Usage: tail.ts [-n LINES] FILE");
    Deno.exit(2);
  }
  const stop = new AbortController();
  Deno.addSignalListener("SIGINT", () => stop.abort());
  try {
    await using ioq = await Ioq.open({ depth: 8 });
    for await (
      const bytes of follow(ioq, path, { lines: Number(values.lines), signal: stop.signal })
    ) {
      for (let done = 0; done < bytes.length;) {
        done += await Deno.stdout.write(bytes.subarray(done));
      }
    }
  } catch (error) {
    console.error(`tail: ${error instanceof Error ? error.message : error}`);
    Deno.exitCode = 1;
  }
}
