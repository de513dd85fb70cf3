import { type Item, putEntries, type Store, type TableDescription } from "./dynalite";

/** Rows that are read, and whose entries are written, at a time. */
const ROWS = 500;

/** The definitions of a table that an added index touches. */
interface Definitions {
  AttributeDefinitions?: { AttributeName: string; AttributeType: string }[];
  GlobalSecondaryIndexes?: IndexDefinition[];
}

interface IndexDefinition extends Record<string, unknown> {
  IndexName: string;
  KeySchema: { AttributeName: string }[];
}

/** A table, and the indexes that it lacks. */
export interface AddedIndexes {
  /** The table's description with all indexes. */
  table: TableDescription;
  added: IndexDefinition[];
}

/**
 * What adding indexes to a table comes to, as AWS can for a deployed one: keys, present indexes and rows
 * stay as they are.
 *
 * @param table as it is stored
 * @param wanted the input of CreateTable
 */
export function addedIndexes(table: TableDescription, wanted: Definitions): AddedIndexes {
  const { AttributeDefinitions: attributes = [], GlobalSecondaryIndexes: present = [] } =
    table as Definitions;
  const added = (wanted.GlobalSecondaryIndexes ?? []).filter(
    ({ IndexName: name }) => !present.some((index) => index.IndexName === name),
  );
  const names = new Set(
    added.flatMap(({ KeySchema: keys }) => keys.map(({ AttributeName }) => AttributeName)),
  );
  const isNew = ({ AttributeName: name }: { AttributeName: string }): boolean =>
    names.has(name) && !attributes.some((attribute) => attribute.AttributeName === name);
  return {
    table: {
      ...table,
      AttributeDefinitions: [
        ...attributes,
        ...(wanted.AttributeDefinitions ?? []).filter((attribute) => isNew(attribute)),
      ],
      ...(present.length + added.length > 0 && {
        GlobalSecondaryIndexes: [
          ...present,
          ...added.map((index) => ({
            ...index,
            IndexArn: `${String(table.TableArn)}/index/${index.IndexName}`,
            IndexSizeBytes: 0,
            ItemCount: 0,
            IndexStatus: "ACTIVE",
            ProvisionedThroughput: {
              ReadCapacityUnits: 0,
              WriteCapacityUnits: 0,
              NumberOfDecreasesToday: 0,
            },
          })),
        ],
      }),
    },
    added,
  };
}

/** Fills in the rows of added indexes. Repeated, it writes the same entries. */
export async function fillIndexes(store: Store, { table, added }: AddedIndexes): Promise<void> {
  const prefix = `item-${String(table.TableName)}~`;
  const rows = store.db.values({ gte: prefix, lt: `${prefix}\xff` });
  try {
    for (let page: unknown[]; (page = await rows.nextv(ROWS)).length > 0;) {
      await store.db.batch(putEntries(table, added, page as Item[]));
    }
  } finally {
    await rows.close();
  }
}
