// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { errorOf, looksOf, MOD, sleep, within } from "../fixtures.ts";

forEachBackend("post() reaches receive(), in order, each message once", async ({ open }) => {
  await using one = await open();
  await using other = await open();
  assert(one.id !== other.id && one.id > 0);
  assertEquals(one.id, one.id);

  const values = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
  for (const value of values) {
    assertEquals(await one.post(other, value), undefined);
  }
  for (const value of values) {
    assertEquals(await other.receive(), value);
  }
  // Who waits is served in order; a queue may post to itself
  const waiting = Promise.all(values.map(() => other.receive()));
  await sleep(2);
  for (const [at, value] of values.entries()) {
    await (at % 2 ? other : one).post(other.id, value);
    await sleep(at % 3);
  }
  assertEquals(await within(5000, waiting, "messages"), values);
}, ({ library }) => library);

forEachBackend("posts to what is no queue, and bad values, are refused", async ({ open }) => {
  await using ioq = await open();
  const closed = await open();
  const id = closed.id;
  await closed.close();
  assertThrows(() => closed.id, Deno.errors.BadResource);
  const looks = await looksOf(() => ioq.post(id, 1));
  assertEquals(looks, {
    class: "NotFound",
    name: "NotFound",
    message: "There is no such queue, or it was closed: post",
    code: "ENOENT",
  });
  for (const value of [-1, 0.5, 2 ** 53, NaN]) {
    await assertRejects(() => ioq.post(ioq, value), RangeError);
  }
  for (const target of [0, -1, 2 ** 32, 0.5]) {
    await assertRejects(() => ioq.post(target, 1), RangeError);
  }
  assertThrows(() => op.post("1" as unknown as number, 1), TypeError);
}, ({ library }) => library);

forEachBackend("a queue keeps 1024 messages and refuses more", async ({ open }) => {
  await using one = await open();
  await using other = await open();
  for (let i = 0; i < 1024; i++) {
    await one.post(other, i);
  }
  await assertRejects(() => one.post(other, 0), Deno.errors.WouldBlock);
  await assertRejects(() => other.post(other, 0), Deno.errors.WouldBlock);
  assertEquals(await other.receive(), 0);
  await one.post(other, 1024);
  for (let i = 1; i <= 1024; i++) {
    assertEquals(await other.receive(), i);
  }
}, ({ library }) => library);

forEachBackend("receive() can be cancelled, and loses no message by it", async ({ open }) => {
  await using ioq = await open<number>();
  const controller = new AbortController();
  const { signal } = controller;
  const before = ioq.receive();
  const aborted = Array.from({ length: 3 }, () => errorOf(() => ioq.receive({ signal })));
  const after = ioq.receive();
  await sleep(2);
  controller.abort();
  for (const error of await within(5000, Promise.all(aborted), "aborting")) {
    assertEquals(error.name, "AbortError");
  }
  await ioq.post(ioq, 1);
  await ioq.post(ioq, 2);
  assertEquals(await within(5000, Promise.all([before, after]), "messages"), [1, 2]);
  const left = errorOf(() => ioq.receive());
  ioq.cancelAll();
  assert(await within(5000, left, "cancelling") instanceof Deno.errors.Interrupted);
}, ({ library }) => library);

forEachBackend("post() wakes a queue in another Worker", async ({ open, row }) => {
  const script = `
    import { Ioq } from ${JSON.stringify(MOD)};
    await using ioq = await Ioq.open(${JSON.stringify(row.options)});
    self.onmessage = async ({ data }) => {
      for (let i = 0; i < 200; i++) {
        await ioq.post(data, await ioq.receive() + 1);
      }
      await ioq.close();
      self.postMessage("done");
    };
    self.postMessage(ioq.id);
    await new Promise(() => {});
  `;
  await using ioq = await open();
  const url = URL.createObjectURL(new Blob([script], { type: "text/typescript" }));
  const worker = new Worker(url, { type: "module" });
  URL.revokeObjectURL(url);
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
  const id = await next() as number;
  const done = next();
  worker.postMessage(ioq.id);
  const exchange = async () => {
    for (let i = 0; i < 200; i++) {
      await ioq.post(id, i * 2);
      assertEquals(await ioq.receive(), i * 2 + 1);
    }
  };
  await within(20_000, exchange(), "messages");
  assertEquals(await done, "done");
  worker.terminate();
}, ({ library }) => library);
