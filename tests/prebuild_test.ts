// Copyright 2026 the ioq authors. MIT license.

/**
 * The libraries that the package embeds, as they are built.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ABI_VERSION } from "../ffi/layout.ts";
import { symbols } from "../ffi/symbols.ts";
import { buildLibrary, canBuild, tooNew } from "../prebuild/build.ts";
import { glibcMinor, MACHINE, readElf } from "../prebuild/elf.ts";
import { embed, sha256 } from "../prebuild/embed.ts";
import { type Platform, PLATFORMS } from "../prebuild/platforms.ts";
import { unpack } from "../ffi/embedded.ts";
import { LIBRARY, TempDir, text } from "./fixtures.ts";

/** Where the cross compiler keeps the libraries of a platform, for an emulator. */
const SYSROOTS = { x86_64: "/", aarch64: "/usr/aarch64-linux-gnu" } as const;

for (const platform of PLATFORMS) {
  const { arch } = platform;
  Deno.test({
    name: `the ${arch} library needs no glibc newer than 2.31 and nothing else`,
    ignore: !canBuild(platform),
    fn() {
      const library = buildLibrary(platform);
      const elf = readElf(library);
      assertEquals(elf.machine, MACHINE[arch]);
      // All of them glibc's, the dynamic linker among them
      for (const name of elf.needed) {
        assert(/^(?:libc\.so\.6|libdl\.so\.2|libpthread\.so\.0|ld-linux-.*)$/.test(name), name);
      }
      assertEquals(tooNew(library), []);
      // Of a library's symbols without a version, only weak ones may be missing
      for (const { name, version, weak } of elf.imports) {
        assert(weak || version?.startsWith("GLIBC_"), name);
      }
      assertEquals([...elf.exports.keys()].sort(), Object.keys(symbols).sort());
      // Stripped, and with nothing of the machine that built it
      for (const section of [".symtab", ".debug_info", ".note.gnu.build-id"]) {
        assert(!elf.sections.includes(section), section);
      }
      assert(!new TextDecoder("latin1").decode(library).includes("/ioq-prebuild-"));
    },
  });

  Deno.test({
    name: `building the ${arch} library again makes the same bytes`,
    ignore: !canBuild(platform),
    fn() {
      assertEquals(sha256(buildLibrary(platform)), sha256(buildLibrary(platform)));
    },
  });

  Deno.test({
    name: `the ${arch} library is loaded by a program of that platform`,
    ignore: !canBuild(platform) || !canRun(platform),
    fn() {
      using dir = new TempDir();
      const library = dir.at("libioq.so");
      Deno.writeFileSync(library, buildLibrary(platform));
      const program = dir.at("load");
      const source = dir.file(
        "load.c",
        `#include <dlfcn.h>
        #include <stdio.h>
        int main(int argc, char **argv) {
          void *library = dlopen(argv[argc - 1], RTLD_NOW);
          if (!library) { puts(dlerror()); return 1; }
          unsigned (*version)(void) = (unsigned (*)(void))dlsym(library, "ioq_abi_version");
          printf("%u", version());
          return 0;
        }`,
      );
      const built = new Deno.Command(`${platform.tools}gcc`, {
        args: ["-o", program, source, "-ldl"],
      }).outputSync();
      assert(built.success, text(built.stderr));
      const [command, ...args] = [...runner(platform), program, library];
      const { stdout, stderr } = new Deno.Command(command!, { args }).outputSync();
      assertEquals(text(stdout), String(ABI_VERSION), text(stderr));
    },
  });
}

/** What starts a program of a platform. */
function runner({ arch }: Platform): string[] {
  return arch === Deno.build.arch ? [] : [`qemu-${arch}-static`, "-L", SYSROOTS[arch]];
}

/** Whether programs of a platform can be run here. */
function canRun(platform: Platform): boolean {
  try {
    const [command] = runner(platform);
    return command === undefined ||
      new Deno.Command(command, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test("the module of a library gives the library, or says that it is damaged", async () => {
  const library = crypto.getRandomValues(new Uint8Array(50_000));
  const source = embed(library, "0".repeat(64), 'a "compiler"');
  const constant = (name: string) =>
    new RegExp(`export const ${name} = (?:"([^"]*)"|(\\d+)|\`([^\`]*)\`);`).exec(source)!
      .slice(1).find((it) => it !== undefined)!;
  const module = {
    SHA256: constant("SHA256"),
    LENGTH: Number(constant("LENGTH")),
    BASE64: constant("BASE64"),
  };
  assertEquals(await unpack(module), library);
  await assertRejects(
    () => unpack({ ...module, SHA256: "f".repeat(64) }),
    TypeError,
    "The embedded library is damaged",
  );
  for (const damaged of [{ BASE64: module.BASE64.slice(0, -100) }, { LENGTH: 10 }]) {
    await assertRejects(
      () => unpack({ ...module, ...damaged }),
      TypeError,
      "The embedded library is damaged: it has ",
    );
  }
});

Deno.test("readElf() refuses what is none", () => {
  assertThrows(() => readElf(new Uint8Array(100)), TypeError, "Expected a 64-bit");
  assertThrows(() => readElf(new Uint8Array(3)), TypeError, "Expected a 64-bit");
});

Deno.test({
  name: "readElf() tells what a local build takes and offers",
  ignore: !LIBRARY.startsWith("/"),
  fn() {
    const elf = readElf(Deno.readFileSync(LIBRARY));
    assertEquals([...elf.exports.keys()].sort(), Object.keys(symbols).sort());
    const malloc = elf.imports.find(({ name }) => name === "malloc");
    assert(glibcMinor(malloc?.version ?? "") !== undefined, malloc?.version);
  },
});
