// Copyright 2026 the ioq authors. MIT license.

/**
 * The libraries that are checked in are those of the sources.
 */

import { assert, assertEquals } from "@std/assert";
import * as aarch64 from "../ffi/embedded/aarch64.ts";
import * as x86_64 from "../ffi/embedded/x86_64.ts";
import { unpack } from "../ffi/embedded.ts";
import { symbols } from "../ffi/symbols.ts";
import { buildLibrary, canBuild, compilerOf, tooNew } from "../prebuild/build.ts";
import { MACHINE, readElf } from "../prebuild/elf.ts";
import { sha256 } from "../prebuild/embed.ts";
import { PLATFORMS } from "../prebuild/platforms.ts";
import { hashSources } from "../prebuild/sources.ts";

const MODULES = { aarch64, x86_64 } as const;

for (const platform of PLATFORMS) {
  const { arch } = platform;
  const module = MODULES[arch];

  Deno.test(`the embedded ${arch} library is that of the native sources`, () => {
    assertEquals(
      module.SOURCES_SHA256,
      hashSources(),
      `ffi/embedded/${arch}.ts is stale: deno task prebuild`,
    );
  });

  Deno.test(`the embedded ${arch} library is whole, and needs no glibc newer than 2.31`, async () => {
    const library = await unpack(module);
    const elf = readElf(library);
    assertEquals(elf.machine, MACHINE[arch]);
    assertEquals(tooNew(library), []);
    assertEquals([...elf.exports.keys()].sort(), Object.keys(symbols).sort());
  });

  Deno.test({
    name: `the embedded ${arch} library is what its compiler makes of the sources`,
    ignore: !canBuild(platform) || compilerOf(platform) !== module.COMPILER,
    fn() {
      const built = sha256(buildLibrary(platform));
      assert(built === module.SHA256, `${built}: other bytes, deno task prebuild`);
    },
  });
}
