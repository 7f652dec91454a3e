// Copyright 2026 the ioq authors. MIT license.

/** `removeTree()` and `remove({ recursive })`, as others see it that are at it, too. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { copyTree, type Ioq, removeTree, type TreeOptions } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { descriptorsUnder, looksOf, TempDir, until } from "../fixtures.ts";

/** More levels than directories stay open for. */
const LEVELS = 25;

/** Make a tree of one directory a level, with files in each, and tell its innermost one. */
function makeLevels(dir: TempDir): string {
  let path = dir.at("tree");
  Deno.mkdirSync(path);
  for (let level = 0; level < LEVELS; level++) {
    Deno.writeTextFileSync(`${path}/file`, "");
    path += "/level";
    Deno.mkdirSync(path);
  }
  Deno.writeTextFileSync(`${path}/first`, "");
  Deno.writeTextFileSync(`${path}/second`, "");
  return path;
}

/** Keep a directory as it is, if the file system and the user can. */
function chattr(flag: "+i" | "-i", path: string): boolean {
  return new Deno.Command("chattr", { args: [flag, path], stderr: "null" }).outputSync().success;
}

const canFreeze = (() => {
  using dir = new TempDir();
  return chattr("+i", dir.path) && chattr("-i", dir.path);
})();

if (canFreeze) {
  forEachBackend("removeTree() tells what is refused far below", async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    const innermost = makeLevels(dir);
    chattr("+i", innermost);
    try {
      const looks = await looksOf(() => removeTree(dir.at("tree"), { ioq }));
      assertEquals(looks.code, "EPERM");
      assert(looks.message.includes(`remove '${innermost}/`), looks.message);

      const end = new Error("enough");
      const onError = () => {
        throw end;
      };
      assertEquals(await assertRejects(() => removeTree(dir.at("tree"), { ioq, onError })), end);

      const failed: string[] = [];
      await removeTree(dir.at("tree"), { ioq, onError: (_, path) => failed.push(path) });
      assertEquals(failed.sort(), [`${innermost}/first`, `${innermost}/second`]);
      assertEquals([...Deno.readDirSync(innermost)].length, 2);
      assertEquals(descriptorsUnder(dir.path), 0);
    } finally {
      chattr("-i", innermost);
    }
  }, ({ library }) => library);
}

forEachBackend("removeTree() ends with the signal's reason far below", async ({ open }) => {
  for (const at of [0, 1, 5, 20, 60]) {
    using dir = new TempDir();
    await using ioq = await open();
    makeLevels(dir);
    const controller = new AbortController();
    const reason = new Error("enough");
    const removal = removeTree(dir.at("tree"), { ioq, signal: controller.signal });
    for (let turn = 0; turn < at; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    controller.abort(reason);
    const result = await removal.catch((error) => error);
    assert(result === undefined || result === reason, String(result));
    assertEquals(descriptorsUnder(dir.path), 0);
  }
}, ({ library }) => library);

forEachBackend("of two removals of one tree both succeed that find it", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using other = await open();
  for (let round = 0; round < 24; round++) {
    // What is small is gone before the second one looks
    for (let i = 0; i < [0, 1, 5, 40][round % 4]!; i++) {
      Deno.mkdirSync(dir.at(`tree/${i % 7}/below`), { recursive: true });
      Deno.writeTextFileSync(dir.at(`tree/${i % 7}/below/${i}`), "");
    }
    Deno.mkdirSync(dir.at("tree"), { recursive: true });
    const remove = (ioq: Ioq) =>
      round % 3 === 0
        ? ioq.remove(dir.at("tree"), { recursive: true })
        : removeTree(dir.at("tree"), { ioq });
    await Promise.all([remove(ioq), remove(round % 2 === 0 ? ioq : other), remove(ioq)]);
    assertEquals([...Deno.readDirSync(dir.path)], []);
    // And what is missing is
    for (const result of await Promise.allSettled([remove(ioq), remove(other)])) {
      assert(
        result.status === "rejected" && result.reason instanceof Deno.errors.NotFound &&
          result.reason.message.endsWith(`remove '${dir.at("tree")}'`),
        JSON.stringify(result),
      );
    }
  }
});

forEachBackend("of two removals of one file both succeed that find it", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  for (let round = 0; round < 10; round++) {
    if (round % 2 === 0) {
      dir.file("file");
    } else {
      Deno.symlinkSync("/", dir.at("file"));
    }
    await Promise.all([1, 2].map(() => removeTree(dir.at("file"), { ioq })));
    await assertRejects(() => removeTree(dir.at("file"), { ioq }), Deno.errors.NotFound);
  }
});

forEachBackend("removeTree() that is aborted by its progress rejects", async ({ open }) => {
  await using ioq = await open();
  for (const names of [[], ["file"], ["file", "other"]]) {
    using dir = new TempDir();
    Deno.mkdirSync(dir.at("tree"));
    names.forEach((name) => Deno.writeTextFileSync(dir.at(`tree/${name}`), ""));
    const controller = new AbortController();
    const reason = new Error("enough");
    const error = await assertRejects(() =>
      removeTree(dir.at("tree"), {
        ioq,
        signal: controller.signal,
        onProgress: () => controller.abort(reason),
      })
    );
    assertEquals(error, reason);
  }
});

forEachBackend("what a close gives up is over when the close is", async ({ open }) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("tree"));
  for (let i = 0; i < 800; i++) {
    Deno.writeTextFileSync(dir.at(`tree/${i}`), "");
  }
  const ioq = await open();
  let isOver = false;
  const removal = removeTree(dir.at("tree"), { ioq }).then(
    () => isOver = true,
    () => isOver = true,
  );
  await ioq.stat(dir.path);
  // Unless it was done by then
  const error = await ioq.close({ timeoutMs: 0 }).catch((error) => error);
  assert(error === undefined || error instanceof Deno.errors.TimedOut, String(error));
  assertEquals(isOver, true);
  await removal;
  // Its thread may be at it still
  await until(() => {
    try {
      Deno.removeSync(dir.at("tree"), { recursive: true });
      return true;
    } catch (error) {
      return error instanceof Deno.errors.NotFound;
    }
  }, "the end of the removal");
}, ({ library }) => !library);

forEachBackend("removeTree() is not led elsewhere by a slash", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("target"));
  dir.file("target/precious");
  Deno.symlinkSync("target", dir.at("link"));
  for (const path of [`${dir.at("link")}/`, `${dir.at("link")}//`]) {
    const code = (await looksOf(() => removeTree(path, { ioq }))).code;
    assertEquals(code, "ENOTDIR");
    assertEquals((await looksOf(() => ioq.remove(path, { recursive: true }))).code, code);
    assert(Deno.statSync(dir.at("target/precious")).isFile);
  }
  await removeTree(`${dir.at("target")}/`, { ioq });
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["link"]);
}, ({ library }) => library);

forEachBackend("removeTree() takes no longer than it may", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  // More than can be gone before the time limit is looked at
  for (let at = 0; at < 20; at++) {
    Deno.mkdirSync(dir.at(`tree/${at}`), { recursive: true });
    for (let file = 0; file < 200; file++) {
      dir.file(`tree/${at}/${file}`);
    }
  }
  const looks = await looksOf(() => removeTree(dir.at("tree"), { ioq, timeoutMs: 0 }));
  assertEquals([looks.class, looks.code], ["TimedOut", "ETIMEDOUT"]);
  assert(looks.message.includes(dir.at("tree")), looks.message);
  assertEquals(descriptorsUnder(dir.path), 0);
  await removeTree(dir.at("tree"), { ioq, timeoutMs: 60_000 }).catch((error) => {
    // All of it may have gone before
    assert(error instanceof Deno.errors.NotFound, error);
  });
}, ({ library, concurrent }) => library && concurrent);

Deno.test("removeTree() refuses options that there are not, by name", async () => {
  using dir = new TempDir();
  const options = { onerror: "skip" } as TreeOptions;
  await assertRejects(() => removeTree(dir.path, options), TypeError, "onerror");
  assert(Deno.statSync(dir.path).isDirectory);
});

/** Paths that a link is a part of, and not the end. */
const THROUGH = ["/", "//", "/.", "/./", "//./.", "/..", "/../", "/../link/."] as const;

forEachBackend("nothing is removed through a link", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("elsewhere/target/below"), { recursive: true });
  Deno.writeTextFileSync(dir.at("elsewhere/target/file"), "precious");
  Deno.writeTextFileSync(dir.at("elsewhere/beside"), "precious");
  Deno.mkdirSync(dir.at("tree"));
  Deno.symlinkSync("../elsewhere/target", dir.at("tree/link"));
  Deno.symlinkSync("target", dir.at("elsewhere/link"));
  const encoder = new TextEncoder();
  for (const end of THROUGH) {
    const path = dir.at("tree/link") + end;
    const oracle = await looksOf(() => Deno.remove(path));
    const calls = [
      () => removeTree(path, { ioq }),
      () => removeTree(encoder.encode(path), { ioq }),
      () => ioq.remove(path, { recursive: true }),
    ];
    for (const call of calls) {
      assertEquals((await looksOf(call)).code, oracle.code, path);
    }
    const failed: string[] = [];
    await removeTree(path, { ioq, onError: (_, path) => failed.push(path) });
    assertEquals(failed, [path]);
    assertEquals(Deno.readTextFileSync(dir.at("elsewhere/target/file")), "precious", path);
    assertEquals(Deno.readTextFileSync(dir.at("elsewhere/beside")), "precious", path);
    assert(Deno.lstatSync(dir.at("elsewhere/target/below")).isDirectory, path);
    assert(Deno.lstatSync(dir.at("tree/link")).isSymlink, path);
  }
  const copy = { ioq, overwrite: true };
  await assertRejects(() => copyTree(dir.at("tree"), dir.at("elsewhere/link/."), copy));
  assertEquals([...Deno.readDirSync(dir.at("elsewhere/target"))].length, 2);
  // A directory's own name may have slashes at its end
  Deno.mkdirSync(dir.at("tree/own/below"), { recursive: true });
  await assertRejects(() => removeTree(dir.at("tree/own/."), { ioq }));
  assert(Deno.lstatSync(dir.at("tree/own/below")).isDirectory);
  await removeTree(dir.at("tree//"), { ioq });
  await assertRejects(() => Deno.lstat(dir.at("tree")), Deno.errors.NotFound);
  assertEquals(Deno.readTextFileSync(dir.at("elsewhere/target/file")), "precious");
});
