// Copyright 2026 the ioq authors. MIT license.

/** Open files where not everything is granted: what is asked for by path leaves their order. */

import { assertEquals, assertRejects } from "@std/assert";
import { Ioq } from "../../mod.ts";
import { LIBRARY, TempDir, within } from "../fixtures.ts";

const granted = { read: true, write: true, ffi: true, env: true } as const;

for (const backend of ["auto", "threads", "worker"] as const) {
  Deno.test({
    name: `a file goes on after whatever was asked of it, not all being granted [${backend}]`,
    permissions: granted,
    async fn() {
      using dir = new TempDir();
      await using ioq = await Ioq.open({ backend, library: LIBRARY });
      await using file = await ioq.openFile(dir.file("file", "text"), { read: true, write: true });
      const buffer = new Uint8Array(2);
      const calls: (() => Promise<unknown>)[] = [
        () => file.utime(1, 2),
        () => file.stat(),
        () => file.read(buffer),
        () => file.write(buffer),
        () => file.seek(0, Deno.SeekMode.Start),
        () => file.truncate(3),
        () => file.sync(),
        () => file.syncData(),
        () => file.lock(true),
        () => file.unlock(),
        () => ioq.chmod(file.fd, 0o600),
        () => file.utime(3, 4),
      ];
      for (const call of calls) {
        await within(10_000, call(), call.toString());
        assertEquals((await within(10_000, file.stat(), "stat")).isFile, true, call.toString());
      }
      assertEquals((await file.stat()).mtime, new Date(4000));
    },
  });
}

Deno.test({
  name: "attributes are told through a descriptor to whoever may read the file",
  permissions: { ...granted, read: ["/nonexistent", LIBRARY] },
  async fn() {
    const path = Deno.makeTempFileSync({ prefix: "ioq-" });
    try {
      await using ioq = await Ioq.open({ backend: "threads", library: LIBRARY });
      await using file = await ioq.openFile(path, { write: true });
      for (const call of [() => ioq.listXattr(file.fd), () => ioq.getXattr(file.fd, "user.a")]) {
        await assertRejects(call, Deno.errors.NotCapable);
      }
    } finally {
      Deno.removeSync(path);
    }
  },
});
