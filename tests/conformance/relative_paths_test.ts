// Copyright 2026 the ioq authors. MIT license.

/**
 * A relative path means the file that it means when it is given, whatever the current
 * directory is when the request runs. Messages have it as it was given.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { defaultQueue, type Ioq, op, type Path, writeTextFile } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, TempDir } from "../fixtures.ts";

/** A folder with two more, of which the first is the current one meanwhile. */
class Folders implements Disposable {
  readonly dir = new TempDir();
  readonly here: string = this.dir.at("here");
  readonly there: string = this.dir.at("there");
  readonly #before = Deno.cwd();

  constructor() {
    Deno.mkdirSync(this.here);
    Deno.mkdirSync(this.there);
    Deno.chdir(this.here);
  }

  /** Begin something here, and let it go on there. */
  async begin<V>(work: () => Promise<V>): Promise<V> {
    Deno.chdir(this.here);
    const working = work();
    Deno.chdir(this.there);
    return await working;
  }

  [Symbol.dispose](): void {
    Deno.chdir(this.#before);
    this.dir[Symbol.dispose]();
  }
}

/** What is done to a file "log" and its like, and what is where afterwards. */
const CALLS: { readonly [what: string]: (ioq: Ioq) => Promise<unknown> } = {
  async writeTextFile(ioq) {
    await ioq.writeTextFile("log", "text");
  },
  async writeFile(ioq) {
    await ioq.writeFile(bytes("log"), bytes("text"));
  },
  async largeWriteFile(ioq) {
    await ioq.writeFile("log", new Uint8Array(5 << 20));
  },
  async largeReadFile(ioq) {
    Deno.writeFileSync("large", new Uint8Array(5 << 20));
    assertEquals((await ioq.readFile("large")).length, 5 << 20);
  },
  async mkdir(ioq) {
    await ioq.mkdir("log/a/b", { recursive: true });
  },
  async remove(ioq) {
    Deno.mkdirSync("log");
    await ioq.remove("log");
  },
  async rename(ioq) {
    Deno.writeTextFileSync("log", "text");
    await ioq.rename("log", "./other");
  },
  async link(ioq) {
    Deno.writeTextFileSync("log", "text");
    await ioq.link("log", "other");
  },
  async symlink(ioq) {
    await ioq.symlink("../target", "log");
    assertEquals(await ioq.readLink(Deno.cwd() + "/../here/log"), "../target");
  },
  async copyFile(ioq) {
    Deno.writeTextFileSync("log", "text");
    await ioq.copyFile("log", "other");
  },
  async openFile(ioq) {
    await using _ = await ioq.openFile("log", { write: true, create: true });
  },
  async stream(ioq) {
    await ioq.writeFile("log", new Blob(["text"]).stream());
  },
};

for (const [what, call] of Object.entries(CALLS)) {
  forEachBackend(`${what}: a chdir() before the turn changes nothing`, async ({ open }) => {
    await using ioq = await open();
    using folders = new Folders();
    await folders.begin(() => call(ioq));
    assertEquals([...Deno.readDirSync(folders.there)], []);
  });
}

Deno.test("a chdir() while the shared queue opens changes nothing", async () => {
  using folders = new Folders();
  await using _ = { [Symbol.asyncDispose]: async () => await (await defaultQueue()).close() };
  await folders.begin(() => writeTextFile("log", "text"));
  assertEquals(Deno.readTextFileSync(`${folders.here}/log`), "text");
});

forEachBackend("messages have paths as they were given", async ({ open }) => {
  await using ioq = await open();
  using _ = new Folders();
  for (const path of ["none", "./none", "../none", bytes("none"), "", "none/"] as Path[]) {
    const theirs = await assertRejects(() =>
      Deno.lstat(typeof path === "string" ? path : "none")
    ) as Error;
    const ours = await assertRejects(() => ioq.lstat(path)) as Error;
    assertEquals(ours.message, theirs.message);
  }
  const both = await assertRejects(() => ioq.rename("a", "../b")) as Error;
  assertEquals(
    both.message,
    (await assertRejects(() => Deno.rename("a", "../b")) as Error).message,
  );
});

forEachBackend(
  "a current directory that is too deep, or gone, is no obstacle",
  async ({ open }) => {
    await using ioq = await open();
    using folders = new Folders();
    // Deeper than any path can say
    const name = "d".repeat(250);
    for (let level = 0; level < 17; level++) {
      Deno.mkdirSync(name);
      Deno.chdir(name);
    }
    await ioq.writeTextFile("deep", "text");
    assertEquals(Deno.readTextFileSync("deep"), "text");
    assertEquals((await ioq.stat("deep")).size, 4);
    assertEquals((await ioq.stat("../" + name + "/deep")).size, 4);
    await ioq.remove("deep");
    for (let level = 0; level < 17; level++) {
      Deno.chdir("..");
      Deno.removeSync(name, { recursive: true });
    }
    Deno.removeSync(folders.here);
    assertThrows(() => Deno.cwd());
    assertEquals((await ioq.stat(".")).nlink, Deno.statSync(".").nlink);
    await assertRejects(() => ioq.stat("gone"), Deno.errors.NotFound, "stat 'gone'");
  },
);

forEachBackend(
  "at is where a relative path begins, and not where the thread is",
  async ({ open }) => {
    await using ioq = await open();
    using folders = new Folders();
    Deno.writeTextFileSync(`${folders.there}/file`, "text");
    const at = await ioq.run(op.openDir(folders.there));
    await folders.begin(async () => assertEquals((await ioq.stat("file", { at })).size, 4));
    await folders.begin(async () => {
      await ioq.run(op.rename("file", "moved", { at }));
    });
    assertEquals(Deno.readTextFileSync(`${folders.here}/moved`), "text");
    await ioq.run(op.closeDir(at));
  },
);

forEachBackend("URLs are taken as Deno takes them", async ({ open }) => {
  await using ioq = await open();
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("a"));
  dir.file("a/b", "text");
  dir.file("100%", "text");
  dir.file("50%zz", "text");
  dir.file("ä ?#", "text");
  for (const name of ["a%2Fb", "a/b", "100%", "100%25", "50%zz", "%C3%A4%20%3F%23", "ä %3f%23"]) {
    const url = new URL(`file://${dir.path}/${name}`);
    assertEquals((await ioq.stat(url)).ino, Deno.statSync(url).ino, name);
  }
  for (const url of ["file:///tmp/%ff", "file://host/tmp", "http://x/", "file:///a%00b"]) {
    const theirs = await assertRejects(() => Deno.stat(new URL(url))) as Error;
    const ours = await assertRejects(() => ioq.stat(new URL(url))) as Error;
    assertEquals([ours.name, ours.message], [theirs.name, theirs.message], url);
  }
});
