// Copyright 2026 the ioq authors. MIT license.

/**
 * The examples that have a version in plain Deno beside them: both do the same.
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { defaultQueue, Ioq } from "../mod.ts";
import { backup } from "../examples/backup.ts";
import { findDirty } from "../examples/dirty.ts";
import { grep } from "../examples/grep.ts";
import { ship } from "../examples/ship.ts";
import { WalStore } from "../examples/wal_store.ts";
import { backup as plainBackup } from "../examples/plain/backup.ts";
import { findDirty as plainFindDirty } from "../examples/plain/dirty.ts";
import { grep as plainGrep } from "../examples/plain/grep.ts";
import { ship as plainShip } from "../examples/plain/ship.ts";
import { WalStore as PlainWalStore } from "../examples/plain/wal_store.ts";
import { TempDir, text, within } from "./fixtures.ts";

/** What an example prints, as a program. */
async function output(name: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(new URL(`../examples/${name}.ts`, import.meta.url)), ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assertEquals(code, 0, text(stderr));
  return text(stdout);
}

Deno.test("dirty: what is new, changed, touched and gone, as with plain Deno", async () => {
  await using _ = await defaultQueue();
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("src/lib"), { recursive: true });
  for (const name of ["a.ts", "b.ts", "lib/c.ts", "lib/d.ts"]) {
    dir.file(`src/${name}`, name);
  }
  dir.fifo("src/fifo");
  Deno.symlinkSync("a.ts", dir.at("src/link.ts"));
  const src = dir.at("src");
  const both = async () => {
    const lines = await findDirty(src, dir.at("state"));
    assertEquals(lines, await plainFindDirty(src, dir.at("plain state")));
    return lines.map((it) => it.replace(`${src}/`, ""));
  };
  assertEquals(await both(), ["new a.ts", "new b.ts", "new lib/c.ts", "new lib/d.ts"]);
  assertEquals(await both(), []);
  Deno.writeTextFileSync(dir.at("src/a.ts"), "A.ts"); // as long as before
  Deno.utimeSync(dir.at("src/a.ts"), 1, 1);
  Deno.utimeSync(dir.at("src/b.ts"), 1, 1); // the same contents
  Deno.removeSync(dir.at("src/lib/c.ts"));
  dir.file("src/e.ts");
  assertEquals(await both(), ["changed a.ts", "gone lib/c.ts", "new e.ts"]);
  assertEquals(await both(), []);
  dir.file("src/f.ts");
  assertEquals(
    await output("dirty", src, dir.at("state")),
    await output("plain/dirty", src, dir.at("plain state")),
  );
});

Deno.test("grep: the lines of what git does not ignore, as with plain Deno", async () => {
  await using _ = await defaultQueue();
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("src/build"), { recursive: true });
  assert(new Deno.Command("git", { args: ["init", "-q", dir.path] }).outputSync().success);
  dir.file(".gitignore", "build/\n*.log\n!kept.log\n");
  dir.file("one.ts", "needle\nhay\nneedle again");
  dir.file("src/two.ts", "hay\n\tneedle\n");
  dir.file("src/build/three.ts", "needle\n");
  dir.file("src/four.log", "needle\n");
  dir.file("src/kept.log", "needle é\n");
  dir.file("binary", "needle\n\0");
  dir.fifo("fifo");
  Deno.symlinkSync("one.ts", dir.at("link.ts"));
  const lines = (await Array.fromAsync(grep(/ne+dle/, dir.path))).sort();
  assertEquals(lines, (await Array.fromAsync(plainGrep(/ne+dle/, dir.path))).sort());
  assertEquals(lines.map((it) => it.slice(dir.path.length + 1)), [
    "one.ts:1:needle",
    "one.ts:3:needle again",
    "src/kept.log:1:needle é",
    "src/two.ts:2:\tneedle",
  ]);
  assertEquals(
    (await output("grep", "needle", dir.path)).split("\n").sort(),
    (await output("plain/grep", "needle", dir.path)).split("\n").sort(),
  );
});

for (const [version, follow] of [["ioq", ship], ["plain Deno", plainShip]] as const) {
  Deno.test(`ship: each line once, across rotation, truncation and restarts, with ${version}`, async () => {
    using dir = new TempDir();
    const [first, second] = [dir.file("first.log", "1\n2\n"), dir.at("second.log")];
    const append = (path: string, lines: string) =>
      Deno.writeTextFileSync(path, lines, { append: true, create: true });
    let seen = "";
    let arrived = () => {};
    const send = (path: string, lines: string) => {
      seen += `${path === first ? "first" : "second"} ${lines}`;
      arrived();
      return Promise.resolve();
    };
    /** Until just these have arrived, in this order. */
    const expect = async (expected: string) => {
      while (seen.length < expected.length) {
        const { promise, resolve } = Promise.withResolvers<void>();
        arrived = resolve;
        await within(10_000, promise, expected);
      }
      assertEquals(seen, expected);
      seen = "";
    };
    /** Follow both while a function runs. */
    const during = async (steps: () => Promise<void>) => {
      const stop = new AbortController();
      const shipping = follow(dir.at("positions"), [first, second], send, stop.signal);
      try {
        await steps();
      } finally {
        stop.abort();
        await shipping;
      }
    };
    await during(async () => {
      await expect("first 1\n2\n");
      append(first, "3\n4");
      await expect("first 3\n");
      append(second, "a longer line\n");
      await expect("second a longer line\n");
      append(first, "\n");
      await expect("first 4\n");
    });
    append(first, "5\n"); // while nobody follows
    await during(async () => {
      await expect("first 5\n");
      Deno.renameSync(first, dir.at("first.log.1"));
      append(dir.at("first.log.1"), "6\n");
      await expect("first 6\n");
      append(first, "7\n");
      await expect("first 7\n");
      Deno.writeTextFileSync(second, "b\n"); // shorter than before
      await expect("second b\n");
    });
  });
}

Deno.test("wal_store: what is safe is there, after checkpoints and torn ends, as with plain Deno", async () => {
  using dir = new TempDir();
  await using ioq = await Ioq.open();
  const versions = [
    ["ioq", () => WalStore.open(ioq, dir.at("ioq"))],
    ["plain", () => PlainWalStore.open(dir.at("plain"))],
  ] as const;
  const found: string[][] = [];
  for (const [name, open] of versions) {
    const entries: string[] = [];
    const note = (store: { entries: ReadonlyMap<string, string> }) =>
      entries.push(JSON.stringify([...store.entries]));
    {
      await using store = await open();
      await Promise.all(["a", "b", "a"].map((key, i) => store.set(key, `${i}`)));
      await store.set("é\n", "=");
      note(store);
    }
    {
      await using store = await open();
      note(store);
      // Changes before, during and after a checkpoint
      const changes = [store.set("c", "1"), store.checkpoint(), store.set("c", "2")];
      await Promise.all([...changes, store.set("d", "3")]);
      await store.set("torn", "!");
      note(store);
    }
    // A crash while a record was written
    const log = `${dir.at(name)}/log`;
    const whole = Deno.readFileSync(log);
    assert(whole.length > 0);
    Deno.writeFileSync(log, whole.subarray(0, whole.length - 2));
    {
      await using store = await open();
      note(store);
      await store.set("e", "4");
      Deno.copyFileSync(log, dir.at("log"));
      await store.checkpoint();
    }
    assertEquals(Deno.statSync(log).size, 0);
    // A crash between the snapshot and the log: both have the same changes
    Deno.copyFileSync(dir.at("log"), log);
    {
      await using store = await open();
      note(store);
    }
    found.push(entries);
  }
  assertEquals(found[0], found[1]);
  assertEquals(found[0]![0], found[0]![1]);
  assertEquals(
    found[0]!.at(-1),
    JSON.stringify([["a", "2"], ["b", "1"], ["é\n", "="], ["c", "2"], ["d", "3"], ["e", "4"]]),
  );
  const changes = ["x=1", "y=2=3"];
  const out = await output("wal_store", dir.at("cli"), ...changes);
  assertEquals(out, "x=1\ny=2=3\n");
  assertEquals(await output("plain/wal_store", dir.at("plain cli"), ...changes), out);
});

/** What a tree has, as far as plain Deno copies it. */
function contents(root: string, names = new Map<string, string>(), below = ""): string[] {
  const path = `${root}${below}`;
  const info = Deno.lstatSync(path);
  if (info.isSymlink) {
    return [`${below} -> ${Deno.readLinkSync(path)}`];
  }
  const line = `${below} ${info.mode} ${info.uid} ${info.gid} ${info.mtime!.getTime()}`;
  if (info.isDirectory) {
    const inside = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
    return [line, ...inside.flatMap((name) => contents(root, names, `${below}/${name}`))];
  }
  const first = names.get(`${info.ino}`) ?? below;
  names.set(`${info.ino}`, first);
  return [`${line} ${first} ${Deno.readTextFileSync(path)}`];
}

Deno.test("backup: a tree with its times, modes and links, as with plain Deno", async () => {
  await using _ = await defaultQueue();
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("from/sub/empty"), { recursive: true });
  dir.file("from/file", "text");
  dir.file("from/sub/script", "#!/bin/sh\n");
  Deno.chmodSync(dir.at("from/sub/script"), 0o750);
  Deno.linkSync(dir.at("from/file"), dir.at("from/sub/same"));
  Deno.symlinkSync("../file", dir.at("from/sub/link"));
  Deno.utimeSync(dir.at("from/file"), 1, 2);
  Deno.chmodSync(dir.at("from/sub"), 0o500);
  Deno.utimeSync(dir.at("from/sub"), 3, 4);
  // What a run that was killed left
  Deno.mkdirSync(dir.at("to.partial"));
  dir.file("to.partial/rest");
  Deno.mkdirSync(dir.at("plain.partial"));

  const expected = contents(dir.at("from"));
  await backup(dir.at("from"), dir.at("to"));
  await plainBackup(dir.at("from"), dir.at("plain"));
  assertEquals(contents(dir.at("to")), expected);
  assertEquals(contents(dir.at("plain")), expected);
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name).sort(), [
    "from",
    "plain",
    "to",
  ]);
  assertEquals(await output("backup", dir.at("from"), dir.at("again")), "");
  assertEquals(contents(dir.at("again")), expected);
});

Deno.test("docs/examples.md tells how many lines of code they have", () => {
  const page = Deno.readTextFileSync(new URL("../docs/examples.md", import.meta.url))
    .replaceAll(/\s+/g, " ");
  const linesOf = (name: string) =>
    Deno.readTextFileSync(new URL(`../examples/${name}.ts`, import.meta.url)).split("\n")
      .filter((line) => !/^\s*(?:\/\/|\/\*|\*|$)/.test(line)).length;
  const plain = [...Deno.readDirSync(new URL("../examples/plain/", import.meta.url))];
  for (const { name: file } of plain) {
    const name = file.replace(/\.ts$/, "");
    const [ours, theirs] = [linesOf(name), linesOf(`plain/${name}`)];
    assert(page.includes(` | ${ours} | [${theirs}](../examples/plain/${name}.ts)`), name);
  }
  assert(page.includes(`whose ${linesOf("append_log")} lines are not counted`));
});
