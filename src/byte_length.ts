// Copyright 2026 the ioq authors. MIT license.

/**
 * What bytes really are: an object may define `byteLength` and its like anew, and a
 * transfer that believed it would reach beyond its memory. So these are taken from the
 * getters of the language itself, as they were when this module was loaded, and what is
 * put into them is put there by its `set()`.
 *
 * @module
 */

const { apply, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;

/** Gives what it is called with, if that is a typed array. */
function getterOf<V>(name: PropertyKey): (this: unknown) => V {
  return getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype)!, name)!.get!;
}

const byteLength = getterOf<number>("byteLength");
const byteOffset = getterOf<number>("byteOffset");
const buffer = getterOf<ArrayBufferLike>("buffer");
const kind = getterOf<string | undefined>(Symbol.toStringTag);
const { indexOf, set } = Uint8Array.prototype;
const NOTHING: readonly never[] = [];

/** How many bytes there are; 0 if their buffer was detached or is too short by now. */
export function byteLengthOf(bytes: Uint8Array): number {
  return apply(byteLength, bytes, NOTHING);
}

/** Where in their buffer they begin. */
export function byteOffsetOf(bytes: Uint8Array): number {
  return apply(byteOffset, bytes, NOTHING);
}

/** The buffer that they are in. */
export function bufferOf(bytes: Uint8Array): ArrayBufferLike {
  return apply(buffer, bytes, NOTHING);
}

/** Copy some bytes to the beginning of a caller's, whatever these say of themselves. */
export function copyInto(target: Uint8Array, source: Uint8Array): void {
  apply(set, target, [source]);
}

/**
 * The very bytes as a plain `Uint8Array`, whose members nobody defined anew, and whose length
 * does not follow its buffer's. There are none if that was detached.
 */
export function plainBytes<B extends ArrayBufferLike>(bytes: Uint8Array<B>): Uint8Array<B> {
  const length = byteLengthOf(bytes);
  const whole = length === 0 ? new ArrayBuffer() : bufferOf(bytes);
  return new Uint8Array(whole as B, length === 0 ? 0 : byteOffsetOf(bytes), length);
}

/**
 * Check that there still are as many bytes as there were.
 *
 * @throws {TypeError} If their buffer was detached, or is too short by now.
 */
export function checkThere(bytes: Uint8Array, length: number): void {
  if (byteLengthOf(bytes) < length) {
    throw goneError();
  }
}

/** What is told of bytes that are there no more. */
export function goneError(): TypeError {
  return new TypeError("Cannot write bytes whose buffer was detached or resized");
}

/** Whether bytes have gone: their buffer was detached, or ends before them. */
export function areGone(bytes: Uint8Array): boolean {
  if (byteLengthOf(bytes) > 0) {
    return false;
  }
  try {
    // It looks for nothing, but throws where there are no bytes to look at
    apply(indexOf, bytes, [0]);
    return false;
  } catch {
    return true;
  }
}

/** Whether something is a `Uint8Array`, of a class that extends it, or of another realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return apply(kind, value, NOTHING) === "Uint8Array";
}
