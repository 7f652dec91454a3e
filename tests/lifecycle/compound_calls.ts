// Copyright 2026 the ioq authors. MIT license.

/**
 * Calls that consist of several requests, for tests that end them half-way. A new one is
 * a new row.
 */

import { assertEquals } from "@std/assert";
import { copyTree, Ioq, removeTree, walk } from "../../mod.ts";
import { EventLoop } from "../../src/loop/mod.ts";
import type { TempDir } from "../fixtures.ts";
import { DEEP_LEVELS, makeDeep } from "../walk/hostile_tree.ts";

const MIB = 1024 * 1024;
/** Bytes of a transfer, of many pieces. */
const LARGE = 32 * MIB;
/** Bytes of a whole file, of more than is copied at once. */
const WHOLE = 9 * MIB;
/** Files of a tree, and of an iteration over files. */
const FILES = 120;

/** Where a call has its files. */
export type Folder = Pick<TempDir, "path" | "at" | "file">;

/** A call. */
export interface CompoundCall {
  /** What test names call it. */
  readonly name: string;
  /** Make what it needs. */
  prepare?(dir: Folder): void | Promise<void>;
  /** Whether it takes the native library. */
  readonly library?: true;
  /**
   * Make the call, and check that it did all of what it is for. What it opens and hands
   * out is closed by then.
   */
  run(ioq: Ioq, dir: Folder, signal: AbortSignal): Promise<void>;
}

/** Bytes that differ from piece to piece. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 4096) {
    bytes[at] = (at >> 12) * 7 + 1;
  }
  return bytes;
}

/** A stream of so many bytes. */
function source(length: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = length;
  return new ReadableStream({
    pull(controller) {
      const chunk = Math.min(left, 256 * 1024);
      left -= chunk;
      controller.enqueue(new Uint8Array(chunk));
      if (left === 0) {
        controller.close();
      }
    },
  });
}

/** Make a tree of {@linkcode FILES} files. */
function makeTree(root: string): void {
  for (let i = 0; i < FILES; i++) {
    const branch = `${root}/${i % 5}/${i % 7}`;
    Deno.mkdirSync(branch, { recursive: true });
    Deno.writeTextFileSync(`${branch}/${i}`, String(i));
  }
}

/** How many files a tree has. */
function countFiles(root: string): number {
  let count = 0;
  for (const { name, isDirectory } of Deno.readDirSync(root)) {
    count += isDirectory ? countFiles(`${root}/${name}`) : 1;
  }
  return count;
}

/** Check that a file has its old contents or all of the new ones. */
function assertReplaced(dir: Folder): void {
  const { size } = Deno.statSync(dir.at("old"));
  assertEquals(size === 3 || size === WHOLE, true, `${size} bytes`);
}

/** The rows. */
export const COMPOUND_CALLS: readonly CompoundCall[] = [
  {
    name: "readAt of 32 MiB",
    prepare: (dir) => Deno.writeFileSync(dir.at("large"), pattern(LARGE)),
    async run(ioq, dir, signal) {
      await using file = await ioq.openFile(dir.at("large"), { signal });
      assertEquals(await file.readAt(new Uint8Array(LARGE), 0, { signal }), LARGE);
    },
  },
  {
    name: "writeAt of 32 MiB",
    async run(ioq, dir, signal) {
      await using file = await ioq.openFile(dir.at("to"), { write: true, create: true, signal });
      assertEquals(await file.writeAt(pattern(LARGE), 0, { signal }), LARGE);
    },
  },
  {
    name: "readFile, large",
    prepare: (dir) => Deno.writeFileSync(dir.at("whole"), pattern(WHOLE)),
    async run(ioq, dir, signal) {
      assertEquals((await ioq.readFile(dir.at("whole"), { signal })).length, WHOLE);
    },
  },
  {
    name: "writeFile, large",
    async run(ioq, dir, signal) {
      await ioq.writeFile(dir.at("to"), pattern(WHOLE), { signal });
      assertEquals(Deno.statSync(dir.at("to")).size, WHOLE);
    },
  },
  {
    name: "writeFile of a stream",
    async run(ioq, dir, signal) {
      await ioq.writeFile(dir.at("to"), source(WHOLE), { signal });
      assertEquals(Deno.statSync(dir.at("to")).size, WHOLE);
    },
  },
  {
    name: "writeFile, large and atomic",
    prepare: (dir) => void dir.file("old", "old"),
    async run(ioq, dir, signal) {
      try {
        await ioq.writeFile(dir.at("old"), pattern(WHOLE), { atomic: true, signal });
        assertEquals(Deno.statSync(dir.at("old")).size, WHOLE);
      } finally {
        assertReplaced(dir);
      }
    },
  },
  {
    name: "writeFile of a stream, atomic and durable",
    prepare: (dir) => void dir.file("old", "old"),
    async run(ioq, dir, signal) {
      const options = { atomic: true, durable: true, signal };
      try {
        await ioq.writeFile(dir.at("old"), source(WHOLE), options);
      } finally {
        assertReplaced(dir);
      }
    },
  },
  {
    name: "readable",
    prepare: (dir) => Deno.writeFileSync(dir.at("whole"), pattern(WHOLE)),
    async run(ioq, dir, signal) {
      const file = await ioq.openFile(dir.at("whole"), { signal });
      let length = 0;
      const counter = new WritableStream<Uint8Array>({
        write(chunk) {
          length += chunk.length;
        },
      });
      await file.readable.pipeTo(counter, { signal });
      assertEquals(length, WHOLE);
    },
  },
  {
    name: "writable",
    async run(ioq, dir, signal) {
      const file = await ioq.openFile(dir.at("to"), { write: true, create: true, signal });
      await source(WHOLE).pipeTo(file.writable, { signal });
      assertEquals(Deno.statSync(dir.at("to")).size, WHOLE);
    },
  },
  {
    name: "removeTree",
    async run(ioq, dir, signal) {
      makeTree(dir.at("tree"));
      await removeTree(dir.at("tree"), { ioq, signal, onError: "skip" });
      assertEquals([...Deno.readDirSync(dir.path)].filter(({ name }) => name === "tree"), []);
    },
  },
  {
    name: "copyTree",
    library: true,
    prepare: (dir) => makeTree(dir.at("tree")),
    async run(ioq, dir, signal) {
      // What an ended one has left would be in the way of the next
      const copy = dir.at(`copy ${crypto.randomUUID()}`);
      await copyTree(dir.at("tree"), copy, { ioq, signal, onError: "skip" });
      assertEquals(countFiles(copy), FILES);
    },
  },
  {
    name: "deep walk",
    library: true,
    prepare: async (dir) => {
      await using ioq = await Ioq.open({ backend: "threads" });
      await makeDeep(ioq, dir.at("deep"));
    },
    async run(ioq, dir, signal) {
      let count = 0;
      for await (const _ of walk(dir.at("deep"), { ioq, signal, onError: "skip" })) {
        count++;
      }
      // The root, and in each directory a file, a link and two directories
      assertEquals(count, 1 + 4 * DEEP_LEVELS);
    },
  },
  {
    name: "walk that nobody goes on with",
    prepare: (dir) => makeTree(dir.at("tree")),
    async run(ioq, dir, signal) {
      const entries = walk(dir.path, { ioq, signal, onError: "skip" });
      await entries.next();
      await ioq.sleep(1e6, { signal });
    },
  },
  {
    name: "readFiles",
    prepare: (dir) => makeTree(dir.at("tree")),
    async run(ioq, dir, signal) {
      const paths = Array.from(
        { length: FILES },
        (_, i) => dir.at(`tree/${i % 5}/${i % 7}/${i}`),
      );
      let count = 0;
      for await (const _ of ioq.readFiles(paths, { signal, onError: "skip" })) {
        count++;
      }
      assertEquals(count, FILES);
    },
  },
  {
    name: "writeFiles",
    async run(ioq, dir, signal) {
      const entries = Array.from(
        { length: FILES },
        (_, i) => ({ path: dir.at(`written/${i % 5}/${i}`), data: String(i) }),
      );
      const { files } = await ioq.writeFiles(entries, { parents: true, signal, onError: "skip" });
      assertEquals(files, FILES);
    },
  },
  {
    name: "tasks",
    async run(ioq, dir, signal) {
      const loop = new EventLoop(ioq);
      const bytes = pattern(MIB);
      const tasks = Array.from({ length: 6 }, (_, i) =>
        loop.async(async (io) => {
          await io.writeFile(dir.at(`${i}`), bytes, { signal });
          await using file = await io.openFile(dir.at(`${i}`), { signal });
          return await file.readAt(new Uint8Array(2 * MIB), 0, { signal });
        }));
      const results = await Promise.allSettled(tasks);
      const failed = results.find(({ status }) => status === "rejected");
      if (failed !== undefined) {
        throw (failed as PromiseRejectedResult).reason;
      }
      assertEquals(
        results.map((result) => (result as PromiseFulfilledResult<unknown>).value),
        tasks.map(() => MIB),
      );
    },
  },
  {
    name: "openFile, fifty times",
    prepare: (dir) => void dir.file("file", "contents"),
    async run(ioq, dir, signal) {
      await Promise.all(Array.from({ length: 50 }, async () => {
        await using file = await ioq.openFile(dir.at("file"), { signal });
        assertEquals(await file.read(new Uint8Array(9), { signal }), 8);
      }));
    },
  },
];
