// Copyright 2026 the ioq authors. MIT license.

/** What waits for somebody else is over when its queue, its signal or its time is. */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { Ioq } from "../../mod.ts";
import { EventLoop } from "../../src/loop/mod.ts";
import { isEnd } from "../../src/end.ts";
import { forEachBackend } from "../backends.ts";
import { descriptorsUnder, errorOf, sleep, TempDir, within } from "../fixtures.ts";
import { CountingController } from "./counting_controller.ts";

/** What a hang takes longer than. */
const LIMIT_MS = 3_000;

/** Ways to end what is in progress. */
const ENDS: Record<string, (ioq: Ioq, controller: AbortController, reason: Error) => unknown> = {
  "close()": (ioq) => void ioq.close(),
  "cancelAll()": (ioq) => ioq.cancelAll(),
  "an abort": (_, controller, reason) => controller.abort(reason),
};

/** A source of paths, or chunks, that never comes to anything. */
function never<V>(first: readonly V[], onReturn = () => {}): AsyncIterable<V> {
  let at = 0;
  return {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        at < first.length
          ? Promise.resolve({ done: false, value: first[at++]! })
          : new Promise(() => {}),
      return() {
        onReturn();
        return new Promise(() => {});
      },
    }),
  };
}

for (const [name, end] of Object.entries(ENDS)) {
  forEachBackend(`readFiles() of paths that do not come ends by ${name}`, async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    const controller = new CountingController();
    const reason = new Error("enough");
    let returned = 0;
    const paths = never([dir.file("file", "text")], () => returned++);
    const { signal } = controller;
    const files = ioq.readFiles(paths, { signal, onError: "skip" });
    assertEquals((await files.next()).value?.bytes.length, 4);
    const next = files.next();
    const outcome = next.then(() => undefined, (error: unknown) => error);
    await sleep(1);
    end(ioq, controller, reason);
    const error = await within(LIMIT_MS, outcome, "next()");
    if (name === "an abort") {
      assertStrictEquals(error, reason);
    } else {
      assert(isEnd(error) && error instanceof Error, String(error));
    }
    assertEquals(returned, 1);
    assertEquals((await files.next()).done, true);
    assertEquals(controller.listeners, 0);
    await within(LIMIT_MS, ioq.close(), "close()");
  });
}

forEachBackend("readFiles() of a task's is over when that is cancelled", async ({ row }) => {
  await using loop = await EventLoop.open(row.options);
  let error: unknown;
  const task = loop.async(async (io) => {
    try {
      await io.readFiles(never<string>([])).next();
    } catch (cause) {
      error = cause;
      throw cause;
    }
  });
  await sleep(1);
  task.cancel();
  await within(LIMIT_MS, errorOf(() => task), "the task");
  assertEquals((error as Error | undefined)?.name, "Canceled");
});

forEachBackend("a time limit is one on all of writeFile(stream)", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  // Nothing ever comes
  let cancelled: unknown;
  const silent = new ReadableStream<Uint8Array>({
    pull: () => new Promise(() => {}),
    cancel: (reason) => void (cancelled = reason),
  });
  const writing = ioq.writeFile(dir.at("to"), silent, { timeoutMs: 20 });
  const error = await within(LIMIT_MS, errorOf(() => writing), "writeFile()");
  assert(error instanceof Deno.errors.TimedOut, String(error));
  assert(error.message.startsWith("Timed out after 20 ms: "), error.message);
  assertStrictEquals(cancelled, error);
  // A chunk comes again and again, each of them in time
  let timer: ReturnType<typeof setTimeout>;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) =>
      new Promise((resolve) => {
        timer = setTimeout(() => {
          controller.enqueue(new Uint8Array(1));
          resolve();
        }, 5);
      }),
    cancel: () => clearTimeout(timer),
  });
  await assertRejects(
    () => within(LIMIT_MS, ioq.writeFile(dir.at("to"), endless, { timeoutMs: 50 }), "writeFile()"),
    Deno.errors.TimedOut,
    "Timed out after 50 ms: ",
  );
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("a time limit is one on all of a transfer in pieces", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.at("file"), { read: true, write: true, create: true });
  const large = new Uint8Array(64 * 2 ** 20);
  // Each piece is done in time
  let limit = 8;
  const timed = async (call: (options: { timeoutMs: number }) => Promise<unknown>) => {
    const start = performance.now();
    const error = await call({ timeoutMs: limit }).then(() => undefined, (error) => error);
    if (error === undefined) {
      // So it was no longer than that, but for one turn of the event loop's
      assert(performance.now() - start < LIMIT_MS);
      return false;
    }
    assert(error instanceof Deno.errors.TimedOut, String(error));
    assert(error.message.startsWith(`Timed out after ${limit} ms: `), error.message);
    return true;
  };
  const calls = {
    write: (options: { timeoutMs: number }) => file.write(large, options),
    writeAt: (options: { timeoutMs: number }) => file.writeAt(large, 0, options),
    readAt: (options: { timeoutMs: number }) => file.readAt(large, 0, options),
    read: (options: { timeoutMs: number }) => file.read(large, options),
    writeFile: (options: { timeoutMs: number }) => ioq.writeFile(dir.at("other"), large, options),
    readFile: (options: { timeoutMs: number }) => ioq.readFile(dir.at("file"), options),
  };
  Deno.truncateSync(dir.at("file"), large.length);
  for (const [name, call] of Object.entries(calls)) {
    if (name === "read") {
      await file.seek(0, Deno.SeekMode.Start);
    }
    // 64 MiB are not copied within so little; what is limited anew with each piece is
    limit = 8;
    let late = false;
    for (let tries = 0; tries < 10 && !late; tries++) {
      late = await timed(call);
      limit = Math.max(2, limit / 2);
    }
    assert(late, name);
  }
});

for (const name of [...Object.keys(ENDS), "time"]) {
  forEachBackend(`10,000 promises that wait end by ${name} in steps`, async ({ open }) => {
    const ioq = await open();
    const controller = new CountingController();
    const reason = new Error("enough");
    const { signal } = controller;
    const limit = name === "time" ? { timeoutMs: 100 } : {};
    let settled = 0;
    const waiting = Array.from(
      { length: 10_000 },
      () => ioq.sleep(1e6, { signal, ...limit }).then(() => assert(false), () => settled++),
    );
    await sleep(1);
    // All at once would be before the event loop has gone round once
    ENDS[name]?.(ioq, controller, reason);
    let rounds = 0;
    while (settled < waiting.length) {
      await new Promise((resolve) => setImmediate(resolve));
      rounds++;
    }
    assert(rounds > 1, `${rounds}`);
    await Promise.all(waiting);
    await within(LIMIT_MS, ioq.close(), "close()");
    assertEquals(controller.listeners, 0);
  }, ({ name }) => name === "uring" || name === "threads" || name.startsWith("worker"));
}
