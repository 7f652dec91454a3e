// Copyright 2026 the ioq authors. MIT license.

/** Fails in one way or another. */
export default async function (...args: unknown[]): Promise<unknown> {
  switch (args.at(-1)) {
    case "notfound":
      return await Deno.stat("/nope");
    case "range":
      throw new RangeError("out of it", { cause: new Deno.errors.Busy("because") });
    case "value":
      throw { some: "value" };
    case "function":
      throw () => {};
    case "named":
      throw Object.assign(new Error("of a kind of its own"), { name: "OwnError" });
    case "clone":
      return () => {};
    case "close":
      self.close();
      return await new Promise(() => {});
    case "exit":
      return Deno.exit(7);
    case "die":
      setTimeout(() => {
        throw new Error("died of this");
      });
      return await new Promise(() => {});
    default:
      throw new TypeError("Expected a way to fail");
  }
}
