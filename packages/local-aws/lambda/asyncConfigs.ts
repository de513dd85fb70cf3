import { functionNameOf } from "./functionName";

/** A function's event invoke configuration. */
export interface AsyncConfig {
  /** 0 to 2. */
  maximumRetryAttempts: number;
  /** 60 to 21,600. */
  maximumEventAgeSeconds: number;
  /** The on-failure destination. */
  onFailureArn?: string;
}

/** AWS's defaults for a function without an event invoke configuration. */
export const DEFAULT_ASYNC_CONFIG: AsyncConfig = {
  maximumRetryAttempts: 2,
  maximumEventAgeSeconds: 21_600,
};

/** How each function's asynchronous invocations are retried, and where they end. */
export interface AsyncConfigs {
  set(functionNameOrArn: string, config: AsyncConfig): void;
  of(functionNameOrArn: string): AsyncConfig;
}

export function createAsyncConfigs(): AsyncConfigs {
  const configs = new Map<string, AsyncConfig>();
  return {
    set(functionNameOrArn, config) {
      configs.set(functionNameOf(functionNameOrArn), config);
    },
    of: (functionNameOrArn) =>
      configs.get(functionNameOf(functionNameOrArn)) ?? DEFAULT_ASYNC_CONFIG,
  };
}
