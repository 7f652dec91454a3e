// Copyright 2026 the ioq authors. MIT license.

/**
 * The model that the soak test checks each completion against: a few files and what
 * must be in them.
 *
 * Whatever changes something has it for itself until it is over, so its outcome is
 * known beforehand: a *region* of a file for writes, a *name* for whatever makes,
 * removes and changes names, a *descriptor* for the requests on it. A request that
 * was cancelled may have changed things or not; what it had is then unknown, until
 * another request has looked.
 */

import { assert, assertEquals } from "@std/assert";
import { type DirEntry, type FileInfo, type IoqRequest, op } from "../../mod.ts";
import { TempDir } from "../fixtures.ts";

/** How a request ended. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: Error };

/** A request with what the model knows about it. */
export interface Task {
  readonly request: IoqRequest;
  /** Compare with the model, and follow it. Not called if it was interrupted. */
  check(outcome: Outcome): void;
  /** It was interrupted or nobody was told: it may have run or not. */
  doubt(): void;
  /** It is over: what it had is free again. */
  end(): void;
  /** It has nothing for itself: nobody need know when it is over. */
  readonly isFree?: boolean;
}

const REGIONS = 64;
const REGION_LENGTH = 96;
const FIXED_LENGTH = 9000;
const NAMES = 48;
const ENTRIES = 40;
const OPEN_MAX = 24;
const ATTRIBUTES = 8;
/** What fits a pipe, whatever is in it already. */
const PIPED_MAX = 3000;
/** Messages that a queue keeps. */
const MESSAGES_MAX = 1024;

interface Region {
  busy: boolean;
  /** The byte it is full of, or unknown. */
  byte: number | undefined;
}

interface Name {
  readonly path: string;
  busy: boolean;
  is: "nothing" | "file" | "directory" | "link" | "unknown";
  /** The length, if it is a file. */
  length: number;
}

interface Attribute {
  readonly name: string;
  busy: boolean;
  /** Its value, `null` if there is none, `undefined` if nobody knows. */
  value: Uint8Array | null | undefined;
}

interface Descriptor {
  readonly fd: number;
  readonly isDirectory: boolean;
  users: number;
}

/** The byte at a position of the file that never changes. */
function fixedByte(at: number): number {
  return (at * 7 + (at >> 8)) & 0xff;
}

function codeOf(error: Error): unknown {
  return (error as { code?: unknown }).code;
}

/** An outcome that must be a value. */
function valueOf(outcome: Outcome, what: string): unknown {
  if (!outcome.ok) {
    throw new Error(`${what}: ${outcome.error}`, { cause: outcome.error });
  }
  return outcome.value;
}

/** An outcome that must be an error. */
function expectCode(outcome: Outcome, code: string, what: string): void {
  if (outcome.ok) {
    throw new Error(`${what}: expected ${code}, got ${outcome.value}`);
  }
  assertEquals(codeOf(outcome.error), code, `${what}: ${outcome.error}`);
}

/** The files that requests work on, and what is known of them. */
export class World implements Disposable {
  readonly dir: TempDir = new TempDir();
  readonly #random: () => number;
  readonly #regions: Region[] = Array.from({ length: REGIONS }, () => ({ busy: false, byte: 0 }));
  readonly #names: Name[];
  readonly #fixed = this.dir.at("fixed");
  readonly #many = this.dir.at("many");
  readonly #opened = new Map<number, Descriptor>();
  readonly #attributes: Attribute[] = Array.from({ length: ATTRIBUTES }, (_, i) => ({
    name: `user.soak.${i}`,
    busy: false,
    value: null,
  }));
  /** Whether the file system has attributes. */
  #hasAttributes = true;
  /** What is in the pipe: bytes of the fixed file, something, or who knows. */
  #piped: { offset: number; length: number } | "nothing" | "something" | "unknown" = "nothing";
  #isPipeBusy = false;
  /** Messages that were sent, and perhaps have not come. */
  readonly #messages = new Set<number>();
  #nextMessage = 0;
  /** Messages that are there and that nobody waits for, at least. */
  #messageCount = 0;
  /** The queue at hand, for messages to itself; 0 if it has none. */
  #queueId = 0;
  /** The descriptor of the pipe, likewise; -1 if it has none. */
  #pipeFd = -1;
  /** The descriptor of the file of regions, opened by each queue for itself. */
  dataFd = -1;

  constructor(random: () => number) {
    this.#random = random;
    Deno.writeFileSync(
      this.#fixed,
      Uint8Array.from({ length: FIXED_LENGTH }, (_, i) => fixedByte(i)),
    );
    Deno.writeFileSync(this.dir.at("data"), new Uint8Array(REGIONS * REGION_LENGTH));
    Deno.mkdirSync(this.#many);
    for (let i = 0; i < ENTRIES; i++) {
      Deno.writeTextFileSync(`${this.#many}/entry ${i}`, "");
    }
    Deno.mkdirSync(this.dir.at("names"));
    this.dir.fifo("pipe");
    this.#names = Array.from({ length: NAMES }, (_, i) => ({
      path: this.dir.at(`names/${i}`),
      busy: false,
      is: "nothing",
      length: 0,
    }));
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }

  /**
   * A queue begins.
   *
   * @param dataFd The file of regions, as the queue has opened it.
   * @param pipeFd The pipe, which nobody else has open; -1 if the queue cannot use it.
   * @param queueId The queue, if it takes messages; else 0.
   */
  begin(dataFd: number, pipeFd: number, queueId: number): void {
    this.dataFd = dataFd;
    this.#pipeFd = pipeFd;
    this.#piped = "nothing";
    this.#queueId = queueId;
    this.#messages.clear();
    this.#messageCount = 0;
  }

  below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  /** Descriptors that are open. */
  get openCount(): number {
    return this.#opened.size;
  }

  /** All descriptors were closed by others. */
  forgetDescriptors(): void {
    this.#opened.clear();
  }

  /** Something to do, whatever is free. */
  pick(): Task {
    const way = this.#random();
    if (way < 0.25) {
      return this.#harmless();
    }
    if (way < 0.45) {
      return this.#onRegion() ?? this.#harmless();
    }
    if (way < 0.7) {
      return this.#onName() ?? this.#harmless();
    }
    if (way < 0.76) {
      return this.#onAttribute() ?? this.#harmless();
    }
    if (way < 0.82) {
      return (way < 0.79 ? this.#onPipe() : this.#message()) ?? this.#harmless();
    }
    return this.#onDescriptor() ?? this.#harmless();
  }

  /** A close of something that is open and not in use, if there is anything. */
  pickClose(): Task | undefined {
    for (const descriptor of this.#opened.values()) {
      if (descriptor.users === 0) {
        return this.#close(descriptor);
      }
    }
    return undefined;
  }

  /** A task without anything of its own. */
  #plain(request: IoqRequest, check: (outcome: Outcome) => void): Task {
    return { request, check, doubt: () => {}, end: () => {}, isFree: true };
  }

  #harmless(): Task {
    const missing = this.dir.at("missing");
    const ok = (request: IoqRequest) =>
      this.#plain(request, (outcome) => assertEquals(valueOf(outcome, request.op), undefined));
    const gone = (request: IoqRequest) =>
      this.#plain(request, (outcome) => expectCode(outcome, "ENOENT", request.op));
    switch (this.below(19)) {
      case 0:
      case 1:
      case 2:
        return ok(op.nop());
      case 3:
      case 4:
        return ok(op.kernelNop());
      case 5:
      case 6:
        return this.#plain(op.stat(this.#fixed), (outcome) => {
          const info = valueOf(outcome, "stat") as FileInfo;
          assertEquals([info.size, info.isFile], [FIXED_LENGTH, true]);
        });
      case 7:
        return this.#plain(op.lstat(this.#many, { bigint: true }), (outcome) => {
          assertEquals((valueOf(outcome, "lstat") as { isDirectory: boolean }).isDirectory, true);
        });
      case 8:
        return gone(op.stat(missing));
      case 9:
        return gone(op.open(missing));
      case 10:
        return gone(op.readFile(missing));
      case 11:
        return this.#plain(op.readDir(this.#many), (outcome) => {
          const entries = valueOf(outcome, "readDir") as DirEntry[];
          assertEquals(new Set(entries.map(({ name }) => name)).size, ENTRIES);
        });
      case 12:
        return this.#plain(
          op.readDir(this.#fixed),
          (outcome) => expectCode(outcome, "ENOTDIR", "readDir"),
        );
      case 13:
        return this.#plain(op.readFile(this.#fixed), (outcome) => {
          this.#assertFixed(valueOf(outcome, "readFile") as Uint8Array, 0, FIXED_LENGTH);
        });
      case 14:
        return ok(op.access(this.#fixed, { read: true }));
      case 15:
        return ok(op.sleep(this.#random()));
      case 16:
        return ok(op.timeout(BigInt(this.below(1_000_000)), {
          clock: (["monotonic", "realtime", "boottime"] as const)[this.below(3)]!,
        }));
      case 17:
        return ok(
          this.dataFd < 0 ? op.nop() : op.syncRange(this.dataFd, 0, REGIONS * REGION_LENGTH),
        );
      default:
        return this.#plain(op.realPath(`${this.#many}/../fixed`), (outcome) => {
          assertEquals(valueOf(outcome, "realPath"), this.#fixed);
        });
    }
  }

  /** Bytes that must be those of the file that never changes. */
  #assertFixed(bytes: Uint8Array, offset: number, length: number): void {
    assertEquals(bytes.length, Math.max(0, Math.min(length, FIXED_LENGTH - offset)));
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== fixedByte(offset + i)) {
        throw new Error(`byte ${offset + i} is ${bytes[i]}, not ${fixedByte(offset + i)}`);
      }
    }
  }

  #onRegion(): Task | undefined {
    const at = this.below(REGIONS);
    const region = this.#regions[at]!;
    if (region.busy || this.dataFd < 0) {
      return undefined;
    }
    region.busy = true;
    const offset = at * REGION_LENGTH;
    const end = () => region.busy = false;
    if (this.#random() < 0.5) {
      const byte = this.below(256);
      return {
        request: this.#random() < 0.5
          ? op.write(this.dataFd, new Uint8Array(REGION_LENGTH).fill(byte), offset)
          : op.writev(this.dataFd, this.#parts(new Uint8Array(REGION_LENGTH).fill(byte)), offset),
        check(outcome) {
          assertEquals(valueOf(outcome, "write"), REGION_LENGTH);
          region.byte = byte;
        },
        doubt: () => region.byte = undefined,
        end,
      };
    }
    const target = new Uint8Array(REGION_LENGTH);
    const into = this.#random() < 0.5;
    return {
      request: into
        ? this.#random() < 0.5
          ? op.readInto(this.dataFd, target, offset)
          : op.readv(this.dataFd, this.#parts(target), offset)
        : op.read(this.dataFd, REGION_LENGTH, offset),
      check(outcome) {
        const value = valueOf(outcome, "read");
        const bytes = into ? target.subarray(0, value as number) : value as Uint8Array;
        assertEquals(bytes.length, REGION_LENGTH);
        const expected = region.byte ?? bytes[0];
        assert(
          bytes.every((byte) => byte === expected),
          `region ${at} is not full of ${expected}: ${bytes}`,
        );
        region.byte = bytes[0];
      },
      doubt() {},
      end,
    };
  }

  /** The same bytes in three pieces, of which some may be empty. */
  #parts(whole: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
    const first = this.below(whole.length + 1);
    const second = first + this.below(whole.length - first + 1);
    return [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)];
  }

  #onAttribute(): Task | undefined {
    const attribute = this.#attributes[this.below(ATTRIBUTES)]!;
    if (attribute.busy || !this.#hasAttributes || this.dataFd < 0) {
      return undefined;
    }
    attribute.busy = true;
    const { name, value } = attribute;
    const file = this.#random() < 0.5 ? this.dataFd : this.dir.at("data");
    const task = (
      request: IoqRequest,
      check: (outcome: Outcome) => void,
      changes = false,
    ): Task => ({
      request,
      check: (outcome) => {
        if (!outcome.ok && outcome.error instanceof Deno.errors.NotSupported) {
          this.#hasAttributes = false;
        } else {
          check(outcome);
        }
      },
      doubt: () => attribute.value = changes ? undefined : attribute.value,
      end: () => attribute.busy = false,
    });
    const fails = (request: IoqRequest, code: string) =>
      task(request, (outcome) => expectCode(outcome, code, `${request.op} of ${name}`));
    const becomes = (request: IoqRequest, is: Uint8Array | null) =>
      task(request, (outcome) => {
        valueOf(outcome, `${request.op} of ${name}`);
        attribute.value = is;
      }, true);
    const next = new Uint8Array(this.below(40)).fill(this.below(256));
    if (value === undefined) {
      return task(op.getXattr(file, name), (outcome) => {
        if (outcome.ok) {
          attribute.value = outcome.value as Uint8Array;
        } else {
          expectCode(outcome, "ENODATA", "getXattr");
          attribute.value = null;
        }
      });
    }
    if (value === null) {
      return [
        () => becomes(op.setXattr(file, name, next), next),
        () => becomes(op.setXattr(file, name, next, { create: true }), next),
        () => fails(op.setXattr(file, name, next, { replace: true }), "ENODATA"),
        () => fails(op.getXattr(file, name), "ENODATA"),
        () => fails(op.removeXattr(file, name), "ENODATA"),
      ][this.below(5)]!();
    }
    return [
      () => becomes(op.setXattr(file, name, next), next),
      () => becomes(op.setXattr(file, name, next, { replace: true }), next),
      () => becomes(op.removeXattr(file, name), null),
      () => fails(op.setXattr(file, name, next, { create: true }), "EEXIST"),
      () =>
        task(
          op.getXattr(file, name),
          (outcome) => assertEquals(valueOf(outcome, "getXattr"), value),
        ),
      () =>
        task(op.listXattr(file), (outcome) => {
          assert((valueOf(outcome, "listXattr") as string[]).includes(name));
        }),
    ][this.below(6)]!();
  }

  #onPipe(): Task | undefined {
    if (this.#pipeFd < 0 || this.#isPipeBusy) {
      return undefined;
    }
    this.#isPipeBusy = true;
    const piped = this.#piped;
    const task = (request: IoqRequest, check: (value: unknown) => void): Task => ({
      request,
      check: (outcome) => check(valueOf(outcome, `${request.op}, pipe with ${piped}`)),
      doubt: () => this.#piped = "unknown",
      end: () => this.#isPipeBusy = false,
    });
    if (piped === "nothing") {
      const descriptor = [...this.#opened.values()].find((it) => !it.isDirectory);
      if (descriptor === undefined) {
        this.#isPipeBusy = false;
        return undefined;
      }
      descriptor.users++;
      const offset = this.below(FIXED_LENGTH - PIPED_MAX);
      const length = 1 + this.below(PIPED_MAX);
      const splice = task(
        op.splice(descriptor.fd, this.#pipeFd, length, { from: offset }),
        (value) => {
          assert((value as number) > 0 && (value as number) <= length, `${value} of ${length}`);
          this.#piped = { offset, length: value as number };
        },
      );
      return {
        ...splice,
        end: () => {
          splice.end();
          descriptor.users--;
        },
      };
    }
    if (piped === "unknown") {
      return task(op.poll(this.#pipeFd, { readable: true, writable: true }), (value) => {
        this.#piped = (value as { readable: boolean }).readable ? "something" : "nothing";
      });
    }
    return task(op.read(this.#pipeFd, 65_536), (value) => {
      if (piped === "something") {
        this.#piped = "unknown";
        return;
      }
      assertEquals((value as Uint8Array).length, piped.length);
      this.#assertFixed(value as Uint8Array, piped.offset, piped.length);
      this.#piped = "nothing";
    });
  }

  /** A message to the queue itself, or the receipt of one that is there. */
  #message(): Task | undefined {
    if (this.#queueId === 0) {
      return undefined;
    }
    if (this.#messageCount > 0 && this.#random() < 0.6) {
      // If it is cancelled, the message is there for another, or was lost with the promise
      this.#messageCount--;
      return this.#plain(op.receive(), (outcome) => {
        const value = valueOf(outcome, "receive") as number;
        assert(this.#messages.delete(value), `message ${value} came, and was not sent or twice`);
      });
    }
    const value = this.#nextMessage++;
    this.#messages.add(value);
    return this.#plain(op.post(this.#queueId, value), (outcome) => {
      if (outcome.ok) {
        this.#messageCount++;
      } else {
        expectCode(outcome, "EAGAIN", "post");
        assert(this.#messages.size > MESSAGES_MAX, `refused after ${this.#messages.size}`);
        this.#messages.delete(value);
      }
    });
  }

  #onName(): Task | undefined {
    const name = this.#names[this.below(NAMES)]!;
    if (name.busy) {
      return undefined;
    }
    name.busy = true;
    const end = () => name.busy = false;
    const task = (
      request: IoqRequest,
      check: (outcome: Outcome) => void,
      changes = true,
    ): Task => ({
      request,
      check,
      doubt: () => name.is = changes ? "unknown" : name.is,
      end,
    });
    /** It succeeds, and the name is then something else. */
    const becomes = (request: IoqRequest, is: Name["is"], length = 0) =>
      task(request, (outcome) => {
        valueOf(outcome, `${request.op} of ${name.path}`);
        name.is = is;
        name.length = length;
      });
    const fails = (request: IoqRequest, code: string) =>
      task(
        request,
        (outcome) => expectCode(outcome, code, `${request.op} of ${name.path}, a ${name.is}`),
      );
    const stays = (request: IoqRequest, check: (value: unknown) => void = () => {}) =>
      task(request, (outcome) => check(valueOf(outcome, `${request.op} of ${name.path}`)), false);
    const { path } = name;
    const length = this.below(300);

    switch (name.is) {
      case "nothing":
        return [
          () => becomes(op.mkdir(path), "directory"),
          () => becomes(op.symlink("somewhere", path), "link"),
          () => becomes(op.writeFile(path, new Uint8Array(length)), "file", length),
          () => becomes(op.copyFile(this.#fixed, path), "file", FIXED_LENGTH),
          () => becomes(op.link(this.#fixed, path), "file", FIXED_LENGTH),
          () => fails(op.lstat(path), "ENOENT"),
          () => fails(op.unlink(path), "ENOENT"),
          () => fails(op.rmdir(path), "ENOENT"),
          () => fails(op.truncate(path, 1), "ENOENT"),
        ][this.below(9)]!();
      case "file": {
        const isCopy = name.length === FIXED_LENGTH;
        return [
          () => becomes(op.unlink(path), "nothing"),
          () => becomes(op.unlink(path), "nothing"),
          () => fails(op.mkdir(path), "EEXIST"),
          () => fails(op.rmdir(path), "ENOTDIR"),
          () => fails(op.readLink(path), "EINVAL"),
          () => stays(op.chmod(path, 0o640)),
          () => stays(op.utime(path, -length, length + 0.5)),
          () => stays(op.rename(path, path)),
          () =>
            stays(op.lstat(path), (value) => assertEquals((value as FileInfo).size, name.length)),
          () =>
            stays(op.readFile(path), (value) => {
              const bytes = value as Uint8Array;
              assertEquals(bytes.length, name.length);
              if (isCopy) {
                this.#assertFixed(bytes, 0, FIXED_LENGTH);
              } else {
                assert(bytes.every((byte) => byte === 0));
              }
            }),
          // One that may be linked to the fixed file must not be changed
          () =>
            isCopy ? stays(op.realPath(path)) : becomes(op.truncate(path, length), "file", length),
        ][this.below(11)]!();
      }
      case "directory":
        return [
          () => becomes(op.rmdir(path), "nothing"),
          () => becomes(op.rmdir(path), "nothing"),
          () => fails(op.mkdir(path), "EEXIST"),
          () => fails(op.unlink(path), "EISDIR"),
          () => fails(op.readFile(path), "EISDIR"),
          () => stays(op.readDir(path), (value) => assertEquals(value, [])),
        ][this.below(6)]!();
      case "link":
        return [
          () => becomes(op.unlink(path), "nothing"),
          () => becomes(op.unlink(path), "nothing"),
          () => fails(op.stat(path), "ENOENT"),
          () => fails(op.symlink("x", path), "EEXIST"),
          () => stays(op.readLink(path), (value) => assertEquals(value, "somewhere")),
        ][this.below(5)]!();
      case "unknown":
        return task(op.lstat(path), (outcome) => {
          if (!outcome.ok) {
            expectCode(outcome, "ENOENT", "lstat");
            name.is = "nothing";
            return;
          }
          const info = outcome.value as FileInfo;
          name.is = info.isDirectory ? "directory" : info.isSymlink ? "link" : "file";
          name.length = info.size;
          if (info.isFile && info.size !== 0) {
            // Perhaps copied or written in part: too uncertain to be read
            name.is = "unknown";
            Deno.removeSync(path);
          }
        });
    }
  }

  #onDescriptor(): Task | undefined {
    if (this.#opened.size < OPEN_MAX && this.#random() < 0.4) {
      const isDirectory = this.#random() < 0.3;
      return this.#plain(
        isDirectory ? op.openDir(this.#many) : op.open(this.#fixed),
        (outcome) => {
          const fd = valueOf(outcome, "open") as number;
          assert(fd > 2 && !this.#opened.has(fd), `descriptor ${fd} is open already`);
          this.#opened.set(fd, { fd, isDirectory, users: 0 });
        },
      );
    }
    const all = [...this.#opened.values()];
    const descriptor = all[this.below(all.length)];
    if (descriptor === undefined) {
      return undefined;
    }
    if (descriptor.users === 0 && this.#random() < 0.4) {
      return this.#close(descriptor);
    }
    const { fd, isDirectory } = descriptor;
    descriptor.users++;
    const task = (request: IoqRequest, check: (value: unknown) => void): Task => ({
      request,
      check: (outcome) => check(valueOf(outcome, request.op)),
      doubt() {},
      end: () => descriptor.users--,
    });
    if (isDirectory) {
      return this.#random() < 0.5
        ? task(op.readDirBlock(fd), (value) => {
          assert((value as DirEntry[]).every(({ name }) => name.startsWith("entry ")));
        })
        : task(op.fstat(fd), (value) => assertEquals((value as FileInfo).isDirectory, true));
    }
    const offset = this.below(FIXED_LENGTH + 100);
    const length = this.below(4096);
    return [
      () =>
        task(
          op.read(fd, length, offset),
          (value) => this.#assertFixed(value as Uint8Array, offset, length),
        ),
      () => task(op.fstat(fd), (value) => assertEquals((value as FileInfo).size, FIXED_LENGTH)),
      () => task(op.seek(fd, 0, Deno.SeekMode.End), (value) => assertEquals(value, FIXED_LENGTH)),
      () => task(op.advise(fd, "sequential"), () => {}),
      () => task(op.lock(fd, "shared"), () => {}),
      () => task(op.syncData(fd), () => {}),
    ][this.below(6)]!();
  }

  #close(descriptor: Descriptor): Task {
    const { fd, isDirectory } = descriptor;
    // As soon as it is submitted: the number may come back before its completion does
    this.#opened.delete(fd);
    const close = this.#plain(
      isDirectory ? op.closeDir(fd) : op.close(fd),
      (outcome) => assertEquals(valueOf(outcome, "close"), undefined),
    );
    return { ...close, isFree: false };
  }
}
