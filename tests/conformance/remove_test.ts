// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { descriptorsUnder, looksOf, TempDir } from "../fixtures.ts";

forEachBackend("remove() removes trees only if it is told to", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("tree/a/b"), { recursive: true });
  dir.file("tree/a/file", "text");
  dir.file("kept", "text");
  Deno.symlinkSync(dir.at("kept"), dir.at("tree/link"));
  Deno.symlinkSync(dir.path, dir.at("tree/a/b/up"));

  await assertRejects(() => ioq.remove(dir.at("tree")), Error, "os error 39");
  await ioq.remove(dir.at("tree"), { recursive: true });
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["kept"]);

  // Of what is no directory, as Deno's
  dir.file("file");
  Deno.symlinkSync(dir.path, dir.at("link"));
  await ioq.remove(dir.at("file"), { recursive: true });
  await ioq.remove(dir.at("link"), { recursive: true });
  assertEquals(Deno.readTextFileSync(dir.at("kept")), "text");
  const none = dir.at("none");
  assertEquals(
    await looksOf(() => ioq.remove(none, { recursive: true })),
    await looksOf(() => Deno.remove(none, { recursive: true })),
  );

  Deno.mkdirSync(dir.at("again"));
  const signal = AbortSignal.abort(new Error("mine"));
  await assertRejects(
    () => ioq.remove(dir.at("again"), { recursive: true, signal }),
    Error,
    "mine",
  );
  await assertRejects(() => ioq.remove("again", { recursive: true, at: 0 }), TypeError, "at");
  assert(Deno.statSync(dir.at("again")).isDirectory);
  assertEquals(descriptorsUnder(dir.path), 0);
});
