import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { runtime } from "@pulumi/pulumi";
import { EngineService, type IEngineServer } from "@pulumi/pulumi/proto/engine_grpc_pb";
import {
  type LogRequest,
  LogSeverity,
  SetRootResourceResponse,
} from "@pulumi/pulumi/proto/engine_pb";
import {
  type IResourceMonitorServer,
  ResourceMonitorService,
} from "@pulumi/pulumi/proto/resource_grpc_pb";
import {
  DeploymentInfo,
  type RegisterResourceRequest,
  RegisterResourceResponse,
  ResourceInvokeResponse,
  ResourceMonitorFeature,
} from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { answerOf, idOf, type Inputs, stateOf } from "../mockedAws";
import { type Registration, typeAndName } from "../recordingMocks";
import { type UrnRecorder, urnRecorder } from "../urns";
import { Hooks } from "./hooks";
import {
  fromStruct,
  holdsSecret,
  plainObject,
  secret,
  toStruct,
  type WireObject,
  withoutReferences,
} from "./values";

const STACK_TYPE = "pulumi:pulumi:Stack";

/** Engine features offered to the program. Transforms are not served. */
const FEATURES = [
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_SECRETS,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
];

/** Bundles go over the wire: as much as the SDK itself takes, 400 MiB. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/** A log entry of the program, debug entries left out. */
export interface LogEntry {
  severity: "info" | "warning" | "error";
  message: string;
}

/** What a program has sent to the engine so far. */
export interface Received {
  /** Without the stack itself. */
  registrations: Registration[];
  /** Tokens of the provider functions that were called. */
  calls: string[];
  /** The stack's outputs, once index.ts has ended. */
  outputs?: Inputs;
  /** Names of the stack's outputs that are secret. */
  secretOutputs: string[];
  logs: LogEntry[];
  /** `performance.now()` at the last registration. */
  lastRegistrationAt: number;
}

/** A resource monitor and an engine that listen on this machine. */
export interface Services {
  address: string;
  received: Received;
  stop(): void;
}

export interface Deployment {
  project: string;
  stack: string;
  preview: boolean;
  /** Inputs of resources that an earlier deployment made, by `TYPES::NAME`. */
  deployed?: Record<string, Inputs>;
}

export async function startServices(deployment: Deployment): Promise<Services> {
  const received: Received = {
    registrations: [],
    calls: [],
    secretOutputs: [],
    logs: [],
    lastRegistrationAt: NaN,
  };
  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  server.addService(ResourceMonitorService, monitorOf(deployment, received));
  server.addService(EngineService, engineOf(received));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) {
        reject(error);
      } else {
        resolve(bound);
      }
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    received,
    stop: () => {
      server.forceShutdown();
    },
  };
}

/** Answers with what the function returns; with an error, if it throws. */
function answering<Request, Response>(
  answer: (request: Request) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const answered = async () => answer(call.request);
    answered().then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        const refusal: Partial<ServiceError> = {
          code: status.INVALID_ARGUMENT,
          details: error instanceof Error ? error.message : String(error),
        };
        callback(refusal);
      },
    );
  };
}

/** Calls that are left out are answered with UNIMPLEMENTED, which fails the program. */
function monitorOf(
  { project, stack, preview, deployed = {} }: Deployment,
  received: Received,
): UntypedServiceImplementation {
  const urns = urnRecorder();
  const hooks = new Hooks(preview);
  const stackUrn = `urn:pulumi:${stack}::${project}::${STACK_TYPE}::${project}-${stack}`;

  async function register(request: RegisterResourceRequest): Promise<RegisterResourceResponse> {
    if (request.getType() === STACK_TYPE) {
      return new RegisterResourceResponse().setUrn(stackUrn);
    }
    received.lastRegistrationAt = performance.now();
    const given = fromStruct(request.getObject());
    const registration = registrationOf(request, given, urns);
    received.registrations.push(registration);
    const oldInputs = deployed[registration.urn];
    if (oldInputs) {
      await hooks.beforeUpdate(request, oldInputs, given);
    }
    const response = new RegisterResourceResponse().setUrn(
      `urn:pulumi:${stack}::${project}::${registration.urn}`,
    );
    if (!registration.custom) {
      return response.setObject(toStruct(given));
    }
    const { type, name, inputs } = registration;
    const id = idOf(type, name, inputs);
    const secretOutputs = request.getAdditionalsecretoutputsList();
    const state = mergedState(given, stateOf(type, id, inputs), { preview, secretOutputs });
    return response.setId(preview ? "" : id).setObject(toStruct(state));
  }

  return {
    getDeploymentInfo: answering(() =>
      new DeploymentInfo()
        .setProject(project)
        .setStack(stack)
        .setDryrun(preview)
        .setSupportedfeaturesList(FEATURES),
    ),
    registerResource: answering(register),
    registerResourceHook: answering((request) => {
      hooks.register(request);
      return new Empty();
    }),
    registerResourceOutputs: answering((request) => {
      if (request.getUrn() === stackUrn) {
        const outputs = fromStruct(request.getOutputs());
        received.outputs = plainObject(outputs);
        received.secretOutputs = secretsOf(outputs);
      }
      return new Empty();
    }),
    invoke: answering((request) => {
      received.calls.push(request.getTok());
      return new ResourceInvokeResponse().setReturn(toStruct(answerOf(request.getTok())));
    }),
    signalAndWaitForShutdown: answering(() => new Empty()),
  } satisfies Partial<IResourceMonitorServer>;
}

function secretsOf(object: WireObject): string[] {
  return Object.keys(object).filter((name) => holdsSecret(object[name]));
}

function registrationOf(
  request: RegisterResourceRequest,
  given: WireObject,
  urns: UrnRecorder,
): Registration {
  return {
    ...urns.named(request),
    custom: request.getCustom(),
    inputs: plainObject(given),
    secretInputs: secretsOf(given),
    dependencies: request.getDependenciesList().map(typeAndName).sort(),
  };
}

/**
 * What the engine answers: the inputs, which stay secret where they were, and what AWS adds to them,
 * which a preview does not know.
 */
function mergedState(
  given: WireObject,
  state: Inputs,
  { preview, secretOutputs }: { preview: boolean; secretOutputs: string[] },
): WireObject {
  const merged = withoutReferences(given) as WireObject;
  for (const [name, value] of Object.entries(state)) {
    if (!(name in given)) {
      merged[name] = preview ? runtime.unknownValue : value;
    }
  }
  for (const name of secretOutputs) {
    if (merged[name] !== undefined && !holdsSecret(merged[name])) {
      merged[name] = secret(merged[name]);
    }
  }
  return merged;
}

function engineOf({ logs }: Received): UntypedServiceImplementation {
  return {
    log: answering((request) => {
      const severity = severityOf(request);
      if (severity) {
        logs.push({ severity, message: request.getMessage() });
      }
      return new Empty();
    }),
    setRootResource: answering(() => new SetRootResourceResponse()),
  } satisfies Partial<IEngineServer>;
}

/** Undefined for debug entries, of which the SDK writes thousands. */
function severityOf(request: LogRequest): LogEntry["severity"] | undefined {
  switch (request.getSeverity()) {
    case LogSeverity.DEBUG:
      return undefined;
    case LogSeverity.INFO:
      return "info";
    case LogSeverity.WARNING:
      return "warning";
    case LogSeverity.ERROR:
      return "error";
  }
}
