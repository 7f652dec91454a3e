// Copyright 2026 the ioq authors. MIT license.

/** What other systems than Linux are told of how to open a file. */

import { assertEquals } from "@std/assert";
import * as linux from "../../src/linux/fcntl.ts";
import { translateFlags } from "../../src/backends/worker/open_flags.ts";

/** From macOS's `<fcntl.h>`. */
const DARWIN = {
  O_NONBLOCK: 0x4,
  O_APPEND: 0x8,
  O_NOFOLLOW: 0x100,
  O_CREAT: 0x200,
  O_TRUNC: 0x400,
  O_EXCL: 0x800,
  O_DIRECTORY: 0x100000,
  O_DSYNC: 0x400000,
};

Deno.test("flags of open() become those of the system", () => {
  const { O_RDWR, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW } = linux;
  assertEquals(translateFlags(0, DARWIN), 0);
  assertEquals(translateFlags(O_RDWR | O_CREAT, DARWIN), 0x202);
  assertEquals(translateFlags(O_WRONLY | O_CREAT | O_TRUNC, DARWIN), 0x601);
  assertEquals(translateFlags(O_WRONLY | O_CREAT | O_EXCL | O_APPEND, DARWIN), 0xa09);
  assertEquals(translateFlags(O_DIRECTORY | O_NOFOLLOW, DARWIN), 0x100100);
  // Windows has no word for some of them
  assertEquals(translateFlags(O_DIRECTORY | O_CREAT, { O_CREAT: 0x100 }), 0x100);
  // And nothing changes where they are the same
  const all = O_RDWR | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_DIRECTORY | O_NOFOLLOW;
  assertEquals(translateFlags(all, { ...linux }), all);
});
