// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Canceled } from "@ioq/ioq/loop";
import { forEachLoop } from "./rows.ts";

forEachLoop("a group waits for its members, those added meanwhile included", async ({ loop }) => {
  const group = loop.group();
  const seen: number[] = [];
  for (let i = 0; i < 3; i++) {
    group.async(async (io) => {
      await io.sleep(3 - i);
      seen.push(i);
      group.async(() => seen.push(10 + i));
    });
  }
  assertEquals(group.size, 3);
  await group.wait();
  assertEquals(seen.sort((a, b) => a - b), [0, 1, 2, 10, 11, 12]);
  assertEquals(group.size, 0);
  await group.wait();
  await group.cancel();
});

forEachLoop("a member's failure cancels the others, and wait() tells of it", async ({ loop }) => {
  const group = loop.group();
  const told: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    group.async((io) =>
      io.sleep(1e6).catch((error) => {
        told.push(error);
        throw error;
      })
    );
  }
  const failing = group.async((io) => io.stat("/nope"));
  await assertRejects(() => group.wait(), Deno.errors.NotFound);
  assertEquals(told.map((error) => error instanceof Canceled), [true, true, true]);
  await assertRejects(() => failing, Deno.errors.NotFound);
  assertEquals(loop.running, 0);
  // It can be used again
  assertEquals(await group.async(() => 1), 1);
  await group.wait();

  group.async(() => Promise.reject(new Error("one")));
  group.async((io) => io.sleep(1e6).catch(() => Promise.reject(new Error("two"))));
  const error = await assertRejects(() => group.wait(), AggregateError);
  assertEquals(error.errors.map((it: Error) => it.message), ["one", "two"]);
});

forEachLoop("cancel() cancels all members", async ({ loop }) => {
  const group = loop.group();
  const members = [1, 2, 3].map(() => group.async((io) => io.sleep(1e6)));
  const stubborn = group.concurrent((io) => io.sleep(1e6).catch(() => "kept"));
  await group.cancel();
  for (const member of members) {
    await assertRejects(() => member, Canceled);
  }
  assertEquals(await stubborn, "kept");
});

forEachLoop("leaving a group's scope by an error cancels the rest and waits", async ({ loop }) => {
  let cleaned = 0;
  await assertRejects(
    async () => {
      await using group = loop.group();
      for (let i = 0; i < 3; i++) {
        group.async(async (io) => {
          try {
            await io.sleep(1e6);
          } finally {
            await io.uncancelable(() => io.sleep(1));
            cleaned++;
          }
        });
      }
      throw new Error("left");
    },
    Error,
    "left",
  );
  assertEquals(cleaned, 3);
  assertEquals(loop.running, 0);
});

forEachLoop("cancelling who waits for a group cancels the group", async ({ loop }) => {
  let cancelled = 0;
  const parent = loop.async(async (io) => {
    await using group = loop.group();
    for (let i = 0; i < 3; i++) {
      group.async((io) =>
        io.sleep(1e6).finally(() => {
          cancelled++;
        })
      );
    }
    await group.wait(io);
  });
  await assertRejects(() => parent.cancel(), Canceled);
  assertEquals(cancelled, 3);
  const late = loop.async(async (io) => {
    const group = loop.group();
    group.async((io) => io.sleep(1e6).finally(() => cancelled++));
    await Promise.resolve();
    assert(io.cancelRequested);
    await group.wait(io);
  });
  await assertRejects(() => late.cancel(), Canceled);
  assertEquals(cancelled, 4);
});

forEachLoop("a member that is added when the last one has just ended counts", async ({ loop }) => {
  for (const end of ["wait", "cancel"] as const) {
    const group = loop.group();
    const first = group.async((io) => io.sleep(1e6).catch(() => {}));
    let last: string | undefined;
    first.then(() =>
      group.async(async (io) => {
        last = "begun";
        last = await io.sleep(1).then(() => "slept", () => "cancelled");
      })
    );
    first.cancel();
    await group[end]();
    assertEquals(last, end === "wait" ? "slept" : "cancelled");
  }
});

forEachLoop("a group that has failed takes no member until somebody is told", async ({ loop }) => {
  const group = loop.group();
  await assertRejects(() => group.async((io) => io.stat("/nope")), Deno.errors.NotFound);
  await assertRejects(() => group.async((io) => io.sleep(1e6)), Canceled);
  await assertRejects(() => group.wait(), Deno.errors.NotFound);
  assertEquals(await group.async((io) => io.sleep(1).then(() => "slept")), "slept");
  await group.wait();
});

forEachLoop("a cancellation survives the failure of a group that is awaited", async ({ loop }) => {
  for (const early of [true, false]) {
    const seen: string[] = [];
    const parent = loop.async(async (io) => {
      const group = loop.group();
      group.async((io) => io.sleep(1e6).catch(() => Promise.reject(new Error("member"))));
      if (early) {
        await Promise.resolve();
      }
      await group.wait(io).catch((error) => seen.push(error.message));
      await io.nop().catch((error) => {
        assert(error instanceof Canceled);
        seen.push("canceled");
      });
    });
    await parent.cancel();
    assertEquals(seen, ["member", "canceled"]);
  }
});

forEachLoop("the Canceled of another task is a failure like any other", async ({ loop }) => {
  const other = loop.async((io) => io.sleep(1e6));
  const group = loop.group();
  let sibling: unknown;
  group.async((io) => io.sleep(1e6).catch((error) => sibling = error));
  group.async(async () => await other);
  other.cancel();
  await assertRejects(() => group.wait(), Canceled);
  assert(sibling instanceof Canceled);
});
