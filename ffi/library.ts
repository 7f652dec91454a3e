// Copyright 2026 the ioq authors. MIT license.

/**
 * Finding and loading the native library. Nothing happens until a queue is opened.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { ABI_VERSION } from "./layout.ts";
import { symbols } from "./symbols.ts";

/** The native library's functions. */
export type Symbols = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** A loaded library. It stays loaded while anyone holds it. */
export interface Library {
  /** The file it was loaded from. */
  readonly path: string;
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

/** Loaded libraries by path, with the number of their holders. */
const loaded = new Map<string, { library: Deno.DynamicLibrary<typeof symbols>; holders: number }>();

/** An environment variable, if it may be read without asking. */
export function readEnv(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || undefined : undefined;
}

/**
 * Where the library may be, best first: `IOQ_LIBRARY`, then the local build
 * beside this module, if the module is a file.
 */
function candidates(): string[] {
  const env = readEnv("IOQ_LIBRARY");
  if (env !== undefined) {
    return [env];
  }
  const local = new URL("../native/build/libioq.so", import.meta.url);
  return local.protocol === "file:" ? [fileURLToPath(local)] : [];
}

/** Load a library, checking that it speaks our ABI. */
function open(path: string): Deno.DynamicLibrary<typeof symbols> {
  try {
    // Alone first: another version may lack some of the other symbols
    const probe = Deno.dlopen(path, { ioq_abi_version: symbols.ioq_abi_version });
    const version = probe.symbols.ioq_abi_version();
    probe.close();
    if (version !== ABI_VERSION) {
      throw new LibraryError(
        `Cannot use '${path}': it has ABI version ${version}, this module needs ${ABI_VERSION}`,
      );
    }
    return Deno.dlopen(path, symbols);
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
    // Deno says so twice
    const message = (error instanceof Error ? error.message : String(error))
      .replace(/^(?:Could not open library: )+/, "");
    const hint = message.includes("No such file") ? ": build it with make, or set IOQ_LIBRARY" : "";
    throw new LibraryError(`Cannot load '${path}': ${message}${hint}`, { cause: error });
  }
}

/**
 * Load the native library, or share it if it is loaded already.
 *
 * @param path The file; where it may be is searched if not given.
 * @throws {LibraryError} If it cannot be loaded, saying why for each place.
 */
export function loadLibrary(path?: string): Library {
  const errors: unknown[] = [];
  const paths = path === undefined ? candidates() : [path];
  for (const candidate of paths) {
    let entry = loaded.get(candidate);
    if (entry === undefined) {
      try {
        entry = { library: open(candidate), holders: 0 };
      } catch (error) {
        errors.push(error);
        continue;
      }
      loaded.set(candidate, entry);
    }
    return hold(candidate, entry);
  }
  if (errors.length === 1) {
    throw errors[0];
  }
  throw new LibraryError(
    "There is no native library for this module: set IOQ_LIBRARY to the path of a libioq.so",
  );
}

function hold(
  path: string,
  entry: { library: Deno.DynamicLibrary<typeof symbols>; holders: number },
): Library {
  entry.holders++;
  let released = false;
  return {
    path,
    symbols: entry.library.symbols,
    release() {
      if (!released) {
        released = true;
        if (--entry.holders === 0) {
          loaded.delete(path);
          entry.library.close();
        }
      }
    },
  };
}
