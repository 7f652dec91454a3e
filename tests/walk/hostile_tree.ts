// Copyright 2026 the ioq authors. MIT license.

/** A tree with all that trees may have, made by the library's own descriptors. */

import { assertEquals } from "@std/assert";
import { type Ioq, op } from "../../mod.ts";
import { bytes, type TempDir } from "../fixtures.ts";

/** Levels of the deep part: its path has more than three times what a path may have. */
export const DEEP_LEVELS = 130;
const DEEP_NAME = "d".repeat(99);

/** Names that are not UTF-8. */
export const RAW_NAMES: readonly Uint8Array[] = [
  [0xff],
  [0x61, 0x80, 0x62],
  [0xed, 0xa0, 0x80],
  [...bytes("x".repeat(250)), 0xc3, 0x28],
].map((name) => Uint8Array.from(name));

/** A path that ends in bytes. */
export function rawPath(path: string, name: Uint8Array): Uint8Array {
  return Uint8Array.from([...bytes(`${path}/`), ...name]);
}

/** Make a directory in which directories go down beyond what a path can name. */
export async function makeDeep(ioq: Ioq, path: string): Promise<void> {
  await ioq.mkdir(path);
  let at = await ioq.run(op.openDir(path));
  for (let level = 0; level < DEEP_LEVELS; level++) {
    await ioq.run(op.mkdir(DEEP_NAME, { at }));
    await ioq.run(op.mkdir("side", { at }));
    await ioq.writeFile(`file ${level}`, bytes("deep"), { at });
    await ioq.symlink(".", "here", { at });
    const below = await ioq.run(op.openDir(DEEP_NAME, { at }));
    await ioq.run(op.close(at));
    at = below;
  }
  await ioq.run(op.close(at));
}

/** Make it; the directory is to be removed by {@linkcode TempDir}, which bears it. */
export async function makeHostile(ioq: Ioq, dir: TempDir): Promise<void> {
  for (
    const name of [
      "new\nline",
      "\n",
      " ",
      "tab\t",
      'quote"',
      "quote'",
      "back\\slash",
      "\u001b[31mred",
      "-rf",
      "*",
      "日本語",
      "\ufffd",
      "\ufeffmark",
      "\u{1f600}",
      "a".repeat(255),
      "é".repeat(127),
      "...",
      "..a",
    ]
  ) {
    await ioq.mkdir(dir.at(name));
    dir.file(`${name}/${name}`);
  }
  for (const name of RAW_NAMES) {
    const path = rawPath(dir.path, name);
    await ioq.mkdir(path);
    await ioq.writeFile(Uint8Array.from([...path, 0x2f, ...name]), name);
    await ioq.writeFile(Uint8Array.from([...path, 0x2f, ...bytes("plain")]), name);
    await ioq.mkdir(Uint8Array.from([...path, 0x2f, ...bytes("inner")]));
    await ioq.writeFile(Uint8Array.from([...path, 0x2f, ...bytes("inner/file")]), name);
  }
  dir.fifo("fifo");
  // Its listener removes the name that it knows
  using _ = Deno.listen({ transport: "unix", path: dir.at("listening") });
  Deno.renameSync(dir.at("listening"), dir.at("socket"));
  Deno.symlinkSync("nowhere", dir.at("broken"));
  Deno.symlinkSync("loop", dir.at("loop"));
  Deno.symlinkSync(".", dir.at("self"));
  Deno.symlinkSync("/etc", dir.at("away"));
  Deno.mkdirSync(dir.at("empty"));
  Deno.mkdirSync(dir.at("many"));
  const file = dir.file("many/first");
  for (let i = 0; i < 1200; i++) {
    Deno.linkSync(file, dir.at(`many/${i}`.padEnd(60, "x")));
  }
  await makeDeep(ioq, dir.at("deep"));
}

/** The paths that `find -print0` prints, in order, as Latin-1 text of their bytes. */
export async function findPaths(root: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await new Deno.Command("find", {
    args: [root, ...args, "-print0"],
    stderr: "null",
  }).output();
  return latin1(stdout).split("\0").slice(0, -1).sort();
}

/** Bytes as text with a character for each, so that all of them compare. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return text;
}

/** An entry's path in the same form. */
export function latin1Path(entry: { path: string; rawPath?: Uint8Array }): string {
  const { path, rawPath } = entry;
  return rawPath === undefined && /^[\0-\x7f]*$/.test(path) ? path : latin1(rawPath ?? bytes(path));
}

/**
 * Check that entries have the paths that are expected, in whatever order. Tens of
 * thousands of them are compared as one text: `assertEquals()` takes seconds for that.
 */
export function assertPaths(
  entries: readonly { path: string; rawPath?: Uint8Array }[],
  expected: readonly string[],
): void {
  const paths = entries.map(latin1Path).sort();
  if (paths.join("\0") !== expected.join("\0")) {
    assertEquals(paths, expected);
    throw new Error("Paths with zeros in them");
  }
}
