import { matches } from "../../../dynamodb/streams/filterCriteria";
import type { Target } from "../fuzz";
import { mutateJson, mutateText } from "../mutate";

const PATTERNS = [
  {
    dynamodb: { NewImage: { event_status: { S: ["created", "uploaded"] } } },
    eventName: ["INSERT"],
  },
  { a: [{ prefix: "x" }, { suffix: "y" }, { "equals-ignore-case": "z" }, null, 1] },
  { $or: [{ a: [{ exists: false }] }, { b: [{ numeric: [">", 0, "<=", 5] }] }] },
  { a: [{ "anything-but": ["x", 1] }, { "anything-but": { prefix: "y" } }] },
];

const RECORD = {
  eventName: "INSERT",
  dynamodb: { NewImage: { event_status: { S: "created" }, n: { N: "1" }, l: { L: [{ S: "x" }] } } },
  a: ["x", 1, null],
  b: 3,
};

const VOCABULARY = {
  names: [
    ...["dynamodb", "NewImage", "event_status", "S", "a", "b", "$or", "exists", "prefix", "suffix"],
    ...["numeric", "anything-but", "equals-ignore-case", "wildcard", "__proto__", "constructor"],
  ],
  texts: ["created", "x", "", "<", ">=", "=", "INSERT"],
};

/** Filter criteria of event source mappings. */
export const filters: Target = {
  name: "filters",
  make(random) {
    const sample = random.pick(PATTERNS);
    const changed = JSON.stringify(mutateJson(random, sample, VOCABULARY));
    const pattern = random.chance(0.8) ? changed : mutateText(random, changed, VOCABULARY.names);
    const record = random.chance(0.3) ? mutateJson(random, RECORD, VOCABULARY) : RECORD;
    const criteria = { filters: Array.from({ length: 1 + random.below(11) }, () => ({ pattern })) };
    return {
      input: { ...criteria, record },
      run() {
        matches(criteria, record);
      },
    };
  },
  isRefusal: (error) =>
    error instanceof Error &&
    error.constructor === Error &&
    /is not valid|a mapping has/.test(error.message),
};
