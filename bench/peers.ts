// Copyright 2026 the ioq authors. MIT license.

/**
 * Peers that are programs: in C, in Node, and fio. What is not there, or cannot be
 * built, is missing from the table, with the reason.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Run, Timed } from "./harness.ts";

/** A program that is not there, and why. */
export interface Missing {
  /** Why, in words. */
  readonly missing: string;
}

const PEERS = new URL("./peers/", import.meta.url);

/** Run a program to its end; its output, or why there is none. */
async function outputOf(command: string, args: string[]): Promise<string | Missing> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
    const decoder = new TextDecoder();
    return success ? decoder.decode(stdout) : {
      missing: `${command} fails: ${decoder.decode(stderr).trim().split("\n")[0]}`,
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { missing: `there is no ${command} here` };
    }
    throw error;
  }
}

/** Whether there is such a program here that tells its version. */
export async function isHere(command: string): Promise<boolean> {
  return typeof await outputOf(command, ["--version"]) === "string";
}

/** liburing: the static library where there is one, as for ours. */
const LIBURING: readonly string[] = ["-l:liburing.a", "-luring"];

/** Build a C program of `peers/` into a directory; its path. Of the libraries, one is needed. */
export async function buildPeer(
  name: string,
  directory: string,
  libraries: readonly string[] = LIBURING,
): Promise<string | Missing> {
  const source = fileURLToPath(new URL(`${name}.c`, PEERS));
  const target = `${directory}/${name}`;
  let built: string | Missing = "";
  for (const library of libraries) {
    built = await outputOf("cc", ["-O2", "-o", target, source, library]);
    if (typeof built === "string") {
      return target;
    }
  }
  return built;
}

/**
 * A program that answers each line of its input with the nanoseconds it took and
 * the sum it got.
 */
export class LineProgram implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  /** Start it. */
  constructor(command: string, args: string[]) {
    this.#process = new Deno.Command(command, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#lines = readLines(this.#process.stdout);
  }

  /** Give it a line, and await its answer. */
  async ask(line: string): Promise<Timed> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    const { value, done } = await this.#lines.next();
    if (done) {
      throw new Error(`A peer ended that was told: ${line}`);
    }
    const [ns, sum] = value.split(" ").map(Number);
    return { ms: ns! / 1e6, sum: sum! };
  }

  /** End it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#lines.return?.();
    await this.#process.status;
  }
}

/** The lines of a stream. */
async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** Node with a program of `peers/`. */
export async function startNode(program = "read"): Promise<LineProgram | Missing> {
  const version = await outputOf("node", ["--version"]);
  return typeof version === "string"
    ? new LineProgram("node", [fileURLToPath(new URL(`${program}.mjs`, PEERS))])
    : version;
}

/** Random reads past the page cache by fio's io_uring engine. */
export async function fioRandomRead(
  path: string,
  length: number,
  inFlight: number,
): Promise<Run | Missing> {
  const version = await outputOf("fio", ["--version"]);
  if (typeof version !== "string") {
    return version;
  }
  return async (count) => {
    const output = await outputOf("fio", [
      "--name=peer",
      `--filename=${path}`,
      "--rw=randread",
      `--bs=${length}`,
      "--direct=1",
      "--ioengine=io_uring",
      `--iodepth=${inFlight}`,
      `--number_ios=${count}`,
      "--readonly",
      // The order of the reads need not be a permutation, as ours is none
      "--norandommap",
      "--output-format=json",
    ]);
    if (typeof output !== "string") {
      throw new Error(output.missing);
    }
    const { read } = JSON.parse(output.slice(output.indexOf("{"))).jobs[0];
    // Its own clock: starting it takes longer than many samples
    return { ms: read.total_ios / read.iops * 1000, sum: count * length };
  };
}
