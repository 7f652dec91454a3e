// Copyright 2026 the ioq authors. MIT license.

/**
 * File systems that fall short, fail half-way, tell sizes that are not so, or have inode
 * numbers beyond 2^53: what Deno does there, every row does.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { copyTree, type Ioq, type IoqFile, op, walk } from "../../mod.ts";
import { bytes, TempDir, within } from "../fixtures.ts";
import {
  contentsOf,
  forEachBackendOnFuse,
  type FuseMount,
  type FuseOptions,
  mountFuse,
  testOnFuse,
} from "../storm/fuse.ts";

type AnyFile = IoqFile | Deno.FsFile;
type Io = Ioq | typeof Deno;

const openFile = (io: Io, path: string, options: Deno.OpenOptions): Promise<AnyFile> =>
  "openFile" in io ? io.openFile(path, options) : io.open(path, options);

/** A sum that tells bytes apart without showing megabytes. */
function sum(data: Uint8Array): string {
  return `${data.length}:${data.reduce((a, b) => (a * 31 + b) >>> 0, 7)}`;
}

/** What something came to: what it gave, or the code of its error. */
async function outcome(what: () => unknown): Promise<unknown> {
  try {
    const value = await what();
    return value instanceof Uint8Array ? sum(value) : value;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** Use a file, which its stream may close. */
async function using<V>(
  opening: Promise<AnyFile>,
  use: (file: AnyFile) => Promise<V>,
): Promise<V> {
  const file = await opening;
  try {
    return await use(file);
  } finally {
    await outcome(() => file.close());
  }
}

/** Do something on a fresh mount, with Deno and with a queue, and compare. */
async function compare(
  name: string,
  options: FuseOptions,
  ioq: Ioq,
  run: (io: Io, fs: FuseMount) => Promise<unknown>,
): Promise<void> {
  const seen = [];
  for (const io of [Deno, ioq]) {
    await using fs = await mountFuse(options);
    seen.push(await outcome(() => run(io, fs)));
  }
  assertEquals(seen[1], seen[0], name);
}

const TREE = { directories: 1, files: 2, bytes: 100_000 };
const DATA = contentsOf(3, 300_000);

/** Ways to read `d0/f0` whole. */
const READS: Record<string, (io: Io, path: string) => Promise<unknown>> = {
  readFile: (io, path) => io.readFile(path),
  read: (io, path) =>
    using(openFile(io, path, { read: true }), async (file) => {
      const all: number[] = [];
      const buffer = new Uint8Array(5000);
      for (let count; (count = await file.read(buffer)) !== null;) {
        all.push(...buffer.subarray(0, count));
      }
      return sum(Uint8Array.from(all));
    }),
  readable: (io, path) =>
    using(
      openFile(io, path, { read: true }),
      (file) => new Response(file.readable).bytes().then(sum),
    ),
};

/** Ways to write DATA. */
const WRITES: Record<string, (io: Io, path: string) => Promise<unknown>> = {
  writeFile: (io, path) => io.writeFile(path, DATA) as Promise<unknown>,
  write: (io, path) =>
    using(openFile(io, path, { write: true, create: true }), async (file) => {
      for (let done = 0; done < DATA.length;) {
        done += await file.write(DATA.subarray(done, done + 70_001));
      }
    }),
  append: (io, path) =>
    using(openFile(io, path, { append: true, create: true }), async (file) => {
      for (let done = 0; done < DATA.length;) {
        done += await file.write(DATA.subarray(done, done + 70_001));
      }
    }),
  writable: (io, path) =>
    using(
      openFile(io, path, { write: true, create: true }),
      (file) => new Blob([DATA]).stream().pipeTo(file.writable),
    ),
};

forEachBackendOnFuse("what is read is what Deno reads", async ({ open }) => {
  await using ioq = await open();
  const weathers: Record<string, FuseOptions> = {
    "past the cache": { directIo: true },
    "short": { directIo: true, shortages: [{ at: "read", bytes: 20_001 }] },
    "short now and then": { directIo: true, shortages: [{ at: "read", bytes: 1, every: 3 }] },
    "told as empty": { tellZero: true },
    "told as empty, past the cache": { tellZero: true, directIo: true },
    "an error at first": { directIo: true, faults: [{ at: "read", errno: "EIO" }] },
    "an error later": {
      directIo: true,
      faults: [{ at: "read", nth: 2, count: 99, errno: "EIO" }],
    },
  };
  for (const [weather, options] of Object.entries(weathers)) {
    for (const [way, read] of Object.entries(READS)) {
      const run = (io: Io, fs: FuseMount) => read(io, fs.at("d0/f0"));
      await compare(`${way}, ${weather}`, { ...options, tree: TREE }, ioq, run);
    }
  }
});

forEachBackendOnFuse("what is written is what Deno writes", async ({ open }) => {
  await using ioq = await open();
  const weathers: Record<string, FuseOptions> = {
    "past the cache": { directIo: true },
    "short": { shortages: [{ at: "write", bytes: 20_001 }] },
    "short, past the cache": {
      directIo: true,
      shortages: [{ at: "write", bytes: 20_001, every: 2 }],
    },
    "an error at the second": { faults: [{ at: "write", nth: 2, count: 99, errno: "EIO" }] },
    "an error at the second, past the cache": {
      directIo: true,
      shortages: [{ at: "write", bytes: 50_000 }],
      faults: [{ at: "write", nth: 2, errno: "EIO" }],
    },
    "full": { capacityBytes: 100_003 },
    "full, past the cache": { directIo: true, capacityBytes: 100_003 },
  };
  for (const [weather, options] of Object.entries(weathers)) {
    for (const [way, write] of Object.entries(WRITES)) {
      await compare(`${way}, ${weather}`, options, ioq, async (io, fs) => [
        await outcome(() => write(io, fs.at("file"))),
        await outcome(() => Deno.readFile(fs.at("file"))),
      ]);
    }
  }
});

forEachBackendOnFuse("a write at an offset that falls short is told so", async ({ open }) => {
  await using ioq = await open();
  await using fs = await mountFuse({ directIo: true, shortages: [{ at: "write", bytes: 5 }] });
  await using file = await ioq.openFile(fs.at("file"), { read: true, write: true, create: true });
  assertEquals(await file.writeAt(bytes("0123456789"), 0), 5);
  assertEquals(await file.writevAt([bytes("5678"), bytes("9")], 5), 5);
  // A request that nobody knows the file of
  assertEquals(await ioq.run(op.write(file.fd, bytes("ABCDEFG"), 10)), 5);
  assertEquals(Deno.readTextFileSync(fs.at("file")), "0123456789ABCDE");
  // Without the library the runtime's own calls go on until all is written
}, ({ library }) => library);

forEachBackendOnFuse("inode numbers beyond 2^53 hinder nothing", async ({ open, row }) => {
  await using ioq = await open();
  const inodeBase = 2n ** 63n + 12_345n;
  for (const readdirplus of [false, true]) {
    await using fs = await mountFuse({
      inodeBase,
      readdirplus,
      tree: { directories: 2, files: 2, bytes: 5_000_000 },
    });
    const path = fs.at("d1/f1");
    assertEquals((await ioq.stat(path)).ino, (await Deno.stat(path)).ino);
    // Without the library no number is exact
    const { ino } = row.library
      ? await ioq.stat(path, { bigint: true })
      : { ino: BigInt((await Deno.stat(path)).ino!) };
    assert(!row.library || (ino > inodeBase && ino < inodeBase + 100n), String(ino));
    {
      await using file = await ioq.openFile(path);
      assertEquals((await file.stat()).ino, Number(ino));
      if (row.library) {
        assertEquals((await file.stat({ bigint: true })).ino, ino);
      }
      const read = await new Response(file.readable).bytes();
      assertEquals(sum(read), sum(Deno.readFileSync(path)));
    }
    assertEquals(sum(await ioq.readFile(path)), sum(Deno.readFileSync(path)));
    const names = async (root: string) => {
      const found = [];
      for await (const entry of walk(root, { ioq, stat: true })) {
        found.push(entry.path.slice(root.length));
      }
      return found.sort();
    };
    const found = await names(fs.path);
    assertEquals(found, ["", "/d0", "/d0/f0", "/d0/f1", "/d1", "/d1/f0", "/d1/f1"]);
    if (row.library) {
      await copyTree(fs.at("d1"), fs.at("copy"), { ioq });
      assertEquals(await names(fs.at("copy")), ["", "/f0", "/f1"]);
    }
    await ioq.remove(fs.at("d0"), { recursive: true });
    assertEquals((await names(fs.path)).filter((name) => name.startsWith("/d0")), []);
  }
});

testOnFuse("inode numbers beyond 2^53 hinder no command", async () => {
  await using fs = await mountFuse({
    inodeBase: 2n ** 64n - 1000n,
    tree: { directories: 2, files: 2, bytes: 10_000 },
  });
  const cli = new URL("../../cli.ts", import.meta.url).href;
  const run = async (command: string, args: string[]) => {
    const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
    assertEquals([new TextDecoder().decode(stderr), success], ["", true]);
    return new TextDecoder().decode(stdout).split("\n").sort();
  };
  const ours = (...args: string[]) => run(Deno.execPath(), ["run", "-A", "-q", cli, ...args]);
  assertEquals(await ours("find", fs.path), await run("find", [fs.path]));
  assertEquals(await ours("du", fs.path), await run("du", [fs.path]));
});

forEachBackendOnFuse("a file system that takes nothing is not asked for ever", async ({ open }) => {
  using dir = new TempDir();
  const source = dir.file("source", "contents");
  await using ioq = await open();
  await using fs = await mountFuse({ directIo: true, shortages: [{ at: "write", bytes: 0 }] });
  await using file = await ioq.openFile(fs.at("open"), { write: true, create: true });
  const calls: Record<string, () => Promise<unknown>> = {
    writeFile: () => ioq.writeFile(fs.at("file"), DATA),
    "writeFile of a stream": () => ioq.writeFile(fs.at("file"), new Blob([DATA]).stream()),
    copyFile: () => ioq.copyFile(source, fs.at("copy")),
    writable: () => new Blob([DATA]).stream().pipeTo(file.writable),
  };
  for (const [name, call] of Object.entries(calls)) {
    const { message } = await assertRejects(() => within(10_000, call(), name), Error);
    assert(/whole buffer|os error 5/.test(message), `${name}: ${message}`);
  }
}, ({ library }) => library);

forEachBackendOnFuse(
  "EINTR of a file system ends nothing, and is not waited out",
  async ({ open }) => {
    await using ioq = await open();
    const paths = (fs: FuseMount) => [fs.at("d0/f0"), fs.at("d0/f1")];
    const endless = 2 ** 31;
    {
      // As long as it does not last, nobody is told
      await using fs = await mountFuse({
        tree: TREE,
        directIo: true,
        faults: [{ at: "read", errno: "EINTR", count: 3 }, {
          at: "open",
          errno: "EINTR",
          count: 2,
        }],
      });
      assertEquals(sum(await ioq.readFile(fs.at("d0/f1"))), sum(contentsOf(1, TREE.bytes)));
    }
    for (const at of ["open", "read"] as const) {
      await using fs = await mountFuse({
        tree: TREE,
        directIo: true,
        faults: [{ at, errno: "EINTR", count: endless }],
      });
      const missed: unknown[] = [];
      const files = ioq.readFiles(paths(fs), { onError: (error) => missed.push(error) });
      assertEquals(await within(10_000, Array.fromAsync(files), at), []);
      assertEquals(missed.map((error) => error instanceof Deno.errors.Interrupted), [true, true]);
    }
    await using fs = await mountFuse({ faults: [{ at: "write", errno: "EINTR", count: endless }] });
    for (const data of [DATA, new Blob([DATA]).stream()]) {
      const writing = outcome(() => ioq.writeFile(fs.at("file"), data));
      assertEquals(await within(10_000, writing, "write"), "EINTR");
    }
  },
  ({ library }) => library,
);

forEachBackendOnFuse(
  "a directory that exists is no AlreadyExists for lack of time",
  async ({ open }) => {
    await using ioq = await open();
    await using fs = await mountFuse({ tree: { directories: 1 }, latencyUs: { getattr: 100_000 } });
    const options = { recursive: true, timeoutMs: 20 };
    for (const path of [fs.at("d0"), bytes(fs.at("d0"))]) {
      const made = await outcome(() => ioq.mkdir(path, options));
      assert(made === undefined || made === "ETIMEDOUT", String(made));
    }
  },
  ({ library, concurrent }) => library && concurrent,
);
