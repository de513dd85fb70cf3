// Preloaded (`--require`) into each execution environment. It stands in for the native part of
// AWS's runtime interface client (RIC), which needs a compiler to install; the RIC itself runs
// unchanged. Plain CommonJS, because nothing compiles TypeScript in there.
"use strict";

const lifelineFd = process.env._LOCAL_LIFELINE_FD;
const invocationsFd = process.env._LOCAL_INVOCATIONS_FD;
const runtimeSecret = process.env._LOCAL_RUNTIME_SECRET;
const compileCacheFolder = process.env._LOCAL_COMPILE_CACHE;
const sdkFolder = process.env._LOCAL_SDK_FOLDER;
const sourceMaps = process.env._LOCAL_SOURCE_MAPS;
// The function must not see these. A process or worker thread that it starts inherits the preload
// through execArgv, and without the variables this file does nothing there.
delete process.env._LOCAL_LIFELINE_FD;
delete process.env._LOCAL_INVOCATIONS_FD;
delete process.env._LOCAL_RUNTIME_SECRET;
delete process.env._LOCAL_COMPILE_CACHE;
delete process.env._LOCAL_SDK_FOLDER;
delete process.env._LOCAL_SOURCE_MAPS;

/** Bytes of one read from the pipe of invocations. */
const READ_BYTES = 1 << 18;
/** Bytes of the buffer for an invocation, at first. */
const INITIAL_BYTES = 1 << 16;
/** A buffer of more bytes is not kept for the next invocation. */
const KEPT_BYTES = 1 << 20;

if (lifelineFd !== undefined) becomeExecutionEnvironment();

function becomeExecutionEnvironment() {
  const { subscribe, unsubscribe } = require("node:diagnostics_channel");
  const { writeSync } = require("node:fs");
  const http = require("node:http");
  const { createRequire, registerHooks } = require("node:module");
  const { enableCompileCache, flushCompileCache } = require("node:module");
  const { Socket } = require("node:net");
  const { isAbsolute, join, sep } = require("node:path");
  const { pathToFileURL } = require("node:url");
  const { mapSources } = require("./sourceMaps.cjs");

  const awsHost = new URL(process.env.AWS_ENDPOINT_URL).host;
  const taskRoot = pathToFileURL(process.env.LAMBDA_TASK_ROOT + sep).href;
  let received = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  let receivedBytes = 0;
  const pipe = new Socket({
    fd: Number(invocationsFd),
    readable: true,
    writable: true,
    // New buffers for each event would have V8 collect all garbage after a few dozen large ones.
    onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: receive },
  });
  let outgoing = "";
  let onInvocation;
  let cacheFlushed = false;
  let forgetCrash;

  enableCompileCache(compileCacheFolder);
  registerHooks({ resolve });
  mapSources(JSON.parse(sourceMaps));
  exitWithHost();
  const request = authorizeRuntime();
  pipe.on("error", exit).on("close", exit).unref();
  module.exports = { next, done, error };

  async function next() {
    forgetCrash?.();
    forgetCrash = undefined;
    const asked = nextInvocation();
    // Environments end by SIGKILL, so Node's own flush at exit would never come.
    if (!cacheFlushed) flushCompileCache();
    cacheFlushed = true;
    const invocation = await asked;
    const crash = invocation.headers["x-local-crash"];
    if (crash !== undefined) forgetCrash = crashAt(...crash.split(" "));
    return invocation;
  }

  function done(requestId, body) {
    send({ type: "response", requestId, bytes: Buffer.byteLength(body) }, body);
  }

  function error(requestId, body) {
    send({ type: "error", requestId, bytes: Buffer.byteLength(body) }, body);
  }

  function nextInvocation() {
    return new Promise((resolve) => {
      onInvocation = resolve;
      // Only a process that waits for an invocation stays for it: a handler's timers and sockets
      // alone decide how long the process of an invocation lives.
      pipe.ref();
      send({ type: "next" });
    });
  }

  // The RIC asks for the next invocation in the turn in which it answers one: one write for both.
  function send(head, body = "") {
    if (outgoing === "") process.nextTick(flush);
    outgoing += `${JSON.stringify(head)}\n${body}`;
  }

  function flush() {
    pipe.write(outgoing);
    outgoing = "";
  }

  // One frame at a time: the host sends an invocation only when it is asked for one.
  function receive(bytes, buffer) {
    if (receivedBytes + bytes > received.length) grow(receivedBytes + bytes);
    buffer.copy(received, receivedBytes, 0, bytes);
    receivedBytes += bytes;
    const end = received.subarray(0, receivedBytes).indexOf("\n");
    if (end < 0) return true;
    const { headers, bytes: size } = JSON.parse(received.toString("utf8", 0, end));
    const whole = end + 1 + size;
    if (receivedBytes < whole) {
      if (whole > received.length) grow(whole);
      return true;
    }
    const bodyJson = received.toString("utf8", end + 1, whole);
    receivedBytes = 0;
    if (received.length > KEPT_BYTES) received = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    pipe.unref();
    onInvocation({ bodyJson, headers });
    return true;
  }

  function grow(size) {
    const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * received.length));
    received.copy(larger, 0, 0, receivedBytes);
    received = larger;
  }

  // Node's own channels report requests whichever http module the bundle has, and cost
  // nothing without a listener.
  function crashAt(when, call) {
    let calls = 0;
    let doomed;
    let form = "";
    const onCreated = ({ request }) => {
      // By its port, the Runtime API is another host.
      if (request.getHeader("host") !== awsHost) return;
      if (++calls !== Number(call)) return;
      doomed = request;
      // SNS and STS have the operation in the body only.
      const isForm = String(request.getHeader("content-type")).includes("x-www-form-urlencoded");
      if (isForm) watchForm(request);
      else if (when === "before") die();
    };
    const onResponse = ({ request }) => {
      if (request === doomed && when === "after") die();
    };
    const watchForm = (request) => {
      for (const method of ["write", "end"]) {
        const send = request[method];
        request[method] = (chunk, ...others) => {
          if (typeof chunk === "string" || chunk instanceof Uint8Array) form += Buffer.from(chunk);
          if (when === "before") die();
          return send.call(request, chunk, ...others);
        };
      }
    };
    const die = () => {
      const { method, path: url } = doomed;
      const body = `Action=${new URLSearchParams(form).get("Action") ?? ""}`;
      const lastWords = { method, url, headers: { ...doomed.getHeaders() }, body };
      writeSync(Number(lifelineFd), `${JSON.stringify(lastWords)}\n`);
      process.kill(process.pid, "SIGKILL");
    };
    subscribe("http.client.request.created", onCreated);
    subscribe("http.client.response.finish", onResponse);
    return () => {
      unsubscribe("http.client.request.created", onCreated);
      unsubscribe("http.client.response.finish", onResponse);
    };
  }

  // The RIC, which is loaded next, keeps this function for streamed results and errors of a start.
  // The function's own code, which is loaded last, finds Node's again: its requests get no secret.
  function authorizeRuntime() {
    // With it the RIC would ask for invocations by HTTP.
    delete process.env.AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1;
    const { request } = http;
    http.request = (options, onResponse) => {
      const headers = { ...options.headers, "x-local-runtime-secret": runtimeSecret };
      return request({ ...options, headers }, onResponse);
    };
    return request;
  }

  // The host never writes to this pipe: it ends when the host does, however the host ends.
  function exitWithHost() {
    const lifeline = new Socket({ fd: Number(lifelineFd) });
    lifeline.on("error", exit).on("close", exit).resume().unref();
  }

  function exit() {
    process.exit(1);
  }

  function resolve(specifier, context, nextResolve) {
    if (specifier === "./rapid-client.node") {
      http.request = request;
      return { url: pathToFileURL(__filename).href, format: "commonjs", shortCircuit: true };
    }
    const isPackage = !specifier.startsWith(".") && !isAbsolute(specifier);
    if (!isPackage || !context.parentURL?.startsWith(taskRoot)) {
      return nextResolve(specifier, context);
    }
    const isSdk = sdkFolder !== undefined && /^@(aws-sdk|smithy)\//.test(specifier);
    try {
      const resolved = nextResolve(specifier, context);
      // Node looks for packages in every folder above; on AWS nothing is above the task root, so a
      // package that the bundle lacks must be missing here too.
      if (!resolved.url.startsWith("file:") || resolved.url.startsWith(taskRoot)) return resolved;
    } catch (error) {
      if (!isSdk) throw error;
    }
    // AWS's runtime for Node.js contains the AWS SDK.
    if (isSdk) {
      const file = createRequire(join(sdkFolder, "package.json")).resolve(specifier);
      return { url: pathToFileURL(file).href, shortCircuit: true };
    }
    throw Object.assign(new Error(`Cannot find module '${specifier}'`), {
      code: "MODULE_NOT_FOUND",
    });
  }
}
