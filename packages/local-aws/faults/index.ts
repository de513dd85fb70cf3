/** Fault plans: the part of the public face that loads nothing else of the package. */
export { StartError } from "../startError";
export { type FaultPlan, type FaultRule, parseFaultPlan } from "./plan";
export { newSeed, SEED_LIMIT } from "./random";
