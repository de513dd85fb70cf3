import * as crypto from "node:crypto";
import * as posixPath from "node:path/posix";
import { join } from "node:path/posix";
import { expect } from "chai";
import * as uuid from "uuid";
import { NIL } from "uuid";
import { bundle } from "../../../components/lambda/bundle";
import { serialize } from "../../../components/lambda/serialize";
import { load } from "./loadBundle";
import { usesOtherPath } from "./otherPath";

type Factory = () => () => unknown;

async function bundled(factory: Factory): Promise<string> {
  return (await bundle(serialize(factory))).text;
}

async function messageOf(factory: Factory): Promise<string> {
  return serialize(factory).then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
}

const greeting = "hello";
const LIMITS = { low: 1, high: -2.5, none: undefined, nothing: null, open: true };
const NAMES = ["a", 'b "quoted", {c}'];
const PATTERN = /b+/g;
const tree = { name: "root", children: [{ name: "leaf" }], byName: new Array<unknown>() };
tree.byName.push(tree);
const counter = {
  step: 2,
  next(from: number) {
    return from + this.step;
  },
};

class Account {
  constructor(private balance: number) {}

  add(amount: number): number {
    this.balance += amount;
    return this.balance;
  }
}
const account = new Account(5);

/** Its prototype and its instance refer to each other; the instance needs the prototype to exist. */
class Node {
  constructor(private value: number) {}

  sum(): number {
    return root.value + this.value;
  }
}
const root = new Node(7);

const $price = 5;
const größe = "line\u2028, }) {";
const places = { near: { name: "here", seats: 4 }, far: { name: "there", opened: new Date(0) } };
const stock = { apples: 1, pears: 2, secret: "other" };

const helpers = { twice: (value: number) => value * 2, counter };
let changes = 0;

const isEven = (value: number): boolean => value === 0 || isOdd(value - 1);
function isOdd(value: number): boolean {
  return value !== 0 && isEven(value - 1);
}
async function later(value: string, suffix = greeting): Promise<string> {
  return Promise.resolve(value + suffix);
}
function* upTo(end: number): Generator<number> {
  for (let value = LIMITS.low; value <= end; value += 1) {
    yield value;
  }
}
const tag = (texts: TemplateStringsArray, ...values: unknown[]) =>
  `${texts.join("|")}${values.length}`;

/** Each declares a name of the module anew, in one place, and means the module's in another. */
function shadowing(list: string[]): unknown[] {
  const outer = greeting;
  const inParameter = list.map((greeting) => greeting.length);
  const inBlock = () => {
    const greeting = 5;
    return { greeting };
  };
  const inCatch = () => {
    try {
      throw new Error("thrown");
    } catch (greeting) {
      return (greeting as Error).message;
    }
  };
  const inPattern = ({ greeting = 1, ...LIMITS }: { greeting?: number; rest?: number }) => [
    greeting,
    LIMITS,
  ];
  const asProperty = { greeting: 7, LIMITS: 8 };
  return [
    outer,
    inParameter,
    inBlock(),
    inCatch(),
    inPattern({ rest: 3 }),
    asProperty.greeting,
    { greeting, LIMITS, [greeting]: greeting },
  ];
}

describe("A serialized callback", () => {
  const factories: Record<string, Factory> = {
    "texts, numbers, and what is neither": () => () => [
      greeting,
      LIMITS.low + 1,
      LIMITS.high.toFixed(1),
      LIMITS.none,
      LIMITS.nothing,
      LIMITS.open,
    ],
    "lists and patterns": () => () => [NAMES, "abbb".replace(PATTERN, "c"), NAMES[1]?.length],
    "values that refer to each other": () => () => [
      tree.children[0]?.name,
      tree.byName[0] === tree,
    ],
    "functions that call each other": () => () => [isEven(10), isOdd(10)],
    "asynchronous functions and generators": () => async () => [
      await later("a"),
      await later("a", "b"),
      [...upTo(3)],
    ],
    "methods, with their object": () => () => [counter.next(1), helpers.counter.next(2)],
    "classes and their instances": () => () => [new Account(1).add(2), account.add(0)],
    "an instance before its class": () => () => [root.sum(), new Node(2).sum()],
    "names and texts beyond ASCII": () => () => [$price, größe],
    "functions in objects": () => () => [helpers.twice(3), [1, 2].map(helpers.twice)],
    "functions as tags of templates": () => () => tag`a${greeting}b`,
    "names that are declared anew within": () => () => shadowing(["four", "sixsix"]),
    "modules by a name, by a property, and as a whole": () => () => [
      NIL,
      uuid.validate(NIL),
      join("a", "..", "b"),
      crypto.createHash("sha256").update(greeting).digest("hex"),
      Object.keys(uuid).includes("v7"),
    ],
    "values of the factory": () => {
      const made = { at: LIMITS.low };
      const add = (value: number) => value + made.at;
      return () => [add(1), made];
    },
  };

  for (const [what, factory] of Object.entries(factories)) {
    it(`has ${what}`, async () => {
      const text = await bundled(factory);

      expect(text).not.to.match(/\bwith\s*\(/);
      expect(await load(text).handler()).to.deep.equal(await factory()());
    });
  }

  it("is the same, whatever else is serialized with it", async () => {
    const all = Object.values(factories);
    const alone: string[] = [];
    for (const factory of all) {
      alone.push(await bundled(factory));
    }

    expect(await Promise.all(all.map(bundled))).to.deep.equal(alone);
    expect(await Promise.all(all.reverse().map(bundled))).to.deep.equal(alone.reverse());
  });

  it("has of an object only what it uses itself, and of two packages with one name its own", async () => {
    const others: Factory[] = [
      () => () => (stock.pears += 1),
      () => () => stock.secret,
      () => () => [account.add(1), places.near.seats],
      () => () => {
        const __greeting = 1;
        return __greeting;
      },
      usesOtherPath,
    ];
    const some: Factory[] = [
      () => () => (stock.apples += 1),
      () => () => (account as unknown as { balance: number }).balance,
      () => () => places.near.name,
      () => () => greeting,
      () => () => [posixPath.sep, posixPath.join("a", "b")],
    ];
    const alone: string[] = [];
    for (const factory of some) {
      alone.push(await bundled(factory));
    }

    const [, ...together] = await Promise.all([
      Promise.all(others.map(bundled)),
      ...some.map(bundled),
    ]);
    expect(together).to.deep.equal(alone);
  });

  it("is made beside another one that cannot be serialized, which says why", async () => {
    const refused: Factory = () => () => new Map([[tree, process.stdout]]).size + sockets.length;
    const [message, text] = await Promise.all([messageOf(refused), bundled(() => () => greeting)]);

    expect(message).to.include("sockets");
    expect(await load(text).handler()).to.equal(greeting);
  });

  it("may not assign to what it captures: no other call would see it", async () => {
    const message = await messageOf(() => () => {
      changes += 1;
      return changes;
    });

    expect(message).to.include('assigns to "changes"');
  });
});

/** Native objects, which have no text. */
const sockets = [process.stdout];
