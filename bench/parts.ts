import { createRequire } from "node:module";
import type * as CostModule from "./cost/cost";
import type * as LocalModule from "./local/local";
import type * as ManagerModule from "./manager/manager";
import type * as PackagesModule from "./packages/packages";
import type { MeasurePart } from "./part";
import type * as ProgramModule from "./program/program";
import type * as RequestsModule from "./requests/requests";
import type * as ResumeModule from "./resume/resume";
import type * as ScaleModule from "./scale/scale";

const requireModule = createRequire(__filename);

/**
 * The parts of the bench by name, in the order in which they run. Each is loaded when it is asked for,
 * since most load Pulumi's packages: wrong options do without them.
 */
export const PARTS: Record<string, () => MeasurePart> = {
  packages: () => (requireModule("./packages/packages") as typeof PackagesModule).packages,
  program: () => (requireModule("./program/program") as typeof ProgramModule).program,
  local: () => (requireModule("./local/local") as typeof LocalModule).local,
  manager: () => (requireModule("./manager/manager") as typeof ManagerModule).manager,
  requests: () => (requireModule("./requests/requests") as typeof RequestsModule).requests,
  cost: () => (requireModule("./cost/cost") as typeof CostModule).cost,
  resume: () => (requireModule("./resume/resume") as typeof ResumeModule).resume,
  scale: () => (requireModule("./scale/scale") as typeof ScaleModule).scale,
};
