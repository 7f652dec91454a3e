// Copyright 2026 the ioq authors. MIT license.

/**
 * `Deno.FsFile` for programs that ask whether something is one: a queue's file is, too.
 *
 * @module
 */

/** Something that may be asked whether a value is an instance of it. */
type FsFileClass = typeof Deno.FsFile;

/**
 * Deno's class, of which files of queues are instances as well.
 *
 * @param own Deno's own class.
 * @param isOurs Whether something is a file of a queue.
 */
export function makeFsFile(own: FsFileClass, isOurs: (value: unknown) => boolean): FsFileClass {
  const isInstance = (value: unknown) => value instanceof own || isOurs(value);
  return new Proxy(own, {
    get: (target, name) =>
      name === Symbol.hasInstance ? isInstance : Reflect.get(target, name, target),
  });
}
