import { each, NO_EFFECT, parts, refused, served } from "../resources/inputs";
import { physicalName } from "../resources/resource";
import { servedType } from "../resources/servedType";
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
  streamEnabled?: boolean;
  streamViewType?: StreamViewType;
}

const CAPACITY = each(
  ["onDemandThroughput", "readCapacity", "warmThroughput", "writeCapacity"],
  NO_EFFECT.billing,
);

export const table = servedType<TableInputs>(
  {
    name: served,
    hashKey: served,
    rangeKey: served,
    attributes: served,
    globalSecondaryIndexes: parts({
      name: served,
      hashKey: served,
      rangeKey: served,
      projectionType: served,
      nonKeyAttributes: served,
      keySchemas: refused("Use hashKey and rangeKey."),
      ...CAPACITY,
    }),
    streamEnabled: served,
    streamViewType: served,
    ...each(["billingMode", "tableClass"], NO_EFFECT.billing),
    ...CAPACITY,
    ...each(["deletionProtectionEnabled", "pointInTimeRecovery"], NO_EFFECT.deletion),
    localSecondaryIndexes: refused("Use globalSecondaryIndexes."),
    replicas: refused("Add replicas on AWS only (by a setting)."),
    serverSideEncryption: NO_EFFECT.encryption,
    ttl: NO_EFFECT.expiry,
  },
  async (resource, cloud) => {
    const { inputs } = resource;
    const tableName = inputs.name ?? physicalName(resource);
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
  },
);
