// Copyright 2026 the ioq authors. MIT license.

/** The examples of the event loop, as programs. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { Canceled, EventLoop, Queue } from "@ioq/ioq/loop";
import { RateLimit } from "../../examples/crawl.ts";
import { follow, type Line } from "../../examples/follow.ts";
import { sleep, TempDir, text, within } from "../fixtures.ts";

/** Start an example. */
function spawn(name: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url)),
      ...args,
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Run an example to its end. */
async function example(name: string, ...args: string[]) {
  const { code, stdout, stderr } = await spawn(name, ...args).output();
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("checksum: prints what sha256sum prints, and what it cannot read", async () => {
  using dir = new TempDir();
  const paths = Array.from(
    { length: 30 },
    (_, i) => dir.file(`file ${i}`, "contents ".repeat(i * 1000)),
  );
  const expected = await new Deno.Command("sha256sum", { args: paths }).output();
  assertEquals(await example("checksum", ...paths), {
    code: 0,
    out: text(expected.stdout),
    err: "",
  });
  const { code, out, err } = await example("checksum", "-j", "1", dir.at("none"), paths[3]!);
  assertEquals([code, out.split("\n").length], [1, 2]);
  assertStringIncludes(err, `No such file or directory (os error 2): open '${dir.at("none")}'`);
});

Deno.test("crawl: finds what is there, and tells of it when it is interrupted", async () => {
  using dir = new TempDir();
  for (let i = 0; i < 20; i++) {
    Deno.mkdirSync(dir.at(`a/${i}/b`), { recursive: true });
    dir.file(`a/${i}/file`);
  }
  const whole = await example("crawl", "--rate", "100000", dir.path);
  assertEquals(whole, {
    code: 0,
    out: "directories  42\nothers       20\nunreadable   0\n",
    err: "",
  });
  const missing = await example("crawl", dir.at("none"));
  assertStringIncludes(missing.out, "unreadable   1");

  const child = spawn("crawl", "--rate", "0.001", dir.path);
  // It never ends by itself; it listens when it has opened its queue
  const lanes = () =>
    [...Deno.readDirSync(`/proc/${child.pid}/task`)].some(({ name }) =>
      Deno.readTextFileSync(`/proc/${child.pid}/task/${name}/comm`).startsWith("ioq-")
    );
  for (let i = 0; i < 1000 && !lanes(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  child.kill("SIGINT");
  const { code, stdout } = await within(20_000, child.output(), "its end");
  assertEquals(code, 130);
  assertStringIncludes(text(stdout), "interrupted");
  assertStringIncludes(text(stdout), "directories  1\n");
});

Deno.test("crawl: the rate limit keeps its callers apart", async () => {
  await using loop = await EventLoop.open();
  const limit = new RateLimit(500);
  const times: bigint[] = [];
  await Promise.all(Array.from({ length: 5 }, () =>
    loop.async(async (io) => {
      await limit.wait(io);
      times.push(io.now());
    })));
  assert(times.at(-1)! - times[0]! >= 6_000_000n, `${times}`);
});

Deno.test("follow: hands over whole lines of what is appended", async () => {
  using dir = new TempDir();
  const path = dir.file("log", "before\n");
  await using loop = await EventLoop.open();
  const lines = new Queue<Line>(2);
  const following = loop.async((io) => follow(io, path, lines, 1));
  const append = (string: string) => Deno.writeTextFileSync(path, string, { append: true });
  await loop.async((io) => io.sleep(20));
  append("one\ntwo\nthr");
  const take = () => within(10_000, loop.async((io) => lines.take(io)), "a line");
  assertEquals(await take(), { path, text: "one" });
  assertEquals(await take(), { path, text: "two" });
  append("ee \u{1f600}\n");
  assertEquals(await take(), { path, text: "three \u{1f600}" });
  Deno.truncateSync(path);
  await loop.async((io) => io.sleep(20));
  append("anew\nunfinished");
  assertEquals(await take(), { path, text: "anew" });
  // It is rotated in the middle of a line
  await loop.async((io) => io.sleep(20));
  Deno.renameSync(path, dir.at("log.1"));
  await loop.async((io) => io.sleep(20));
  dir.file("log", "next\n");
  assertEquals(await take(), { path, text: "next" });
  await assertRejects(() => following.cancel(), Canceled);
});

Deno.test("follow: prints until it is interrupted", async () => {
  using dir = new TempDir();
  const [one, two] = [dir.file("one"), dir.file("two")];
  const child = spawn("follow", one, two);
  let out = "";
  const reading = (async () => {
    for await (const chunk of child.stdout) {
      out += text(chunk);
    }
  })();
  for (let i = 0; i < 200 && !(out.includes("first") && out.includes("second")); i++) {
    // It may not follow them yet
    Deno.writeTextFileSync(one, "first\n", { append: true });
    Deno.writeTextFileSync(two, "second\n", { append: true });
    await sleep(50);
  }
  child.kill("SIGINT");
  await reading;
  await child.stderr.cancel();
  const { code } = await child.status;
  assertEquals(code, 130);
  assertStringIncludes(out, `${one}: first\n`);
  assertStringIncludes(out, `${two}: second\n`);
  const missing = await example("follow", dir.at("none"));
  assertEquals([missing.code, missing.out], [1, ""]);
  assertStringIncludes(missing.err, "No such file or directory");
});
