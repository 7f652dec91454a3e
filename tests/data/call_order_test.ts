// Copyright 2026 the ioq authors. MIT license.

/**
 * The order of a file's calls: each sees what those before it have done, as with Deno,
 * and none begins before what was aborted has ended.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { IoqFile } from "../../mod.ts";
import { FileRequests, Turn } from "../../src/files/file_requests.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, sleep, TempDir, text, within } from "../fixtures.ts";

const BOTH = { read: true, write: true, create: true };
const LONG = new Uint8Array(64 * 1024).fill(7);

type Opened = IoqFile | Deno.FsFile;

/** What a call tells; Deno tells `null` where there is nothing. */
async function told(call: Promise<unknown>): Promise<unknown> {
  return await call ?? null;
}

/** What is called on a file without awaiting, and what of it is compared. */
const STORIES: Record<string, (file: Opened, path: string) => Promise<unknown>> = {
  "truncate after writes": (file) =>
    Promise.all([file.write(LONG), file.write(LONG), file.truncate(10)].map(told)),
  "a read after truncate": async (file) => {
    await file.write(LONG);
    await file.seek(0, Deno.SeekMode.Start);
    return Promise.all(
      [file.truncate(10), file.read(new Uint8Array(100)), file.truncate(0)].map(told),
    );
  },
  "stat after a write": async (file) =>
    (await Promise.all([file.write(LONG), file.stat(), file.write(LONG)]))[1].size,
  "sync after a write": async (file, path) => {
    const seen: number[] = [];
    for (const sync of [() => file.sync(), () => file.syncData()]) {
      const write = file.write(LONG);
      await sync();
      seen.push(Deno.statSync(path).size);
      await write;
    }
    return seen;
  },
  "utime after a write": async (file, path) => {
    await Promise.all([file.write(LONG), file.utime(1, 2)]);
    return Deno.statSync(path).mtime;
  },
  "a write after utime": async (file, path) => {
    await Promise.all([file.utime(1, 2), file.write(LONG)]);
    return Deno.statSync(path).mtime!.getTime() > 2000;
  },
  "seek after truncate": (file) =>
    Promise.all([
      file.write(LONG),
      file.truncate(5),
      file.seek(0, Deno.SeekMode.End),
      file.write(bytes("x")),
    ].map(told)),
};

forEachBackend("calls that are not awaited take place in their order", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  for (const [name, story] of Object.entries(STORIES)) {
    for (let round = 0; round < 3; round++) {
      await using ours = await ioq.openFile(dir.at("ours"), { ...BOTH, truncate: true });
      using denos = await Deno.open(dir.at("denos"), { ...BOTH, truncate: true });
      const expected = await story(denos, dir.at("denos"));
      assertEquals(await story(ours, dir.at("ours")), expected, name);
      assertEquals(Deno.statSync(dir.at("ours")).size, Deno.statSync(dir.at("denos")).size, name);
    }
  }
});

const PIECES = new Uint8Array(5 * 2 ** 20).fill(7);

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/**
 * Synchronous calls while others are in progress, and what is in the file afterwards.
 * Deno's threads may let such a call go before one that has hardly begun, too.
 */
const OVERTAKING: Record<string, (file: IoqFile) => Promise<readonly Uint8Array[]>> = {
  "two writes": async (file) => {
    // With a limit it takes its turn, and is not over within the call
    const limits = { timeoutMs: 600_000 };
    const writes = [file.write(bytes("AB"), limits), file.write(bytes("EF"))];
    assertEquals(file.writeSync(bytes("CD")), 2);
    assertEquals(await Promise.all(writes), [2, 2]);
    return [bytes("ABCDEF")];
  },
  "several buffers": async (file) => {
    const writes = [file.writev([bytes("A"), bytes("B")]), file.write(bytes("EF"))];
    assertEquals(file.writeSync(bytes("CD")), 2);
    assertEquals(await Promise.all(writes), [2, 2]);
    return [bytes("ABCDEF")];
  },
  "a write in pieces": async (file) => {
    const writes = [file.write(PIECES), file.write(bytes("EF"))];
    assertEquals([file.writeSync(bytes("A")), file.writeSync(bytes("BCD"))], [1, 3]);
    assertEquals(await Promise.all(writes), [PIECES.length, 2]);
    return [PIECES, bytes("ABCDEF")];
  },
  "a write in pieces that has begun": async (file) => {
    const writes = [file.write(PIECES), file.write(bytes("EF"))];
    await sleep(1);
    assertEquals(file.writeSync(PIECES), PIECES.length);
    assertEquals(await Promise.all(writes), [PIECES.length, 2]);
    // Both may have ended by then
    const { size } = await file.stat();
    const end = new Uint8Array(2);
    await file.readAt(end, size - 2);
    return text(end) === "EF" ? [PIECES, PIECES, bytes("EF")] : [PIECES, bytes("EF"), PIECES];
  },
  "truncate": async (file) => {
    await file.write(bytes("abc"));
    const calls = [file.truncate(1), file.truncate(0)];
    assertEquals(file.writeSync(bytes("xyz")), 3);
    await Promise.all(calls);
    await file.truncate(0);
    return [];
  },
};

forEachBackend(
  "a synchronous call comes after the one in progress, before the others",
  async (bench) => {
    using dir = new TempDir();
    await using ioq = await bench.open();
    const open = async (path: string, append: boolean) => {
      const file = await ioq.openFile(path, { ...BOTH, append });
      if (!bench.row.nativeThreads) {
        // What kind of file it is takes requests: nobody can tell before
        await file.write(new Uint8Array());
      }
      return file;
    };
    for (const append of [false, true]) {
      for (const [name, story] of Object.entries(OVERTAKING)) {
        const path = dir.at(`${name}, ${append}`);
        await using file = await open(path, append);
        const expected = await new Blob(await story(file) as Uint8Array<ArrayBuffer>[]).bytes();
        assert(isSame(Deno.readFileSync(path), expected), `${name}, ${append}`);
        if (name !== "truncate") {
          assertEquals(
            file.seekSync(0, Deno.SeekMode.Current),
            expected.length,
            `${name}, ${append}`,
          );
        }
      }
    }

    Deno.writeFileSync(dir.at("read"), new Uint8Array([...PIECES, ...bytes("abcdef")]));
    await using file = await open(dir.at("read"), false);
    const [all, first, second] = [PIECES.length, 2, 2].map((length) => new Uint8Array(length));
    const reads = [file.read(all!), file.read(first!)];
    assertEquals(file.readSync(second!), 2);
    assertEquals(await Promise.all(reads), [PIECES.length, 2]);
    assert(isSame(all!, PIECES));
    assertEquals([text(second!), text(first!)], ["ab", "cd"]);
    assertEquals(file.seekSync(0, Deno.SeekMode.Current), PIECES.length + 4);
  },
  ({ name }) => name !== "worker without library",
);

forEachBackend(
  "what may wait for ever is not waited for by a synchronous call",
  async ({ open }) => {
    using dir = new TempDir();
    const path = dir.fifo("fifo");
    await using ioq = await open();
    await using fifo = await ioq.openFile(path, { read: true, write: true });
    const read = fifo.read(new Uint8Array(4));
    await sleep(1);
    assertThrows(() => fifo.readSync(new Uint8Array(4)), Deno.errors.Busy);
    fifo.writeSync(bytes("ping"));
    assertEquals(await read, 4);
  },
  (row) => row.nativeThreads,
);

forEachBackend("a lock that is waited for holds up the calls after it", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  using holder = Deno.openSync(path, { read: true });
  await using ioq = await open();
  await using file = await ioq.openFile(path, BOTH);
  const told: string[] = [];
  const tell = <V>(name: string, call: Promise<V>) => call.then(() => void told.push(name));
  // Held while it writes, and by nobody behind that
  const calls = [
    tell("lock", file.lock(true)),
    tell("write", file.write(LONG)),
    tell("unlock", file.unlock()),
    tell("tryLock", file.tryLock(true)),
    tell("unlock", file.unlock()),
  ];
  await Promise.all(calls);
  assertEquals(told, ["lock", "write", "unlock", "tryLock", "unlock"]);

  holder.lockSync(true);
  const lock = file.lock(true);
  const write = file.write(bytes("x"));
  // Those at an offset go by no order
  assertEquals(await within(5000, file.writeAt(bytes("y"), 0), "writeAt()"), 1);
  assertEquals((await within(5000, ioq.stat(path), "stat()")).size, LONG.length);
  holder.unlockSync();
  assertEquals(await within(5000, Promise.all([lock, write]), "lock()"), [undefined, 1]);
  await file.unlock();

  // One that waits for its turn is given up as one that waits for the lock
  holder.lockSync(true);
  const controller = new AbortController();
  const first = file.lock(true, { signal: controller.signal });
  await assertRejects(() => file.stat({ timeoutMs: 1 }), Deno.errors.TimedOut);
  const second = file.lock(true);
  const stat = file.stat();
  controller.abort(new Error("mine"));
  await assertRejects(() => first, Error, "mine");
  const closing = file.close();
  await assertRejects(() => within(5000, second, "lock()"), Deno.errors.Interrupted);
  assertEquals((await stat).size, LONG.length + 1);
  await within(5000, closing, "close()");
}, ({ library, concurrent }) => library && concurrent);

Deno.test("a turn of several requests is over when all of them are", () => {
  const requests = new FileRequests(false);
  const order = requests.reading;
  order.enter();
  const turn = new Turn(requests, order);
  const pieces = [1, 2].map(() => requests.write(0, new Uint8Array(1), 0, 0));
  pieces.forEach((piece) => turn.enter(piece));
  turn.leave(pieces[0]!);
  // Its caller was told that it is aborted
  turn.end();
  assertEquals([order.isFree, requests.count], [false, 2]);
  turn.leave(pieces[1]!);
  assertEquals([order.isFree, requests.count], [true, 0]);
});

forEachBackend("what was aborted has ended before the next call begins", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  const long = new Uint8Array(6 * 2 ** 20).fill(7);
  await using ioq = await open();
  // By now there are several lanes, if there are ever going to be
  await Promise.all([1, 2, 3].map((i) => ioq.writeFile(dir.at(`${i}`), long)));
  const next: Record<string, (file: IoqFile) => Promise<Uint8Array>> = {
    write: async (file) => {
      assertEquals(await file.write(bytes("abc")), 3);
      const end = await file.seek(0, Deno.SeekMode.Current);
      return (await Deno.readFile(path)).subarray(end - 3, end);
    },
    truncate: async (file) => {
      await file.truncate(0);
      await file.truncate(3);
      return bytes("abc").fill(97 + Deno.statSync(path).size);
    },
    close: async (file) => {
      await file.close();
      const { size } = Deno.statSync(path);
      await sleep(5);
      return bytes(`${Deno.statSync(path).size - size}`);
    },
  };
  const expected: Record<string, string> = { write: "abc", truncate: "ddd", close: "0" };
  for (let round = 0; round < 24; round++) {
    const name = Object.keys(next)[round % 3]!;
    await using file = await ioq.openFile(path, { ...BOTH, truncate: true });
    const controller = new AbortController();
    const write = round % 2 === 0
      ? file.write(long, { signal: controller.signal })
      : file.write(long, { timeoutMs: 1 + round / 4 });
    setTimeout(() => controller.abort(), round / 4);
    await write.catch(() => {});
    assertEquals(text(await next[name]!(file)), expected[name], `${name} after ${round}`);
    if (name !== "close") {
      const { size } = await file.stat();
      await sleep(5);
      assertEquals((await file.stat()).size, size, name);
      if (name === "write") {
        const end = await file.seek(0, Deno.SeekMode.Current);
        assertEquals(text(Deno.readFileSync(path).subarray(end - 3, end)), "abc");
      }
    }
  }
});

forEachBackend("the position is where the append has ended", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const story = async (file: Opened, path: string) => {
    const buffer = new Uint8Array(20);
    const tell = () => file.seek(0, Deno.SeekMode.Current);
    const others = (what: string) => Deno.writeTextFileSync(path, what, { append: true });
    const seen: unknown[] = [await file.write(bytes("mine\n"))];
    others("theirs\n");
    seen.push(await file.read(buffer), text(buffer));
    seen.push(await file.write(bytes("12345")));
    others("x".repeat(50));
    seen.push(await tell());
    await Promise.all([file.write(bytes("67")), file.write(bytes("89")), file.truncate(500)]);
    seen.push(await tell(), await file.read(buffer));
    if ("writev" in file) {
      await file.writev([bytes("a"), bytes("b")]);
    } else {
      await file.write(bytes("ab"));
    }
    others("theirs\n");
    seen.push(await tell());
    if (row.name === "worker without library") {
      // Whose files belong to a Worker
      await file.write(bytes("sync"));
      others("theirs\n");
      await tell();
      await file.write(bytes("sync"));
    } else {
      assertEquals(file.writeSync(bytes("sync")), 4);
      others("theirs\n");
      assertEquals(file.seekSync(0, Deno.SeekMode.Current), 513);
      assertEquals([file.readSync(buffer), file.writeSync(bytes("sync"))], [7, 4]);
    }
    others("the rest");
    const chunk = (await file.readable.getReader().read()).value!;
    return [...seen, text(chunk)];
  };
  const how = { read: true, append: true };
  const ours = await ioq.openFile(dir.file("ours", "0123456789"), how);
  const denos = await Deno.open(dir.file("denos", "0123456789"), how);
  const expected = await story(denos, dir.at("denos"));
  denos.close();
  assertEquals(await story(ours, dir.at("ours")), expected);
  assertEquals(Deno.readTextFileSync(dir.at("ours")), Deno.readTextFileSync(dir.at("denos")));
  await ours.close();
  // Of pieces, in a file that others append to as well
  const long = new Uint8Array(2 ** 21 + 5).fill(120);
  await using log = await ioq.openFile(dir.file("log"), how);
  await log.write(long);
  Deno.writeTextFileSync(dir.at("log"), "theirs", { append: true });
  assertEquals(await log.seek(0, Deno.SeekMode.Current), long.length);
  assert((await log.read(new Uint8Array(10))) === 6);
});
