// Copyright 2026 the ioq authors. MIT license.

/**
 * The main job, as a user runs it, against find(1) and du(1).
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { TempDir, until } from "./fixtures.ts";

const DEMO = fileURLToPath(new URL("../examples/demo.ts", import.meta.url));

/** Run a command to its end. */
async function run(
  command: string,
  args: string[],
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env: { NO_COLOR: "1" } })
    .output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Run the demo. */
function demo(...args: string[]) {
  return run(Deno.execPath(), ["run", "-A", DEMO, ...args]);
}

/** The whole number that a line of the demo's begins with. */
function figure(out: string, name: string): number {
  const line = out.split("\n").find((it) => it.trimStart().startsWith(name));
  assert(line !== undefined, `${name} in ${out}`);
  return parseInt(line!.trimStart().slice(name.length).trim().replaceAll(",", ""));
}

/** The demo's totals of a tree are those of find and du. */
async function assertSameTotals(path: string): Promise<void> {
  const { code, out, err } = await demo(path);
  assertEquals(code, 0, err);
  assertEquals(err, "");
  const names = await run("find", [path, "-printf", "x"]);
  assertEquals(figure(out, "entries"), names.out.length);
  const types = await run("find", [path, "-printf", "%y"]);
  const count = (letters: string) => [...types.out].filter((it) => letters.includes(it)).length;
  assertEquals(figure(out, "files"), count("f"));
  assertEquals(figure(out, "directories"), count("d"));
  assertEquals(figure(out, "symbolic links"), count("l"));
  assertEquals(figure(out, "others"), count("psbc"));
  const allocated = await run("du", ["-sx", "--block-size=1", path]);
  assertEquals(figure(out, "allocated"), parseInt(allocated.out));
  const apparent = await run("du", ["-sxb", path]);
  assertEquals(figure(out, "apparent"), parseInt(apparent.out));
  // Who is not root may find some of a system's directories closed, as find does
  assertEquals(figure(out, "unreadable"), names.err.split("\n").filter((line) => line).length);
}

Deno.test("the demo's totals of a hostile tree are those of find and du", async () => {
  using dir = new TempDir();
  const bytes = new Uint8Array([...new TextEncoder().encode(dir.path), 0x2f, 0xff, 0xfe]);
  Deno.mkdirSync(`${dir.path}/directory\nwith a newline`);
  Deno.writeTextFileSync(`${dir.path}/directory\nwith a newline/file`, "x".repeat(10_000));
  Deno.linkSync(`${dir.path}/directory\nwith a newline/file`, `${dir.path}/second name`);
  Deno.writeTextFileSync(`${dir.path}/${"n".repeat(255)}`, "");
  Deno.symlinkSync("nowhere", `${dir.path}/broken`);
  Deno.symlinkSync("..", `${dir.path}/loop`);
  Deno.truncateSync(dir.file("sparse", ""), 5 * 2 ** 30);
  dir.fifo("fifo");
  await makeRaw(bytes);
  await assertSameTotals(dir.path);
});

/** Make a directory whose name is not UTF-8, which Deno's own calls cannot. */
async function makeRaw(path: Uint8Array): Promise<void> {
  const octal = [...path].map((it) => `\\0${it.toString(8).padStart(3, "0")}`).join("");
  const { code } = await run("sh", [
    "-c",
    `name=$(printf '%b' "$1") && mkdir "$name" && echo text > "$name/file"`,
    "sh",
    octal,
  ]);
  assertEquals(code, 0);
}

Deno.test("the demo's totals of a large tree are those of find and du", async () => {
  await assertSameTotals("/usr/share");
});

Deno.test("the demo of a file counts the file", async () => {
  using dir = new TempDir();
  await assertSameTotals(dir.file("alone", "text"));
});

Deno.test("the demo of a missing path says so in one line and fails", async () => {
  const { code, out, err } = await demo("/nowhere");
  assertEquals(code, 1);
  assertEquals(out, "");
  assertEquals(err, "demo: No such file or directory (os error 2): lstat '/nowhere'\n");
});

Deno.test("the demo lists what it cannot read, and goes on", async () => {
  // Root may read everything: only a path that is too long is refused to it
  using dir = new TempDir();
  const name = "d".repeat(250);
  const { code: made } = await run("bash", [
    "-c",
    `cd "$1" && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do mkdir ${name} && cd ${name} || exit 1; done`,
    "bash",
    dir.path,
  ]);
  assertEquals(made, 0);
  const { code, out } = await demo(dir.path);
  assertEquals(code, 0);
  assert(figure(out, "unreadable") > 0, out);
  assertStringIncludes(out, "File name too long (os error 36)");
  await run("rm", ["-rf", `${dir.path}/${name}`]);
});

Deno.test("an interrupted demo stops at once and prints what it has", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", DEMO, "/"],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  // The queue is opened after the signal is listened to
  await until(() => hasLane(child.pid), "a worker lane");
  child.kill("SIGINT");
  const { code, stdout } = await child.output();
  // A machine may have so little on it that there was nothing left to interrupt
  if (code !== 0) {
    assertEquals(code, 130);
    assertStringIncludes(new TextDecoder().decode(stdout), "interrupted: ");
  }
});

/** Whether a process has a worker lane. Its threads come and go meanwhile. */
function hasLane(pid: number): boolean {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].some(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/task/${name}/comm`).startsWith("ioq-");
    } catch (error) {
      // ESRCH is what reading gives when it ends after it was opened
      if (error instanceof Deno.errors.NotFound || (error as { code?: string }).code === "ESRCH") {
        return false;
      }
      throw error;
    }
  });
}
