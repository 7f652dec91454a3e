// Copyright 2026 the ioq authors. MIT license.

/**
 * Single operations in each form of the queue, beside Deno's own.
 *
 * - `promise`: as many loops as there are to be in flight, each awaiting one
 *   operation after the other. Deno's asynchronous functions run just so.
 * - `stream`: that many are submitted; each completion that the queue hands out
 *   has the next one submitted.
 * - `batch`: the same with all completions that are there at a time.
 *
 * Every form of every operation is written out as a function of its own although
 * they look alike: a function shared by all would see many types, and the
 * compiler would make it slow for each of them.
 *
 * @module
 */

import { type DirEntry, Ioq, op } from "@ioq/ioq";
import type { Case, Run, Runner } from "../harness.ts";
import type { Goal, OpenSuite, Suite } from "../suite.ts";

/** In flight at the same time. */
const DEPTHS = [1, 8, 32, 128];
/** For what costs next to nothing: also a whole turn. */
const NOP_DEPTHS = [...DEPTHS, 256];
/** Files to stat and to open: enough to be no single hot one, few enough to stay cached. */
const FILES_MAX = 512;
const FILES_DIRECTORY = "/usr/bin";
/** Entries of the large directory. */
const LARGE_ENTRIES = 2000;
const ETC = "/etc";

function unexpected(name: string): Error {
  return new Error(`A completion of '${name}' came where none was expected`);
}

/** Run `inFlight` loops side by side; the sum of their sums. */
async function sideBySide(inFlight: number, loop: () => Promise<number>): Promise<number> {
  const sums = await Promise.all(Array.from({ length: inFlight }, loop));
  return sums.reduce((a, b) => a + b);
}

// nop ----------------------------------------------------------------------

function nopPromise(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let done = 0;
    while (next < count) {
      next++;
      await ioq.nop();
      done++;
    }
    return done;
  });
}

async function nopStream(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.nop());
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    done++;
    if (next < count) {
      next++;
      ioq.submit(op.nop());
    }
  }
  return done;
}

async function nopBatch(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.nop());
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      done++;
      if (next < count) {
        next++;
        ioq.submit(op.nop());
      }
    }
  }
  return done;
}

// kernelNop ----------------------------------------------------------------

function kernelNopPromise(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let done = 0;
    while (next < count) {
      next++;
      await ioq.run(op.kernelNop());
      done++;
    }
    return done;
  });
}

async function kernelNopStream(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.kernelNop());
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    done++;
    if (next < count) {
      next++;
      ioq.submit(op.kernelNop());
    }
  }
  return done;
}

async function kernelNopBatch(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.kernelNop());
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      done++;
      if (next < count) {
        next++;
        ioq.submit(op.kernelNop());
      }
    }
  }
  return done;
}

// stat ---------------------------------------------------------------------

function statPromise(ioq: Ioq, files: string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      const info = await ioq.stat(files[next++ % files.length]!);
      sum += info.size;
    }
    return sum;
  });
}

async function statStream(
  ioq: Ioq,
  files: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let sum = 0;
  while (next < count && next < inFlight) {
    ioq.submit(op.stat(files[next++ % files.length]!));
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    if (completion.op !== "stat") {
      throw unexpected(completion.op);
    }
    sum += completion.value.size;
    if (next < count) {
      ioq.submit(op.stat(files[next++ % files.length]!));
    }
  }
  return sum;
}

async function statBatch(
  ioq: Ioq,
  files: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let sum = 0;
  while (next < count && next < inFlight) {
    ioq.submit(op.stat(files[next++ % files.length]!));
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      if (completion.op !== "stat") {
        throw unexpected(completion.op);
      }
      sum += completion.value.size;
      if (next < count) {
        ioq.submit(op.stat(files[next++ % files.length]!));
      }
    }
  }
  return sum;
}

function statDeno(files: string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      const info = await Deno.stat(files[next++ % files.length]!);
      sum += info.size;
    }
    return sum;
  });
}

function statDenoSync(files: string[], count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += Deno.statSync(files[i % files.length]!).size;
  }
  return sum;
}

// open and close: what comes back is the number of pairs --------------------

function openPromise(ioq: Ioq, files: string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let done = 0;
    while (next < count) {
      const fd = await ioq.run(op.open(files[next++ % files.length]!));
      await ioq.run(op.close(fd));
      done++;
    }
    return done;
  });
}

async function openStream(
  ioq: Ioq,
  files: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    ioq.submit(op.open(files[next++ % files.length]!));
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    if (completion.op === "open") {
      ioq.submit(op.close(completion.value));
      continue;
    }
    done++;
    if (next < count) {
      ioq.submit(op.open(files[next++ % files.length]!));
    }
  }
  return done;
}

async function openBatch(
  ioq: Ioq,
  files: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    ioq.submit(op.open(files[next++ % files.length]!));
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      if (completion.op === "open") {
        ioq.submit(op.close(completion.value));
        continue;
      }
      done++;
      if (next < count) {
        ioq.submit(op.open(files[next++ % files.length]!));
      }
    }
  }
  return done;
}

function openDeno(files: string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let done = 0;
    while (next < count) {
      const file = await Deno.open(files[next++ % files.length]!);
      file.close();
      done++;
    }
    return done;
  });
}

function openDenoSync(files: string[], count: number): number {
  let done = 0;
  for (let i = 0; i < count; i++) {
    Deno.openSync(files[i % files.length]!).close();
    done++;
  }
  return done;
}

// readDir: every entry is looked at ------------------------------------------

function sumOf(entries: readonly DirEntry[]): number {
  let sum = 0;
  for (const entry of entries) {
    sum += entry.name.length + (entry.isFile ? 1000 : 0);
  }
  return sum;
}

function readDirPromise(ioq: Ioq, path: string, inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      next++;
      sum += sumOf(await ioq.readDir(path));
    }
    return sum;
  });
}

async function readDirStream(
  ioq: Ioq,
  path: string,
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let sum = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.readDir(path));
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    if (completion.op !== "readDir") {
      throw unexpected(completion.op);
    }
    sum += sumOf(completion.value);
    if (next < count) {
      next++;
      ioq.submit(op.readDir(path));
    }
  }
  return sum;
}

async function readDirBatch(
  ioq: Ioq,
  path: string,
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let sum = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.readDir(path));
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      if (completion.op !== "readDir") {
        throw unexpected(completion.op);
      }
      sum += sumOf(completion.value);
      if (next < count) {
        next++;
        ioq.submit(op.readDir(path));
      }
    }
  }
  return sum;
}

function readDirDeno(path: string, inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      next++;
      for await (const entry of Deno.readDir(path)) {
        sum += entry.name.length + (entry.isFile ? 1000 : 0);
      }
    }
    return sum;
  });
}

function readDirDenoSync(path: string, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (const entry of Deno.readDirSync(path)) {
      sum += entry.name.length + (entry.isFile ? 1000 : 0);
    }
  }
  return sum;
}

// The cases ------------------------------------------------------------------

function subject(name: string, run: Run): Runner {
  return { name, role: "subject", run };
}

function peer(name: string, run: Run): Runner {
  return { name, role: "peer", run };
}

function nopCase(ioq: Ioq, inFlight: number): Case {
  return {
    group: "nop",
    inFlight,
    runners: [
      subject("promise", (count) => nopPromise(ioq, inFlight, count)),
      subject("stream", (count) => nopStream(ioq, inFlight, count)),
      subject("batch", (count) => nopBatch(ioq, inFlight, count)),
    ],
  };
}

function kernelNopCase(ioq: Ioq, inFlight: number): Case {
  return {
    group: "kernelNop",
    inFlight,
    runners: [
      subject("promise", (count) => kernelNopPromise(ioq, inFlight, count)),
      subject("stream", (count) => kernelNopStream(ioq, inFlight, count)),
      subject("batch", (count) => kernelNopBatch(ioq, inFlight, count)),
    ],
  };
}

function statCase(ioq: Ioq, files: string[], inFlight: number): Case {
  return {
    group: "stat",
    inFlight,
    runners: [
      subject("promise", (count) => statPromise(ioq, files, inFlight, count)),
      subject("stream", (count) => statStream(ioq, files, inFlight, count)),
      subject("batch", (count) => statBatch(ioq, files, inFlight, count)),
      peer("Deno.stat", (count) => statDeno(files, inFlight, count)),
      peer("Deno.statSync", (count) => statDenoSync(files, count)),
    ],
  };
}

function openCase(ioq: Ioq, files: string[], inFlight: number): Case {
  return {
    group: "open + close",
    inFlight,
    runners: [
      subject("promise", (count) => openPromise(ioq, files, inFlight, count)),
      subject("stream", (count) => openStream(ioq, files, inFlight, count)),
      subject("batch", (count) => openBatch(ioq, files, inFlight, count)),
      peer("Deno.open", (count) => openDeno(files, inFlight, count)),
      peer("Deno.openSync", (count) => openDenoSync(files, count)),
    ],
  };
}

function readDirCase(ioq: Ioq, group: string, path: string, inFlight: number): Case {
  return {
    group,
    inFlight,
    runners: [
      subject("promise", (count) => readDirPromise(ioq, path, inFlight, count)),
      subject("stream", (count) => readDirStream(ioq, path, inFlight, count)),
      subject("batch", (count) => readDirBatch(ioq, path, inFlight, count)),
      peer("Deno.readDir", (count) => readDirDeno(path, inFlight, count)),
      peer("Deno.readDirSync", (count) => readDirDenoSync(path, count)),
    ],
  };
}

const READ_LARGE = "readDir, large";
const READ_ETC = "readDir, small";

const GOALS: readonly Goal[] = [
  { group: "nop", subject: "batch", inFlight: [256], atLeast: 8e6 },
  { group: "nop", subject: "stream", inFlight: [256], atLeast: 4e6 },
  { group: "stat", subject: "promise", inFlight: [128], peer: "Deno.stat", atLeast: 20 },
  { group: "stat", subject: "promise", inFlight: [1], peer: "Deno.stat", atLeast: 1 },
  { group: READ_ETC, subject: "promise", inFlight: DEPTHS, peer: "Deno.readDir", atLeast: 5 },
  { group: READ_LARGE, subject: "promise", inFlight: DEPTHS, peer: "Deno.readDir", atLeast: 5 },
];

/** Files that can be opened: no links, which would be two lookups each. */
function findFiles(): string[] {
  const files: string[] = [];
  for (const entry of Deno.readDirSync(FILES_DIRECTORY)) {
    const path = `${FILES_DIRECTORY}/${entry.name}`;
    if (!entry.isFile) {
      continue;
    }
    try {
      Deno.openSync(path).close();
      files.push(path);
    } catch {
      // Not for us
    }
    if (files.length === FILES_MAX) {
      break;
    }
  }
  if (files.length === 0) {
    throw new Error(`There is no file in ${FILES_DIRECTORY} to measure with`);
  }
  return files;
}

function fillDirectory(path: string): void {
  for (let i = 0; i < LARGE_ENTRIES; i++) {
    Deno.openSync(`${path}/some_file_${i}.txt`, { write: true, createNew: true }).close();
  }
}

async function openOps(): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const files = findFiles();
  const large = Deno.makeTempDirSync({ prefix: "ioq_bench_" });
  stack.defer(() => Deno.removeSync(large, { recursive: true }));
  fillDirectory(large);
  const ioq = stack.use(await Ioq.open());

  const made = stack.move();
  return {
    notes: {
      "stat": `${files.length} files of ${FILES_DIRECTORY}`,
      "open + close": `${files.length} files of ${FILES_DIRECTORY}`,
      [READ_LARGE]: `a directory of ${LARGE_ENTRIES} files`,
      [READ_ETC]: `${ETC}, ${[...Deno.readDirSync(ETC)].length} entries`,
    },
    backend: ioq.backend,
    cases: [
      ...NOP_DEPTHS.map((inFlight) => nopCase(ioq, inFlight)),
      ...DEPTHS.map((inFlight) => kernelNopCase(ioq, inFlight)),
      ...DEPTHS.map((inFlight) => statCase(ioq, files, inFlight)),
      ...DEPTHS.map((inFlight) => openCase(ioq, files, inFlight)),
      ...DEPTHS.map((inFlight) => readDirCase(ioq, READ_ETC, ETC, inFlight)),
      ...DEPTHS.map((inFlight) => readDirCase(ioq, READ_LARGE, large, inFlight)),
    ],
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const ops: Suite = {
  name: "ops",
  summary: "single operations: nop, stat, open and close, readDir",
  open: openOps,
};
