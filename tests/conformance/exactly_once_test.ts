// Copyright 2026 the ioq authors. MIT license.

import { assertEquals } from "@std/assert";
import { type Completion, type Ioq, type IoqRequest, op, type OpName } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, newSeed, randomFrom, TempDir } from "../fixtures.ts";

/** What was submitted and has not come back. */
interface Pending {
  readonly op: OpName;
  /** Whether it can succeed at all. */
  readonly hopeful: boolean;
  cancelled: boolean;
}

/** Requests of all kinds under a random load, each of which must complete once. */
class Load {
  readonly #ioq: Ioq<Pending>;
  readonly #random: () => number;
  readonly #dir: TempDir;
  readonly #file: number;
  readonly #pending = new Map<number, Pending>();
  readonly #ids: number[] = [];
  /** Descriptors that were opened and have to be closed. */
  readonly #opened: { op: "open" | "openDir"; fd: number }[] = [];
  submitted = 0;
  completed = 0;
  interrupted = 0;

  constructor(ioq: Ioq<Pending>, random: () => number, dir: TempDir, file: number) {
    this.#ioq = ioq;
    this.#random = random;
    this.#dir = dir;
    this.#file = file;
  }

  get pending(): number {
    return this.#pending.size;
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #pick(): { request: IoqRequest; hopeful: boolean } {
    const toClose = this.#opened.pop();
    if (toClose !== undefined) {
      const close = toClose.op === "open" ? op.close : op.closeDir;
      return { request: close(toClose.fd), hopeful: true };
    }
    const dir = this.#dir.path;
    const requests = [
      () => op.nop(),
      () => op.kernelNop(),
      () => op.stat(dir),
      () => op.stat(dir, { bigint: true }),
      () => op.lstat(`${dir}/missing`),
      () => op.open(`${dir}/file`),
      () => op.open(`${dir}/missing`),
      () => op.openDir(dir),
      () => op.readDir(dir),
      () => op.readDir(`${dir}/file`),
      () => op.read(this.#file, this.#below(10_000), this.#below(100)),
      () => op.write(this.#file, bytes("x".repeat(this.#below(1000))), this.#below(100)),
    ];
    const at = this.#below(requests.length);
    return { request: requests[at]!(), hopeful: ![4, 6, 9].includes(at) };
  }

  submit(): void {
    const { request, hopeful } = this.#pick();
    const pending = { op: request.op, hopeful, cancelled: false };
    const id = this.#ioq.submit(request, pending);
    assertEquals(this.#pending.has(id), false, `id ${id} is in flight already`);
    this.#pending.set(id, pending);
    this.#ids.push(id);
    this.submitted++;
  }

  /** Cancel something that is in flight, has completed, or was consumed long ago. */
  cancel(): void {
    const recent = Math.min(2 * this.#ioq.depth, 64, this.#ids.length);
    const id = this.#ids[this.#ids.length - 1 - this.#below(recent)];
    if (id !== undefined && this.#ioq.cancel(id)) {
      const pending = this.#pending.get(id)!;
      assertEquals(pending !== undefined, true, `id ${id} was consumed, and yet cancelled`);
      pending.cancelled = true;
    }
  }

  take(completion: Completion<Pending>): void {
    const pending = this.#pending.get(completion.id);
    assertEquals(pending !== undefined, true, `id ${completion.id} came back again`);
    this.#pending.delete(completion.id);
    this.completed++;
    assertEquals(completion.data, pending);
    assertEquals(completion.op, pending!.op);
    if (completion.ok) {
      assertEquals(pending!.hopeful, true, completion.op);
      if (completion.op === "open" || completion.op === "openDir") {
        this.#opened.push({ op: completion.op, fd: completion.value });
      }
    } else if (completion.error instanceof Deno.errors.Interrupted) {
      assertEquals((completion.error as { code?: string }).code, "EINTR");
      assertEquals(pending!.cancelled, true, `${completion.op} was not cancelled`);
      this.interrupted++;
    } else {
      // Exact times need the native library
      const may = (completion.op === "statBigInt" || completion.op === "fstatBigInt") &&
        completion.error instanceof Deno.errors.NotSupported;
      assertEquals(pending!.hopeful && !may, false, `${completion.op}: ${completion.error}`);
    }
  }

  /** Let it run until all is done. */
  async run(total: number): Promise<void> {
    const ioq = this.#ioq;
    const iterator = ioq[Symbol.asyncIterator]();
    const batches = ioq.batches();
    while (this.submitted < total || this.pending > 0 || this.#opened.length > 0) {
      while (ioq.capacity > 0 && (this.submitted < total || this.#opened.length > 0)) {
        this.submit();
        assertEquals(ioq.size, this.pending);
        assertEquals(ioq.size + ioq.capacity, ioq.depth);
        if (this.#random() < 0.1) {
          break;
        }
        if (this.#random() < 0.3) {
          this.cancel();
        }
      }
      if (this.#random() < 0.2) {
        this.cancel();
      }
      const way = this.#random();
      if (way < 0.4) {
        const completion = ioq.poll();
        if (completion !== undefined) {
          this.take(completion);
        }
      } else if (way < 0.7) {
        const { done, value } = await iterator.next();
        assertEquals(done, false);
        this.take(value);
      } else {
        const { done, value } = await batches.next();
        assertEquals(done, false);
        value.forEach((completion: Completion<Pending>) => this.take(completion));
      }
    }
    assertEquals((await iterator.next()).done, true);
  }
}

forEachBackend(
  "each request completes exactly once, whatever is cancelled",
  async ({ t, open }) => {
    using dir = new TempDir();
    dir.file("file", "x".repeat(10_000));
    for (let i = 0; i < 30; i++) {
      dir.file(`name ${i}`);
    }
    for (const depth of [1, 2, 5, 64, 1000]) {
      const seed = newSeed();
      await t.step(`depth ${depth}, seed ${seed}`, async () => {
        await using ioq = await open<Pending>({ depth });
        const path = dir.file("data", "x".repeat(10_000));
        const file = await ioq.run(op.open(path, { read: true, write: true }));
        const load = new Load(ioq, randomFrom(seed), dir, file);
        await load.run(depth < 10 ? 500 : 4000);
        assertEquals(load.completed, load.submitted);
        assertEquals(load.interrupted > 0, true);
        assertEquals(ioq.size, 0);
        await ioq.run(op.close(file));
        assertEquals(descriptorsUnder(dir.path), 0);
        const { core, ring, worker } = ioq.completed;
        assertEquals(core + ring + worker, load.completed + 2);
      });
    }
  },
);

forEachBackend(
  "each request completes exactly once when all are cancelled",
  async ({ t, open }) => {
    using dir = new TempDir();
    dir.file("file", "x".repeat(10_000));
    for (const depth of [1, 3, 64, 1000]) {
      for (let round = 0; round < 5; round++) {
        const seed = newSeed();
        await t.step(`depth ${depth}, seed ${seed}`, async () => {
          const random = randomFrom(seed);
          const path = dir.file("data", "x".repeat(10_000));
          await using ioq = await open<Pending>({ depth });
          const file = await ioq.run(op.open(path, { read: true, write: true }));
          const load = new Load(ioq, random, dir, file);
          const some = Math.floor(random() * depth) + 1;
          for (let i = 0; i < some; i++) {
            load.submit();
            if (random() < 0.02) {
              await new Promise((resolve) => setTimeout(resolve, random() * 2));
            }
          }
          ioq.cancelAll();
          const opened: number[] = [];
          let completed = 0;
          for await (const completion of ioq) {
            completed++;
            if (completion.ok && (completion.op === "open" || completion.op === "openDir")) {
              opened.push(completion.value);
            } else if (!completion.ok && completion.data.hopeful) {
              // Exact times need the native library
              const refused = (completion.op === "statBigInt" || completion.op === "fstatBigInt") &&
                completion.error instanceof Deno.errors.NotSupported;
              assertEquals(
                (completion.error as { code?: string }).code,
                refused ? "ENOTSUP" : "EINTR",
              );
            }
          }
          assertEquals(completed, some);
          await Promise.all([...opened, file].map((fd) => ioq.run(op.close(fd))));
          assertEquals(descriptorsUnder(dir.path), 0);
        });
      }
    }
  },
);
