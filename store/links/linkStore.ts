import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Environment } from "../../runtime/environment";

/** The table of upload links and of the claims that their files make. */
export interface LinkStore {
  dynamo: DynamoDBClient;
  /** Its name: hash key `link_id`, range key `item`. */
  linksTableName: string;
}

/** The environment variable of a `LinkStore`. */
export type LinkVariable = "LINKS_TABLE_NAME";

/** The table of links that the environment names. */
export function linkStore(
  environment: Environment<LinkVariable>,
  dynamo: DynamoDBClient,
): LinkStore {
  return { dynamo, linksTableName: environment("LINKS_TABLE_NAME") };
}
