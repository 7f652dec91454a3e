// Copyright 2026 the ioq authors. MIT license.

/**
 * The library that comes with the package: text in a TypeScript module, since a module
 * is all that a registry hands out on import. It is not compressed: to inflate it takes
 * the runtime longer than to load the module.
 *
 * `dlopen(3)` wants a file, and a file that others can replace is a way into the
 * process. So the library becomes
 *
 * - a *memfd*, where FFI is granted in full: memory with a descriptor, sealed
 *   against any change, loaded as `/proc/self/fd/N`. Nothing is written to disk and
 *   no other permission is needed;
 * - else a file of its own in a fresh directory that only its owner may enter,
 *   removed as soon as it is loaded. That takes `--allow-write` and `--allow-ffi`
 *   for the directory of temporary files.
 *
 * What is loaded has the SHA-256 that the module records.
 *
 * @module
 */

/** A module that holds a library. */
export interface EmbeddedModule {
  /** The library's SHA-256, in hexadecimal. */
  readonly SHA256: string;
  /** The library's length in bytes. */
  readonly LENGTH: number;
  /** The library in base64. */
  readonly BASE64: string;
}

/** A library as a file that can be loaded. */
export interface LibraryFile {
  /** What to load. */
  readonly path: string;
  /**
   * The descriptor of its memory, for the library to close when it is unloaded; -1 if it
   * is a file that goes once it is loaded, and cannot be loaded again.
   */
  readonly fd: number;
  /** Call it when the library is loaded, or could not be. */
  loaded(): void;
  /** Call it when the library has been given the descriptor. */
  adopted(): void;
  /** Call it when the library is not needed any more. */
  release(): void;
}

/**
 * Unpack a library.
 *
 * @throws {TypeError} If it is not what was put into the module.
 */
export async function unpack(
  { BASE64, LENGTH, SHA256 }: EmbeddedModule,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.fromBase64(BASE64);
  if (bytes.length !== LENGTH) {
    throw new TypeError(
      `The embedded library is damaged: it has ${bytes.length} bytes, expected ${LENGTH}`,
    );
  }
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  if (sha256 !== SHA256) {
    throw new TypeError(
      `The embedded library is damaged: its SHA-256 is ${sha256}, expected ${SHA256}`,
    );
  }
  return bytes;
}

// memfd_create(2)
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_EXEC = 16;
// fcntl(2)
const F_ADD_SEALS = 1033;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const F_SEAL_WRITE = 8;

const libcSymbols = {
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Put bytes into sealed memory that has a descriptor; `undefined` if the system refuses. */
function makeSealedMemory(bytes: Uint8Array<ArrayBuffer>): LibraryFile | undefined {
  const libc = Deno.dlopen("libc.so.6", libcSymbols);
  const { memfd_create, write, fcntl, close } = libc.symbols;
  const name = new TextEncoder().encode("libioq.so\0");
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  // Kernels before 6.3 do not know MFD_EXEC; newer ones may insist on it
  let fd = memfd_create(name, flags | MFD_EXEC);
  if (fd < 0) {
    fd = memfd_create(name, flags);
  }
  let sealed = fd >= 0;
  for (let done = 0; sealed && done < bytes.length;) {
    const left = bytes.subarray(done);
    const written = Number(write(fd, left, BigInt(left.length)));
    sealed = written > 0;
    done += written;
  }
  sealed &&= fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) === 0;
  let owned = fd >= 0;
  const release = () => {
    if (owned) {
      close(fd);
    }
    libc.close();
  };
  if (!sealed) {
    release();
    return undefined;
  }
  // Open as long as the library is loaded: dlopen(3) takes what has the same path
  // for the same library, so no other may come to have this number meanwhile
  return {
    path: `/proc/self/fd/${fd}`,
    fd,
    loaded() {},
    adopted() {
      owned = false;
    },
    release,
  };
}

/** The directory of temporary files, without asking for anything. */
function tempDirectory(): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "TMPDIR" });
  return state === "granted" && Deno.env.get("TMPDIR") || "/tmp";
}

/** Put bytes into a file that nobody else can get at. */
function makePrivateFile(bytes: Uint8Array<ArrayBuffer>, parent: string): LibraryFile {
  const dir = Deno.makeTempDirSync({ dir: parent, prefix: "ioq-" }); // with mode 0700
  const path = `${dir}/libioq.so`;
  const remove = () => Deno.removeSync(dir, { recursive: true });
  try {
    Deno.writeFileSync(path, bytes, { createNew: true, mode: 0o600 });
  } catch (error) {
    remove();
    throw error;
  }
  return { path, fd: -1, loaded: remove, adopted() {}, release() {} };
}

/**
 * Make a file of a library that can be loaded.
 *
 * @param bytes The library.
 * @throws {Deno.errors.NotCapable} If neither way is permitted.
 */
export function materialize(bytes: Uint8Array<ArrayBuffer>): LibraryFile {
  const temp = tempDirectory();
  const isGranted = (descriptor: Deno.PermissionDescriptor) =>
    Deno.permissions.querySync(descriptor).state === "granted";
  if (
    // Granted for files but not in full is an answer; else ask, as dlopen() would
    isGranted({ name: "ffi" }) || !isGranted({ name: "ffi", path: temp }) &&
      Deno.permissions.requestSync({ name: "ffi" }).state === "granted"
  ) {
    const memory = makeSealedMemory(bytes);
    if (memory !== undefined) {
      return memory;
    }
  } else if (!isGranted({ name: "ffi", path: temp }) || !isGranted({ name: "write", path: temp })) {
    throw new Deno.errors.NotCapable(
      "Cannot load the embedded library without permission, run again with --allow-ffi, " +
        `or with --allow-ffi=${temp} --allow-write=${temp}`,
    );
  }
  return makePrivateFile(bytes, temp);
}
