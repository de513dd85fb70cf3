import { createHash } from "node:crypto";
import type { Cloud } from "../cloud";

/** A resource as the program registered it: all inputs are known. */
export interface Registration<Inputs> {
  type: string;
  /** The logical name. */
  name: string;
  inputs: Inputs;
}

/** What the program gets back: the provider's id, and the properties besides the inputs. */
export interface Provisioned {
  id: string;
  state?: Record<string, unknown>;
}

/** Makes the local counterpart of one resource. */
export type Provision<Inputs> = (
  resource: Registration<Inputs>,
  cloud: Cloud,
) => Provisioned | Promise<Provisioned>;

/**
 * The physical name that Pulumi would make up: the logical one with seven characters behind it,
 * here the same ones in every run, so that a data folder fits the next run.
 */
export function physicalName({ type, name }: Registration<unknown>): string {
  return `${name}-${createHash("sha256").update(`${type} ${name}`).digest("hex").slice(0, 7)}`;
}

/** For resources that change nothing on one machine: they are as they were asked for. */
export function asRequested(resource: Registration<unknown>): Provisioned {
  return { id: physicalName(resource) };
}
