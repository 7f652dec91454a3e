// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Ioq, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import {
  bytes,
  descriptors,
  descriptorsUnder,
  errorOf,
  looksOf,
  TempDir,
  text,
} from "../fixtures.ts";

async function read(ioq: Ioq, fd: number, length: number, offset?: number): Promise<string> {
  return text(await ioq.run(op.read(fd, length, offset)));
}

forEachBackend("read() reads where it is told to", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "0123456789");
  await using ioq = await open();
  const fd = await ioq.run(op.open(path));
  assert(fd > 2);
  assertEquals(await read(ioq, fd, 4, 0), "0123");
  assertEquals(await read(ioq, fd, 4, 3), "3456");
  assertEquals(await read(ioq, fd, 100, 8), "89", "fewer than asked for");
  assertEquals(await read(ioq, fd, 100, 10), "", "at the end");
  assertEquals(await read(ioq, fd, 100, 2 ** 40), "", "beyond the end");
  assertEquals(await read(ioq, fd, 100, Number.MAX_SAFE_INTEGER), "", "far beyond it");
  assertEquals(await read(ioq, fd, 0, 0), "", "nothing asked for");
  await ioq.run(op.close(fd));
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("without an offset the file's own position counts", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "0123456789");
  await using ioq = await open();
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  assertEquals(await read(ioq, fd, 3), "012");
  assertEquals(await read(ioq, fd, 3, 7), "789", "which is another");
  assertEquals(await read(ioq, fd, 3), "345");
  assertEquals(await ioq.run(op.write(fd, bytes("ab"))), 2);
  assertEquals(await read(ioq, fd, 100), "89");
  assertEquals(await read(ioq, fd, 100), "");
  assertEquals(await ioq.run(op.write(fd, bytes("cd"))), 2);
  assertEquals(await ioq.run(op.write(fd, bytes("x"), 0)), 1);
  assertEquals(await ioq.run(op.write(fd, bytes("e"))), 1);
  await ioq.run(op.close(fd));
  assertEquals(Deno.readTextFileSync(path), "x12345ab89cde");
});

forEachBackend("offsets may be beyond 32 bits", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  // One lies across the border
  const offsets = [2 ** 31 - 50, 2 ** 31, 2 ** 32 - 50, 2 ** 32 - 2, 2 ** 33 + 5, 3 * 2 ** 40 + 1];
  for (const offset of offsets) {
    const data = bytes(`at ${offset}`);
    assertEquals(await ioq.run(op.write(fd, data, offset)), data.length);
  }
  using file = Deno.openSync(path);
  for (const offset of offsets) {
    const expected = `at ${offset}`;
    assertEquals(await read(ioq, fd, expected.length, offset), expected);
    file.seekSync(offset, Deno.SeekMode.Start);
    const buffer = new Uint8Array(expected.length);
    file.readSync(buffer);
    assertEquals(text(buffer), expected);
  }
  assertEquals((await ioq.stat(path)).size, 3 * 2 ** 40 + 1 + `at ${3 * 2 ** 40 + 1}`.length);
  await ioq.run(op.close(fd));
});

forEachBackend("large transfers arrive whole", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  const length = 3 * 2 ** 20 + 17;
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    data[i] = (i * 31 + (i >> 8)) & 0xff;
  }
  await using ioq = await open();
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  assertEquals(await ioq.run(op.write(fd, data, 0)), length);
  const parts = await Promise.all([
    ioq.run(op.read(fd, length, 0)),
    ioq.run(op.read(fd, length, 1)),
    ioq.run(op.read(fd, 2 ** 30, 0)),
  ]);
  assertEquals(parts.map((part) => part.length), [length, length - 1, length]);
  assert(parts[0]!.every((byte, i) => byte === data[i]));
  assert(parts[1]!.every((byte, i) => byte === data[i + 1]));
  assert(parts[2]!.every((byte, i) => byte === data[i]));
  assertEquals(parts[0]!.byteOffset, 0);
  assertEquals(parts[0]!.buffer.byteLength, length);
  await ioq.run(op.close(fd));
});

forEachBackend("many reads at once each get their own bytes", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  Deno.writeFileSync(path, Uint8Array.from({ length: 256 * 4096 }, (_, i) => i >> 12));
  await using ioq = await open<number>();
  const fd = await ioq.run(op.open(path));
  for (let i = 0; i < 1000; i++) {
    ioq.submit(op.read(fd, 4096, (i % 256) * 4096), i % 256);
  }
  let count = 0;
  for await (const completion of ioq) {
    assert(completion.ok);
    const { value, data } = completion as { value: Uint8Array; data: number };
    assertEquals(value.length, 4096);
    assert(value.every((byte) => byte === data));
    count++;
  }
  assertEquals(count, 1000);
  await ioq.run(op.close(fd));
});

forEachBackend("write() takes the bytes when it is submitted", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  const fd = await ioq.run(op.open(path, { write: true }));
  const data = bytes("mine");
  const request = op.write(fd, data, 0);
  ioq.submit(request);
  data.fill(0x78);
  for await (const { ok } of ioq) {
    assert(ok);
  }
  assertEquals(Deno.readTextFileSync(path), "mine");

  // Parts of buffers, shared ones, resizable ones, none at all
  const part = bytes("a whole").subarray(2, 5);
  assertEquals(await ioq.run(op.write(fd, part, 4)), 3);
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  shared.set(bytes("sha"));
  assertEquals(await ioq.run(op.write(fd, shared, 7)), 3);
  const resizable = new Uint8Array(new ArrayBuffer(3, { maxByteLength: 6 }));
  resizable.set(bytes("res"));
  assertEquals(await ioq.run(op.write(fd, resizable, 10)), 3);
  assertEquals(await ioq.run(op.write(fd, new Uint8Array(), 13)), 0);
  assertEquals(Deno.readTextFileSync(path), "minewhosharees".replace("ree", "re"));

  // A buffer that is gone by then is no request
  const detached = bytes("gone");
  const late = op.write(fd, detached, 0);
  structuredClone(detached, { transfer: [detached.buffer] });
  assertThrows(() => ioq.submit(late), TypeError, "detached");
  await assertRejects(() => ioq.run(late), TypeError, "detached");
  assertEquals(ioq.size, 0);
  await ioq.run(op.close(fd));
});

/** All combinations of the options of `Deno.open`. */
function* allOptions(): Generator<Deno.OpenOptions> {
  const names = ["read", "write", "append", "truncate", "create", "createNew"] as const;
  for (let bits = 0; bits < 1 << names.length; bits++) {
    yield Object.fromEntries(
      names.filter((_, i) => bits >> i & 1).map((name) => [name, true]),
    );
  }
}

/** The flags of the descriptor that is open on a path. */
function flagsOf(path: string): string {
  const fd = [...descriptors()].find(([, target]) => target === path)![0];
  return /^flags:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`))![1]!;
}

forEachBackend("open() takes Deno's options, and does what Deno does", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  await using ioq = await open();
  let refused = 0;
  for (const options of allOptions()) {
    for (const exists of [true, false]) {
      const what = JSON.stringify({ ...options, exists });
      /** Start over, open, and tell what came of it. */
      const outcome = async (open: () => Promise<() => unknown>) => {
        Deno.removeSync(dir.path, { recursive: true });
        Deno.mkdirSync(dir.path);
        if (exists) {
          dir.file("file", "content");
        }
        try {
          const close = await open();
          const flags = flagsOf(path);
          await close();
          return { flags, left: Deno.readTextFileSync(path) };
        } catch (error) {
          const { name, message } = error as Error;
          const left = [...Deno.readDirSync(dir.path)].length;
          // Where Deno throws a plain error for a wrong argument, we throw a TypeError
          const wrong = /option|creating or truncating/.test(message);
          refused += Number(wrong);
          return wrong ? { wrong, left } : { name, message, left };
        }
      };
      const denos = await outcome(() => {
        const file = Deno.openSync(path, options);
        return Promise.resolve(() => file.close());
      });
      const ours = await outcome(async () => {
        const fd = await ioq.run(op.open(path, options));
        return () => ioq.run(op.close(fd));
      });
      assertEquals(ours, denos, what);
    }
  }
  assert(refused > 0);
  const denos = await errorOf(() => Deno.open(path, {}));
  const ours = await errorOf(() => op.open(path, {}));
  assertEquals([ours.name, ours.message], [denos.name, denos.message]);
});

forEachBackend("open() creates files with the mode asked for", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const umask = Deno.umask(0o022);
  try {
    for (const [mode, expected] of [[undefined, 0o644], [0o600, 0o600], [0o777, 0o755]]) {
      const path = dir.at(`mode ${mode}`);
      const options = { write: true, createNew: true };
      const fd = await ioq.run(op.open(path, mode === undefined ? options : { ...options, mode }));
      await ioq.run(op.close(fd));
      assertEquals(Deno.statSync(path).mode! & 0o7777, expected);
    }
  } finally {
    Deno.umask(umask);
  }
});

forEachBackend("append writes at the end, whatever the offset", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "begin");
  await using ioq = await open();
  const fd = await ioq.run(op.open(path, { append: true }));
  assertEquals(await ioq.run(op.write(fd, bytes(" more"))), 5);
  assertEquals(await ioq.run(op.write(fd, bytes(" end"), 0)), 4);
  await ioq.run(op.close(fd));
  assertEquals(Deno.readTextFileSync(path), "begin more end");
});

forEachBackend("descriptors are not inherited by subprocesses", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  const fds = [await ioq.run(op.open(path)), await ioq.run(op.openDir(dir.path))];
  const { stdout } = new Deno.Command("ls", { args: ["-l", "/proc/self/fd"] }).outputSync();
  assertEquals(text(stdout).includes(dir.path), false, text(stdout));
  await Promise.all(fds.map((fd) => ioq.run(op.close(fd))));
});

forEachBackend("wrong descriptors fail with EBADF", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  for (
    const request of [
      op.read(999_999, 1),
      op.read(999_999, 1, 0),
      op.write(999_999, bytes("x")),
      op.close(999_999),
      op.closeDir(999_999),
      op.readDirBlock(999_999),
    ]
  ) {
    const looks = await looksOf(() => ioq.run(request as never));
    assertEquals(looks.code, "EBADF", request.op);
    assertEquals(looks.name, "Error");
    assert(looks.message.startsWith("Bad file descriptor (os error 9): "), looks.message);
    assert(looks.message.endsWith(" file descriptor 999999"), looks.message);
  }
  const fd = await ioq.run(op.open(path));
  assertEquals((await looksOf(() => ioq.run(op.write(fd, bytes("x"))))).code, "EBADF");
  await ioq.run(op.close(fd));
}, ({ library }) => library);
