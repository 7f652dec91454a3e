// Copyright 2026 the ioq authors. MIT license.

/**
 * Builds a library that runs on many machines.
 *
 * The C core is compiled as `native/Makefile` does, and linked with a static
 * liburing. What makes it run with an old glibc is a step between the two: the
 * linker would bind `pthread_create` to its newest version, `GLIBC_2.34`, which
 * only new systems have. So every function that is taken from glibc is renamed in
 * the objects to the newest version that is old enough, `pthread_create@GLIBC_2.2.5`,
 * of those that the glibc at hand still offers; and what glibc had not at all then
 * comes out of `native/compat.c`.
 *
 * Nothing of the machine that builds gets into the library: no paths, no time, no
 * build id. The same sources and the same tools make the same bytes.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { glibcMinor, readElf } from "./elf.ts";
import { GLIBC_MINOR_MAX, type Platform } from "./platforms.ts";
import { NATIVE, nativeSources } from "./sources.ts";

/** A library could not be built. */
export class PrebuildError extends Error {
  /** The class's name. */
  override readonly name = "PrebuildError";
}

const NATIVE_DIR = fileURLToPath(NATIVE);

const COMPILE = [
  "-std=gnu17",
  "-O2",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-fPIC",
  "-fvisibility=hidden",
  "-ffunction-sections",
  "-fdata-sections",
  "-pthread",
  "-D_GNU_SOURCE",
  "-I.",
];

const LINK = [
  "-shared",
  "-s",
  "-pthread",
  "-Wl,-soname,libioq.so",
  "-Wl,--version-script=libioq.map",
  "-Wl,--build-id=none",
  "-Wl,--gc-sections",
  "-Wl,--hash-style=gnu",
  "-Wl,-z,relro,-z,now,-z,defs,-z,noexecstack",
];

/** Run a program to its end. */
function run(program: string, args: readonly string[], cwd = NATIVE_DIR): string {
  let output;
  try {
    output = new Deno.Command(program, {
      args: [...args],
      cwd,
      env: { LC_ALL: "C", SOURCE_DATE_EPOCH: "0" },
      stdin: "null",
    }).outputSync();
  } catch (error) {
    throw new PrebuildError(`Cannot run ${program}`, { cause: error });
  }
  if (!output.success) {
    throw new PrebuildError(
      `${program} ${args.join(" ")}\n${new TextDecoder().decode(output.stderr)}`,
    );
  }
  return new TextDecoder().decode(output.stdout);
}

/** Whether a file is there. */
function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What of liburing a platform is built with. */
interface Liburing {
  readonly archive: string;
  readonly include: string;
}

/** Where a platform's liburing may be: installed, or fetched before. */
function lookForLiburing({ arch, debian }: Platform): Liburing | undefined {
  for (const root of ["", fetchedDir(debian)]) {
    const archive = `${root}/usr/lib/${arch}-linux-gnu/liburing.a`;
    const include = `${root}/usr/include`;
    if (exists(archive) && exists(`${include}/liburing.h`)) {
      return { archive, include };
    }
  }
  return undefined;
}

function fetchedDir(debian: string): string {
  return `${NATIVE_DIR}build/liburing-${debian}`;
}

/** Find a platform's liburing, or fetch Debian's package of it. */
function findLiburing(platform: Platform): Liburing {
  const found = lookForLiburing(platform);
  if (found !== undefined) {
    return found;
  }
  const { debian } = platform;
  const dir = fetchedDir(debian);
  try {
    Deno.mkdirSync(dir, { recursive: true });
    run("apt-get", ["-q", "download", `liburing-dev:${debian}`], dir);
    for (const { name } of Deno.readDirSync(dir)) {
      if (name.endsWith(".deb")) {
        run("dpkg-deb", ["-x", name, "."], dir);
      }
    }
  } catch (cause) {
    throw new PrebuildError(
      `There is no static liburing for ${platform.arch}: install liburing-dev:${debian} ` +
        `(dpkg --add-architecture ${debian} && apt-get update lets apt find it)`,
      { cause },
    );
  }
  const fetched = lookForLiburing(platform);
  if (fetched === undefined) {
    throw new PrebuildError(`There is no liburing.a in Debian's liburing-dev:${debian}`);
  }
  return fetched;
}

/**
 * A folder to search for liburing's headers, with nothing else in it: /usr/include
 * would hide the cross compiler's own.
 */
function isolateHeaders({ include }: Liburing, dir: string): string {
  const isolated = `${dir}/include`;
  Deno.mkdirSync(isolated);
  for (const name of ["liburing.h", "liburing"]) {
    Deno.symlinkSync(`${include}/${name}`, `${isolated}/${name}`);
  }
  return isolated;
}

/** The versions of glibc's symbols that are old enough, by symbol: the newest of them. */
function oldEnough(libraries: readonly string[]): Map<string, string | undefined> {
  const chosen = new Map<string, string | undefined>();
  for (const library of libraries) {
    for (const [name, versions] of readElf(Deno.readFileSync(library)).exports) {
      const best = versions
        .filter((it) => (glibcMinor(it) ?? Infinity) <= GLIBC_MINOR_MAX)
        .sort((a, b) => glibcMinor(b)! - glibcMinor(a)!)[0];
      chosen.set(name, chosen.get(name) ?? best);
    }
  }
  return chosen;
}

/** Whether what a platform's library takes is there, and need not be fetched. */
export function canBuild(platform: Platform): boolean {
  try {
    run(`${platform.tools}gcc`, ["--version"]);
    run(`${platform.tools}objcopy`, ["--version"]);
    return lookForLiburing(platform) !== undefined;
  } catch {
    return false;
  }
}

/** The compiler that builds a platform's library, with its version. */
export function compilerOf({ tools }: Platform): string {
  return run(`${tools}gcc`, ["--version"]).split("\n")[0]!;
}

/**
 * Build a platform's library.
 *
 * @returns The library's bytes.
 * @throws {PrebuildError} If a tool is missing or fails, or the library needs a
 *         newer glibc than it may.
 */
export function buildLibrary(platform: Platform): Uint8Array<ArrayBuffer> {
  const dir = Deno.makeTempDirSync({ prefix: "ioq-prebuild-" });
  try {
    return buildIn(dir, platform);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function buildIn(dir: string, platform: Platform): Uint8Array<ArrayBuffer> {
  const { tools } = platform;
  const gcc = `${tools}gcc`;
  const liburing = findLiburing(platform);
  const include = isolateHeaders(liburing, dir);

  const objects: string[] = [];
  for (const source of nativeSources().filter((it) => it.endsWith(".c"))) {
    const object = `${dir}/${source.replaceAll("/", "-").replace(/\.c$/, ".o")}`;
    run(gcc, [...COMPILE, "-isystem", include, "-c", source, "-o", object]);
    objects.push(object);
  }
  const members = `${dir}/liburing-objects`;
  Deno.mkdirSync(members);
  run(`${tools}ar`, ["x", liburing.archive], members);
  for (const name of [...Deno.readDirSync(members)].map((it) => it.name).sort()) {
    objects.push(`${members}/${name}`);
  }

  // glibc before 2.34 had these apart; since then they are empty, and stay for us
  const parts = ["libpthread.so.0", "libdl.so.2"];
  const glibc = ["libc.so.6", ...parts].map((name) =>
    run(gcc, [`-print-file-name=${name}`]).trim()
  );
  const versions = oldEnough(glibc);
  const own = new Set(
    objects.flatMap((it) => [...readElf(Deno.readFileSync(it)).exports.keys()]),
  );
  const renames = new Set<string>();
  for (const object of objects) {
    for (const { name } of readElf(Deno.readFileSync(object)).imports) {
      const version = versions.get(name);
      if (!own.has(name) && version !== undefined) {
        renames.add(`${name} ${name}@${version}`);
      }
    }
  }
  Deno.writeTextFileSync(`${dir}/renames`, [...renames].sort().join("\n") + "\n");
  for (const object of objects) {
    run(`${tools}objcopy`, [`--redefine-syms=${dir}/renames`, object]);
  }

  const library = `${dir}/libioq.so`;
  run(gcc, [
    ...LINK,
    "-o",
    library,
    ...objects,
    "-Wl,--no-as-needed",
    ...parts.map((it) => `-l:${it}`),
  ]);
  const bytes = Deno.readFileSync(library);
  checkGlibc(bytes);
  return bytes;
}

/** A library's symbols that only a newer glibc has than it may need. */
export function tooNew(bytes: Uint8Array): string[] {
  return readElf(bytes).imports
    .filter(({ version }) => version?.startsWith("GLIBC_"))
    .filter(({ version }) => (glibcMinor(version!) ?? Infinity) > GLIBC_MINOR_MAX)
    .map(({ name, version }) => `${name}@${version}`);
}

function checkGlibc(bytes: Uint8Array): void {
  const names = tooNew(bytes);
  if (names.length > 0) {
    throw new PrebuildError(
      `The library would need a newer glibc than 2.${GLIBC_MINOR_MAX}: ${names.join(", ")}. ` +
        "Define them in native/compat.c, or do without",
    );
  }
}
