import type { HttpRequest, HttpResponse } from "../http";
import { createRestApi, type InvokeResult, type RestApi } from "./restApi";
import type { ThrottleSettings } from "./throttle";

interface Stage {
  name: string;
  throttle?: ThrottleSettings;
}

interface Definition {
  body: string;
  binaryMediaTypes: string[];
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
  /** Where the front door is, without a slash at the end. */
  baseUrl: string;
  /** Invokes a function for an API, if the function's policy lets it. */
  invoke(functionArn: string, event: object, sourceArn: string): Promise<InvokeResult>;
  log(message: string): void;
}

/** `_` cannot begin a bucket's name, so that no object has such a path. */
const PATH = /^\/_api\/([^/?]+)\/([^/?]+)(.*)$/s;

/** The account's REST APIs: they gather their parts while the program registers, then serve. */
export class RestApis {
  private readonly definitions = new Map<string, Definition>();
  private readonly keys = new Map<string, string>();
  private readonly plans = new Map<string, Plan>();
  private readonly served = new Map<string, RestApi>();

  constructor(private readonly options: RestApisOptions) {}

  create(apiId: string, definition: { body: string; binaryMediaTypes: string[] }): void {
    this.definitions.set(apiId, { ...definition, stages: [] });
  }

  /** @returns the stage's URL */
  addStage(apiId: string, stageName: string): string {
    this.definitionOf(apiId).stages.push({ name: stageName });
    return `${this.options.baseUrl}/_api/${apiId}/${stageName}`;
  }

  throttle(apiId: string, stageName: string, throttle: ThrottleSettings): void {
    const stage = this.definitionOf(apiId).stages.find(({ name }) => name === stageName);
    if (!stage) {
      throw new Error(`The REST API ${apiId} has no stage "${stageName}".`);
    }
    stage.throttle = throttle;
  }

  addKey(keyId: string, value: string): void {
    this.keys.set(keyId, value);
  }

  addUsagePlan(planId: string, apiStages: Plan["apiStages"], throttle: ThrottleSettings): void {
    this.plans.set(planId, { apiStages, throttle, keyIds: [] });
  }

  addKeyToPlan(planId: string, keyId: string): void {
    const plan = this.plans.get(planId);
    if (!plan) {
      throw new Error(`There is no usage plan ${planId}.`);
    }
    plan.keyIds.push(keyId);
  }

  /** Begins to serve every stage, once all of its parts are registered. */
  serve(): void {
    for (const [id, { body, binaryMediaTypes, stages }] of this.definitions) {
      for (const { name: stageName, throttle } of stages) {
        const api = createRestApi({
          ...this.options,
          id,
          stageName,
          swagger: body,
          binaryMediaTypes,
          throttle,
          usagePlans: this.usagePlansOf(id, stageName),
        });
        this.served.set(`${id}/${stageName}`, api);
      }
    }
  }

  /** Answers a request to a stage; undefined if the path leads to none. */
  handle(request: HttpRequest): Promise<HttpResponse> | undefined {
    const [, apiId, stageName, rest] = PATH.exec(request.url) ?? [];
    const api = this.served.get(`${apiId ?? ""}/${stageName ?? ""}`);
    return api?.handle(request, rest === "" ? "/" : (rest ?? "/"), { sourceIp: "127.0.0.1" });
  }

  private usagePlansOf(apiId: string, stageName: string) {
    return [...this.plans.values()]
      .filter(({ apiStages }) =>
        apiStages.some((stage) => stage.apiId === apiId && stage.stage === stageName),
      )
      .map(({ throttle, keyIds }) => ({
        throttle,
        keys: keyIds.map((id) => ({ id, value: this.keys.get(id) ?? "" })),
      }));
  }

  private definitionOf(apiId: string): Definition {
    const definition = this.definitions.get(apiId);
    if (!definition) {
      throw new Error(`There is no REST API ${apiId}.`);
    }
    return definition;
  }
}
