import * as pulumi from "@pulumi/pulumi";
import type { SerializedCallback } from "./bundleCache";
import { plainModules } from "./plainModule";

type CallbackFactory = () => unknown;

/** The last line of Pulumi's text, which calls the factory. */
const EXPORT = /\nexports\.handler = (\w+)\(\);$/;

/** The list of factories that a factory gives. */
const FACTORIES = /^var __factories = \[(.*)\];$/m;

async function textOf(callbackFactory: CallbackFactory): Promise<string> {
  const options = { isFactoryFunction: true, exportName: "handler" };
  return (await pulumi.runtime.serializeFunction(callbackFactory, options)).text;
}

async function serializeOne(callbackFactory: CallbackFactory): Promise<SerializedCallback> {
  const text = await textOf(callbackFactory);
  const [, name = ""] = EXPORT.exec(text) ?? [];
  return plainModules(text.replace(EXPORT, ""))(name);
}

/** @returns makes each callback, or throws what is wrong with it */
async function serializeAll(factories: CallbackFactory[]): Promise<(() => SerializedCallback)[]> {
  const text = await textOf(() => factories);
  const names = FACTORIES.exec(text)?.[1]?.split(", ");
  if (names?.length !== factories.length) {
    throw new Error("Pulumi's serializer has written the list of callbacks in another form.");
  }
  const moduleOf = plainModules(text.replace(EXPORT, ""));
  return names.map((name) => () => moduleOf(name));
}

/** Callbacks that will be serialized at once. */
interface Batch {
  factories: CallbackFactory[];
  callbacks: Promise<(() => SerializedCallback)[]>;
}

let batch: Batch | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Alone in this process: the work is its own, so that several at once would finish none of them sooner. */
function next<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = last.then(work);
  // An error rejects this caller's promise only; the next one starts regardless.
  last = result.catch(() => undefined);
  return result;
}

function openBatch(): Batch {
  const factories: CallbackFactory[] = [];
  const callbacks = next(() => {
    batch = undefined;
    return serializeAll(factories);
  });
  // Whoever has added a factory learns of it.
  callbacks.catch(() => undefined);
  batch = { factories, callbacks };
  return batch;
}

/**
 * Serializes a callback factory with all that it captures. Factories that are given in the same
 * event-loop tick are serialized at once, which takes what they share only once.
 *
 * @returns an ES module that exports what the factory returns as `handler`; it depends on this factory only
 * @throws when something captured cannot be serialized; the message names it
 */
export async function serialize(callbackFactory: CallbackFactory): Promise<SerializedCallback> {
  const { factories, callbacks } = batch ?? openBatch();
  const index = factories.push(callbackFactory) - 1;
  // An error may be another's: alone, each has its own.
  const all = await callbacks.catch(() => undefined);
  const callback = all?.[index];
  return callback ? callback() : next(() => serializeOne(callbackFactory));
}
