// Copyright 2026 the ioq authors. MIT license.

/**
 * The memory that shared forms are in.
 *
 * @module
 */

/**
 * The memory of something that is shared: new, or checked.
 *
 * @throws {TypeError} If it is no shared memory.
 * @throws {RangeError} If it is of something else.
 */
export function checkShared(buffer: unknown, lengthBytes: number): SharedArrayBuffer {
  if (buffer === undefined) {
    return new SharedArrayBuffer(lengthBytes);
  }
  if (!(buffer instanceof SharedArrayBuffer)) {
    throw new TypeError(`Expected buffer to be a SharedArrayBuffer, got ${typeof buffer}`);
  }
  if (buffer.byteLength !== lengthBytes) {
    throw new RangeError(
      `Expected buffer to have ${lengthBytes} bytes, got ${buffer.byteLength}`,
    );
  }
  return buffer;
}
