// Copyright 2026 the ioq authors. MIT license.

/**
 * From Linux error numbers to Deno's error classes, with Deno's wording.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { asEnd, isEnd } from "../end.ts";

/** Number, code and text of each error, as `errno(3)` and `strerror(3)` have them. */
const ERRORS: readonly (readonly [errno: number, code: string, text: string])[] = [
  [1, "EPERM", "Operation not permitted"],
  [2, "ENOENT", "No such file or directory"],
  [3, "ESRCH", "No such process"],
  [4, "EINTR", "Interrupted system call"],
  [5, "EIO", "Input/output error"],
  [6, "ENXIO", "No such device or address"],
  [7, "E2BIG", "Argument list too long"],
  [8, "ENOEXEC", "Exec format error"],
  [9, "EBADF", "Bad file descriptor"],
  [10, "ECHILD", "No child processes"],
  [11, "EAGAIN", "Resource temporarily unavailable"],
  [12, "ENOMEM", "Cannot allocate memory"],
  [13, "EACCES", "Permission denied"],
  [14, "EFAULT", "Bad address"],
  [15, "ENOTBLK", "Block device required"],
  [16, "EBUSY", "Device or resource busy"],
  [17, "EEXIST", "File exists"],
  [18, "EXDEV", "Invalid cross-device link"],
  [19, "ENODEV", "No such device"],
  [20, "ENOTDIR", "Not a directory"],
  [21, "EISDIR", "Is a directory"],
  [22, "EINVAL", "Invalid argument"],
  [23, "ENFILE", "Too many open files in system"],
  [24, "EMFILE", "Too many open files"],
  [25, "ENOTTY", "Inappropriate ioctl for device"],
  [26, "ETXTBSY", "Text file busy"],
  [27, "EFBIG", "File too large"],
  [28, "ENOSPC", "No space left on device"],
  [29, "ESPIPE", "Illegal seek"],
  [30, "EROFS", "Read-only file system"],
  [31, "EMLINK", "Too many links"],
  [32, "EPIPE", "Broken pipe"],
  [33, "EDOM", "Numerical argument out of domain"],
  [34, "ERANGE", "Numerical result out of range"],
  [35, "EDEADLOCK", "Resource deadlock avoided"],
  [36, "ENAMETOOLONG", "File name too long"],
  [37, "ENOLCK", "No locks available"],
  [38, "ENOSYS", "Function not implemented"],
  [39, "ENOTEMPTY", "Directory not empty"],
  [40, "ELOOP", "Too many levels of symbolic links"],
  [42, "ENOMSG", "No message of desired type"],
  [43, "EIDRM", "Identifier removed"],
  [44, "ECHRNG", "Channel number out of range"],
  [45, "EL2NSYNC", "Level 2 not synchronized"],
  [46, "EL3HLT", "Level 3 halted"],
  [47, "EL3RST", "Level 3 reset"],
  [48, "ELNRNG", "Link number out of range"],
  [49, "EUNATCH", "Protocol driver not attached"],
  [50, "ENOCSI", "No CSI structure available"],
  [51, "EL2HLT", "Level 2 halted"],
  [52, "EBADE", "Invalid exchange"],
  [53, "EBADR", "Invalid request descriptor"],
  [54, "EXFULL", "Exchange full"],
  [55, "ENOANO", "No anode"],
  [56, "EBADRQC", "Invalid request code"],
  [57, "EBADSLT", "Invalid slot"],
  [59, "EBFONT", "Bad font file format"],
  [60, "ENOSTR", "Device not a stream"],
  [61, "ENODATA", "No data available"],
  [62, "ETIME", "Timer expired"],
  [63, "ENOSR", "Out of streams resources"],
  [64, "ENONET", "Machine is not on the network"],
  [65, "ENOPKG", "Package not installed"],
  [66, "EREMOTE", "Object is remote"],
  [67, "ENOLINK", "Link has been severed"],
  [68, "EADV", "Advertise error"],
  [69, "ESRMNT", "Srmount error"],
  [70, "ECOMM", "Communication error on send"],
  [71, "EPROTO", "Protocol error"],
  [72, "EMULTIHOP", "Multihop attempted"],
  [73, "EDOTDOT", "RFS specific error"],
  [74, "EBADMSG", "Bad message"],
  [75, "EOVERFLOW", "Value too large for defined data type"],
  [76, "ENOTUNIQ", "Name not unique on network"],
  [77, "EBADFD", "File descriptor in bad state"],
  [78, "EREMCHG", "Remote address changed"],
  [79, "ELIBACC", "Can not access a needed shared library"],
  [80, "ELIBBAD", "Accessing a corrupted shared library"],
  [81, "ELIBSCN", ".lib section in a.out corrupted"],
  [82, "ELIBMAX", "Attempting to link in too many shared libraries"],
  [83, "ELIBEXEC", "Cannot exec a shared library directly"],
  [84, "EILSEQ", "Invalid or incomplete multibyte or wide character"],
  [85, "ERESTART", "Interrupted system call should be restarted"],
  [86, "ESTRPIPE", "Streams pipe error"],
  [87, "EUSERS", "Too many users"],
  [88, "ENOTSOCK", "Socket operation on non-socket"],
  [89, "EDESTADDRREQ", "Destination address required"],
  [90, "EMSGSIZE", "Message too long"],
  [91, "EPROTOTYPE", "Protocol wrong type for socket"],
  [92, "ENOPROTOOPT", "Protocol not available"],
  [93, "EPROTONOSUPPORT", "Protocol not supported"],
  [94, "ESOCKTNOSUPPORT", "Socket type not supported"],
  [95, "ENOTSUP", "Operation not supported"],
  [96, "EPFNOSUPPORT", "Protocol family not supported"],
  [97, "EAFNOSUPPORT", "Address family not supported by protocol"],
  [98, "EADDRINUSE", "Address already in use"],
  [99, "EADDRNOTAVAIL", "Cannot assign requested address"],
  [100, "ENETDOWN", "Network is down"],
  [101, "ENETUNREACH", "Network is unreachable"],
  [102, "ENETRESET", "Network dropped connection on reset"],
  [103, "ECONNABORTED", "Software caused connection abort"],
  [104, "ECONNRESET", "Connection reset by peer"],
  [105, "ENOBUFS", "No buffer space available"],
  [106, "EISCONN", "Transport endpoint is already connected"],
  [107, "ENOTCONN", "Transport endpoint is not connected"],
  [108, "ESHUTDOWN", "Cannot send after transport endpoint shutdown"],
  [109, "ETOOMANYREFS", "Too many references: cannot splice"],
  [110, "ETIMEDOUT", "Connection timed out"],
  [111, "ECONNREFUSED", "Connection refused"],
  [112, "EHOSTDOWN", "Host is down"],
  [113, "EHOSTUNREACH", "No route to host"],
  [114, "EALREADY", "Operation already in progress"],
  [115, "EINPROGRESS", "Operation now in progress"],
  [116, "ESTALE", "Stale file handle"],
  [117, "EUCLEAN", "Structure needs cleaning"],
  [118, "ENOTNAM", "Not a XENIX named type file"],
  [119, "ENAVAIL", "No XENIX semaphores available"],
  [120, "EISNAM", "Is a named type file"],
  [121, "EREMOTEIO", "Remote I/O error"],
  [122, "EDQUOT", "Disk quota exceeded"],
  [123, "ENOMEDIUM", "No medium found"],
  [124, "EMEDIUMTYPE", "Wrong medium type"],
  [125, "ECANCELED", "Operation canceled"],
  [126, "ENOKEY", "Required key not available"],
  [127, "EKEYEXPIRED", "Key has expired"],
  [128, "EKEYREVOKED", "Key has been revoked"],
  [129, "EKEYREJECTED", "Key was rejected by service"],
  [130, "EOWNERDEAD", "Owner died"],
  [131, "ENOTRECOVERABLE", "State not recoverable"],
  [132, "ERFKILL", "Operation not possible due to RF-kill"],
];

/** What the core refuses by itself, with Deno's code and wording where it has them. */
const REFUSALS: Readonly<Record<number, readonly [code: string, text: string]>> = {
  [layout.ENOTREG]: [
    "EINVAL",
    "the source path is neither a regular file nor a symlink to a regular file",
  ],
  [layout.ESAMEFILE]: ["EINVAL", "Source and destination paths refer to the same file"],
  [layout.ENOREPLACE]: ["EINVAL", "Only a regular file can be replaced"],
  [layout.ENOQUEUE]: ["ENOENT", "There is no such queue, or it was closed"],
};

/**
 * Results that say why a request cannot be run without the native library, or by
 * whom it was not run to its end; negated, and larger than any errno.
 */
export const UNSUPPORTED = {
  operation: 4100,
  exactStat: 4101,
  rawPath: 4102,
  rawName: 4103,
  at: 4104,
  renameFlags: 4105,
  permission: 4106,
  seek: 4107,
  lock: 4108,
  readDirBlock: 4109,
  allocate: 4110,
  advise: 4111,
  direct: 4112,
  setRaw: 4113,
  poll: 4114,
  message: 4115,
  boottime: 4116,
  synchronous: 4117,
  exactTime: 4118,
} as const;

/** The Worker that ran a request has ended. */
export const WORKER_CRASHED = 4200;

/** The reasons in words. */
const WITHOUT_LIBRARY: Readonly<Record<number, string>> = {
  [UNSUPPORTED.operation]: "Deno has no call for it",
  [UNSUPPORTED.exactStat]: "Deno tells times in milliseconds and numbers inexactly",
  [UNSUPPORTED.exactTime]: "Deno sets times by inexact numbers",
  [UNSUPPORTED.rawPath]: "Deno's calls take no path that is not UTF-8",
  [UNSUPPORTED.rawName]: "Deno tells no name exactly that is not UTF-8",
  [UNSUPPORTED.at]: "paths relative to a descriptor need Linux's /proc",
  [UNSUPPORTED.renameFlags]: "Deno renames with neither noReplace nor exchange",
  [UNSUPPORTED.seek]: "Deno tells a descriptor's position and cannot move it",
  [UNSUPPORTED.lock]: "Deno has no lock for a descriptor",
  [UNSUPPORTED.readDirBlock]: "Deno reads directories as a whole",
  [UNSUPPORTED.allocate]: "Deno has no call that allocates space",
  [UNSUPPORTED.advise]: "Deno has no call that advises the kernel",
  [UNSUPPORTED.direct]: "direct transfers need buffers that begin at a certain address",
  [UNSUPPORTED.setRaw]: "Deno sets the mode of its own files only",
  [UNSUPPORTED.poll]: "Deno does not tell when a descriptor is ready",
  [UNSUPPORTED.message]: "queues know of each other by the library",
  [UNSUPPORTED.boottime]: "only Linux's /proc/uptime tells that clock, and it cannot be read",
  [UNSUPPORTED.synchronous]: "its files belong to a Worker, and no other thread can use them",
};

/** Error numbers by their code. */
export const ERRNO: Readonly<Record<string, number>> = codesOfErrors();

function codesOfErrors(): Record<string, number> {
  const errnos: Record<string, number> = {};
  // Every program comes by here: a loop takes a fourth of what iterators and closures do at first
  for (let i = 0; i < ERRORS.length; i++) {
    const row = ERRORS[i]!;
    errnos[row[1]] = row[0];
  }
  return errnos;
}

/** The row of an error number, if there is such an error. */
function lookUp(errno: number): (typeof ERRORS)[number] | undefined {
  return ERRORS.find((row) => row[0] === errno);
}

/**
 * The classes that Deno gives to errors; all others are plain `Error`s.
 * EINVAL is a `TypeError` there, although the operating system refused it.
 */
const CLASSES: Readonly<Record<string, new (message: string) => Error>> = {
  EACCES: Deno.errors.PermissionDenied,
  EADDRINUSE: Deno.errors.AddrInUse,
  EADDRNOTAVAIL: Deno.errors.AddrNotAvailable,
  EAGAIN: Deno.errors.WouldBlock,
  ECONNABORTED: Deno.errors.ConnectionAborted,
  ECONNREFUSED: Deno.errors.ConnectionRefused,
  ECONNRESET: Deno.errors.ConnectionReset,
  EEXIST: Deno.errors.AlreadyExists,
  EINTR: Deno.errors.Interrupted,
  EINVAL: TypeError,
  EISDIR: Deno.errors.IsADirectory,
  ELOOP: Deno.errors.FilesystemLoop,
  ENOENT: Deno.errors.NotFound,
  ENOSYS: Deno.errors.NotSupported,
  ENOTCONN: Deno.errors.NotConnected,
  ENOTDIR: Deno.errors.NotADirectory,
  ENOTSUP: Deno.errors.NotSupported,
  EPERM: Deno.errors.PermissionDenied,
  EPIPE: Deno.errors.BrokenPipe,
  ETIMEDOUT: Deno.errors.TimedOut,
};

/** The code of an error number, such as `ENOENT` for 2. */
export function errnoCode(errno: number): string {
  if (Object.hasOwn(REFUSALS, errno)) {
    return REFUSALS[errno]![0];
  }
  if (Object.hasOwn(WITHOUT_LIBRARY, errno)) {
    return "ENOTSUP";
  }
  if (errno === WORKER_CRASHED) {
    return "EIO";
  }
  return lookUp(errno)?.[1] ?? `E${errno}`;
}

/** An error number in words, such as `No such file or directory (os error 2)`. */
export function errnoText(errno: number): string {
  if (Object.hasOwn(REFUSALS, errno)) {
    return REFUSALS[errno]![1];
  }
  if (Object.hasOwn(WITHOUT_LIBRARY, errno)) {
    return `Cannot do this without the native library (${WITHOUT_LIBRARY[errno]})`;
  }
  if (errno === WORKER_CRASHED) {
    return "The Worker that ran it ended unexpectedly";
  }
  return `${lookUp(errno)?.[2] ?? `Unknown error ${errno}`} (os error ${errno})`;
}

/** The error of a request that took longer than it may. */
export function timeoutError(timeoutMs: number, context: string): Error & { code: string } {
  const error = new Deno.errors.TimedOut(`Timed out after ${timeoutMs} ms: ${context}`);
  return Object.assign(error, { code: "ETIMEDOUT" });
}

/**
 * Make the error that Deno would throw.
 *
 * @param errno The error number, positive.
 * @param context What was being done to what, such as `stat '/nope'`.
 * @returns An error with `code`.
 */
export function osError(errno: number, context: string): Error & { code: string } {
  const error = makeError(errno, context);
  made.add(error);
  return error;
}

function makeError(errno: number, context: string): Error & { code: string } {
  if (errno === layout.ESPECIAL) {
    return Object.assign(
      new Deno.errors.NotCapable(
        `Requires all access to what symbolic links lead to in /proc, /sys and /dev, run again with the --allow-all flag: ${context}`,
      ),
      { code: "EPERM" },
    );
  }
  if (errno === UNSUPPORTED.permission) {
    return Object.assign(
      new Deno.errors.NotCapable(
        `Requires a permission that was not granted, for what the path leads to or for Deno's own call: ${context}`,
      ),
      { code: "EPERM" },
    );
  }
  const code = errnoCode(errno);
  const error = new (CLASSES[code] ?? Error)(`${errnoText(errno)}: ${context}`);
  return Object.assign(error, { code });
}

/** Those that {@linkcode osError} made, for one call each. */
const made = new WeakSet<Error>();

/**
 * Have the stack of an error that was made for a call begin with whoever awaits that: the frames
 * of a call of several requests alone may be as many as a stack has.
 *
 * @param below The async function at hand, which has caught it. Its frame is left out.
 */
export function showCaller(error: unknown, below: (...args: never[]) => unknown): void {
  if (error instanceof Error && made.has(error)) {
    Error.captureStackTrace(error, below);
  }
}

/** The error of a path that text cannot stand for, as Deno words it. */
export function rawPathError(path: Uint8Array): Error {
  const latin = Array.from(path, (byte) => String.fromCharCode(byte)).join("");
  // Whole characters as they are, and the bytes between them by their numbers
  const shown = latin.replace(
    /([\x20-\x7e]+)|([\xc2-\xf4][\x80-\xbf]{1,3})|([^])/g,
    (all, ascii, sequence) => ascii ?? (sequence && asUtf8(sequence)) ?? escapeBytes(all),
  );
  return new Deno.errors.InvalidData(`File name or path "${shown}" is not valid UTF-8`);
}

/** Bytes that may be a character, as one. */
function asUtf8(sequence: string): string | undefined {
  try {
    const bytes = Uint8Array.from(sequence, (byte) => byte.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes by their numbers. */
function escapeBytes(bytes: string): string {
  return bytes.replace(
    /[^]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** Whether an error has one of some codes. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as { code?: string }).code ?? "");
}

/**
 * An error of one of several requests, as that of what they were made for: what the
 * operating system said, of what the caller knows of. Others stay as they are.
 *
 * @param context What was being done to what.
 * @param signal What may have ended it, by a reason of the caller's own.
 */
export function inContext(error: unknown, context: string, signal?: AbortSignal): unknown {
  if (signal?.aborted) {
    return error;
  }
  const errno = error instanceof Error ? /\(os error (\d+)\)/.exec(error.message)?.[1] : undefined;
  if (errno === undefined) {
    return error;
  }
  const again = osError(Number(errno), context);
  return isEnd(error) ? asEnd(again) : again;
}
