import { cost } from "./cost/cost";
import { local } from "./local/local";
import { manager } from "./manager/manager";
import { packages } from "./packages/packages";
import type { MeasurePart } from "./part";
import { program } from "./program/program";
import { requests } from "./requests/requests";
import { scale } from "./scale/scale";

/** The parts of the bench by name, in the order in which they run. */
export const PARTS: Record<string, MeasurePart> = {
  packages,
  program,
  local,
  manager,
  requests,
  cost,
  scale,
};
