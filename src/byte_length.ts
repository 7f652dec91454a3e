// Copyright 2026 the ioq authors. MIT license.

/**
 * What bytes really are: an object may define `byteLength` and its like anew, and a
 * transfer that believed it would reach beyond its memory. So these are taken from the
 * getters of the language itself, as they were when this module was loaded.
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

/** The very bytes as a plain `Uint8Array`, whose members nobody defined anew. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bufferOf(bytes), byteOffsetOf(bytes), byteLengthOf(bytes));
}

/** Whether something is a `Uint8Array`, of a class that extends it, or of another realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return apply(kind, value, NOTHING) === "Uint8Array";
}
