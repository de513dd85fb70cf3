import * as pulumi from "@pulumi/pulumi";
import type { SerializedCallback } from "./bundleCache";
import { capturedPackages } from "./capturedPackages";
import { plainModules } from "./plainModule";
import { parseSerialized } from "./serializedText";

type CallbackFactory = () => unknown;

/** The last line of Pulumi's text, which calls the factory. */
const EXPORT = /\nexports\.handler = (\w+)\(\);$/;

/** The list of factories that a factory gives. */
const FACTORIES = /^var __factories = \[(.*)\];$/m;

async function textOf(
  callbackFactory: CallbackFactory,
  note: (captured: unknown) => void = () => undefined,
): Promise<string> {
  const options = {
    isFactoryFunction: true,
    exportName: "handler",
    serialize: (captured: unknown) => {
      note(captured);
      return true;
    },
  };
  return (await pulumi.runtime.serializeFunction(callbackFactory, options)).text;
}

async function serializeOne(callbackFactory: CallbackFactory): Promise<SerializedCallback> {
  const text = await textOf(callbackFactory);
  const [, name = ""] = EXPORT.exec(text) ?? [];
  const callback = plainModules(parseSerialized(text.replace(EXPORT, "")))(name, true);
  if (!callback) {
    throw new Error("A callback's module depends on another's.");
  }
  return callback;
}

/** Undefined where the others may have changed it. */
type MakeCallback = () => SerializedCallback | undefined;

/** @returns makes each callback, or throws what is wrong with it */
async function serializeAll(factories: CallbackFactory[]): Promise<MakeCallback[]> {
  const packages = capturedPackages();
  const text = await textOf(() => factories, packages.note);
  const names = FACTORIES.exec(text)?.[1]?.split(", ");
  if (names?.length !== factories.length) {
    throw new Error("Pulumi's serializer has written the list of callbacks in another form.");
  }
  const serialized = parseSerialized(text.replace(EXPORT, ""));
  if (packages.areMixedIn(serialized)) {
    throw new Error("Two packages have the same name in two files.");
  }
  const moduleOf = plainModules(serialized);
  return names.map((name) => () => moduleOf(name, factories.length === 1));
}

/** Callbacks that will be serialized at once. */
interface Batch {
  factories: CallbackFactory[];
  callbacks: Promise<MakeCallback[]>;
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
  return all?.[index]?.() ?? next(() => serializeOne(callbackFactory));
}
