// Copyright 2026 the ioq authors. MIT license.

/**
 * Workers that run what is not to run on this thread
 * ==================================================
 *
 *     run() ──▶ an idle Worker ◀── none? a new one, up to `workers`
 *       │
 *       ▼ all busy
 *     line ──▶ whichever Worker is idle first
 *          ──▶ or, if tasks share, whichever answers an offer first
 *
 * Workers start when there is something to do, and stop when there was nothing for a
 * while. Tasks, which mostly wait, share a Worker when all are busy, so that each of
 * them makes progress; functions that compute have one of their own or wait in line.
 * Nobody can tell from here which Worker is waiting and which is computing, and what
 * was sent to the latter would be stuck: so all are offered what is in line, one that
 * waits answers at once, and is given a task.
 *
 * Arguments are cloned when `run()` is called, wherever they go later: what cannot be
 * cloned throws there, and changing them afterwards changes nothing.
 *
 * The end of a Worker
 * -------------------
 *
 *     LIVES ──idle for long, or the pool closes: told to stop──▶ ENDING ──▶ ENDED
 *       └──────it died, was closed from inside, or is given up────▲
 *
 * A Worker keeps the permissions that its thread had when it started. After these were
 * changed by `Deno.test({ permissions })`, what is asked for then is run by others.
 *
 * Whichever way it goes, it leaves `LIVES` once. From then on nothing that it says
 * counts, except that it is through: what it had has failed, what is in line goes to
 * others. A Worker that dies still cancels its tasks and closes its queue, so that what
 * they held is let go; once it has ended it is struck off the roll (`threads.ts`), so
 * that no shared lock waits for it.
 *
 * @module
 */

import { BUNDLED, isBundled } from "../bundled.ts";
import { areLeft, requireDescriptors } from "../late.ts";
import { ownOption } from "../own_option.ts";
import type { IoqOptions } from "../queue/option_types.ts";
import { Canceled, closedLoopError } from "./canceled.ts";
import type { Cancelable } from "./future.ts";
import type { WorkerTaskOptions } from "./loop.ts";
import {
  Claim,
  decodeError,
  type FromWorker,
  type Opening,
  textOf,
  type ToWorker,
} from "./pool_message.ts";
import { permissionsInBrief } from "../permissions.ts";
import { enrol, type Enrolment, strike } from "./threads.ts";

/** How long a Worker may take to close its queue before it is ended anyhow. */
const STOP_MS = 5000;

/** Descriptors that must be left to start a Worker: its own, its queue's, and some for others. */
const WORKER_DESCRIPTORS = 24;

/** Of how many answers each Worker gets its part of a line. */
const SHARES = 16;

/** A task in a Worker, or on its way there. */
export class WorkerTask implements Cancelable {
  readonly id: number;
  readonly promise: Promise<unknown>;
  resolve!: (value: unknown) => void;
  reject!: (reason: unknown) => void;
  ended = false;
  onEnd: Set<() => void> | undefined;
  /** Where it runs; not set while it is in line. */
  worker: PoolWorker | undefined;
  requested = false;
  readonly #pool: WorkerPool;

  constructor(id: number, pool: WorkerPool) {
    this.id = id;
    this.#pool = pool;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  request(): void {
    if (!this.ended && !this.requested) {
      this.requested = true;
      this.#pool.cancel(this);
    }
  }

  end(): void {
    this.ended = true;
    const callbacks = this.onEnd;
    this.onEnd = undefined;
    callbacks?.forEach((callback) => callback());
  }
}

/** A Worker of the pool. */
interface PoolWorker {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly enrolment: Enrolment;
  /** Who is first, the function that begins or its cancellation. */
  readonly claim: Claim;
  readonly tasks: Map<number, WorkerTask>;
  /** What this thread was allowed when it started, and it is ever since. */
  readonly permissions: string;
  /** When it became idle, by `performance.now()`. */
  idleSince: number;
  /** Looks whether it is idle for long; one timer for many tasks. */
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether it has said anything: until then it may not have the descriptors that it takes. */
  started: boolean;
  /** Whether it was offered a task and has yet to answer. */
  asked: boolean;
  /** Whether nothing that it says counts any more, except that it is through. */
  ending: boolean;
  /** Called when it is through. */
  onEnd: (() => void) | undefined;
}

/** What waits in line. */
interface Waiting {
  readonly task: WorkerTask;
  /** What this thread was allowed when it was asked to run it. */
  readonly permissions: string;
  readonly message: ToWorker;
  readonly transfer: Transferable[];
}

/** How a pool works. */
export interface PoolOptions {
  /** The most Workers. */
  readonly workers: number;
  /** How long a Worker is idle before it stops, in milliseconds. */
  readonly workerIdleMs: number;
  /** How to open a Worker's queue; undefined if what it runs needs none. */
  readonly queue: IoqOptions | undefined;
  /** Whether several tasks may share a Worker. */
  readonly shares: boolean;
}

/**
 * Never called. It puts what Workers run into the module graph, where a URL alone does not:
 * so `deno cache` fetches it, and packages have it.
 */
export const importPoolWorker = (): Promise<unknown> => import("./pool_worker.ts");

/** A pool of Workers that run tasks and functions. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #workers = new Set<PoolWorker>();
  readonly #line = new Map<number, Waiting>();
  /** Workers that are told to stop, and when each has. */
  readonly #stopping = new Map<PoolWorker, Promise<void>>();
  #sequence = 0;

  /** @throws {Deno.errors.NotSupported} In a bundle. */
  constructor(options: PoolOptions) {
    if (isBundled(import.meta.url, "pool")) {
      throw new Deno.errors.NotSupported(`Cannot start Workers: ${BUNDLED}`);
    }
    this.#options = options;
  }

  /** How many Workers there are. */
  get size(): number {
    return this.#workers.size;
  }

  /**
   * Run a module's default export in a Worker.
   *
   * @param at The absolute URL of the module.
   * @throws {DOMException} DataCloneError, if something cannot be cloned.
   * @throws {TypeError} If it is no such URL, or `args` is no array.
   * @throws {Error} With the code `EMFILE`, if too few descriptors are left for a first Worker.
   */
  run(
    at: string | URL,
    args: readonly unknown[],
    options: WorkerTaskOptions | undefined,
  ): WorkerTask {
    if (!Array.isArray(args)) {
      throw new TypeError(`Expected args to be an array, got ${typeof args}`);
    }
    const module = toModule(at);
    const transfer = ownOption(options, "transfer") ?? [];
    const task = new WorkerTask(this.#sequence++, this);
    const permissions = permissionsInBrief();
    const worker = this.#choose(permissions);
    if (worker !== undefined) {
      this.#assign(worker, {
        task,
        permissions,
        message: { kind: "run", id: task.id, module, args },
        transfer,
      });
      return task;
    }
    const copy = structuredClone({ args, transfer }, { transfer });
    const message: ToWorker = { kind: "run", id: task.id, module, args: copy.args };
    this.#line.set(task.id, { task, permissions, message, transfer: copy.transfer });
    this.#offer();
    return task;
  }

  /** Ask a task to stop. One that has not begun never does. */
  cancel(task: WorkerTask): void {
    if (this.#line.delete(task.id)) {
      task.reject(new Canceled());
    } else {
      const worker = task.worker;
      if (worker === undefined || worker.ending) {
        return;
      }
      if (this.#options.shares) {
        tell(worker, { kind: "cancel", id: task.id });
      } else if (worker.claim.withdraw(task.id)) {
        // The Worker finds out when it comes to it, and says so: it is busy until then
        task.reject(new Canceled());
      }
    }
  }

  /** Ask all tasks to stop. */
  cancelAll(): void {
    for (const { task } of [...this.#line.values()]) {
      task.request();
    }
    for (const { tasks } of this.#workers) {
      for (const task of [...tasks.values()]) {
        task.request();
      }
    }
  }

  /** How many tasks Workers have. */
  get running(): number {
    return this.#workers.values().reduce((sum, { tasks }) => sum + tasks.size, 0);
  }

  /** How many Workers were told to stop, and have not. */
  get stopping(): number {
    return this.#stopping.size;
  }

  /** End the Workers that have tasks, which fail, and those that do not stop. */
  abandon(why: Error): void {
    for (const worker of [...this.#workers]) {
      if (worker.tasks.size > 0) {
        this.#lose(worker, why);
      }
    }
    for (const worker of this.#stopping.keys()) {
      worker.onEnd!();
    }
  }

  /** Stop all Workers. No task may be running. Those that are at something else have `STOP_MS`. */
  async close(): Promise<void> {
    for (const worker of [...this.#workers]) {
      this.#stop(worker);
    }
    await Promise.all(this.#stopping.values());
  }

  /**
   * Who runs the next task at once; nobody, if it has to wait.
   *
   * @throws {Error} With the code `EMFILE`, if nobody is there and no descriptors to start one.
   */
  #choose(permissions: string): PoolWorker | undefined {
    let count = 0;
    for (const worker of this.#workers) {
      if (worker.permissions === permissions) {
        count++;
        if (worker.tasks.size === 0) {
          return worker;
        }
      } else if (worker.tasks.size === 0) {
        // Who is allowed something else now
        this.#stop(worker);
      }
    }
    // A Worker that is started gets the permissions of now
    if (count >= this.#options.workers || permissions !== permissionsInBrief()) {
      return undefined;
    }
    const starting = this.#workers.values().filter(({ started }) => !started).toArray().length;
    const needed = WORKER_DESCRIPTORS * (1 + starting);
    if (count > 0) {
      return areLeft(needed) ? this.#start(permissions) : undefined;
    }
    requireDescriptors(needed, "start a Worker");
    return this.#start(permissions);
  }

  /** Offer what is in line to all who may share. */
  #offer(): void {
    if (this.#options.shares && this.#line.size > 0) {
      for (const worker of this.#workers) {
        if (!worker.asked) {
          worker.asked = true;
          tell(worker, { kind: "offer" });
        }
      }
    }
  }

  /** Give a Worker the first in line that can be given, if there is one. */
  #giveNext(worker: PoolWorker): boolean {
    for (const next of this.#line.values()) {
      if (next.permissions !== worker.permissions) {
        continue;
      }
      this.#line.delete(next.task.id);
      try {
        this.#assign(worker, next);
        return true;
      } catch (error) {
        // A copy of it could be made, but no second one
        next.task.reject(error);
      }
    }
    return false;
  }

  #assign(worker: PoolWorker, { task, message, transfer }: Waiting): void {
    worker.claim.offer(task.id);
    try {
      worker.port.postMessage(message, transfer);
    } catch (error) {
      this.#rest(worker);
      throw error;
    }
    worker.tasks.set(task.id, task);
    task.worker = worker;
  }

  #start(permissions: string): PoolWorker {
    const worker = new Worker(new URL("./pool_worker.ts", import.meta.url), { type: "module" });
    const { port1: port, port2 } = new MessageChannel();
    const member: PoolWorker = {
      worker,
      port,
      enrolment: enrol(),
      claim: new Claim(),
      tasks: new Map(),
      permissions,
      idleSince: 0,
      timer: undefined,
      started: false,
      asked: false,
      ending: false,
      onEnd: undefined,
    };
    worker.postMessage(
      {
        port: port2,
        queue: this.#options.queue,
        enrolment: member.enrolment,
        claim: member.claim.buffer,
      } satisfies Opening,
      [port2],
    );
    port.onmessage = ({ data }) => this.#hear(member, data as FromWorker);
    port.onmessageerror = () => this.#lose(member, diedOf("what it sent cannot be read"));
    worker.addEventListener("error", (event) => {
      // It is the tasks' failure, and not this thread's
      event.preventDefault();
      this.#lose(member, diedOf(event.message));
    });
    this.#workers.add(member);
    return member;
  }

  #hear(worker: PoolWorker, message: FromWorker): void {
    worker.started = true;
    if (message.kind === "stopped" || message.kind === "gone") {
      this.#lose(worker, diedOf("it was closed from inside"));
      return;
    }
    if (worker.ending) {
      return;
    }
    switch (message.kind) {
      case "done":
        this.#take(worker, message.id)?.resolve(message.value);
        break;
      case "failed":
        this.#take(worker, message.id)?.reject(decodeError(message.error));
        break;
      case "free": {
        worker.asked = false;
        // One of a few; of a long line more, since each answer takes its time
        const share = Math.ceil(this.#line.size / (this.#workers.size * SHARES));
        for (let given = 0; given < share && this.#giveNext(worker); given++);
        this.#offer();
        break;
      }
      case "dying": {
        const cause = decodeError(message.error);
        this.#leave(worker, diedOf(cause instanceof Error ? cause.message : textOf(cause), cause));
      }
    }
  }

  /** A task is over. */
  #take(worker: PoolWorker, id: number): WorkerTask | undefined {
    const task = worker.tasks.get(id);
    worker.tasks.delete(id);
    // It answers, so it does not compute: what it is given begins soon
    if ((worker.tasks.size > 0 && !this.#options.shares) || !this.#giveNext(worker)) {
      this.#rest(worker);
    }
    return task;
  }

  /** A Worker has nothing to do. */
  #rest(worker: PoolWorker): void {
    if (worker.tasks.size === 0) {
      worker.idleSince = performance.now();
      worker.timer ??= setTimeout(() => this.#look(worker), this.#options.workerIdleMs);
    }
  }

  /** Stop a Worker that was idle for long enough, or look again when it may have been. */
  #look(worker: PoolWorker): void {
    worker.timer = undefined;
    const leftMs = worker.idleSince + this.#options.workerIdleMs - performance.now();
    if (worker.tasks.size === 0) {
      if (leftMs < 1) {
        this.#stop(worker);
      } else {
        worker.timer = setTimeout(() => this.#look(worker), leftMs);
      }
    }
  }

  /** Have a Worker that has no tasks stop. */
  #stop(worker: PoolWorker): void {
    this.#leave(worker, closedLoopError());
    tell(worker, { kind: "stop" });
  }

  /** A Worker is through, or has gone without a word. */
  #lose(worker: PoolWorker, why: Error): void {
    this.#leave(worker, why);
    worker.onEnd!();
  }

  /**
   * A Worker is about to end: from now on it counts for nothing, and its tasks have
   * failed. It has some time to close what it has; then it is ended.
   */
  #leave(worker: PoolWorker, why: Error): void {
    if (worker.ending) {
      return;
    }
    worker.ending = true;
    this.#workers.delete(worker);
    clearTimeout(worker.timer);
    const stopped = new Promise<void>((resolve) => {
      worker.timer = setTimeout(resolve, STOP_MS);
      worker.onEnd = resolve;
    }).then(() => {
      clearTimeout(worker.timer);
      worker.worker.terminate();
      worker.port.close();
      strike(worker.enrolment.thread);
      this.#stopping.delete(worker);
    });
    this.#stopping.set(worker, stopped);
    const tasks = [...worker.tasks.values()];
    worker.tasks.clear();
    for (const task of tasks) {
      task.reject(why);
    }
    // There is room for another one
    for (const { task, permissions } of [...this.#line.values()]) {
      if (
        permissions !== permissionsInBrief() &&
        !this.#workers.values().some((other) => other.permissions === permissions)
      ) {
        // No Worker can be had any more that may do what this one was to
        this.#line.delete(task.id);
        task.reject(
          new Deno.errors.NotCapable("Permissions were changed before it could begin in a Worker"),
        );
      } else if (this.#line.has(task.id)) {
        let other;
        try {
          other = this.#choose(permissions);
        } catch (error) {
          this.#line.delete(task.id);
          task.reject(error);
          continue;
        }
        if (other === undefined) {
          break;
        }
        this.#giveNext(other);
      }
    }
    this.#offer();
  }
}

/** The URL of a module. */
function toModule(module: unknown): string {
  if (module instanceof URL) {
    return module.href;
  }
  if (typeof module !== "string") {
    throw new TypeError(
      `Expected a task to be a function or the URL of a module, got ${typeof module}`,
    );
  }
  if (!URL.canParse(module)) {
    throw new TypeError(
      `Expected the absolute URL of a module, got '${module}': try new URL(…, import.meta.url)`,
    );
  }
  return module;
}

function tell(worker: PoolWorker, message: ToWorker): void {
  worker.port.postMessage(message);
}

/** What tasks fail with whose Worker died. */
function diedOf(why: string, cause?: unknown): Error {
  return new Error(`The Worker died: ${why}`, cause === undefined ? undefined : { cause });
}
