// Commands that run at the same time, and print one after the other.
"use strict";

const { spawn } = require("node:child_process");

/**
 * Runs commands at the same time. What each prints follows what those before it have printed, as soon
 * as they have ended: the last one's last line is the last of all.
 *
 * @param {string[][]} commands each a program and its arguments
 * @param {{ cwd?: string, write?: (chunk: Buffer) => void }} options `write` prints: to standard output by
 *   default
 * @returns {Promise<number[]>} the exit codes; 1 for a command that cannot be started or ends by a signal
 */
exports.runTogether = async (
  commands,
  { cwd, write = (chunk) => process.stdout.write(chunk) } = {},
) => {
  const running = commands.map(([program, ...args]) => start(program, args, cwd));
  const exitCodes = [];
  for (const { showBy, ended } of running) {
    showBy(write);
    exitCodes.push(await ended);
  }
  return exitCodes;
};

/** Starts a command, and keeps its output until it is shown. */
function start(program, args, cwd) {
  const kept = [];
  let show = (chunk) => kept.push(chunk);
  const child = spawn(program, args, { cwd, stdio: ["inherit", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => show(chunk));
  }
  const ended = new Promise((resolve) => {
    child.on("error", (error) => {
      show(Buffer.from(`${error.message}\n`));
      resolve(1);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
  return {
    ended,
    showBy(write) {
      kept.splice(0).forEach(write);
      show = write;
    },
  };
}
