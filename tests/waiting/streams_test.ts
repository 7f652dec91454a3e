// Copyright 2026 the ioq authors. MIT license.

/** FIFOs as whole files, and what else is done to them at once, hold up nobody. */

import { assertEquals, assertRejects } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend, type Row } from "../backends.ts";
import { bytes, descriptorsUnder, errorOf, TempDir, text, until, within } from "../fixtures.ts";

/** What a hang takes longer than. */
const LIMIT_MS = 10_000;
/** How many wait, on every row more than there are threads. */
const MANY = 40;
/** More than a pipe holds. */
const LONG = 200_000;

/** So many bytes, of which no two near each other are the same. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
}

/** Numbers below one, as text. */
const numbers = Array.from({ length: MANY }, (_, i) => `${i}`);

/** Read FIFOs by Deno, not all at once: its reads take threads, of which there are not so many. */
async function readByDeno(fifos: readonly string[]): Promise<Uint8Array[]> {
  const came: Uint8Array[] = [];
  for (let at = 0; at < fifos.length; at += 8) {
    const reads = fifos.slice(at, at + 8).map((fifo) => Deno.readFile(fifo));
    came.push(...await within(LIMIT_MS, Promise.all(reads), "reading"));
  }
  return came;
}

/** Rows on which what waits is told apart from what runs. */
const concurrent = ({ concurrent }: Row) => concurrent;

forEachBackend(`${MANY} FIFOs that are read as whole files hold up nothing`, async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open({ depth: 128, threads: 4 });
  const fifos = numbers.map((name) => dir.fifo(`fifo${name}`));
  const reads = fifos.map((fifo) => ioq.readFile(fifo));
  for (let i = 0; i < 10; i++) {
    assertEquals((await within(LIMIT_MS, ioq.stat(path), "stat")).size, 4);
    assertEquals(await within(LIMIT_MS, ioq.readTextFile(path), "readTextFile"), "text");
  }
  const writers = await Promise.all(fifos.map((fifo) => Deno.open(fifo, { write: true })));
  await within(LIMIT_MS, ioq.stat(path), "stat");
  const long = pattern(60_000);
  for (const [i, writer] of writers.entries()) {
    writer.writeSync(bytes(numbers[i]!));
  }
  await within(LIMIT_MS, ioq.stat(path), "stat");
  for (const writer of writers) {
    writer.writeSync(long);
    writer.close();
  }
  const came = await within(LIMIT_MS, Promise.all(reads), "readFile()");
  assertEquals(came.map((bytes) => text(bytes.subarray(0, bytes.length - long.length))), numbers);
  assertEquals(came.map((bytes) => bytes.subarray(-long.length)), numbers.map(() => long));
  assertEquals(descriptorsUnder(dir.path), 0);
}, concurrent);

forEachBackend(
  `${MANY} FIFOs that are written as whole files hold up nothing`,
  async ({ open }) => {
    using dir = new TempDir();
    const path = dir.file("file", "text");
    await using ioq = await open({ depth: 128, threads: 4 });
    const fifos = numbers.map((name) => dir.fifo(`fifo${name}`));
    const sent = pattern(LONG);
    const writes = fifos.map((fifo) => ioq.writeFile(fifo, sent));
    for (let i = 0; i < 10; i++) {
      assertEquals((await within(LIMIT_MS, ioq.stat(path), "stat")).size, 4);
    }
    const came = await readByDeno(fifos);
    assertEquals(came.every((bytes) => bytes.length === LONG), true);
    assertEquals(came[MANY - 1], sent);
    await within(LIMIT_MS, Promise.all(writes), "writeFile()");
    assertEquals(descriptorsUnder(dir.path), 0);
  },
  concurrent,
);

forEachBackend(`${MANY} copies to FIFOs hold up nothing`, async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  const sent = pattern(LONG);
  Deno.writeFileSync(path, sent);
  await using ioq = await open({ depth: 128, threads: 4 });
  const fifos = numbers.map((name) => dir.fifo(`fifo${name}`));
  const copies = fifos.map((fifo) => ioq.copyFile(path, fifo));
  for (let i = 0; i < 10; i++) {
    assertEquals((await within(LIMIT_MS, ioq.stat(path), "stat")).size, LONG);
  }
  const came = await readByDeno(fifos);
  assertEquals(came.every((bytes) => bytes.length === LONG), true);
  assertEquals(came[MANY - 1], sent);
  await within(LIMIT_MS, Promise.all(copies), "copyFile()");
  // What is no file is not copied, and not waited for either
  const error = await within(LIMIT_MS, errorOf(() => ioq.copyFile(fifos[0]!, path)), "copyFile()");
  assertEquals(error.message.includes("regular file"), true, error.message);
  assertEquals(descriptorsUnder(dir.path), 0);
}, ({ concurrent, library }) => concurrent && library);

forEachBackend(`${MANY} splices of idle pipes hold up nothing`, async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open({ depth: 256, threads: 4 });
  const both = { read: true, write: true };
  const fds = await Promise.all(
    numbers.map((name) => ioq.run(op.open(dir.fifo(`fifo${name}`), both))),
  );
  const target = await ioq.openFile(dir.at("to"), { write: true, create: true });
  const splices = fds.map((fd, i) => ioq.run(op.splice(fd, target.fd, 10, { to: i * 10 })));
  for (let i = 0; i < 10; i++) {
    assertEquals((await within(LIMIT_MS, ioq.stat(path), "stat")).size, 4);
  }
  await assertRejects(
    () => ioq.run(op.splice(fds[0]!, target.fd, 10, { to: 0, nonBlock: true })),
    Deno.errors.WouldBlock,
  );
  await Promise.all(fds.map((fd, i) => ioq.run(op.write(fd, bytes(numbers[i]!.padEnd(10))))));
  const counts = await within(LIMIT_MS, Promise.all(splices), "splices");
  assertEquals(counts, numbers.map(() => 10));
  await Promise.all(fds.map((fd) => ioq.run(op.close(fd))));
  await target.close();
  assertEquals(Deno.readTextFileSync(dir.at("to")), numbers.map((n) => n.padEnd(10)).join(""));
}, ({ library, concurrent }) => library && concurrent);

forEachBackend("what waits for a FIFO as a whole file can be ended", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  for (const end of ["abort", "timeoutMs", "close", "cancelAll"] as const) {
    for (const at of [0, 20]) {
      const ioq = await open();
      const controller = new AbortController();
      const options = end === "timeoutMs" ? { timeoutMs: at } : { signal: controller.signal };
      // One that has a writer, and gave some bytes already
      const fifo = dir.fifo(`begun ${end} ${at}`);
      using begun = Deno.openSync(fifo, { read: true, write: true });
      begun.writeSync(bytes("begun"));
      const calls = [
        ioq.readFile(dir.fifo(`read ${end} ${at}`), options),
        ioq.readFile(fifo, options),
        ioq.writeFile(dir.fifo(`write ${end} ${at}`), new Uint8Array(LONG), options),
      ];
      const outcomes = Promise.allSettled(calls);
      await new Promise((resolve) => setTimeout(resolve, at));
      if (end === "abort") {
        controller.abort(new Error("enough"));
      } else if (end === "cancelAll") {
        ioq.cancelAll();
      }
      const closing = end === "close" ? ioq.close() : undefined;
      const results = await within(LIMIT_MS, outcomes, end);
      assertEquals(results.map(({ status }) => status), calls.map(() => "rejected"), end);
      if (end === "abort" || end === "timeoutMs") {
        assertEquals((await within(LIMIT_MS, ioq.stat(path), "stat")).size, 4);
      }
      await (closing ?? within(LIMIT_MS, ioq.close(), "close()"));
      await until(() => descriptorsUnder(dir.path) === 1, "descriptors to be closed");
    }
  }
}, concurrent);
