import * as pulumi from "@pulumi/pulumi";

/**
 * How Pulumi writes an object that is more than its properties, such as a Map, a Date or a
 * Uint8Array: as an empty object, or as only the method that is used, and without a warning.
 */
const LOSSY_CAPTURES = [
  /^var _*(\w+) = Object\.create\(global\.(\w+)\.prototype\);$/m,
  /^Object\.defineProperty\(_*(\w+), .*\bvalue: global\.(?!(?:Array|Function|Object|RegExp)\b)(\w+)\.prototype\./m,
];

function refuseUnserializableCaptures(text: string): void {
  for (const capture of LOSSY_CAPTURES) {
    const [, variable, type] = capture.exec(text) ?? [];
    if (variable !== undefined && type !== undefined) {
      throw new Error(`it captures "${variable}": a ${type} cannot be serialized.`);
    }
  }
}

async function serializeNow(callbackFactory: () => unknown): Promise<string> {
  const { text } = await pulumi.runtime.serializeFunction(callbackFactory, {
    isFactoryFunction: true,
    exportName: "handler",
  });
  refuseUnserializableCaptures(text);
  return text;
}

let lastSerialization: Promise<unknown> = Promise.resolve();

/**
 * Serializes a callback factory with all that it captures, one after the other: the work is this
 * process's own, so that serializing several at once would finish none of them sooner.
 *
 * @returns the source of a CommonJS module that exports `handler`
 * @throws when something captured cannot be serialized; the message names it
 */
export function serialize(callbackFactory: () => unknown): Promise<string> {
  const serialization = lastSerialization.then(() => serializeNow(callbackFactory));
  // An error rejects this caller's promise only; the next serialization starts regardless.
  lastSerialization = serialization.catch(() => undefined);
  return serialization;
}
