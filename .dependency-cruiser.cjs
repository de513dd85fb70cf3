// Which room may import which (docs/architecture.md). `npm run check` runs it.
"use strict";

const { dependencies, devDependencies } = require("./package.json");

/** @param {string} room a folder with "/" at its end, or a file; of the project or of a package */
const only = (room, allowed, comment) => ({
  name: `${room.replace(/\/$|\\\.ts\$$/, "")}-imports`,
  comment,
  severity: "error",
  from: { path: `^${room}` },
  to: {
    path: "^(?!node_modules/)",
    pathNot: [`^${room}`, ...allowed.map((each) => `^${each}`), "^node_modules/"],
    dependencyTypesNot: ["core"],
  },
});

const DEPLOYED = ["config\\.ts$", "components/", "handlers/", "store/", "runtime/", "events/"];

const LOCAL_AWS = "packages/local-aws/";

/** The folders of the local cloud that are no service; every other folder is one. */
const SHARED = "(?:examples|faults|fauxqs|gateway|iam|protocols|resources|storage|test|watch)/";

/** Captures the service's folder. */
const SERVICE = `^${LOCAL_AWS}(?!${SHARED})([^/]+)/`;

/** A package that no package.json names; Node.js would find it by chance. */
const UNDECLARED = ["npm-no-pkg", "npm-unknown"];

/** Packages of the root's package.json, as paths. */
const OF_THE_ROOT = Object.keys({ ...dependencies, ...devDependencies }).map(
  (name) => `^node_modules/(@types/)?${name}/`,
);

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circle",
      comment: "Files that import each other cannot be read, tested or moved alone.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-unknown",
      comment: "What is imported has to be there, and in a package.json.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, dependencyTypesNot: ["core"] },
    },
    {
      name: "declared",
      comment: "What is imported is in the package.json next to it (aws-lambda: its types).",
      severity: "error",
      from: { pathNot: "^packages/.*/test/" },
      to: { dependencyTypes: UNDECLARED },
    },
    {
      name: "tests-of-packages-declared",
      comment: "A package's tests may use the root's packages, too.",
      severity: "error",
      from: { path: "^packages/.*/test/" },
      to: { dependencyTypes: UNDECLARED, pathNot: OF_THE_ROOT },
    },
    {
      name: "no-devDependencies",
      comment: "What is deployed or published is there without devDependencies, types apart.",
      severity: "error",
      from: {
        path: [...DEPLOYED, "console/", "packages/", "index\\.ts$"].map((each) => `^${each}`),
        pathNot: "/test/",
      },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    only(
      "index\\.ts$",
      ["config\\.ts$", "components/", "handlers/", "events/"],
      "index.ts is composition only: which component has which Lambda.",
    ),
    only("config\\.ts$", [], "The settings know no room."),
    only("events/", [], "Events know no AWS client, no Pulumi and no other room."),
    only("runtime/", ["events/"], "What any Lambda needs knows nothing of tables or routes."),
    only("store/", ["runtime/", "events/"], "The tables know nothing of Lambdas."),
    only("handlers/", ["store/", "runtime/", "events/"], "A Lambda knows no component."),
    {
      name: "lambdas-apart",
      comment: "One Lambda imports nothing of another: what they share is in store/ or runtime/.",
      severity: "error",
      from: { path: "^handlers/([^/]+)/" },
      to: { path: "^handlers/([^/]+)/", pathNot: "^handlers/$1/" },
    },
    only(
      "components/",
      ["events/", "runtime/environment", "config.ts", "openapi.json"],
      "A component gets its handlers from index.ts.",
    ),
    only("console/", ["events/"], "A page speaks HTTP only."),
    only("cli/", ["events/"], "The command line speaks HTTP only."),
    only("packages/", [], "The local cloud is a package of its own."),
    only("tooling/", [], "How TypeScript is loaded depends on nothing that is loaded."),
    only("scripts/", [], "A script is a tool of its own."),
    only("testing/", [...DEPLOYED, "start/", "packages/"], "bench, chaos and tests use testing/."),
    only("bench/", [...DEPLOYED, "start/", "packages/", "testing/"], "bench is apart from chaos."),
    only("chaos/", [...DEPLOYED, "start/", "packages/", "testing/"], "chaos is apart from bench."),
    only("clients/", ["start/programDir", "testing/"], "Clients reach a run by its endpoint only."),
    only(
      `${LOCAL_AWS}gateway/`,
      ["iam/", "protocols/", "storage/", "(awsError|http|url|xml)\\.ts$"].map(
        (each) => LOCAL_AWS + each,
      ),
      "The gateway gets its services as objects (gateway/service.ts).",
    ),
    {
      name: "shared-without-services",
      comment: "What services share knows none of them.",
      severity: "error",
      from: {
        path: `^${LOCAL_AWS}((iam|protocols|storage)/|(awsError|http|startError|url|xml)\\.ts$)`,
      },
      to: { path: [SERVICE, `^${LOCAL_AWS}((services|cloud)\\.ts$|fauxqs/)`] },
    },
    {
      name: "services-apart",
      comment:
        "A service gets another as an object (cloud.ts). Those with events know Lambda's host.",
      severity: "error",
      from: { path: SERVICE, pathNot: `^${LOCAL_AWS}lambda/` },
      to: {
        path: SERVICE,
        pathNot: [`^${LOCAL_AWS}$1/`, `^${LOCAL_AWS}lambda/(asyncInvoke|functionName|host)\\.ts$`],
      },
    },
    {
      name: "lambda-apart",
      comment: "Lambda knows one other service: the queues that get its failures.",
      severity: "error",
      from: { path: `^${LOCAL_AWS}lambda/` },
      to: { path: SERVICE, pathNot: [`^${LOCAL_AWS}lambda/`, `^${LOCAL_AWS}sqs/engine\\.ts$`] },
    },
    {
      name: "public-face",
      comment: "Of the local cloud, its public face only: local-aws, local-aws/faults or /program.",
      severity: "error",
      from: { pathNot: "^packages/local-aws/" },
      to: { path: "^packages/local-aws/(?!(index|program|faults/index)\\.ts$)" },
    },
    only(
      "start/",
      ["packages/", "cli/", "events/", "components/lambda/(bundleCache|inspector)", "tooling/"],
      "npm start puts the program on the local cloud.",
    ),
    {
      name: "product-alone",
      comment: "What is deployed imports no test, bench, local run or tool.",
      severity: "error",
      from: { path: "^(index|config)\\.ts$|^(components|handlers|store|runtime|events)/" },
      to: { path: "^(packages|start|test|testing|bench|chaos|cli|clients|tooling|scripts)/" },
    },
    {
      name: "no-tests",
      comment: "Tests are imported by tests; what others share with them is in testing/.",
      severity: "error",
      from: { pathNot: "(^|/)test/" },
      to: { path: "(^|/)test/" },
    },
    {
      name: "events-pure",
      comment: "Events are plain data and rules.",
      severity: "error",
      from: { path: "^events/" },
      to: { path: "node_modules/(@aws-sdk|@pulumi|@smithy)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // The last imports what `npm run clients:generated` generates.
    exclude: { path: "^node_modules/\\.cache|^clients/generated/typescript" },
    tsPreCompilationDeps: true,
    // The name that lint prescribes for what createRequire returns (eslint.config.mjs).
    exoticRequireStrings: ["requireModule"],
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["require", "import", "node"],
    },
  },
};
