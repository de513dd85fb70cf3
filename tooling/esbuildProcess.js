// Keeps esbuild's processes out of this one's group: Ctrl-C in a terminal reaches the whole group, and
// the death of an esbuild that is at work would be an error. esbuild has no option for it. Preloaded
// into esbuild's own worker thread, too, which starts the process that compiles TypeScript.
"use strict";

const childProcess = require("node:child_process");
const { basename } = require("node:path");
const threads = require("node:worker_threads");

if (process.platform !== "win32") {
  const { spawn } = childProcess;
  childProcess.spawn = (file, args, options) => {
    if (!basename(file).startsWith("esbuild")) return spawn(file, args, options);
    const esbuild = spawn(file, args, { ...options, detached: true });
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
