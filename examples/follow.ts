// Copyright 2026 the ioq authors. MIT license.

/**
 * What is appended to several logs, line by line as it comes, each with the name of
 * its file. A task follows each file, as `tail.ts` does it for one; another prints
 * what they hand over. The first that fails ends them all, and so does Ctrl-C.
 *
 *     deno run -A examples/follow.ts FILE…
 *
 * @module
 */

import { Canceled, EventLoop, type Io, Queue } from "@ioq/ioq/loop";
import { follow as tail } from "./tail.ts";

const NEWLINE = 0x0a;

/** A line of a file. */
export interface Line {
  readonly path: string;
  readonly text: string;
}

/** Hand over the lines that are appended to a file, until the task is cancelled. */
export async function follow(
  io: Io,
  path: string,
  lines: Queue<Line>,
  intervalMs: number = 100,
): Promise<void> {
  const decoder = new TextDecoder();
  let line = "";
  // Every operation is the task's: cancelling that ends the loop and closes the file
  for await (const bytes of tail(io, path, { lines: 0, intervalMs })) {
    if (bytes.length === 0) {
      decoder.decode();
      line = "";
    }
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline;
      line += decoder.decode(bytes.subarray(start, end), { stream: newline < 0 });
      if (newline >= 0) {
        await lines.put(io, { path, text: line });
        line = "";
      }
      start = end + 1;
    }
  }
}

/** Follow files until one fails or someone interrupts; the exit code. */
async function main(paths: string[]): Promise<number> {
  if (paths.length === 0) {
    console.error("Usage: follow.ts FILE…");
    return 2;
  }
  await using loop = await EventLoop.open();
  // Bounded: who writes faster than this prints waits in the file
  const lines = new Queue<Line>(64);
  const all = loop.async(async (io) => {
    await using group = loop.group();
    for (const path of paths) {
      group.async((io) => follow(io, path, lines));
    }
    group.async(async (io) => {
      for await (const { path, text } of lines.values(io)) {
        console.log(`${path}: ${text}`);
      }
    });
    await group.wait(io);
  });
  const interrupt = () => void all.cancel();
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    await all;
    return 0;
  } catch (error) {
    if (error instanceof Canceled) {
      return 130;
    }
    console.error(`follow: ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args);
}
