// Copyright 2026 the ioq authors. MIT license.

/** What waits for somebody else holds up nobody: not a lane, not a thread of the kernel's. */

import { assertEquals } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend, type Row } from "../backends.ts";
import { bytes, TempDir, text, within } from "../fixtures.ts";

/** What a hang takes longer than. */
const LIMIT_MS = 20_000;

/** Rows that know locks. */
const waits = ({ library }: Row) => library;

forEachBackend("a stat is done while 40 locks wait", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("locked");
  using holder = Deno.openSync(path, { read: true, write: true });
  holder.lockSync(true);
  await using ioq = await open({ depth: 128, threads: 4 });
  const files = await Promise.all(Array.from({ length: 40 }, () => ioq.openFile(path)));
  const order: number[] = [];
  const waiting = files.map((file, i) =>
    ioq.run(op.lock(file.fd, "exclusive", { wait: true })).then(async () => {
      order.push(i);
      await ioq.run(op.lock(file.fd, "unlock"));
    })
  );
  for (let i = 0; i < 10; i++) {
    assertEquals((await within(LIMIT_MS, ioq.stat(path), "stat")).size, 0);
  }
  assertEquals(order, []);
  holder.unlockSync();
  await within(LIMIT_MS, Promise.all(waiting), "locks");
  assertEquals(order.length, 40);
  await Promise.all(files.map((file) => file.close()));
}, waits);

forEachBackend("17 tasks lock one file, stat and unlock", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("locked");
  await using ioq = await open({ threads: 16 });
  let inside = 0;
  const task = async () => {
    const file = await ioq.openFile(path);
    for (let round = 0; round < 5; round++) {
      await ioq.run(op.lock(file.fd, "exclusive", { wait: true }));
      assertEquals(++inside, 1);
      await ioq.stat(path);
      inside--;
      await ioq.run(op.lock(file.fd, "unlock"));
    }
    await file.close();
  };
  await within(LIMIT_MS, Promise.all(Array.from({ length: 17 }, task)), "tasks");
}, waits);

forEachBackend("a stat is done while 40 reads of idle pipes wait", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open({ depth: 128, threads: 4 });
  // Open at both ends, so that opening waits for nobody
  const fds = await Promise.all(
    Array.from(
      { length: 40 },
      (_, i) => ioq.run(op.open(dir.fifo(`fifo${i}`), { read: true, write: true })),
    ),
  );
  const reads = fds.map((fd) => ioq.run(op.read(fd, 10)));
  for (let i = 0; i < 10; i++) {
    assertEquals((await within(LIMIT_MS, ioq.stat(path), "stat")).size, 4);
  }
  await Promise.all(fds.map((fd, i) => ioq.run(op.write(fd, bytes(`${i}`)))));
  const came = await within(LIMIT_MS, Promise.all(reads), "reads");
  assertEquals(came.map(text), fds.map((_, i) => `${i}`));
  await Promise.all(fds.map((fd) => ioq.run(op.close(fd))));
});

forEachBackend("a write that fills a pipe goes on when there is room", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  await using ioq = await open({ threads: 1 });
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  // The ring takes what fits; a thread writes all, as write(2)
  const writes: Promise<number>[] = [];
  for (let i = 0; i < 4; i++) {
    writes.push(ioq.run(op.write(fd, sent)));
  }
  let acknowledged = 0;
  const all = Promise.all(writes.map((write) => write.then((count) => acknowledged += count)));
  await ioq.stat(path);
  let read = 0;
  const abort = new AbortController();
  const drained = (async () => {
    while (true) {
      try {
        read += (await ioq.run(op.read(fd, 65_536), { signal: abort.signal })).length;
      } catch {
        return;
      }
    }
  })();
  await within(LIMIT_MS, all, "writes");
  while (read < acknowledged) {
    await ioq.sleep(1);
  }
  abort.abort();
  await drained;
  assertEquals(read, acknowledged);
  await ioq.run(op.close(fd));
});

for (const other of ["read", "write"] as const) {
  forEachBackend(`20 opens of FIFOs to ${other} hold up nothing`, async ({ open }) => {
    using dir = new TempDir();
    const path = dir.at("file");
    await using ioq = await open({ depth: 64, threads: 4 });
    const abort = new AbortController();
    const opens = Array.from(
      { length: 20 },
      (_, i) =>
        ioq.run(op.open(dir.fifo(`fifo${i}`), { [other]: true }), { signal: abort.signal })
          .then(() => "open", () => "aborted"),
    );
    for (let i = 0; i < 5; i++) {
      // An open that creates, a write and a sync take other ways than a stat
      const fd = await within(
        LIMIT_MS,
        ioq.run(op.open(path, { write: true, create: true, truncate: true })),
        "open",
      );
      await within(LIMIT_MS, ioq.run(op.write(fd, bytes("text"), 0)), "write");
      await within(LIMIT_MS, ioq.run(op.sync(fd)), "sync");
      await within(LIMIT_MS, ioq.run(op.close(fd)), "close");
      assertEquals((await within(LIMIT_MS, ioq.stat(path), "stat")).size, 4);
    }
    abort.abort();
    assertEquals(
      new Set(await within(LIMIT_MS, Promise.all(opens), "opens")),
      new Set(["aborted"]),
    );
  });
}

forEachBackend("echo into a FIFO is read whole, 100 times", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  await using ioq = await open({ threads: 2 });
  const writer = new Deno.Command("sh", {
    args: ["-c", 'i=0; while [ $i -lt 100 ]; do echo "hi $i" > "$0"; i=$((i+1)); done', path],
  }).spawn();
  let all = "";
  for (let i = 0; i < 100; i++) {
    const fd = await within(LIMIT_MS, ioq.run(op.open(path)), "open");
    let part;
    do {
      part = await within(LIMIT_MS, ioq.run(op.read(fd, 100)), "read");
      all += text(part);
    } while (part.length > 0);
    await ioq.run(op.close(fd));
    if (all.endsWith("hi 99\n")) {
      // Two of them may have come to one opening
      break;
    }
  }
  await writer.status;
  assertEquals(all.split("\n").filter((line) => line !== "").length, 100);
});

forEachBackend("a writer that opens a FIFO and writes nothing is noticed", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  await using ioq = await open();
  const opening = ioq.run(op.open(path));
  using _writer = await within(LIMIT_MS, Deno.open(path, { write: true }), "the writer");
  const fd = await within(LIMIT_MS, opening, "the reader");
  await ioq.run(op.close(fd));
});

forEachBackend("a stat and sleeps come through beside what keeps completing", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "x".repeat(4096));
  await using ioq = await open({ depth: 512, threads: 2 });
  const fd = await ioq.run(op.open(path));
  let stop = false;
  const nops = Array.from({ length: 256 }, async (_, i) => {
    while (!stop) {
      await ioq.run(i % 2 ? op.kernelNop() : op.read(fd, 4096, 0));
    }
  });
  for (let i = 0; i < 20; i++) {
    await within(LIMIT_MS, ioq.stat(path), "stat");
    await within(LIMIT_MS, ioq.sleep(1), "sleep");
  }
  stop = true;
  await Promise.all(nops);
  await ioq.run(op.close(fd));
}, waits);

forEachBackend("a close does not mind a time limit", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  for (let i = 0; i < 50; i++) {
    const fd = await ioq.run(op.open(path));
    ioq.submit(op.close(fd), { timeoutMs: 0.001 });
    for await (const closed of ioq) {
      assertEquals(closed.ok, true);
    }
  }
});
