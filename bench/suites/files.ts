// Copyright 2026 the ioq authors. MIT license.

/**
 * Contents of files, beside everything one would read and write them with.
 *
 * As in `ops.ts`, every form of every operation is a function of its own, so that
 * the compiler makes each of them fast.
 *
 * @module
 */

import { Ioq, type IoqFile } from "@ioq/ioq";
import { readFileSync } from "node:fs";
import type { Case, Effort, Run, Runner, Timed } from "../harness.ts";
import { buildPeer, fioRandomRead, LineProgram, type Missing, startNode } from "../peers.ts";
import type { Goal, OpenSuite, Suite } from "../suite.ts";

const PAGE = 4096;
const CHUNK = 64 * 1024;
const LARGE_CHUNK = 1024 * 1024;
/** The large file. */
const LARGE_LENGTH = 1024 ** 3;
/** Small files, in folders of so many. */
const SMALL_FILES = 20_000;
const SMALL_FOLDER = 200;
/** Each has that many bytes and up to 8000 more. */
const SMALL_LENGTH_MIN = 200;
/** The file that is written to. */
const WRITTEN_LENGTH = 64 * 1024 * 1024;

const CACHED = "read 4 KiB at random, cached";
const DIRECT = "read 4 KiB at random, O_DIRECT";
const SEQUENTIAL = "read 1 GiB from begin to end";
const WRITE = "write 4 KiB at random, cached";
const SYNCED = "write 4 KiB and sync the data";
const SMALL = "read a small file";
const DELAY = "event-loop delay, 99th percentile, reading 64 × 1 MiB";

/** Where reads begin, the same for all runners: a linear congruential generator. */
class Offsets {
  #seed = 1;
  readonly #blocks: number;

  constructor(length: number) {
    this.#blocks = Math.floor(length / PAGE);
  }

  next(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return ((this.#seed >>> 8) % this.#blocks) * PAGE;
  }
}

/** Run `inFlight` loops side by side; the sum of their sums. */
async function sideBySide(inFlight: number, loop: () => Promise<number>): Promise<number> {
  const sums = await Promise.all(Array.from({ length: inFlight }, loop));
  return sums.reduce((a, b) => a + b);
}

// Random reads -----------------------------------------------------------------

function readAtCached(file: IoqFile, inFlight: number, count: number): Promise<number> {
  const offsets = new Offsets(LARGE_LENGTH);
  let next = 0;
  return sideBySide(inFlight, async () => {
    const buffer = new Uint8Array(PAGE);
    let sum = 0;
    while (next < count) {
      next++;
      sum += (await file.readAt(buffer, offsets.next()))!;
    }
    return sum;
  });
}

function readAtDirect(file: IoqFile, inFlight: number, count: number): Promise<number> {
  const offsets = new Offsets(LARGE_LENGTH);
  let next = 0;
  return sideBySide(inFlight, async () => {
    const buffer = new Uint8Array(PAGE);
    let sum = 0;
    while (next < count) {
      next++;
      sum += (await file.readAt(buffer, offsets.next()))!;
    }
    return sum;
  });
}

/** One after the other: its position is the only one there is. */
async function readFsFile(file: Deno.FsFile, count: number): Promise<number> {
  const offsets = new Offsets(LARGE_LENGTH);
  const buffer = new Uint8Array(PAGE);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    await file.seek(offsets.next(), Deno.SeekMode.Start);
    sum += (await file.read(buffer))!;
  }
  return sum;
}

function readFsFileSync(file: Deno.FsFile, count: number): number {
  const offsets = new Offsets(LARGE_LENGTH);
  const buffer = new Uint8Array(PAGE);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    file.seekSync(offsets.next(), Deno.SeekMode.Start);
    sum += file.readSync(buffer)!;
  }
  return sum;
}

// From begin to end: an operation is the whole file -------------------------------

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

// Writes -----------------------------------------------------------------------

function writeAt(file: IoqFile, inFlight: number, count: number): Promise<number> {
  const offsets = new Offsets(WRITTEN_LENGTH);
  let next = 0;
  return sideBySide(inFlight, async () => {
    const bytes = new Uint8Array(PAGE).fill(1);
    let sum = 0;
    while (next < count) {
      next++;
      sum += await file.writeAt(bytes, offsets.next());
    }
    return sum;
  });
}

async function writeFsFile(file: Deno.FsFile, count: number): Promise<number> {
  const offsets = new Offsets(WRITTEN_LENGTH);
  const bytes = new Uint8Array(PAGE).fill(1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    await file.seek(offsets.next(), Deno.SeekMode.Start);
    sum += await file.write(bytes);
  }
  return sum;
}

function writeFsFileSync(file: Deno.FsFile, count: number): number {
  const offsets = new Offsets(WRITTEN_LENGTH);
  const bytes = new Uint8Array(PAGE).fill(1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    file.seekSync(offsets.next(), Deno.SeekMode.Start);
    sum += file.writeSync(bytes);
  }
  return sum;
}

async function writeAndSync(file: IoqFile, count: number): Promise<number> {
  const offsets = new Offsets(WRITTEN_LENGTH);
  const bytes = new Uint8Array(PAGE).fill(1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += await file.writeAt(bytes, offsets.next());
    await file.syncData();
  }
  return sum;
}

async function writeAndSyncFsFile(file: Deno.FsFile, count: number): Promise<number> {
  const offsets = new Offsets(WRITTEN_LENGTH);
  const bytes = new Uint8Array(PAGE).fill(1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    await file.seek(offsets.next(), Deno.SeekMode.Start);
    sum += await file.write(bytes);
    await file.syncData();
  }
  return sum;
}

// Small files --------------------------------------------------------------------

/** So many paths, from the first on, and over again. */
function* take(paths: readonly string[], count: number): Generator<string> {
  for (let i = 0; i < count; i++) {
    yield paths[i % paths.length]!;
  }
}

async function readFilesOf(
  ioq: Ioq,
  paths: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let sum = 0;
  for await (const { bytes } of ioq.readFiles(take(paths, count), { concurrency: inFlight })) {
    sum += bytes.length;
  }
  return sum;
}

function readFilePromise(
  ioq: Ioq,
  paths: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      sum += (await ioq.readFile(paths[next++ % paths.length]!)).length;
    }
    return sum;
  });
}

function readFileDeno(paths: string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      sum += (await Deno.readFile(paths[next++ % paths.length]!)).length;
    }
    return sum;
  });
}

function readFileNodeSync(paths: string[], count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += readFileSync(paths[i % paths.length]!).length;
  }
  return sum;
}

// The event loop -------------------------------------------------------------------

/** Timers of this many milliseconds that come late tell how long the event loop was busy. */
const TICK_MS = 1;

/**
 * How late timers are, at the 99th percentile, while work goes on. What is reported
 * as the time of one operation is that delay.
 */
function delayOf(work: (go: () => boolean) => Promise<void> | void, sampleMs: number): Run {
  return async (count): Promise<Timed> => {
    let isOver = false;
    const end = performance.now() + sampleMs;
    const late: number[] = [];
    const ticking = new Promise<void>((resolve) => {
      let last = performance.now();
      const tick = () => {
        const now = performance.now();
        late.push(Math.max(0, now - last - TICK_MS));
        last = now;
        if (isOver) {
          resolve();
        } else {
          setTimeout(tick, TICK_MS);
        }
      };
      setTimeout(tick, TICK_MS);
    });
    while (performance.now() < end) {
      await work(() => performance.now() < end);
      // So that even what never waits lets a timer fire
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    isOver = true;
    await ticking;
    late.sort((a, b) => a - b);
    return { ms: late[Math.floor(late.length * 0.99)]! * count, sum: count };
  };
}

/** 64 reads of 1 MiB in flight all the time. */
async function read64(
  file: IoqFile,
  buffers: Uint8Array<ArrayBuffer>[],
  go: () => boolean,
): Promise<void> {
  let next = 0;
  const unused = [...buffers];
  await sideBySide(buffers.length, async () => {
    const buffer = unused.pop()!;
    while (go()) {
      await file.readAt(buffer, (next++ % 1024) * LARGE_CHUNK);
    }
    return 0;
  });
}

// The cases ------------------------------------------------------------------------

function subject(name: string, run: Run): Runner {
  return { name, role: "subject", run };
}

function peer(name: string, run: Run | Missing): Runner {
  return { name, role: "peer", run };
}

/** What the suite works with. */
interface Setup {
  readonly ioq: Ioq;
  readonly large: string;
  readonly cached: IoqFile;
  readonly direct: IoqFile | Missing;
  readonly written: IoqFile;
  readonly fsLarge: Deno.FsFile;
  readonly fsWritten: Deno.FsFile;
  readonly small: string[];
  readonly list: string;
  readonly mebibytes: string[];
  readonly node: LineProgram | Missing;
  /** The C program, started for a depth, with or without O_DIRECT. */
  readonly c: (inFlight: number, direct: boolean) => Run | Missing;
}

function cachedCase(setup: Setup, inFlight: number): Case {
  const { cached, fsLarge, node, large } = setup;
  return {
    group: CACHED,
    inFlight,
    runners: [
      subject("promise", (count) => readAtCached(cached, inFlight, count)),
      peer("C, liburing", setup.c(inFlight, false)),
      peer("FsFile seek+read", (count) => readFsFile(fsLarge, count)),
      peer("FsFile, sync", (count) => readFsFileSync(fsLarge, count)),
      peer(
        "Node",
        node instanceof LineProgram
          ? (count) => node.ask(`random ${large} ${PAGE} ${inFlight} ${count}`)
          : node,
      ),
    ],
  };
}

/** Its samples are longer: fio measures itself in milliseconds. */
const DIRECT_EFFORT: Effort = { rounds: 3, sampleMs: 150, warmRuns: 1 };

async function directCase(setup: Setup, inFlight: number): Promise<Case> {
  const { direct, large } = setup;
  return {
    group: DIRECT,
    inFlight,
    effort: DIRECT_EFFORT,
    runners: [
      {
        name: "promise",
        role: "subject",
        run: "missing" in direct ? direct : (count) => readAtDirect(direct, inFlight, count),
      },
      peer("fio", "missing" in direct ? direct : await fioRandomRead(large, PAGE, inFlight)),
      peer("C, liburing", "missing" in direct ? direct : setup.c(inFlight, true)),
    ],
  };
}

function sequentialCase({ ioq, large, cached }: Setup): Case {
  return {
    group: SEQUENTIAL,
    inFlight: 1,
    effort: { rounds: 3, sampleMs: 0, warmRuns: 0, verifyOperations: 1 },
    runners: [
      subject("64 KiB, 8 at once", whole(() => readChunks(cached, CHUNK, 8))),
      subject("1 MiB, 4 at once", whole(() => readChunks(cached, LARGE_CHUNK, 4))),
      subject(
        "1 MiB, 4 at once, allocate()",
        whole(() => readChunksAllocated(ioq, cached, LARGE_CHUNK, 4)),
      ),
      subject(
        "readable",
        whole(async () => await readStream((await ioq.openFile(large)).readable)),
      ),
      peer("FsFile 64 KiB", whole(() => readFsFileChunks(large, CHUNK))),
      peer("FsFile 1 MiB", whole(() => readFsFileChunks(large, LARGE_CHUNK))),
      peer("readSync 1 MiB", whole(() => readFsFileChunksSync(large, LARGE_CHUNK))),
      peer("Deno stream", whole(async () => await readStream((await Deno.open(large)).readable))),
      peer("Deno.readFile", whole(async () => (await Deno.readFile(large)).length)),
      peer("cat", whole(() => cat(large))),
    ],
  };
}

function writeCase({ written, fsWritten }: Setup, inFlight: number): Case {
  return {
    group: WRITE,
    inFlight,
    runners: [
      subject("promise", (count) => writeAt(written, inFlight, count)),
      peer("FsFile seek+write", (count) => writeFsFile(fsWritten, count)),
      peer("FsFile, sync", (count) => writeFsFileSync(fsWritten, count)),
    ],
  };
}

function syncedCase({ written, fsWritten }: Setup): Case {
  return {
    group: SYNCED,
    inFlight: 1,
    effort: { rounds: 3, warmRuns: 1, verifyOperations: 4 },
    runners: [
      subject("promise", (count) => writeAndSync(written, count)),
      peer("FsFile", (count) => writeAndSyncFsFile(fsWritten, count)),
    ],
  };
}

function smallCase({ ioq, small, node, list }: Setup, inFlight: number): Case {
  return {
    group: SMALL,
    inFlight,
    effort: { rounds: 5, sampleMs: 100, warmRuns: 1 },
    runners: [
      subject("readFiles", (count) => readFilesOf(ioq, small, inFlight, count)),
      subject("readFile", (count) => readFilePromise(ioq, small, inFlight, count)),
      peer("Deno.readFile", (count) => readFileDeno(small, inFlight, count)),
      peer("readFileSync", (count) => readFileNodeSync(small, count)),
      peer(
        "Node",
        node instanceof LineProgram
          ? (count) => node.ask(`small ${list} ${inFlight} ${count}`)
          : node,
      ),
    ],
  };
}

function delayCase({ cached, mebibytes }: Setup): Case {
  // So long that the 99th percentile is not the one worst timer
  const sampleMs = 400;
  const buffers = Array.from({ length: 64 }, () => new Uint8Array(LARGE_CHUNK));
  return {
    group: DELAY,
    inFlight: 64,
    effort: { rounds: 3, sampleMs: 0, warmRuns: 1 },
    runners: [
      subject("promise", delayOf((go) => read64(cached, buffers, go), sampleMs)),
      peer(
        "Deno.readFile",
        delayOf(async () => {
          await Promise.all(mebibytes.map((path) => Deno.readFile(path)));
        }, sampleMs),
      ),
      peer(
        "readFileSync",
        delayOf(() => mebibytes.forEach((path) => readFileSync(path)), sampleMs),
      ),
    ],
  };
}

const DIRECT_DEPTHS = [1, 8, 32, 128];

const GOALS: readonly Goal[] = [
  { group: CACHED, subject: "promise", inFlight: [32], peer: "FsFile seek+read", atLeast: 50 },
  {
    group: CACHED,
    subject: "promise",
    inFlight: [32, 128],
    peer: "C, liburing",
    atLeast: 1 / 1.3,
  },
  { group: DIRECT, subject: "promise", inFlight: DIRECT_DEPTHS, peer: "fio", atLeast: 1 },
  { group: SMALL, subject: "readFiles", inFlight: [64], peer: "Deno.readFile", atLeast: 3 },
  { group: SMALL, subject: "readFiles", inFlight: [64], peer: "readFileSync", atLeast: 1 },
  ...["FsFile 64 KiB", "FsFile 1 MiB", "Deno stream", "Deno.readFile"].map((peer) => ({
    group: SEQUENTIAL,
    subject: "1 MiB, 4 at once",
    inFlight: [1],
    peer,
    atLeast: 1,
  })),
  { group: DELAY, subject: "promise", inFlight: [64], atLeast: 500, asTime: true },
];

/** Make the large file, on the device as well: no writing goes on meanwhile. */
function makeLarge(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  const block = new Uint8Array(LARGE_CHUNK);
  crypto.getRandomValues(block.subarray(0, CHUNK));
  for (let done = 0; done < LARGE_LENGTH; done += LARGE_CHUNK) {
    block[0] = done / LARGE_CHUNK;
    for (let at = 0; at < LARGE_CHUNK;) {
      at += file.writeSync(block.subarray(at));
    }
  }
  file.syncSync();
}

/** Make the small files; their paths. */
function makeSmall(directory: string): string[] {
  const paths: string[] = [];
  for (let i = 0; i < SMALL_FILES; i++) {
    const folder = `${directory}/folder_${Math.floor(i / SMALL_FOLDER)}`;
    if (i % SMALL_FOLDER === 0) {
      Deno.mkdirSync(folder);
    }
    const path = `${folder}/file_${i}.txt`;
    Deno.writeFileSync(path, new Uint8Array(SMALL_LENGTH_MIN + (i * 7919) % 8000).fill(0x61));
    paths.push(path);
  }
  return paths;
}

async function openFiles(): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const directory = Deno.makeTempDirSync({ prefix: "ioq_bench_" });
  stack.defer(() => Deno.removeSync(directory, { recursive: true }));
  const large = `${directory}/large`;
  const written = `${directory}/written`;
  const list = `${directory}/list`;
  makeLarge(large);
  Deno.writeFileSync(written, new Uint8Array(WRITTEN_LENGTH));
  const small = makeSmall(directory);
  Deno.writeTextFileSync(list, small.join("\n"));
  const mebibytes = Array.from({ length: 64 }, (_, i) => {
    const path = `${directory}/mebibyte_${i}`;
    Deno.writeFileSync(path, new Uint8Array(LARGE_CHUNK));
    return path;
  });

  const program = await buildPeer("random_read", directory);
  const programs = new Map<string, LineProgram>();
  const c = (inFlight: number, direct: boolean): Run | Missing => {
    if (typeof program !== "string") {
      return program;
    }
    const args = [large, `${PAGE}`, `${inFlight}`, direct ? "1" : "0"];
    return (count) => {
      let started = programs.get(args.join());
      if (started === undefined) {
        started = made.use(new LineProgram(program, args));
        programs.set(args.join(), started);
      }
      return started.ask(String(count));
    };
  };
  const node = await startNode();
  if (node instanceof LineProgram) {
    stack.use(node);
  }

  const ioq = stack.use(await Ioq.open());
  const setup: Setup = {
    ioq,
    large,
    small,
    list,
    mebibytes,
    node,
    c,
    cached: stack.use(await ioq.openFile(large)),
    direct: await ioq.openFile(large, { direct: true }).catch((error) => ({
      missing: `no O_DIRECT here: ${error.message}`,
    })),
    written: stack.use(await ioq.openFile(written, { write: true })),
    fsLarge: stack.use(await Deno.open(large)),
    fsWritten: stack.use(await Deno.open(written, { write: true })),
  };

  const made = stack.move();
  const cases = [
    ...[1, 32, 128].map((inFlight) => cachedCase(setup, inFlight)),
    ...await Promise.all(DIRECT_DEPTHS.map((inFlight) => directCase(setup, inFlight))),
    sequentialCase(setup),
    ...[1, 32].map((inFlight) => writeCase(setup, inFlight)),
    syncedCase(setup),
    smallCase(setup, 64),
    delayCase(setup),
  ];
  return {
    notes: {
      [CACHED]: "a file of 1 GiB; FsFile has one position, and so one in flight",
      [DIRECT]: "the same file",
      [SMALL]: `${SMALL_FILES} files of 200 to 8200 bytes`,
      [DELAY]: "how late a timer of 1 ms is",
    },
    backend: ioq.backend,
    cases,
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const files: Suite = {
  name: "files",
  summary: "contents of files: read, write, whole small files, the event loop meanwhile",
  open: openFiles,
};
