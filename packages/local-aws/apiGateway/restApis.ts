import type { HttpRequest, HttpResponse } from "../http";
import { createRestApi, type InvokeResult, type RestApi } from "./restApi";
import type { ThrottleSettings } from "./throttle";

interface Stage {
  name: string;
  throttle?: ThrottleSettings;
}

interface ApiDefinition {
  body: string;
  binaryMediaTypes: string[];
  /** The API's `minimumCompressionSize`. @default no compression */
  compressedFromBytes?: number;
}

interface Definition extends ApiDefinition {
  stages: Stage[];
}

interface Plan {
  apiStages: { apiId: string; stage: string }[];
  throttle: ThrottleSettings;
  keyIds: string[];
}

export interface RestApisOptions {
  region: string;
  accountId: string;
  /** The URL of the gateway, without a slash at the end. */
  baseUrl: string;
  /** Invokes a function for an API, if the function's policy allows it. */
  invoke(functionArn: string, event: Buffer, sourceArn: string): Promise<InvokeResult>;
  log(message: string): void;
}

/** A bucket's name cannot begin with `_`, so no object has such a path. */
const PATH = /^\/_api\/([^/?]+)\/([^/?]+)(.*)$/s;

/** The account's REST APIs: their parts are collected while the program registers them. */
export interface RestApis {
  create(apiId: string, definition: ApiDefinition): void;
  /** @returns the stage's URL */
  addStage(apiId: string, stageName: string): string;
  /** @throws Error for a stage that does not exist */
  throttle(apiId: string, stageName: string, throttle: ThrottleSettings): void;
  addKey(keyId: string, value: string): void;
  addUsagePlan(planId: string, apiStages: Plan["apiStages"], throttle: ThrottleSettings): void;
  /** @throws Error for a plan that does not exist */
  addKeyToPlan(planId: string, keyId: string): void;
  /** Begins to serve every stage, once all of its parts are registered. */
  serve(): void;
  /** Answers a request to a stage; undefined if the path leads to none. */
  handle(request: HttpRequest): Promise<HttpResponse> | undefined;
  /**
   * Whether a page of the request's origin may send it: whether the API's answer to OPTIONS, a
   * browser's preflight, allows that origin.
   */
  allowsOrigin(request: HttpRequest): Promise<boolean>;
}

export function createRestApis(options: RestApisOptions): RestApis {
  const definitions = new Map<string, Definition>();
  const keys = new Map<string, string>();
  const plans = new Map<string, Plan>();
  const served = new Map<string, RestApi>();

  function definitionOf(apiId: string): Definition {
    const definition = definitions.get(apiId);
    if (!definition) {
      throw new Error(`There is no REST API ${apiId}.`);
    }
    return definition;
  }

  function usagePlansOf(apiId: string, stageName: string) {
    return [...plans.values()]
      .filter(({ apiStages }) =>
        apiStages.some((stage) => stage.apiId === apiId && stage.stage === stageName),
      )
      .map(({ throttle, keyIds }) => ({
        throttle,
        keys: keyIds.map((id) => ({ id, value: keys.get(id) ?? "" })),
      }));
  }

  function handle(request: HttpRequest): Promise<HttpResponse> | undefined {
    const [, apiId, stageName, rest] = PATH.exec(request.url) ?? [];
    const api = served.get(`${apiId ?? ""}/${stageName ?? ""}`);
    return api?.handle(request, rest === "" ? "/" : (rest ?? "/"), { sourceIp: "127.0.0.1" });
  }

  return {
    create(apiId, definition) {
      definitions.set(apiId, { ...definition, stages: [] });
    },
    addStage(apiId, stageName) {
      definitionOf(apiId).stages.push({ name: stageName });
      return `${options.baseUrl}/_api/${apiId}/${stageName}`;
    },
    throttle(apiId, stageName, throttle) {
      const stage = definitionOf(apiId).stages.find(({ name }) => name === stageName);
      if (!stage) {
        throw new Error(`The REST API ${apiId} has no stage "${stageName}".`);
      }
      stage.throttle = throttle;
    },
    addKey(keyId, value) {
      keys.set(keyId, value);
    },
    addUsagePlan(planId, apiStages, throttle) {
      plans.set(planId, { apiStages, throttle, keyIds: [] });
    },
    addKeyToPlan(planId, keyId) {
      const plan = plans.get(planId);
      if (!plan) {
        throw new Error(`There is no usage plan ${planId}.`);
      }
      plan.keyIds.push(keyId);
    },
    serve() {
      for (const [id, { body, stages, ...definition }] of definitions) {
        for (const { name: stageName, throttle } of stages) {
          const api = createRestApi({
            ...options,
            ...definition,
            id,
            stageName,
            swagger: body,
            throttle,
            usagePlans: usagePlansOf(id, stageName),
          });
          served.set(`${id}/${stageName}`, api);
        }
      }
    },
    handle,
    async allowsOrigin({ method, url, headers: { host = "", origin } }) {
      if (origin === undefined) {
        return false;
      }
      const preflight = await handle({
        method: "OPTIONS",
        url,
        headers: { host, origin, "access-control-request-method": method },
        body: Buffer.alloc(0),
      });
      const allowed = preflight?.headers["access-control-allow-origin"];
      const isAnswered = preflight !== undefined && preflight.status < 400;
      return isAnswered && (allowed === "*" || allowed === origin);
    },
  };
}
