// Copyright 2026 the ioq authors. MIT license.

/** `@ioq/ioq/node` beside `node:fs`, and in the libraries that take an `fs`. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fastGlob from "fast-glob";
import { fdir } from "fdir";
import git from "isomorphic-git";
import nodeFs from "node:fs";
import { promisify } from "node:util";
import { createFs, type FsPromises } from "../src/node/mod.ts";
import { forEachBackend } from "./backends.ts";
import { bytes, TempDir } from "./fixtures.ts";

/** What both have. */
type Functions = Pick<typeof nodeFs.promises, keyof FsPromises>;

// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

/** Whether Node's own errors look like one. */
function isNodes(syscall: string | undefined, message: string): boolean {
  return syscall !== undefined && !/, (?:symlink|realpath|copyfile|lstat) /.test(message);
}

/** What something came to, without what differs from run to run. */
async function look(root: string, call: () => Promise<unknown>): Promise<string> {
  let came: unknown;
  try {
    came = await call();
  } catch (error) {
    const { code, errno, syscall, message } = error as NodeJS.ErrnoException;
    // The runtime's node:fs leaves these as Deno words them, or names another call
    came = isNodes(syscall, message) ? ["error", code, errno, syscall, message] : ["error", code];
  }
  if (ArrayBuffer.isView(came)) {
    came = [came.constructor.name, ...any(came)];
  }
  return (JSON.stringify(came) ?? "undefined").replaceAll(root, "ROOT");
}

/** Everything that there is, once. */
async function story(fs: Functions, root: string, hasLibrary: boolean): Promise<string[]> {
  const told: string[] = [];
  const tell = async (what: string, call: () => Promise<unknown>) => {
    told.push(`${what}: ${await look(root, call)}`);
  };
  const at = (name: string) => `${root}/${name}`;
  await tell("mkdir", () => fs.mkdir(at("dir")));
  await tell("mkdir", () => fs.mkdir(at("dir")));
  await tell("mkdir", () => fs.mkdir(at("nope/dir")));
  await tell("mkdir mode", () => fs.mkdir(at("moded"), 0o700));
  await tell("writeFile", () => fs.writeFile(at("file"), "text é"));
  await tell("writeFile", () => fs.writeFile(at("file"), "x", { flag: "wx" }));
  await tell("writeFile", () => fs.writeFile(at("nope/file"), "x"));
  await tell("appendFile", () => fs.appendFile(at("file"), bytes("more")));
  await tell("writeFile", () => fs.writeFile(at("file"), "!", { flag: "a" }));
  for (
    const options of [undefined, null, "utf8", "utf-8", "hex", "latin1", { encoding: "utf8" }, {}]
  ) {
    await tell(`readFile ${JSON.stringify(options)}`, () => fs.readFile(at("file"), any(options)));
  }
  await tell("readFile", () => fs.readFile(at("nope")));
  await tell("readFile URL", () => fs.readFile(new URL(`file://${at("file")}`), "utf8"));
  await tell("symlink", () => fs.symlink("file", at("link")));
  await tell("symlink", () => fs.symlink("file", at("link")));
  await tell("readlink", () => fs.readlink(at("link")));
  await tell("readlink", () => fs.readlink(at("nope")));
  await tell("realpath", () => fs.realpath(at("link")));
  await tell("realpath", () => fs.realpath(at("nope")));
  await tell("link", () => fs.link(at("file"), at("hard")));
  await tell("link", () => fs.link(at("nope"), at("hard2")));
  await tell("chmod", () => fs.chmod(at("file"), 0o640));
  await tell("chmod", () => fs.chmod(at("file"), "600"));
  await tell("chmod", () => fs.chmod(at("nope"), 0o600));
  await tell("utimes", () => fs.utimes(at("file"), 1000, new Date(2000)));
  await tell("copyFile", () => fs.copyFile(at("file"), at("copy")));
  await tell("copyFile", () => fs.copyFile(at("nope"), at("copy")));
  await tell("truncate", () => fs.truncate(at("copy"), 3));
  for (const name of ["file", "dir", "link", "moded"]) {
    for (const call of ["stat", "lstat"] as const) {
      await tell(`${call} ${name}`, async () => {
        const s = await fs[call](at(name));
        return [
          ...[s.mode, s.nlink, s.uid, s.gid, s.isFile() && s.size, s.blksize, s.rdev],
          ...[s.isFile(), s.isDirectory(), s.isSymbolicLink(), s.isFIFO(), s.isSocket()],
          ...[s.isBlockDevice(), s.isCharacterDevice(), s.mtime instanceof Date],
          name === "file" && [s.mtimeMs, s.mtime],
        ];
      });
    }
  }
  if (hasLibrary) {
    await tell("stat bigint", async () => {
      const { size, mode, nlink } = await fs.stat(at("file"), { bigint: true });
      return [size, mode, nlink].map(String);
    });
  }
  await tell("stat", () => fs.stat(at("nope")));
  await tell("lstat", () => fs.lstat(at("file/x")));
  await tell("readdir", async () => (await fs.readdir(root)).sort());
  await tell(
    "readdir",
    async () =>
      (await fs.readdir(root, { withFileTypes: true })).map((entry) => [
        ...[entry.name, entry.parentPath, entry.isFile(), entry.isDirectory()],
        entry.isSymbolicLink(),
      ]).sort(),
  );
  await tell("access", () => fs.access(at("file")));
  await tell("access", () => fs.access(at("file"), 4));
  await tell("access", () => fs.access(at("nope")));
  await tell("rename", () => fs.rename(at("copy"), at("copy2")));
  await tell("rename", () => fs.rename(at("nope"), at("copy2")));
  await tell("unlink", () => fs.unlink(at("copy2")));
  await tell("unlink", () => fs.unlink(at("copy2")));
  await tell("rmdir", () => fs.rmdir(at("moded")));
  await tell("rmdir", () => fs.rmdir(at("moded")));
  await tell("rmdir", () => fs.rmdir(root));
  await tell("rm", () => fs.rm(at("nope"), { force: true }));
  await tell("rm", () => fs.rm(at("dir"), { recursive: true }));
  await tell("rm", () => fs.rm(at("hard")));
  return told;
}

forEachBackend("an fs in Node's shape does what node:fs does", async ({ open, row }) => {
  using ours = new TempDir();
  using nodes = new TempDir();
  await using ioq = await open();
  const expected = await story(nodeFs.promises, nodes.path, row.library);
  const actual = await story(any(createFs(ioq).promises), ours.path, row.library);
  assertEquals(actual, expected);
});

forEachBackend("its functions with callbacks", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const fs = createFs(ioq);
  const call = (fn: unknown, ...args: unknown[]): Promise<unknown> => promisify(any(fn))(...args);
  await call(fs.writeFile, dir.at("file"), "text");
  assertEquals(await call(fs.readFile, dir.at("file"), "utf8"), "text");
  assertEquals(await call(fs.readdir, dir.path), ["file"]);
  assertEquals(any(await call(fs.stat, dir.at("file"))).isFile(), true);
  const error = any(await call(fs.lstat, dir.at("nope")).catch((error) => error));
  assertEquals([error.code, error.errno, error.syscall], ["ENOENT", -2, "lstat"]);
  assertThrows(() => any(fs.stat)(dir.path), TypeError, "callback");
});

forEachBackend("libraries that take an fs", async ({ open }) => {
  using dir = new TempDir();
  for (let i = 0; i < 5; i++) {
    Deno.mkdirSync(dir.at(`src/${i}`), { recursive: true });
    dir.file(`src/${i}/file.txt`, `text ${i}`);
  }
  await using ioq = await open();
  const fs = createFs(ioq);
  const options = { cwd: dir.path, stats: true, dot: true } as const;
  const found = await fastGlob("**/*.txt", { ...options, fs: any(fs) });
  const expected = await fastGlob("**/*.txt", options);
  const plain = (list: fastGlob.Entry[]) =>
    list.map(({ path, stats }) => [path, stats?.size]).sort();
  assertEquals(plain(found), plain(expected));
  assertEquals(found.length, 5);

  Deno.symlinkSync("src/0", dir.at("link"));
  const crawl = async (taken: unknown) =>
    (await new fdir({ fs: any(taken) }).withDirs().withFullPaths()
      .crawl(dir.path).withPromise()).sort();
  assertEquals(await crawl(fs), await crawl(nodeFs));
  assert((await crawl(fs)).length > 10);

  const repository = { fs, dir: dir.path };
  await git.init(repository);
  await git.add({ ...repository, filepath: "." });
  await git.commit({ ...repository, message: "one", author: { name: "a", email: "a@b" } });
  dir.file("src/0/file.txt", "changed, and longer");
  const rows = await git.statusMatrix(repository);
  assertEquals(rows, await git.statusMatrix({ fs: nodeFs, dir: dir.path }));
  assertEquals(rows.filter(([, , work]) => work === 2).length, 1);
  assert((await git.log(repository)).length === 1);
}, ({ name }) => ["uring", "threads", "worker", "main thread without library"].includes(name));
