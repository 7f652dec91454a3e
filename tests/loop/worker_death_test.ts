// Copyright 2026 the ioq authors. MIT license.

/** What becomes of tasks in Workers when one of them dies, and of what they throw. */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { Canceled } from "@ioq/ioq/loop";
import { within } from "../fixtures.ts";
import { forEachLoop } from "./rows.ts";

function module(name: string): URL {
  return new URL(`./modules/${name}.ts`, import.meta.url);
}

const ODD = [
  "name is a number",
  "name is undefined",
  "name is a function",
  "name is a class of others",
  "everything throws",
  "its own cause",
  "no text",
  "a symbol",
  "posts",
];

forEachLoop("whatever a task throws harms nobody else", async ({ loop }) => {
  const other = loop.concurrent(module("sleep_task"), [1e6, true]);
  for (const start of ["concurrent", "offload"] as const) {
    for (const how of ODD) {
      const end = loop[start](module("failing"), [how]).then(
        () => "resolved",
        (error) => error,
      );
      const error = await within(20_000, end, how);
      if (how === "no text" || how === "a symbol") {
        assertEquals(typeof error, "string", how);
      } else {
        assertInstanceOf(error, Error, how);
        assertEquals(typeof error.name, "string", how);
        assertEquals(error.message, how === "everything throws" ? "" : "odd");
      }
    }
    await assertRejects(
      () => loop[start](module("failing"), ["returns what throws"]),
      RangeError,
      "cannot be read",
    );
  }
  assertEquals(other.done, false);
  await other.cancel().catch((error) => assert(error instanceof Canceled));
}, { workers: 2 });

forEachLoop("errors that consist of errors come back with all of them", async ({ loop }) => {
  const several = await assertRejects(
    () => loop.concurrent(module("failing"), ["several"]),
    AggregateError,
    "several",
  );
  const [one, two, three] = several.errors;
  assertInstanceOf(one, Deno.errors.NotFound);
  assertEquals(two, "two");
  assertInstanceOf(three, AggregateError);
  assertInstanceOf(three.errors[0], RangeError);
  const suppressed = await assertRejects(
    () => loop.offload(module("failing"), ["suppressed"]),
    SuppressedError,
    "suppressed",
  );
  assertInstanceOf(suppressed.error, RangeError);
  assertInstanceOf(suppressed.suppressed, TypeError);
});

forEachLoop("no task is lost when a Worker dies among many", async ({ loop }) => {
  for (const how of ["stray", "stray value", "exit"]) {
    const tasks = Array.from(
      { length: 40 },
      (_, i) =>
        i === 5
          ? loop.concurrent(module("failing"), [how])
          : loop.concurrent(module("sleep_task"), [0, false]),
    );
    const ends = await within(30_000, Promise.allSettled(tasks), how);
    for (const [i, end] of ends.entries()) {
      if (end.status === "rejected") {
        assert(String(end.reason).includes("The Worker died"), `${how}: ${end.reason}`);
      } else {
        assert(i !== 5);
      }
    }
    assertEquals(loop.running, 0);
  }
}, { workers: 2 });

forEachLoop("a computation either ran or was cancelled, and never both", async ({ loop }) => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  let ran = 0;
  for (let i = 0; i < 20; i++) {
    const future = loop.offload<number>(module("count"), [words]);
    const end = await future.cancel().catch((error) => error);
    if (end instanceof Canceled) {
      assertEquals(Atomics.load(words, 0), ran);
    } else {
      assertEquals(end, ran++);
    }
  }
  assertEquals(await loop.offload(module("count"), [words]), ran);
}, { workers: 1 });
