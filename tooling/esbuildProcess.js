// Keeps esbuild's processes out of this one's group: Ctrl-C in a terminal reaches the whole group, and
// the death of an esbuild that is at work would be an error. esbuild has no option for it. Preloaded
// into esbuild's own worker thread, too, which starts the process that compiles TypeScript.
"use strict";

/**
 * Of the Go runtime: no garbage collection below this size, which takes a quarter off the time of the bundles
 * (docs/performance.md). The program's bundles take 230 MB, 180 with it.
 */
const GO_SETTINGS = { GOGC: "off", GOMEMLIMIT: "300MiB" };

const childProcess = require("node:child_process");
const { basename } = require("node:path");
const threads = require("node:worker_threads");

if (process.platform !== "win32") {
  const { spawn } = childProcess;
  childProcess.spawn = (file, args, options) => {
    if (!basename(file).startsWith("esbuild")) return spawn(file, args, options);
    const env = { ...GO_SETTINGS, ...(options.env ?? process.env) };
    const esbuild = spawn(file, args, { ...options, env, detached: true });
    // It ends with its input, but would first complain of requests that nobody answers.
    const kill = () => esbuild.kill("SIGKILL");
    process.once("exit", kill);
    // Otherwise what esbuild read of it, megabytes, would stay until the end of this process.
    esbuild.once("exit", () => process.off("exit", kill));
    return esbuild;
  };

  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(file, options) {
      const isEsbuild = /[\\/]esbuild[\\/]lib[\\/]main\.js$/.test(String(file));
      super(file, isEsbuild ? { ...options, execArgv: ["--require", __filename] } : options);
    }
  };
}
