// Copyright 2026 the ioq authors. MIT license.

/**
 * Directories of a tree that lanes are yet to be asked about: several in a request, and
 * several requests at a time. Removing and copying share this.
 *
 * @module
 */

/** Paths of one request, at the most. */
const GROUP_MAX = 64;
/** Characters of them, so that they have at most 4095 bytes. */
const GROUP_LENGTH = 1300;
/** Requests among which paths are shared out. */
const SHARES = 16;

/** A directory that waits for a request. */
export interface PendingNode {
  /** Its path from the anchor: bytes, if it is not UTF-8. */
  readonly at: string | Uint8Array;
  /** Whether it is asked for by itself. */
  readonly alone: boolean;
  /** What the path begins at; those of a request have the same. */
  readonly anchor: unknown;
}

/** What is pending. */
export class PendingGroups<N extends PendingNode> {
  readonly #concurrency: number;
  readonly #ask: (group: N[]) => Promise<void>;
  /** What to ask for next is at the end. */
  readonly #pending: N[] = [];
  #running = 0;
  #failure: { readonly error: unknown } | undefined;
  #onDone: () => void = () => {};

  /**
   * @param concurrency Requests at a time, at most.
   * @param ask Makes a request about some, and adds what is to be asked for after it.
   */
  constructor(concurrency: number, ask: (group: N[]) => Promise<void>) {
    this.#concurrency = concurrency;
    this.#ask = ask;
  }

  /** One more. */
  push(node: N): void {
    this.#pending.push(node);
  }

  /** Ask until nothing is pending. Rejects with the first failure, when all requests are over. */
  async run(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onDone = resolve;
      this.#advance();
    });
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }

  /** Ask for what is pending, as far as that makes sense now. */
  #advance(): void {
    while (
      this.#failure === undefined && this.#pending.length > 0 &&
      this.#running < this.#concurrency
    ) {
      const group = this.#nextGroup();
      this.#running++;
      this.#ask(group).catch((error) => {
        this.#failure ??= { error };
      }).then(() => {
        this.#running--;
        this.#advance();
      });
    }
    if (this.#running === 0) {
      this.#onDone();
    }
  }

  /** What goes together. */
  #nextGroup(): N[] {
    const pending = this.#pending;
    const share = Math.min(GROUP_MAX, Math.ceil(pending.length / SHARES));
    const group: N[] = [];
    let length = 0;
    for (let node = pending.at(-1); node !== undefined; node = pending.at(-1)) {
      const isText = typeof node.at === "string" && !node.alone;
      length += node.at.length + 1;
      const first = group[0];
      if (
        group.length === share || first !== undefined &&
          (!isText || length > GROUP_LENGTH || node.anchor !== first.anchor)
      ) {
        break;
      }
      group.push(pending.pop()!);
      if (!isText) {
        break;
      }
    }
    return group;
  }
}
