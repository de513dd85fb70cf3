import { credentials } from "@grpc/grpc-js";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb";
import { type Callback, CallbackInvokeRequest } from "@pulumi/pulumi/proto/callback_pb";
import {
  type RegisterResourceHookRequest,
  type RegisterResourceRequest,
  ResourceHookRequest,
  ResourceHookResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { toStruct, type WireObject } from "./values";

/** The hooks that a program has registered, and runs when the engine calls them. */
export class Hooks {
  private readonly hooks = new Map<string, RegisterResourceHookRequest>();

  /** @param preview whether the deployment is one: it calls hooks that ask for it */
  constructor(private readonly preview: boolean) {}

  register(hook: RegisterResourceHookRequest): void {
    this.hooks.set(hook.getName(), hook);
  }

  /**
   * Calls the hooks before the update of a resource.
   *
   * @throws Error with the message of the first hook that refuses
   */
  async beforeUpdate(
    request: RegisterResourceRequest,
    oldInputs: WireObject,
    newInputs: WireObject,
  ): Promise<void> {
    for (const name of request.getHooks()?.getBeforeUpdateList() ?? []) {
      const hook = this.hooks.get(name);
      const callback = hook?.getCallback();
      if (!callback) {
        throw new Error(`The hook ${name} was not registered.`);
      }
      if (!this.preview || hook?.getOnDryRun()) {
        const refusal = await call(
          callback,
          new ResourceHookRequest()
            .setName(request.getName())
            .setType(request.getType())
            .setOldInputs(toStruct(oldInputs))
            .setNewInputs(toStruct(newInputs)),
        );
        if (refusal !== "") {
          throw new Error(refusal);
        }
      }
    }
  }
}

/** @returns the hook's error; empty: none */
async function call(callback: Callback, request: ResourceHookRequest): Promise<string> {
  const client = new CallbacksClient(callback.getTarget(), credentials.createInsecure());
  const invocation = new CallbackInvokeRequest()
    .setToken(callback.getToken())
    .setRequest(request.serializeBinary());
  try {
    return await new Promise((resolve, reject) => {
      client.invoke(invocation, (error, response) => {
        if (error) {
          reject(error);
        } else {
          const answer = ResourceHookResponse.deserializeBinary(response.getResponse_asU8());
          resolve(answer.getError());
        }
      });
    });
  } finally {
    client.close();
  }
}
