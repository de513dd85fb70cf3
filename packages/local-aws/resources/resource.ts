import { createHash } from "node:crypto";
import type { Cloud } from "../cloud";

/** A resource as the program registered it, with all inputs known. */
export interface Registration<Inputs> {
  type: string;
  /** The logical name. */
  name: string;
  inputs: Inputs;
}

/** A made resource: the provider's id, and the outputs besides the inputs. */
export interface Provisioned {
  id: string;
  state?: Record<string, unknown>;
}

/** Makes the local counterpart of one resource. */
export type Provision<Inputs> = (
  resource: Registration<Inputs>,
  cloud: Cloud,
) => Provisioned | Promise<Provisioned>;

/** The remedy where there is no closer one. */
export const LEAVE_OUT = "Leave it out, or set it on AWS only (by a setting).";

/**
 * The error for a resource that is served in part only: what the program asks for stops the start
 * instead of being ignored.
 *
 * @param what continues "which": `is a FIFO queue`, `has layers`
 * @param remedy a sentence
 */
export function notServed(
  { type, name }: Pick<Registration<unknown>, "type" | "name">,
  what: string,
  remedy = LEAVE_OUT,
): Error {
  return new Error(`The resource "${name}" (${type}) ${what}, which is not served. ${remedy}`);
}

/**
 * The physical name: the logical one and seven characters, as Pulumi makes it, but the same in every
 * run, so that a data folder fits the next run.
 */
export function physicalName({ type, name }: Registration<unknown>): string {
  return `${name}-${createHash("sha256").update(`${type} ${name}`).digest("hex").slice(0, 7)}`;
}

/** For resources without an effect on one machine: their inputs are their outputs. */
export function asRequested(resource: Registration<unknown>): Provisioned {
  return { id: physicalName(resource) };
}
