import { notServed, physicalName, type Provision } from "../resources/resource";
import type { StreamViewType } from "./engine";

interface TableInputs {
  name?: string;
  hashKey: string;
  rangeKey?: string;
  attributes: { name: string; type: string }[];
  globalSecondaryIndexes?: {
    name: string;
    hashKey: string;
    rangeKey?: string;
    projectionType: string;
    nonKeyAttributes?: string[];
  }[];
  localSecondaryIndexes?: unknown[];
  replicas?: unknown[];
  streamEnabled?: boolean;
  streamViewType?: StreamViewType;
}

export const table: Provision<TableInputs> = async (resource, cloud) => {
  const { inputs } = resource;
  const tableName = inputs.name ?? physicalName(resource);
  if (inputs.localSecondaryIndexes?.length) {
    throw notServed(resource, "has local secondary indexes", "Use globalSecondaryIndexes.");
  }
  if (inputs.replicas?.length) {
    throw notServed(resource, "has replicas", "Add replicas on AWS only (by a setting).");
  }
  const definition = {
    tableName,
    hashKey: inputs.hashKey,
    rangeKey: inputs.rangeKey,
    attributes: inputs.attributes,
    globalSecondaryIndexes: inputs.globalSecondaryIndexes ?? [],
    streamViewType: inputs.streamEnabled ? inputs.streamViewType : undefined,
  };
  await cloud.tables.create(definition);
  return {
    id: tableName,
    state: {
      name: tableName,
      arn: cloud.dynamoDb.tableArn(tableName),
      streamArn: definition.streamViewType ? cloud.dynamoDb.streamArn(tableName) : undefined,
    },
  };
};
