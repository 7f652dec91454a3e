// Copyright 2026 the ioq authors. MIT license.

/**
 * Operations on many paths, in every form: ours, Deno's, Node's, and a C program's.
 *
 * As elsewhere, every form of every operation is a function of its own, so that the
 * compiler makes each of them fast.
 *
 * @module
 */

import { type Ioq, walk } from "@ioq/ioq";
import { peer, type Run, type Runner, subject } from "./harness.ts";
import { buildPeer, LineProgram, type Missing, startNode } from "./peers.ts";
import { sideBySide } from "./side_by_side.ts";

/** Bytes of a file that is written. */
export const WRITTEN = new Uint8Array(2048);

/** An operation on a path. */
export type PathKind = "stat" | "open" | "list" | "read" | "write";

/** An operation on a tree. */
export type TreeKind = "walk" | "walkstat";

/** Paths, and a file that names them for programs. */
export interface PathList {
  /** The paths. */
  readonly paths: readonly string[];
  /** The file. */
  readonly list: string;
}

/** Programs that do the same. */
export interface PathPeers {
  /** Node. */
  node(kind: PathKind | TreeKind, list: PathList, inFlight: number): Run | Missing;
  /** Node: `copytree` or `removetree`, once. */
  nodeOnce(kind: "copytree" | "removetree", list: string): Promise<unknown>;
  /** Whether there is Node here, and if not, why. */
  readonly nodeIsHere: true | Missing;
  /** Threads that do nothing else. */
  threads(kind: PathKind | TreeKind, list: PathList, threads: number): Run | Missing;
}

/** Write down paths for programs. */
export function listPaths(list: string, paths: readonly string[]): PathList {
  Deno.writeTextFileSync(list, `${paths.join("\n")}\n`);
  return { paths, list };
}

/** Build and start the programs. */
export async function startPathPeers(
  directory: string,
  stack: AsyncDisposableStack,
): Promise<PathPeers> {
  const node = await startNode("paths");
  if (node instanceof LineProgram) {
    stack.use(node);
  }
  const program = await buildPeer("many_threads", directory, ["-pthread"]);
  const started = new Map<string, LineProgram>();
  const owner = stack.use(new AsyncDisposableStack());
  return {
    node: (kind, { list }, inFlight) =>
      node instanceof LineProgram
        ? (count) => node.ask(`${kind} ${list} ${inFlight} ${count}`)
        : node,
    nodeIsHere: node instanceof LineProgram ? true : node,
    nodeOnce: (kind, list) =>
      node instanceof LineProgram
        ? node.ask(`${kind} ${list} 1 1`)
        : Promise.reject(new Error(node.missing)),
    threads: (kind, { list }, threads) => {
      if (typeof program !== "string") {
        return program;
      }
      return (count) => {
        let one = started.get(list);
        if (one === undefined) {
          one = owner.use(new LineProgram(program, [list]));
          started.set(list, one);
        }
        return one.ask(`${kind} ${threads} ${count}`);
      };
    },
  };
}

/** Loops side by side that take one path after the other, from the first on and over again. */
function eachPath(
  paths: readonly string[],
  inFlight: number,
  count: number,
  loop: (take: () => string | undefined) => Promise<number>,
): Promise<number> {
  let next = 0;
  return sideBySide(
    inFlight,
    () => loop(() => next < count ? paths[next++ % paths.length] : undefined),
  );
}

/** So many paths. */
function* takePaths(paths: readonly string[], count: number): Generator<string> {
  for (let i = 0; i < count; i++) {
    yield paths[i % paths.length]!;
  }
}

async function readFilesOurs(ioq: Ioq, paths: readonly string[], inFlight: number, count: number) {
  let sum = 0;
  for await (const { bytes } of ioq.readFiles(takePaths(paths, count), { concurrency: inFlight })) {
    sum += bytes.length;
  }
  return sum;
}

/** An operation of ours, by promises. */
export function oursRun(ioq: Ioq, kind: PathKind, { paths }: PathList, inFlight: number): Run {
  switch (kind) {
    case "stat":
      return (count) =>
        eachPath(paths, inFlight, count, async (take) => {
          let sum = 0;
          for (let path; (path = take()) !== undefined;) {
            sum += (await ioq.stat(path)).size;
          }
          return sum;
        });
    case "open":
      return (count) =>
        eachPath(paths, inFlight, count, async (take) => {
          let sum = 0;
          for (let path; (path = take()) !== undefined;) {
            const file = await ioq.openFile(path);
            await file.close();
            sum++;
          }
          return sum;
        });
    case "list":
      return (count) =>
        eachPath(paths, inFlight, count, async (take) => {
          let sum = 0;
          for (let path; (path = take()) !== undefined;) {
            sum += (await ioq.readDir(path)).length;
          }
          return sum;
        });
    case "read":
      return (count) => readFilesOurs(ioq, paths, inFlight, count);
    case "write":
      return (count) =>
        eachPath(paths, inFlight, count, async (take) => {
          let sum = 0;
          for (let path; (path = take()) !== undefined;) {
            await ioq.writeFile(path, WRITTEN);
            sum += WRITTEN.length;
          }
          return sum;
        });
  }
}

/** The same by Deno, asynchronously. */
export function denoRun(kind: PathKind, { paths }: PathList, inFlight: number): Run {
  switch (kind) {
    case "stat":
      return (count) =>
        eachPath(paths, inFlight, count, async (take) => {
          let sum = 0;
          for (let path; (path = take()) !== undefined;) {
            sum += (await Deno.stat(path)).size;
          }
          return sum;
        });
    case "open":
      return (count) =>
        eachPath(paths, inFlight, count, async (take) => {
          let sum = 0;
          for (let path; (path = take()) !== undefined;) {
            const file = await Deno.open(path);
            file.close();
            sum++;
          }
          return sum;
        });
    case "list":
      return (count) =>
        eachPath(paths, inFlight, count, async (take) => {
          let sum = 0;
          for (let path; (path = take()) !== undefined;) {
            sum += (await Array.fromAsync(Deno.readDir(path))).length;
          }
          return sum;
        });
    case "read":
      return (count) =>
        eachPath(paths, inFlight, count, async (take) => {
          let sum = 0;
          for (let path; (path = take()) !== undefined;) {
            sum += (await Deno.readFile(path)).length;
          }
          return sum;
        });
    case "write":
      return (count) =>
        eachPath(paths, inFlight, count, async (take) => {
          let sum = 0;
          for (let path; (path = take()) !== undefined;) {
            await Deno.writeFile(path, WRITTEN);
            sum += WRITTEN.length;
          }
          return sum;
        });
  }
}

/** Our walk. The sum is the number of entries. */
export function oursWalk(ioq: Ioq, root: string, stat: boolean): Run {
  return async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      for await (const batch of walk.batches(root, { ioq, stat })) {
        sum += batch.length;
      }
    }
    return sum;
  };
}

/** Everything below a directory by Deno, many in flight. */
async function denoBelow(path: string, stat: boolean): Promise<number> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  const sums = await Promise.all(entries.map(async (entry) => {
    const below = `${path}/${entry.name}`;
    if (stat) {
      await Deno.lstat(below);
    }
    return entry.isDirectory ? await denoBelow(below, stat) : 0;
  }));
  return sums.reduce((a, b) => a + b, entries.length);
}

/** A walk by Deno. */
export function denoWalk(root: string, stat: boolean): Run {
  return async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += 1 + await denoBelow(root, stat);
    }
    return sum;
  };
}

/** The name of the peer that tells what the machine can do. */
export function threadsName(threads: number): string {
  return `C, ${threads} thread${threads === 1 ? "" : "s"}`;
}

/** All forms of an operation. The C program has as many threads as there are in flight. */
export function pathRunners(
  ioq: Ioq,
  peers: PathPeers,
  kind: PathKind,
  list: PathList,
  inFlight: number,
): Runner[] {
  return [
    subject("ioq", oursRun(ioq, kind, list, inFlight)),
    peer("Deno", denoRun(kind, list, inFlight)),
    peer("Node", peers.node(kind, list, inFlight)),
    peer("C, threads", peers.threads(kind, list, inFlight)),
  ];
}
