// Which room may import which (docs/architecture.md). `npm run check` runs it.
"use strict";

/** @param {string} room a folder at the top, or a file */
const only = (room, allowed, comment) => ({
  name: `${room}-imports`,
  comment,
  severity: "error",
  from: { path: `^${room}/` },
  to: {
    path: "^(?!node_modules/)",
    pathNot: [`^${room}/`, ...allowed.map((each) => `^${each}`), "^node_modules/"],
    dependencyTypesNot: ["core"],
  },
});

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
    only("events", [], "Events know no AWS client, no Pulumi and no other room."),
    only("runtime", ["events/"], "What any Lambda needs knows nothing of tables or routes."),
    only("store", ["runtime/", "events/"], "The tables know nothing of Lambdas."),
    only("handlers", ["store/", "runtime/", "events/"], "A Lambda knows no component."),
    {
      name: "lambdas-apart",
      comment: "One Lambda imports nothing of another: what they share is in store/ or runtime/.",
      severity: "error",
      from: { path: "^handlers/([^/]+)/" },
      to: { path: "^handlers/([^/]+)/", pathNot: "^handlers/$1/" },
    },
    only(
      "components",
      ["events/", "runtime/environment", "config.ts", "openapi.json"],
      "A component gets its handlers from index.ts.",
    ),
    only("cli", ["events/"], "The command line speaks HTTP only."),
    only("packages", [], "The local cloud is a package of its own."),
    {
      name: "gateway-without-services",
      comment: "The gateway gets its services as objects (gateway/service.ts).",
      severity: "error",
      from: { path: "^packages/local-aws/gateway/" },
      to: { path: "^packages/local-aws/(s3|sns|sqs|sts|dynamodb|lambda|services|fauxqs)\\b" },
    },
    {
      name: "public-face",
      comment: "Of the local cloud, its public face only: local-aws, local-aws/faults or /program.",
      severity: "error",
      from: { pathNot: "^packages/local-aws/" },
      to: { path: "^packages/local-aws/(?!(index|program|faults/index)\\.ts$)" },
    },
    only(
      "start",
      ["packages/", "cli/", "events/", "components/lambda/bundleCache", "tooling/"],
      "npm start puts the program on the local cloud.",
    ),
    {
      name: "product-alone",
      comment: "What is deployed imports no test, bench, local run or tool.",
      severity: "error",
      from: { path: "^(index|config)\\.ts$|^(components|handlers|store|runtime|events)/" },
      to: { path: "^(packages|start|test|testing|bench|chaos|cli|tooling|scripts)/" },
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
    exclude: { path: "^node_modules/\\.cache" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["require", "import", "node"],
    },
  },
};
