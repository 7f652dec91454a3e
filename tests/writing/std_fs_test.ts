// Copyright 2026 the ioq authors. MIT license.

/** `exists`, `ensureDir`, `emptyDir`, `move`, `create` and temporary names, beside Deno and `@std/fs`. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as ioqModule from "../../mod.ts";
import type { Ioq, MoveOptions } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { descriptorsUnder, TempDir } from "../fixtures.ts";
import * as std from "./std_fs.ts";

/** The same things in a directory. */
function furnish(dir: Pick<TempDir, "at" | "file">): void {
  Deno.mkdirSync(dir.at("full/sub"), { recursive: true });
  dir.file("full/file", "in full");
  dir.file("full/sub/file", "in sub");
  Deno.symlinkSync("sub", dir.at("full/link"));
  Deno.mkdirSync(dir.at("empty"));
  dir.file("file", "text");
  dir.file("other", "other text");
  Deno.linkSync(dir.at("file"), dir.at("twin"));
  Deno.symlinkSync("full", dir.at("to full"));
  Deno.symlinkSync("file", dir.at("to file"));
  Deno.symlinkSync("nowhere", dir.at("broken"));
}

/** All that is in a directory, in words. */
function listing(path: string, below = ""): string[] {
  return [...Deno.readDirSync(path)].toSorted((a, b) => a.name < b.name ? -1 : 1).flatMap(
    (entry) => {
      const at = `${path}/${entry.name}`;
      const name = `${below}${entry.name}`;
      if (entry.isDirectory) {
        return [`${name}/`, ...listing(at, `${name}/`)];
      }
      return entry.isSymlink
        ? `${name} -> ${Deno.readLinkSync(at)}`
        : `${name}: ${Deno.readTextFileSync(at)}`;
    },
  );
}

/** What comes of a call, and what is there then. */
async function outcome(
  call: (at: (name: string) => string) => Promise<unknown>,
): Promise<unknown> {
  using dir = new TempDir();
  furnish(dir);
  let came;
  try {
    came = await call((name) => dir.at(name));
  } catch (error) {
    const { name, message } = error as Error;
    came = [name, message.replaceAll(dir.path, "DIR")];
  }
  assertEquals(descriptorsUnder(dir.path), 0);
  return [came, listing(dir.path)];
}

/** The functions that are compared. */
type Calls = Pick<Ioq, "exists" | "ensureDir" | "emptyDir" | "move">;
type Call = (calls: Calls, at: (name: string) => string) => Promise<unknown>;

const NAMES = [
  "full",
  "empty",
  "file",
  "to full",
  "to file",
  "broken",
  "none",
  "none/below",
  "file/below",
  "full/sub",
];

/** Every call on everything. */
const CASES: readonly (readonly [string, Call])[] = [
  ...NAMES.flatMap((name): [string, Call][] => [
    [`exists ${name}`, (calls, at) => calls.exists(at(name))],
    [`isFile ${name}`, (calls, at) => calls.exists(at(name), { isFile: true })],
    [`isDirectory ${name}`, (calls, at) => calls.exists(at(name), { isDirectory: true })],
    [`ensureDir ${name}`, (calls, at) => calls.ensureDir(at(name))],
    [`emptyDir ${name}`, (calls, at) => calls.emptyDir(at(name))],
  ]),
  ...["full", "file", "to full", "broken", "none"].flatMap((from) =>
    ["full", "empty", "file", "to full", "broken", "none", "full/sub", "twin"].flatMap((to) =>
      [false, true].map((overwrite): [string, Call] => [
        `move ${from} ${to} ${overwrite}`,
        (calls, at) => calls.move(at(from), at(to), { overwrite }),
      ])
    )
  ),
];

forEachBackend("exists(), ensureDir(), emptyDir() and move() do as @std/fs", async ({ open }) => {
  await using ioq = await open();
  for (const [name, call] of CASES) {
    const ours = await outcome((at) => call(ioq, at));
    const theirs = await outcome((at) => call(std as Calls, at));
    assertEquals(ours, theirs, name);
  }
});

forEachBackend("names that nobody has are made as by Deno", async ({ open }) => {
  await using ioq = await open();
  using dir = new TempDir();
  dir.file("file");
  const all = [
    {},
    { prefix: "p", suffix: ".s" },
    { dir: `${dir.path}/` },
    { dir: dir.at("none") },
    { dir: dir.at("file") },
    { prefix: "a/b" },
    { suffix: "a\0b" },
    { suffix: "a\u0085" },
    { prefix: "\n" },
    { suffix: 'a"b' },
    { prefix: "x".repeat(300) },
  ];
  for (const options of all) {
    for (const name of ["makeTempFile", "makeTempDir"] as const) {
      const looks = async (make: typeof ioq.makeTempFile) => {
        try {
          const path = await make({ dir: dir.path, ...options });
          const { mode, isFile, size } = Deno.lstatSync(path);
          return [
            path.replace(/[0-9a-f]{8,16}(?=(?:\.s)?$)/, "RANDOM"),
            mode,
            isFile,
            isFile && size,
          ];
        } catch (error) {
          const { name, message } = error as Error;
          return [name, message];
        }
      };
      const theirs = await looks((how) => Deno[name](how as Deno.MakeTempOptions));
      assertEquals(await looks((how) => ioq[name](how)), theirs, JSON.stringify([name, options]));
    }
  }
  const paths = await Promise.all(
    Array.from({ length: 50 }, () => ioq.makeTempFile({ dir: dir.path })),
  );
  assertEquals(new Set(paths).size, 50);
  const path = await ioq.makeTempDir();
  assert(Deno.statSync(path).isDirectory);
  Deno.removeSync(path);
});

forEachBackend(
  "create() empties what is there and opens it to be read and written",
  async ({ open }) => {
    await using ioq = await open();
    using dir = new TempDir();
    dir.file("file", "long text");
    for (const name of ["file", "new"]) {
      await using file = await ioq.create(dir.at(name));
      await file.write(new TextEncoder().encode("ab"));
      const buffer = new Uint8Array(4);
      assertEquals(await file.readAt(buffer, 0), 2);
      assertEquals(Deno.readTextFileSync(dir.at(name)), "ab");
    }
    await assertRejects(() => ioq.create(dir.at("none/file")), Deno.errors.NotFound);
  },
);

forEachBackend("exists() refuses contradictions, and is ended by a signal", async ({ open }) => {
  await using ioq = await open();
  using dir = new TempDir();
  await assertRejects(() => ioq.exists("/", { isFile: true, isDirectory: true }), TypeError);
  assertEquals(await ioq.exists(dir.path, { isReadable: true, isDirectory: true }), true);
  assertEquals(await ioq.exists(dir.at("none"), { isReadable: true }), false);
  const signal = AbortSignal.abort(new Error("mine"));
  dir.file("file");
  const calls = [
    () => ioq.exists(dir.path, { signal }),
    () => ioq.ensureDir(dir.at("made"), { signal }),
    () => ioq.emptyDir(dir.path, { signal }),
    () => ioq.move(dir.at("file"), dir.at("moved"), { signal }),
    () => ioq.create(dir.at("created"), { signal }),
    () => ioq.makeTempFile({ dir: dir.path, signal }),
    () => ioq.makeTempDir({ dir: dir.path, signal }),
  ];
  for (const call of calls) {
    await assertRejects(call, Error, "mine");
  }
  assertEquals(listing(dir.path), ["file: "]);
});

forEachBackend("move() moves to another file system what has all that it had", async ({ open }) => {
  await using ioq = await open();
  using dir = new TempDir();
  const shared = Deno.makeTempDirSync({ dir: "/dev/shm" });
  using _ = { [Symbol.dispose]: () => Deno.removeSync(shared, { recursive: true }) };
  furnish(dir);
  const before = listing(dir.at("full"));
  Deno.utimeSync(dir.at("full/file"), 1_000_000, 2_000_000);
  await ioq.move(dir.at("full"), `${shared}/moved`);
  assertEquals(listing(`${shared}/moved`), before);
  assertEquals(Deno.statSync(`${shared}/moved/file`).mtime, new Date(2_000_000_000));
  await assertRejects(() => Deno.lstat(dir.at("full")), Deno.errors.NotFound);
  await assertRejects(
    () => ioq.move(dir.at("file"), `${shared}/moved`),
    Deno.errors.AlreadyExists,
  );
  await ioq.move(dir.at("file"), `${shared}/moved`, { overwrite: true });
  assertEquals(listing(shared), ["moved: text"]);
}, ({ library }) => library && onTwoFileSystems());

/** What a move that fails leaves where it is. */
interface Failing {
  /** Makes what is moved. */
  readonly make: (path: string) => void;
  readonly options?: MoveOptions;
  /** Called when the move has begun. */
  readonly then?: (ioq: Ioq) => unknown;
}

const FAILING: Readonly<Record<string, Failing>> = {
  "a pipe": { make: (path) => makeFifo(path) },
  "a directory with a pipe": {
    make: (path) => {
      Deno.mkdirSync(path);
      Deno.writeTextFileSync(`${path}/before`, "x");
      makeFifo(`${path}/pipe`);
    },
  },
  "too little time": {
    make: (path) => Deno.writeFileSync(path, new Uint8Array(30_000_000)),
    options: { timeoutMs: 2 },
  },
  "the end of the queue": {
    make: (path) => {
      Deno.mkdirSync(path);
      for (let i = 0; i < 20; i++) {
        Deno.writeFileSync(`${path}/${i}`, new Uint8Array(1_000_000));
      }
    },
    then: (ioq) => ioq.close(),
  },
};

/** Make a named pipe. */
function makeFifo(path: string): void {
  assert(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
}

forEachBackend("what a move was to replace stays if the move fails", async ({ open, row }) => {
  using dir = new TempDir();
  const shared = Deno.makeTempDirSync({ dir: "/dev/shm" });
  using _ = { [Symbol.dispose]: () => Deno.removeSync(shared, { recursive: true }) };
  for (const [name, { make, options, then }] of Object.entries(FAILING)) {
    make(dir.at(name));
    for (const old of ["file", "directory"]) {
      const target = `${shared}/${old}`;
      if (old === "file") {
        Deno.writeTextFileSync(target, "precious");
      } else {
        Deno.mkdirSync(target);
        Deno.writeTextFileSync(`${target}/file`, "precious");
      }
      const ioq = await open();
      const moving = ioq.move(dir.at(name), target, { ...options, overwrite: true }).then(
        () => true,
        () => false,
      );
      await then?.(ioq);
      const isMoved = await moving;
      await ioq.close();
      if (isMoved && (options ?? then) !== undefined) {
        // It was too late
        await assertRejects(() => Deno.lstat(dir.at(name)), Deno.errors.NotFound);
        make(dir.at(name));
        Deno.removeSync(target, { recursive: true });
        continue;
      }
      assertEquals(listing(shared), [
        ...(old === "file" ? ["file: precious"] : ["directory/", "directory/file: precious"]),
      ], `${name}, ${row.library}`);
      Deno.lstatSync(dir.at(name));
      Deno.removeSync(target, { recursive: true });
    }
  }
}, onTwoFileSystems);

forEachBackend(
  "a move replaces what is on another file system, whatever it is",
  async ({ open }) => {
    await using ioq = await open();
    using dir = new TempDir();
    const shared = Deno.makeTempDirSync({ dir: "/dev/shm" });
    using _ = { [Symbol.dispose]: () => Deno.removeSync(shared, { recursive: true }) };
    for (const from of ["full", "file", "broken"]) {
      for (const to of ["full", "empty", "file", "to full", "broken", "none"]) {
        const there = `${shared}/there`;
        Deno.mkdirSync(there);
        const at = (name: string) => `${there}/${name}`;
        furnish(dir);
        furnish({
          at,
          file(name, contents) {
            Deno.writeTextFileSync(at(name), String(contents));
            return at(name);
          },
        });
        const moved = from === "broken" ? "to file" : from;
        const expected = [...listing(dir.path)].filter((line) => isOf(line, moved))
          .map((line) => to + line.slice(moved.length));
        await ioq.move(dir.at(moved), at(to), { overwrite: true });
        assertEquals(listing(there).filter((line) => isOf(line, to)), expected);
        assertEquals(listing(there).filter((line) => line.startsWith(".ioq")), []);
        assertEquals(listing(dir.path).filter((line) => isOf(line, moved)), []);
        for (const { name } of Deno.readDirSync(dir.path)) {
          Deno.removeSync(dir.at(name), { recursive: true });
        }
        Deno.removeSync(there, { recursive: true });
      }
    }
  },
  ({ library }) => library && onTwoFileSystems(),
);

/** Whether a line of a listing is of something, or of what is in it. */
function isOf(line: string, name: string): boolean {
  return line.startsWith(name) && /^(?::|\/| ->)/.test(line.slice(name.length));
}

forEachBackend("a move over what it is in, or over itself, is refused", async ({ open }) => {
  await using ioq = await open();
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("a/b/c"), { recursive: true });
  dir.file("a/b/f", "precious");
  dir.file("a/twin", "two names");
  Deno.linkSync(dir.at("a/twin"), dir.at("a/other"));
  Deno.symlinkSync(".", dir.at("l"));
  Deno.symlinkSync("a/b", dir.at("to b"));
  const before = listing(dir.path);
  const refused: [from: string, to: string][] = [
    ["a/b", "a"],
    ["a/b/f", "a"],
    ["a/b/c", "a"],
    ["l/a/b", "a"],
    ["a/b", "l/a"],
    ["to b/f", "a"],
    ["to b/c", "l/l/a/b"],
    ["a", "l/a"],
    ["l/a/b", "to b/../b"],
    ["a", "l/a/b"],
    ["a", "a/b/c"],
  ];
  for (const [from, to] of refused) {
    await assertRejects(
      () => ioq.move(dir.at(from), dir.at(to), { overwrite: true }),
      Error,
      undefined,
      `${from} ${to}`,
    );
    assertEquals(listing(dir.path), before, `${from} ${to}`);
  }
  for (const [from, to] of [["a/twin", "l/a/twin"], ["a/b/f", "to b/f"], ["to b", "l/to b"]]) {
    await ioq.move(dir.at(from!), dir.at(to!), { overwrite: true });
    assertEquals(listing(dir.path), before, `${from} ${to}`);
  }
  await ioq.move(dir.at("l/a/other"), dir.at("a/twin"), { overwrite: true });
  assertEquals(listing(dir.path), before.filter((line) => line !== "a/other: two names"));
});

/** Whether there is a file system in memory beside the one of temporary files. */
function onTwoFileSystems(): boolean {
  try {
    using dir = new TempDir();
    return Deno.statSync("/dev/shm").dev !== Deno.statSync(dir.path).dev;
  } catch {
    return false;
  }
}

Deno.test("the same as functions", async () => {
  const { defaultQueue, makeTempDir, makeTempFile, exists, ensureDir, emptyDir, move, create } =
    ioqModule;
  await using _ = await defaultQueue();
  const dir = await makeTempDir();
  const file = await makeTempFile({ dir });
  await move(file, `${dir}/moved`);
  await ensureDir(`${dir}/a/b`);
  await (await create(`${dir}/a/file`)).close();
  assertEquals(listing(dir), ["a/", "a/b/", "a/file: ", "moved: "]);
  await emptyDir(dir);
  assertEquals([await exists(dir), await exists(`${dir}/a`)], [true, false]);
  Deno.removeSync(dir);
});
