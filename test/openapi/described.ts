import { expect } from "chai";
import {
  type Answer,
  below,
  DOCUMENT,
  findOperation,
  findPath,
  type Header,
  isObject,
  locate,
  type Located,
  methodsOf,
  type RequestedOperation,
} from "./document";
import { problemsOf, problemsOfText } from "./schemas";

/** An HTTP answer. */
export interface ReceivedAnswer {
  status: number;
  headers: Headers | Record<string, string>;
  /** The body, as text. */
  body: string;
}

/** An HTTP request. */
export interface SentRequest {
  headers?: Headers | Record<string, string>;
  /** Text or bytes; only a JSON body is checked. */
  body?: unknown;
}

/** Statuses that a request to an undescribed route may get in place of 404 or 405. */
const BEFORE_ROUTING = [403, 429, 500, 502, 503, 504];

function report(what: string, problems: string[]): void {
  if (problems.length > 0) {
    expect.fail(`${what} is not as openapi.json says:\n  ${problems.join("\n  ")}`);
  }
}

function contentProblems(
  { pointer, value }: Located<Answer>,
  mediaType: string,
  body: string,
): string[] {
  if (value.content === undefined) {
    return body === "" ? [] : [`body: there should be none, but it is ${body.slice(0, 100)}`];
  }
  if (!(mediaType in value.content)) {
    const described = Object.keys(value.content).join(", ");
    return [`content-type: "${mediaType}" is not described (described: ${described})`];
  }
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return [`body: no JSON, but ${JSON.stringify(body.slice(0, 100))}`];
  }
  const content = below(pointer, "content", mediaType);
  return [...problemsOf(below(content, "schema"), json), ...errorProblems(content, json)].map(
    (problem) => `body: ${problem}`,
  );
}

/** All errors have one schema; the names of an answer's examples are its codes. */
function errorProblems(content: string, json: unknown): string[] {
  const error = isObject(json) && isObject(json.error) ? json.error : undefined;
  if (error === undefined || content.startsWith("#/components/responses/Refused")) {
    return [];
  }
  const codes = Object.keys(locate(below(content, "examples")).value as object);
  return codes.includes(String(error.code))
    ? []
    : [`/error/code must be equal to one of ${codes.join(", ")}, but is "${String(error.code)}"`];
}

function headerProblems({ pointer, value }: Located<Answer>, headers: Headers): string[] {
  return Object.keys(value.headers ?? {}).flatMap((name) => {
    const described = locate(below(pointer, "headers", name)) as Located<Header>;
    const text = headers.get(name);
    if (text === null) {
      return described.value.required ? [`header ${name}: missing`] : [];
    }
    const { schema } = described.value;
    return problemsOfText(below(described.pointer, "schema"), schema, text).map(
      (problem) => `header ${name}: ${problem}`,
    );
  });
}

function answerProblems(
  answer: Located<Answer>,
  { status, headers, body }: ReceivedAnswer,
): string[] {
  const all = new Headers(headers);
  const mediaType = (all.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return [
    ...headerProblems(answer, all),
    ...contentProblems(answer, mediaType, body),
    ...(status >= 500 && !body.includes('"request_id":') ? ["body: no request_id"] : []),
  ];
}

/** The answer that an operation describes for a status. `default` does not count: it would match any. */
function describedAnswer(operation: RequestedOperation, status: number) {
  return String(status) in operation.value.responses
    ? (locate(below(operation.pointer, "responses", String(status))) as Located<Answer>)
    : undefined;
}

function otherMethodProblems(template: string, url: string, received: ReceivedAnswer): string[] {
  const methods = methodsOf(template);
  if (received.status !== 405 && !BEFORE_ROUTING.includes(received.status)) {
    return [`status: ${received.status} for a method that is not described; 405 is for that`];
  }
  const operation = findOperation(methods[0] ?? "", url);
  const answer = operation && describedAnswer(operation, received.status);
  const problems = answer ? answerProblems(answer, received) : ["status: not described"];
  const allow = new Headers(received.headers).get("allow") ?? "";
  const allowed = allow.split(",").map((method) => method.trim());
  // HEAD is wherever GET is, and has no operation of its own.
  const served = methods.flatMap((method) => (method === "GET" ? [method, "HEAD"] : [method]));
  if (received.status === 405 && allowed.sort().join() !== served.sort().join()) {
    problems.push(`header Allow: "${allow}", but served are ${served.join(", ")}`);
  }
  return problems;
}

function otherPathProblems(received: ReceivedAnswer): string[] {
  if (received.status !== 404 && !BEFORE_ROUTING.includes(received.status)) {
    return [`status: ${received.status} for a path that is not described; 404 is for that`];
  }
  const pointer = "#/components/responses/Refused";
  const problems = answerProblems(locate(pointer) as Located<Answer>, received);
  if (received.status === 404 && !received.body.includes('"code":"not_found"')) {
    problems.push(`body: the code should be not_found: ${received.body.slice(0, 200)}`);
  }
  return problems;
}

/**
 * Checks an answer of either API against openapi.json: status, described headers, media type and body.
 * An undescribed path must be a 404 `not_found`, an undescribed method a 405 with the right `Allow`. The
 * path alone selects the operation: `/uploads` at the upload API counts as the manager's.
 *
 * @param url of the request: on the local run, on AWS, or the bare path
 */
export function expectDescribed(method: string, url: string, received: ReceivedAnswer): void {
  const what = `${method} ${url} → ${received.status}`;
  const found = findPath(url);
  if (!found) {
    report(what, otherPathProblems(received));
    return;
  }
  const operation = findOperation(method, url);
  if (!operation) {
    report(what, otherMethodProblems(found.template, url, received));
    return;
  }
  const answer = describedAnswer(operation, received.status);
  if (!answer) {
    const described = Object.keys(operation.value.responses).join(", ");
    const body = received.body.slice(0, 200);
    report(what, [`status: not described (described: ${described}); the body is ${body}`]);
    return;
  }
  report(what, answerProblems(answer, received));
}

function parameterProblems(operation: RequestedOperation, url: URL, headers: Headers): string[] {
  const known = operation.parameters.map(({ value }) => `${value.in} ${value.name}`);
  const unknown = [...url.searchParams.keys()].filter((name) => !known.includes(`query ${name}`));
  const problems = unknown.map((name) => `query ${name}: not described`);
  for (const { pointer, value } of operation.parameters) {
    const { name, schema } = value;
    const texts = {
      path: [operation.pathParameters[name] ?? ""],
      query: url.searchParams.getAll(name),
      header: headers.has(name) ? [headers.get(name) ?? ""] : [],
    }[value.in];
    if (texts.length !== 1 && (texts.length > 1 || value.required)) {
      problems.push(`${value.in} ${name}: given ${texts.length} times`);
    }
    for (const text of texts) {
      const found = problemsOfText(below(pointer, "schema"), schema, text);
      problems.push(...found.map((problem) => `${value.in} ${name}: ${problem}`));
    }
  }
  return problems;
}

function textOf(body: unknown): string | undefined {
  if (typeof body === "string") {
    return body;
  }
  return body instanceof Uint8Array ? Buffer.from(body).toString() : undefined;
}

function bodyProblems({ pointer, value }: RequestedOperation, body: unknown): string[] {
  const empty = body === undefined || body === null || textOf(body) === "";
  if (value.requestBody === undefined || empty) {
    const isRight = empty && !value.requestBody?.required;
    return isRight ? [] : [`body: ${empty ? "missing" : "there should be none"}`];
  }
  const text = textOf(body);
  if (text === undefined || !("application/json" in value.requestBody.content)) {
    return [];
  }
  const schema = below(pointer, "requestBody", "content", "application/json", "schema");
  return problemsOf(schema, JSON.parse(text)).map((problem) => `body: ${problem}`);
}

/**
 * Checks an accepted request against openapi.json: parameters, key and body. Otherwise a client that
 * follows the description could not send it.
 */
export function expectDescribedRequest(method: string, url: string, request: SentRequest): void {
  const what = `The request ${method} ${url}`;
  const operation = findOperation(method, url);
  if (!operation) {
    report(what, ["path or method: not described"]);
    return;
  }
  const headers = new Headers(request.headers);
  const schemes = operation.value.security ?? DOCUMENT.security;
  const needsKey = schemes.every((scheme) => Object.keys(scheme).length > 0);
  report(what, [
    ...(needsKey && !headers.has("x-api-key") ? ["header x-api-key: missing"] : []),
    ...parameterProblems(operation, new URL(url), headers),
    ...bodyProblems(operation, request.body),
  ]);
}

/** `fetch` that checks the answer against openapi.json, and for a 2xx answer the request too. */
export async function checkedFetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
  // Normalized like fetch: the method in capitals, headers of any form.
  const { method, url, headers: sent } = new Request(input, { ...init, body: undefined });
  const response = await fetch(input, init);
  const { status, headers, ok } = response;
  expectDescribed(method, url, { status, headers, body: await response.clone().text() });
  if (ok) {
    expectDescribedRequest(method, url, { headers: sent, body: init.body });
  }
  return response;
}

/**
 * Like `checkedFetch`, and reads the answer.
 *
 * @returns the body read as JSON; undefined for an empty one
 */
export async function describedFetch(
  input: string | URL,
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await checkedFetch(input, init);
  const { status, headers } = response;
  const body = await response.text();
  return { status, headers, body: body === "" ? undefined : (JSON.parse(body) as unknown) };
}
