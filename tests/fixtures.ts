// Copyright 2026 the ioq authors. MIT license.

/** What tests need around the queue: files, processes, and what `/proc` knows. */

import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Completion, OpName, OpValues } from "../mod.ts";

/** The module under test, for the scripts of subprocesses. */
export const MOD: string = new URL("../mod.ts", import.meta.url).href;

/** The event loop under test, likewise. */
export const LOOP_MOD: string = new URL("../src/loop/mod.ts", import.meta.url).href;

/** The native library under test. */
export const LIBRARY: string = Deno.env.get("IOQ_LIBRARY") ??
  fileURLToPath(new URL("../native/build/libioq.so", import.meta.url));

/** A directory that is removed with all that is in it. */
export class TempDir implements Disposable {
  /** Its path, without symbolic links. */
  readonly path: string = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "ioq-" }));

  /** The path of something in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Make a file in it. */
  file(name: string, text = ""): string {
    const path = this.at(name);
    Deno.writeTextFileSync(path, text);
    return path;
  }

  /** Make a named pipe in it. */
  fifo(name: string): string {
    const path = this.at(name);
    const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
    assertEquals(success, true, "mkfifo");
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Text of bytes. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Wait some milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Reject if a promise does not settle in time: a test that would hang fails instead. */
export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let timer;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Wait until something holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) {
      throw new Error(`${what}: not within 10 s`);
    }
    await sleep(1);
  }
}

/** What the process's descriptors refer to, by number. */
export function descriptors(): Map<number, string> {
  const found = new Map<number, string>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      found.set(Number(name), Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch {
      // The one that listed them
    }
  }
  return found;
}

/** How many descriptors refer to something under a path. */
export function descriptorsUnder(path: string): number {
  return [...descriptors().values()].filter((target) => target.startsWith(path)).length;
}

/** Worker lanes of this process, all queues together. */
export function laneThreads(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      const comm = Deno.readTextFileSync(`/proc/self/task/${name}/comm`);
      count += Number(/^ioq-\d+\n$/.test(comm));
    } catch {
      // It has just ended
    }
  }
  return count;
}

/** Whether the native library is mapped. */
export function isMapped(): boolean {
  return Deno.readTextFileSync("/proc/self/maps").includes(LIBRARY);
}

/** What became of a subprocess. */
export interface Outcome {
  /** Its exit code, or `undefined` if it was killed for taking too long. */
  readonly code: number | undefined;
  /** What it wrote. */
  readonly stdout: string;
  /** What it complained about. */
  readonly stderr: string;
}

/** Run a script in a Deno of its own. */
export async function runDeno(
  script: string,
  { flags = ["-A"], args = [], env = {}, cwd, seconds = 20 }: {
    flags?: string[];
    args?: string[];
    env?: Record<string, string>;
    cwd?: string;
    seconds?: number;
  } = {},
): Promise<Outcome> {
  using dir = new TempDir();
  const file = dir.file("main.ts", script);
  const timeout = AbortSignal.timeout(1000 * seconds);
  const { IOQ_BACKEND: _, ...inherited } = Deno.env.toObject();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", ...flags, file, ...args],
    env: { NO_COLOR: "1", ...inherited, ...env },
    clearEnv: true,
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const kill = () => child.kill("SIGKILL");
  timeout.addEventListener("abort", kill);
  const { code, stdout, stderr } = await child.output();
  timeout.removeEventListener("abort", kill);
  return {
    code: timeout.aborted ? undefined : code,
    stdout: text(stdout),
    stderr: text(stderr),
  };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of a random test: another each time, or `IOQ_SEED` to see one again. */
export function newSeed(): number {
  const given = Deno.env.get("IOQ_SEED");
  return given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(given);
}

/** What a caller can tell of an error. */
export interface ErrorLooks {
  readonly class: string;
  readonly name: string;
  readonly message: string;
  readonly code: unknown;
}

/** The error of something that must fail. */
export async function errorOf(run: () => unknown): Promise<Error> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Error) {
      return error;
    }
    throw new TypeError(`Not an error: ${error}`);
  }
  throw new Error("Expected an error");
}

/** What a caller can tell of the error of something that must fail. */
export async function looksOf(run: () => unknown): Promise<ErrorLooks> {
  const error = await errorOf(run);
  return {
    class: error.constructor.name,
    name: error.name,
    message: error.message,
    code: (error as { code?: unknown }).code,
  };
}

/** The value of a completion that must be of an operation that succeeded. */
export function valueOf<K extends OpName>(completion: Completion | undefined, op: K): OpValues[K] {
  assertEquals(completion?.op, op);
  if (!completion!.ok) {
    throw completion!.error;
  }
  return completion!.value as OpValues[K];
}
