// Copyright 2026 the ioq authors. MIT license.

/**
 * The examples, as programs and as what they export.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { Ioq } from "../mod.ts";
import { AppendLog } from "../examples/append_log.ts";
import { countLines } from "../examples/count_lines.ts";
import { findDuplicates, linkGroup, wasted } from "../examples/dedupe.ts";
import { KeyValueStore } from "../examples/key_value.ts";
import { follow } from "../examples/tail.ts";
import { bytes, randomFrom, TempDir, text, within } from "./fixtures.ts";

/** Run an example to its end. */
async function example(name: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(new URL(`../examples/${name}.ts`, import.meta.url)), ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, out: text(stdout), err: text(stderr) };
}

/** The log as its opener finds it. */
async function recordsOf(path: string): Promise<string[]> {
  await using ioq = await Ioq.open();
  await using log = await AppendLog.open(ioq, path);
  const found = [];
  for await (const record of log.records()) {
    found.push(text(record));
  }
  return found;
}

Deno.test("append_log: records that come together share a sync, and all are there", async () => {
  using dir = new TempDir();
  const path = dir.at("log");
  const records = Array.from({ length: 500 }, (_, i) => `record ${i} ${"x".repeat(i % 40)}`);
  {
    await using ioq = await Ioq.open();
    await using log = await AppendLog.open(ioq, path);
    const offsets = await Promise.all(records.map((it) => log.append(bytes(it))));
    assertEquals(offsets, offsets.toSorted((a, b) => a - b));
    assertEquals(log.syncs, 1);
    // While one sync is under way, the rest waits for one more
    const first = log.append(bytes("first"));
    await Promise.resolve();
    await Promise.resolve();
    await Promise.all([first, log.append(bytes("second")), log.append(bytes("third"))]);
    assertEquals(log.syncs, 3);
    await log.append(new Uint8Array());
  }
  assertEquals(await recordsOf(path), [...records, "first", "second", "third", ""]);
});

Deno.test("append_log: what a crash left half-written is cut off, what was before it stays", async () => {
  using dir = new TempDir();
  const path = dir.at("log");
  {
    await using ioq = await Ioq.open();
    await using log = await AppendLog.open(ioq, path);
    await Promise.all(["one", "two", "three"].map((it) => log.append(bytes(it))));
  }
  const whole = Deno.readFileSync(path);
  const two = 2 * 8 + 6;
  for (let length = two; length < whole.length; length++) {
    Deno.writeFileSync(path, whole.subarray(0, length));
    assertEquals(await recordsOf(path), ["one", "two"], String(length));
    assertEquals(Deno.statSync(path).size, two);
  }
  // A bit that fell over
  whole[whole.length - 1]! ^= 4;
  Deno.writeFileSync(path, whole);
  assertEquals(await recordsOf(path), ["one", "two"]);
  // And it goes on from there
  {
    await using ioq = await Ioq.open();
    await using log = await AppendLog.open(ioq, path);
    assertEquals(await log.append(bytes("3")), two);
  }
  assertEquals(await recordsOf(path), ["one", "two", "3"]);
});

Deno.test("append_log, as a program", async () => {
  using dir = new TempDir();
  const { code, out, err } = await example("append_log", dir.at("log"), "50");
  assertEquals(code, 0, err);
  assert(/^50 records safe after [\d.]+ ms and \d+ syncs; the log has 50\n$/.test(out), out);
  assert((await example("append_log", dir.at("log"), "5")).out.endsWith("the log has 55\n"));
  assertEquals((await example("append_log")).code, 2);
});

Deno.test("key_value: behaves as a Map that survives, whatever is done to it at once", async () => {
  using dir = new TempDir();
  const path = dir.at("store");
  const random = randomFrom(7);
  const model = new Map<string, string>();
  await using ioq = await Ioq.open();
  for (let round = 0; round < 4; round++) {
    await using store = await KeyValueStore.open(ioq, path);
    assertEquals([...store.keys()].sort(), [...model.keys()].sort());
    for (let step = 0; step < 20; step++) {
      const writes = [];
      for (let i = 0; i < 20; i++) {
        const key = `key ${Math.floor(random() * 30)}`;
        if (random() < 0.3) {
          writes.push(store.delete(key));
          model.delete(key);
        } else {
          const value = "v".repeat(random() * 100) + step;
          writes.push(store.set(key, bytes(value)));
          model.set(key, value);
        }
      }
      await Promise.all(writes);
    }
    if (round % 2 === 1) {
      await store.compact();
    }
    await store.sync();
    const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`);
    const found = await Promise.all(keys.map((it) => store.get(it)));
    assertEquals(
      found.map((it) => it === undefined ? undefined : text(it)),
      keys.map((it) => model.get(it)),
    );
    assertEquals(store.size, model.size);
  }
});

Deno.test("key_value: half an entry is no entry, and compact() gives back what nobody needs", async () => {
  using dir = new TempDir();
  const path = dir.at("store");
  await using ioq = await Ioq.open();
  {
    await using store = await KeyValueStore.open(ioq, path);
    await store.set("kept", bytes("1"));
    await store.set("torn", bytes("22222222"));
  }
  Deno.truncateSync(path, Deno.statSync(path).size - 1);
  await using store = await KeyValueStore.open(ioq, path);
  assertEquals([...store.keys()], ["kept"]);
  for (let i = 0; i < 50; i++) {
    await store.set("kept", bytes(`value ${i}`));
  }
  const before = Deno.statSync(path).size;
  await store.compact();
  assertEquals(text((await store.get("kept"))!), "value 49");
  assert(Deno.statSync(path).size * 10 < before);
  await store.set("new", bytes("2"));
  assertEquals(text((await store.get("new"))!), "2");
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["store"]);
  // Another opener is another process's equal
  await assertRejects(() => KeyValueStore.open(ioq, path), Deno.errors.Busy);
});

Deno.test("key_value, as a program", async () => {
  using dir = new TempDir();
  const run = (...args: string[]) => example("key_value", dir.at("store"), ...args);
  assertEquals((await run("set", "colour", "green")).code, 0);
  assertEquals((await run("set", "size", "7")).code, 0);
  assertEquals(await run("get", "colour"), { code: 0, out: "green\n", err: "" });
  assertEquals((await run("delete", "colour")).code, 0);
  assertEquals((await run("delete", "colour")).code, 1);
  assertEquals(await run("get", "colour"), { code: 1, out: "", err: "" });
  assertEquals((await run("compact")).code, 0);
  assertEquals((await run("list")).out, "size\n");
  assertEquals((await run("destroy")).code, 2);
});

Deno.test("tail: the last lines come first, whatever the file's length", async () => {
  using dir = new TempDir();
  await using ioq = await Ioq.open();
  const lastOf = async (content: string, lines: number) => {
    const stop = new AbortController();
    let found = "";
    const path = dir.file("file", content);
    const expected = content.split(/(?<=\n)/).slice(lines === 0 ? Infinity : -lines).join("");
    if (expected === "") {
      Deno.writeTextFileSync(path, content + "more");
    }
    for await (const bytes of follow(ioq, path, { lines, signal: stop.signal, intervalMs: 1 })) {
      found += text(bytes);
      if (found.length >= expected.length) {
        break;
      }
    }
    stop.abort();
    return { found, expected };
  };
  const long = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join("");
  for (
    const content of ["a\nb\nc\n", "a\nb\nc", "\n\n\n", "no newline", long, "x".repeat(200_000)]
  ) {
    for (const lines of [1, 2, 10, 15_000, 1e9]) {
      const { found, expected } = await lastOf(content, lines);
      assertEquals(found, expected, `${content.slice(0, 20)}, ${lines} lines`);
    }
  }
});

Deno.test("tail, as a program, follows a file that grows, is truncated and is replaced", async () => {
  using dir = new TempDir();
  const path = dir.file("app.log", "1\n2\n3\n");
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      fileURLToPath(new URL("../examples/tail.ts", import.meta.url)),
      ...["-n", "2", path],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  const expectSeen = (expected: string) =>
    within(
      10_000,
      (async () => {
        while (seen.length < expected.length) {
          seen += (await reader.read()).value ?? "(end)";
        }
        assertEquals(seen, expected);
        seen = "";
      })(),
      `tail printing ${JSON.stringify(expected)}`,
    );
  try {
    await expectSeen("2\n3\n");
    Deno.writeTextFileSync(path, "4\n", { append: true });
    await expectSeen("4\n");
    Deno.writeTextFileSync(path, "5\n"); // shorter than before
    await expectSeen("5\n");
    Deno.renameSync(path, dir.at("app.log.1"));
    Deno.writeTextFileSync(dir.at("app.log.1"), "6\n", { append: true });
    Deno.writeTextFileSync(dir.at("app.log.new"), "7\n");
    await expectSeen("6\n");
    Deno.renameSync(dir.at("app.log.new"), path);
    await expectSeen("7\n");
  } finally {
    child.kill("SIGINT");
    assertEquals((await reader.read()).done, true);
    assertEquals((await child.status).code, 0);
  }
  assertEquals((await example("tail", dir.at("nowhere"))).code, 1);
  assertEquals((await example("tail", "-n", "many", path)).code, 2);
});

/** Run a shell script; what it printed. */
function shell(script: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command("bash", {
    args: ["-c", script, "bash", ...args],
  }).outputSync();
  assert(success, text(stderr));
  return text(stdout);
}

Deno.test("count_lines: counts as wc does, and tells what is no text", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("a/b"), { recursive: true });
  dir.file("one.ts", "1\n2\n3");
  dir.file("a/two.ts", "1\n\n\n");
  dir.file("a/b/README", "text\n");
  dir.file("a/b/empty.md", "");
  dir.file("a/large.txt", "line\n".repeat(600_000));
  dir.file("a/binary.bin", "a\n\0b\n");
  dir.file("a/large.bin", "\0\n".repeat(1_000_000));
  Deno.symlinkSync("one.ts", dir.at("link.ts"));
  dir.fifo("fifo.ts");
  shell(`printf 'x\\n' > "$1/$(printf 'raw\\xff.ts')"`, dir.path);
  await using ioq = await Ioq.open();
  const { byExtension, binaries, errors } = await countLines(ioq, dir.path);
  assertEquals(errors, []);
  assertEquals(binaries, 2);
  assertEquals(
    Object.fromEntries([...byExtension].map(([name, { files, lines }]) => [name, [files, lines]])),
    { ".ts": [3, 6], "": [1, 1], ".md": [1, 0], ".txt": [1, 600_000] },
  );
  const some = await countLines(ioq, dir.path, ["md", "txt"]);
  assertEquals([...some.byExtension.keys()].sort(), [".md", ".txt"]);

  const { code, out, err } = await example("count_lines", dir.path, ".ts");
  assertEquals([code, err], [0, ""]);
  assertEquals(
    out,
    "           6 lines  3 .ts\n           6 lines  3 files, 11 bytes\n0 files are no text\n",
  );
  const missing = await example("count_lines", dir.at("nowhere"));
  assertEquals(missing.code, 1);
  assert(missing.err.includes("No such file or directory"), missing.err);
});

Deno.test("count_lines: the sources of this project are as long as wc says", async () => {
  const root = fileURLToPath(new URL("../src", import.meta.url));
  await using ioq = await Ioq.open();
  const { byExtension } = await countLines(ioq, root, [".ts"]);
  const expected = shell(`find "$1" -name '*.ts' -type f -exec cat {} + | wc -l`, root);
  assertEquals(byExtension.get(".ts")?.lines, Number(expected));
});

Deno.test("dedupe: finds what has the same contents, and links it when told to", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("d"));
  const large = "large ".repeat(400_000);
  dir.file("a", "same");
  dir.file("d/b", "same");
  dir.file("c", "sama"); // as long
  dir.file("empty 1");
  dir.file("empty 2");
  dir.file("large 1", large);
  dir.file("d/large 2", large);
  dir.file("large 3", large.replace(/.$/, "!"));
  dir.file("script", "same");
  Deno.chmodSync(dir.at("script"), 0o755);
  Deno.linkSync(dir.at("a"), dir.at("a too"));
  Deno.symlinkSync("a", dir.at("link"));
  shell(`printf same > "$1/$(printf 'raw\\xff')"`, dir.path);

  await using ioq = await Ioq.open();
  const { groups, errors } = await findDuplicates(ioq, [dir.path]);
  assertEquals(errors, []);
  assertEquals(groups.map((group) => [group.length, wasted(group)]), [[2, large.length], [4, 12]]);
  // Of the hard links only one is among them
  const names = groups[1]!.map(({ path }) => path instanceof Uint8Array ? "raw" : String(path));
  assertEquals(names.filter((it) => it.endsWith("/a") || it.endsWith("/a too")).length, 1);

  // Twice the same path is no duplicate
  assertEquals((await findDuplicates(ioq, [dir.path, dir.path])).groups.length, 2);

  assertEquals(await linkGroup(ioq, groups[0]!), 1);
  assertEquals(Deno.statSync(dir.at("large 1")).ino, Deno.statSync(dir.at("d/large 2")).ino);
  assertEquals(Deno.readTextFileSync(dir.at("d/large 2")), large);

  const { code, out, err } = await example("dedupe", "--link", dir.path);
  assertEquals([code, err], [0, ""]);
  // The script has another mode
  assert(out.endsWith("\n1 groups, 12 bytes that need not be, 2 files linked\n"), out);
  assertEquals(Deno.statSync(dir.at("script")).nlink, 1);
  assertEquals(Deno.readTextFileSync(dir.at("script")), "same");
  assertEquals(Deno.readTextFileSync(dir.at("c")), "sama");
  assertEquals(shell(`ls -A "$1" | wc -l`, dir.path).trim(), "11");
  assertEquals((await example("dedupe", dir.at("nowhere"))).code, 1);
});
