// Copyright 2026 the ioq authors. MIT license.

/**
 * The descriptors that this thread opened. They may be used without being asked for
 * again: that was done when they were opened. Other numbers may be another thread's
 * files, which has other permissions.
 *
 * A number may be another file as soon as it was closed. So a descriptor is no longer
 * this thread's when its close is admitted, and where only some paths are granted, it is
 * closed when the requests are over that were admitted before:
 *
 *     read ──▶ in flight ─────────▶ over ─┐
 *     close ──▶ no longer ours ──▶ waits ─┴▶ closed ──▶ the number may be anything
 *     read ──▶ refused
 *
 * @module
 */

import { isAbsolute, pathText } from "../path.ts";
import type { CoreRequest, Holder } from "./request.ts";

/** A descriptor that this thread opened. */
export class Descriptor {
  /** Whether a close was admitted. */
  isClosing = false;
  /** What it was opened by. */
  readonly path: string | Uint8Array | undefined;
  /** Whether only the library uses it, and nobody else may. */
  readonly isPrivate: boolean;
  /** Whether only some paths were granted when it was opened. */
  readonly isConfined: boolean;
  #uses = 0;
  #onUnused: (() => void) | undefined;

  constructor(path: string | Uint8Array | undefined, isPrivate: boolean, isConfined: boolean) {
    this.path = path;
    this.isPrivate = isPrivate;
    this.isConfined = isConfined;
  }

  /** Whether requests go by its number that are not over. */
  get isUsed(): boolean {
    return this.#uses > 0;
  }

  /** A request goes by its number. */
  use(): void {
    this.#uses++;
  }

  /** One is over. */
  release(): void {
    if (--this.#uses === 0) {
      this.#onUnused?.();
    }
  }

  /** Wait until no request goes by its number. */
  unused(): Promise<void> {
    return new Promise((resolve) => this.#onUnused = resolve);
  }
}

/** Keeps the descriptors of a request from being closed until it is over. */
export class Use implements Holder {
  readonly #inner: Holder | undefined;
  readonly #first: Descriptor | undefined;
  readonly #second: Descriptor | undefined;

  /** @param inner Who holds its file anyway. */
  constructor(inner: Holder | undefined, first?: Descriptor, second?: Descriptor) {
    this.#inner = inner;
    this.#first = first;
    this.#second = second;
    first?.use();
    second?.use();
  }

  leave(request: CoreRequest): void {
    this.#first?.release();
    this.#second?.release();
    this.#inner?.leave(request);
  }
}

/** The holder of a close that waits until nothing else goes by its descriptor. */
export class Closing implements Holder {
  readonly descriptor: Descriptor;

  constructor(descriptor: Descriptor) {
    this.descriptor = descriptor;
  }

  leave(): void {}
}

/** By number. One that is closing stays until the number is opened again. */
const ours = new Map<number, Descriptor>();

/** Requests to open that were admitted where only some paths are granted. */
const confined = new WeakSet<CoreRequest>();

/** A request to open was admitted where only some paths are granted. */
export function confineOpened(request: CoreRequest): void {
  confined.add(request);
}

/** A descriptor was opened on this thread. */
export function addDescriptor(fd: number, request: CoreRequest): void {
  const { path, isInternal } = request;
  ours.set(fd, new Descriptor(path, isInternal, confined.has(request)));
}

/** One is being closed. */
export function removeDescriptor(fd: number): Descriptor | undefined {
  const descriptor = ours.get(fd);
  if (descriptor !== undefined) {
    descriptor.isClosing = true;
  }
  return descriptor;
}

/** It is not going to be closed after all. */
export function restoreDescriptor(fd: number): void {
  const descriptor = ours.get(fd);
  if (descriptor !== undefined) {
    descriptor.isClosing = false;
  }
}

/** Whether this thread opened a descriptor, to be used by whoever knows its number. */
export function isOurs(fd: number): boolean {
  const descriptor = ours.get(fd);
  return descriptor !== undefined && !descriptor.isClosing && !descriptor.isPrivate;
}

/** A descriptor of this thread that is to be kept from being closed under its requests. */
export function confinedDescriptor(fd: number): Descriptor | undefined {
  const descriptor = ours.get(fd);
  return descriptor?.isConfined === true && !descriptor.isClosing ? descriptor : undefined;
}

/** The descriptor that a close waits for, if it is in use. */
export function awaitedBy(request: CoreRequest): Descriptor | undefined {
  const { holder } = request;
  return holder instanceof Closing && holder.descriptor.isUsed ? holder.descriptor : undefined;
}

/** The absolute path that this thread opened a descriptor by, if it had one that is text. */
export function openedPath(fd: number): string | undefined {
  const descriptor = ours.get(fd);
  const path = descriptor?.isClosing === true ? undefined : descriptor?.path;
  const text = path === undefined ? "" : pathText(path);
  return isAbsolute(text) && !text.includes("\ufffd") ? text : undefined;
}
