// Copyright 2026 the ioq authors. MIT license.

/**
 * Finding and loading the native library. Nothing happens until a queue is opened.
 *
 * It is looked for in three places: where `IOQ_LIBRARY` says, and nowhere else if it
 * says so; in the local build beside this module, if this is a checkout that has one; in
 * the package itself, which comes with a library for some platforms (`embedded.ts`).
 *
 * @module
 */

import type { EmbeddedModule, LibraryFile } from "./embedded.ts";
import { ABI_VERSION } from "./layout.ts";
import { everydaySymbols, laterSymbols, memorySymbols, type symbols } from "./symbols.ts";

/** The native library's functions. */
export type Symbols = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** A loaded library. It stays loaded while anyone holds it. */
export interface Library {
  /** The file it was loaded from, or that it is the one in the package. */
  readonly path: string;
  /**
   * What another thread loads it by to get this very copy, with the same state; `undefined` if
   * that cannot be.
   */
  readonly shared: string | undefined;
  /** Its functions. */
  readonly symbols: Symbols;
  /** Let go of it. */
  release(): void;
}

/** The library could not be loaded. */
export class LibraryError extends Error {
  /** The class's name. */
  override readonly name = "LibraryError";
}

/** The library's functions, some of which are bound when they are first wanted. */
interface Bound {
  readonly symbols: Symbols;
  /** Unload the library. */
  close(): void;
}

/** A library that is loaded. */
interface Entry {
  readonly library: Bound;
  /** {@linkcode Library.shared}. */
  readonly shared: string | undefined;
  /** How many have not let go of it. */
  holders: number;
  /** What there is to do when it was unloaded. */
  readonly release: () => void;
}

/** Loaded libraries by path, the embedded one by {@linkcode EMBEDDED}. */
const loaded = new Map<string, Entry>();

/** What stands for the path of the library in the package. */
export const EMBEDDED = "the embedded library";

/** The library in the package: what makes a file of it, or why there is none. */
type Embedded = { readonly materialize: () => LibraryFile } | { readonly missing: string };

/** The library in the package, once somebody wanted it. */
let embedded: Embedded | undefined;

/** An environment variable, if it may be read without asking. */
export function readEnv(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || undefined : undefined;
}

/** Import the library for this machine out of the package. */
async function importEmbedded(): Promise<Embedded> {
  const { target } = Deno.build;
  // Literals, so that whoever may import this module may import them
  const modules: Record<string, () => Promise<EmbeddedModule>> = {
    "x86_64-unknown-linux-gnu": () => import("./embedded/x86_64.ts"),
    "aarch64-unknown-linux-gnu": () => import("./embedded/aarch64.ts"),
  };
  const importModule = modules[target];
  if (importModule === undefined) {
    return { missing: `There is no native library for ${target} in this package` };
  }
  try {
    const [module, { materialize, unpack }] = await Promise.all([
      importModule(),
      import("./embedded.ts"),
    ]);
    const bytes = await unpack(module);
    return { materialize: () => materialize(bytes) };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Have the library in the package at hand, if that may be the one to load.
 *
 * To be awaited before {@linkcode loadLibrary}, which takes no time. Never rejects:
 * what goes wrong is told when the library is loaded.
 *
 * @param path The path that will be given to it.
 */
export async function prepareLibrary(path?: string): Promise<void> {
  if (path === undefined && readEnv("IOQ_LIBRARY") === undefined && !hasLocalBuild()) {
    embedded ??= await importEmbedded();
  }
}

/** The path of a module's file: as `fileURLToPath`, which takes 6 ms to import. */
export function modulePath(url: URL): string {
  return decodeURIComponent(url.pathname);
}

/** Where this module says that the local build is; `null` before anybody asked. */
let local: string | undefined | null = null;

/** The file of the local build, if this module is a file. */
function localBuild(): string | undefined {
  if (local === null) {
    const url = new URL("../native/build/libioq.so", import.meta.url);
    local = url.protocol === "file:" ? modulePath(url) : undefined;
  }
  return local;
}

/** Whether there is a local build, as far as one may look. */
function hasLocalBuild(): boolean {
  const path = localBuild();
  if (
    path === undefined ||
    Deno.permissions.querySync({ name: "read", path }).state !== "granted"
  ) {
    return false;
  }
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether a library may be loaded without asking. */
function mayLoad(path: string): boolean {
  return Deno.permissions.querySync({ name: "ffi", path }).state === "granted";
}

/** Where the library may be, best first. */
function candidates(): string[] {
  const env = readEnv("IOQ_LIBRARY");
  if (env !== undefined) {
    return [env];
  }
  const path = localBuild();
  // A vendored copy has none: neither try nor advise what may not be there
  return path !== undefined && (hasLocalBuild() || mayLoad(path)) ? [path, EMBEDDED] : [EMBEDDED];
}

/** There is no library at a path, so it may be elsewhere. */
class MissingError extends LibraryError {}

/** Refuse a library of another ABI version. */
function checkVersion(path: string, version: number): void {
  if (version !== ABI_VERSION) {
    throw new LibraryError(
      `Cannot use '${path}': it has ABI version ${version}, this module needs ${ABI_VERSION}`,
    );
  }
}

/** Bind what every queue calls before its first result. */
function bindEveryday(path: string): Deno.DynamicLibrary<typeof everydaySymbols> {
  let library;
  try {
    library = Deno.dlopen(path, everydaySymbols);
  } catch (error) {
    // Another version may lack some functions: say that it is another version
    const { ioq_abi_version } = everydaySymbols;
    let alone;
    try {
      alone = Deno.dlopen(path, { ioq_abi_version });
    } catch {
      throw error;
    }
    const version = alone.symbols.ioq_abi_version();
    alone.close();
    checkVersion(path, version);
    throw error;
  }
  try {
    checkVersion(path, library.symbols.ioq_abi_version());
  } catch (error) {
    library.close();
    throw error;
  }
  return library;
}

/**
 * Bind the functions of a library: each of those that not every queue calls when it is first
 * wanted, or all of them now if the library's file does not last.
 */
function bind(path: string, lasts: boolean): Bound {
  const everyday = bindEveryday(path);
  const bound: { close(): void }[] = [everyday];
  const symbols: Record<string, unknown> = { ...everyday.symbols };
  const bindNow = (functions: Deno.ForeignLibraryInterface) => {
    const library = Deno.dlopen(path, functions);
    bound.push(library);
    for (const [name, value] of Object.entries(library.symbols)) {
      Object.defineProperty(symbols, name, { value, enumerable: true });
    }
  };
  if (lasts) {
    for (const [name, declaration] of Object.entries(laterSymbols)) {
      const get = () => {
        bindNow({ [name]: declaration });
        return symbols[name];
      };
      Object.defineProperty(symbols, name, { configurable: true, enumerable: true, get });
    }
  } else {
    bindNow(laterSymbols);
  }
  return {
    symbols: symbols as Symbols,
    close() {
      for (const library of bound) {
        library.close();
      }
    },
  };
}

/** Load a library, checking that it speaks our ABI. */
function open(path: string, lasts = true): Bound {
  try {
    return bind(path, lasts);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new LibraryError(
        `Cannot load '${path}' without permission, run again with --allow-ffi=${path}`,
        { cause: error },
      );
    }
    if (error instanceof LibraryError) {
      throw error;
    }
    // Deno says so twice, and the loader names the file once more
    const said = (error instanceof Error ? error.message : String(error))
      .replace(/^(?:Could not open library: )+/, "");
    const message = said.startsWith(`${path}: `) ? said.slice(path.length + 2) : said;
    if (message.includes("No such file")) {
      throw new MissingError(
        `Cannot load '${path}': ${message}: build it with make, or set IOQ_LIBRARY`,
        { cause: error },
      );
    }
    throw new LibraryError(`Cannot load '${path}': ${message}`, { cause: error });
  }
}

/** Load the library in the package. */
function openEmbedded(): Entry {
  if (embedded === undefined || "missing" in embedded) {
    throw new MissingError(
      `${embedded?.missing ?? `Nobody has prepared ${EMBEDDED}`}: ` +
        "set IOQ_LIBRARY to the path of a libioq.so",
    );
  }
  let file;
  try {
    file = embedded.materialize();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new LibraryError(
      error instanceof Deno.errors.NotCapable
        ? message
        : `Cannot make a file of ${EMBEDDED}: ${message}`,
      { cause: error },
    );
  }
  const { path, fd, loaded, release } = file;
  try {
    const library = open(path, fd >= 0);
    if (fd >= 0) {
      // A Worker that is terminated cannot close it, but unloads the library
      const memory = Deno.dlopen(path, memorySymbols);
      memory.symbols.ioq_adopt(fd);
      memory.close();
      file.adopted();
    }
    return { library, shared: fd >= 0 ? path : undefined, holders: 0, release };
  } catch (error) {
    release();
    throw error;
  } finally {
    loaded();
  }
}

/**
 * Load the native library, or share it if it is loaded already.
 *
 * @param path The file; where it may be is searched if not given.
 * @throws {LibraryError} If it cannot be loaded, saying why.
 */
export function loadLibrary(path?: string): Library {
  let missing: LibraryError | undefined;
  for (const candidate of path === undefined ? candidates() : [path]) {
    let entry = loaded.get(candidate);
    if (entry === undefined) {
      try {
        entry = candidate === EMBEDDED
          ? openEmbedded()
          : { library: open(candidate), shared: candidate, holders: 0, release() {} };
      } catch (error) {
        if (error instanceof MissingError) {
          // What is missing is the local build, if this is a place to build it
          missing ??= error;
          continue;
        }
        throw error;
      }
      loaded.set(candidate, entry);
    }
    return hold(candidate, entry);
  }
  throw missing ?? new LibraryError("There is no native library");
}

function hold(path: string, entry: Entry): Library {
  entry.holders++;
  let released = false;
  return {
    path,
    shared: entry.shared,
    symbols: entry.library.symbols,
    release() {
      if (!released) {
        released = true;
        if (--entry.holders === 0) {
          loaded.delete(path);
          entry.library.close();
          entry.release();
        }
      }
    },
  };
}
