// Copyright 2026 the ioq authors. MIT license.

/**
 * A file system of our own, in memory, that is as slow and as faulty as a test asks
 * for: `fuse/` speaks FUSE's protocol to the kernel, in C, without any library.
 *
 * The server is a process of its own. In the tests' process it would deadlock: a
 * system call that waits for it would hold up the thread that answers.
 */

import { fileURLToPath } from "node:url";

/** A kind of request that the kernel sends. */
export type RequestKind =
  | "lookup"
  | "getattr"
  | "setattr"
  | "readlink"
  | "symlink"
  | "mknod"
  | "mkdir"
  | "unlink"
  | "rmdir"
  | "rename"
  | "link"
  | "open"
  | "read"
  | "write"
  | "statfs"
  | "release"
  | "fsync"
  | "flush"
  | "opendir"
  | "readdir"
  | "releasedir"
  | "fsyncdir"
  | "create"
  | "fallocate";

/**
 * Requests that fail. Not each failure reaches the program: the kernel repeats a read
 * that it did ahead, unless there is `directIo`, and Deno an `open` that got EINTR.
 */
export interface Fault {
  /** Which. */
  readonly at: RequestKind;
  /** The first of them, counted from when the fault is told. @default {1} */
  readonly nth?: number;
  /** How many. @default {1} */
  readonly count?: number;
  /** With what, such as `EIO`. */
  readonly errno: string;
}

/** Transfers that move less than they were asked to. */
export interface Shortage {
  /**
   * Which. A short read is one only with `directIo` or `tellZero`: the page cache takes
   * it for the file's end.
   */
  readonly at: "read" | "write";
  /** How many bytes they move at most. */
  readonly bytes: number;
  /** Each how many-th. @default {1} */
  readonly every?: number;
}

/** What can be told at any time. */
export interface Weather {
  /**
   * How late the answer is, by kind of request, in microseconds. Of a listing's several
   * requests only the first is late.
   */
  readonly latencyUs?: { readonly [K in RequestKind]?: number };
  /** Requests that fail. They add to those told before. */
  readonly faults?: readonly Fault[];
  /** Transfers that fall short. */
  readonly shortages?: readonly Shortage[];
  /** How many slow requests are worked at at once; the others wait. 0 for any number. */
  readonly servers?: number;
  /** How long names and attributes may be cached, in milliseconds. @default {0} */
  readonly cacheMs?: number;
  /** Whether contents stay in the page cache from open to open. @default {false} */
  readonly pageCache?: boolean;
  /** Whether reads and writes go past the page cache. @default {false} */
  readonly directIo?: boolean;
  /** Whether `stat` tells 0 as every file's size, as it does in `/proc`. @default {false} */
  readonly tellZero?: boolean;
  /** Whether closing a file sends no request. @default {false} */
  readonly noFlush?: boolean;
  /** How many bytes there is room for. @default {2 ** 30} */
  readonly capacityBytes?: number;
}

/** What a file system is mounted with. */
export interface FuseOptions extends Weather {
  /** The first inode number. @default {1} */
  readonly inodeBase?: bigint;
  /** Whether listings bring attributes along. @default {false} */
  readonly readdirplus?: boolean;
  /** What is there from the start: `d0/f0` and so on. */
  readonly tree?: {
    /** How many directories. */
    readonly directories: number;
    /** How many files in each. @default {0} */
    readonly files?: number;
    /** How long each is. {@linkcode contentsOf} tells what is in it. @default {0} */
    readonly bytes?: number;
    /** How many directories are in one. All are at the top otherwise. */
    readonly fan?: number;
  };
}

/** How often a kind of request came, and how often it met a fault. */
export interface Count {
  /** How many there were. */
  readonly requests: number;
  /** How many of them failed because of a fault. */
  readonly failed: number;
}

/** A mounted file system. It is unmounted when it is disposed of, whoever still uses it. */
export interface FuseMount extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  /** The path of something in it. */
  at(name: string): string;
  /** Change the weather. */
  tell(weather: Weather): Promise<void>;
  /** Forget faults, shortages and counts. */
  reset(): Promise<void>;
  /** How often each kind of request came. */
  counts(): Promise<{ readonly [K in RequestKind]: Count }>;
}

const SOURCES = fileURLToPath(new URL("./fuse/", import.meta.url));
const BUILD = fileURLToPath(new URL("../../native/build/", import.meta.url));
const decoder = new TextDecoder();

/** When the newest file of the sources was written. */
function newestSource(): number {
  const names = [...Deno.readDirSync(SOURCES)].map(({ name }) => name);
  return Math.max(...names.map((name) => Deno.statSync(SOURCES + name).mtime!.getTime()));
}

/** Build the server if it is not there or older than its sources. Throws why it cannot. */
function buildServer(): string {
  Deno.mkdirSync(BUILD, { recursive: true });
  const target = `${BUILD}storm`;
  const sources = newestSource();
  try {
    if (Deno.statSync(target).mtime!.getTime() > sources) {
      return target;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw error;
    }
  }
  // Under a name of its own first: several test processes may be building
  const built = `${target}.${Deno.pid}`;
  const { success, stderr } = new Deno.Command("cc", {
    args: [
      ..."-O2 -g -std=gnu17 -D_GNU_SOURCE -pthread -Wall -Wextra -Werror".split(" "),
      ...["-o", built],
      ...["main.c", "server.c", "replies.c", "weather.c", "tree.c"].map((name) => SOURCES + name),
    ],
  }).outputSync();
  if (!success) {
    throw new Error(`cc: ${decoder.decode(stderr).split("\n").find((line) => /error/.test(line))}`);
  }
  Deno.renameSync(built, target);
  return target;
}

/** What the server is told, a line each. */
function wordsOf(weather: FuseOptions): string[] {
  const words: string[] = [];
  const say = (key: string, value: number | bigint | boolean | undefined) => {
    if (value !== undefined) {
      words.push(`${key}=${typeof value === "boolean" ? Number(value) : value}`);
    }
  };
  for (const [kind, us] of Object.entries(weather.latencyUs ?? {})) {
    words.push(`latency=${kind}:${us}`);
  }
  for (const { at, nth = 1, errno, count = 1 } of weather.faults ?? []) {
    words.push(`fault=${at}:${nth}:${errno}:${count}`);
  }
  for (const { at, bytes, every = 1 } of weather.shortages ?? []) {
    words.push(`short=${at}:${bytes}:${every}`);
  }
  say("servers", weather.servers);
  say("cache", weather.cacheMs);
  say("page_cache", weather.pageCache);
  say("direct_io", weather.directIo);
  say("tell_zero", weather.tellZero);
  say("no_flush", weather.noFlush);
  say("capacity", weather.capacityBytes);
  say("inode_base", weather.inodeBase);
  say("readdirplus", weather.readdirplus);
  say("directories", weather.tree?.directories);
  say("files", weather.tree?.files);
  say("bytes", weather.tree?.bytes);
  say("fan", weather.tree?.fan);
  return words;
}

/** The bytes of a file of the tree: the `file`-th of all, counted through the directories. */
export function contentsOf(file: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length },
    (_, i) => i % 64 === 63 ? 10 : 97 + (file + i + Math.floor(i / 64)) % 26,
  );
}

/** Wait until the server says that it is there; throws what it says if it ends instead. */
async function untilReady(server: Deno.ChildProcess): Promise<void> {
  const reader = server.stdout.getReader();
  const { done } = await reader.read();
  await reader.cancel();
  if (!done) {
    await server.stderr.cancel();
    return;
  }
  const said = await new Response(server.stderr).text();
  await server.stdin.close();
  await server.status;
  throw new Error(said.trim() || "The server ended without a word");
}

/**
 * Mount a file system on a directory of its own.
 *
 * ```ts ignore
 * await using fs = await mountFuse({
 *   latencyUs: { lookup: 2000, readdir: 45_000 },
 *   faults: [{ at: "write", nth: 3, errno: "EIO" }],
 *   tree: { directories: 100, files: 10, bytes: 1000 },
 * });
 * await Deno.readFile(fs.at("d0/f0"));
 * ```
 */
export async function mountFuse(options: FuseOptions = {}): Promise<FuseMount> {
  const program = buildServer();
  const path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "ioq-storm-" }));
  const server = new Deno.Command(program, {
    args: [path, ...wordsOf(options)],
    // The server goes when this pipe ends: with us, whatever ends us
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    await untilReady(server);
  } catch (error) {
    Deno.removeSync(path);
    throw error;
  }
  const control = `${path}/.storm`;
  return {
    path,
    at: (name) => `${path}/${name}`,
    tell: (weather) => Deno.writeTextFile(control, wordsOf(weather).join("\n"), { create: false }),
    reset: () => Deno.writeTextFile(control, "reset=1", { create: false }),
    async counts() {
      const lines = (await Deno.readTextFile(control)).trim().split("\n");
      return Object.fromEntries(lines.map((line) => {
        const [kind, requests, failed] = line.split(" ");
        return [kind, { requests: Number(requests), failed: Number(failed) }];
      })) as { [K in RequestKind]: Count };
    },
    async [Symbol.asyncDispose]() {
      await server.stdin.close();
      await server.status;
      Deno.removeSync(path);
    },
  };
}
