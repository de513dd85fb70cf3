import * as pulumi from "@pulumi/pulumi";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Inputs } from "../mockedAws";

const {
  specialArchiveSig,
  specialAssetSig,
  specialResourceSig,
  specialSecretSig,
  specialSigKey,
  unknownValue,
} = pulumi.runtime;

/** Properties as the SDK and the engine exchange them. */
export type WireObject = Record<string, unknown>;

export function fromStruct(struct: Struct | undefined): WireObject {
  return struct?.toJavaScript() ?? {};
}

/** Properties that are undefined are left out. */
export function toStruct(object: WireObject): Struct {
  const defined = Object.entries(object).filter(([, value]) => value !== undefined);
  return Struct.fromJavaScript(Object.fromEntries(defined) as Record<string, JavaScriptValue>);
}

/** Whether the value is a secret, or an object or a list with one in it. */
export function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  return signatureOf(value) === specialSecretSig || Object.values(value).some(holdsSecret);
}

export function secret(value: unknown): WireObject {
  return { [specialSigKey]: specialSecretSig, value };
}

/** Ids in place of resources, as the engine passes them to a provider; secrets stay secret. */
export function withoutReferences(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(withoutReferences);
  }
  const object = value as WireObject;
  if (signatureOf(object) === specialResourceSig) {
    return object.id;
  }
  return Object.fromEntries(
    Object.entries(object).map(([name, item]) => [name, withoutReferences(item)]),
  );
}

/** All properties, as a provider gets them: see `plain`. */
export function plainObject(object: WireObject): Inputs {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, plain(value)]));
}

/** Ids in place of resources, the value of what is secret, and `pulumi.unknown`. */
function plain(value: unknown): unknown {
  if (value === unknownValue) {
    return pulumi.unknown;
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const object = value as WireObject;
  switch (signatureOf(object)) {
    case undefined:
      return plainObject(object);
    case specialSecretSig:
      return plain(object.value);
    case specialResourceSig:
      return plain(object.id);
    case specialAssetSig:
      return assetOf(object);
    case specialArchiveSig:
      return archiveOf(object);
    default:
      throw new Error(`A value of an unexpected kind: ${JSON.stringify(object)}`);
  }
}

function signatureOf(value: unknown): unknown {
  return typeof value === "object" && value !== null
    ? (value as WireObject)[specialSigKey]
    : undefined;
}

function assetOf({ text }: WireObject): pulumi.asset.StringAsset {
  if (typeof text !== "string") {
    throw new Error("Assets are expected to be texts.");
  }
  return new pulumi.asset.StringAsset(text);
}

function archiveOf({ assets }: WireObject): pulumi.asset.AssetArchive {
  if (typeof assets !== "object" || assets === null) {
    throw new Error("Archives are expected to be of assets.");
  }
  return new pulumi.asset.AssetArchive(plainObject(assets as WireObject) as pulumi.asset.AssetMap);
}
