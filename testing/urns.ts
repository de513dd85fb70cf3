/**
 * A URN without its stack and project: `PARENT_TYPES$TYPE::NAME`. The URNs of Pulumi's mock monitor
 * lack the types of grandparents.
 */
export type TypesAndName = string;

/** An alias as the engine gets it; an absent type or name is the resource's own. */
export interface Alias {
  type?: string;
  name?: string;
  /** Empty: the resource was at the root. */
  parent: TypesAndName;
}

/** The names of a resource. */
export interface Named {
  type: string;
  name: string;
  urn: TypesAndName;
  /** The parent's; empty at the root. */
  parent: TypesAndName;
  aliases: Alias[];
  options: EngineOptions;
}

/** Options that the engine acts on, as far as the program uses them. */
export interface EngineOptions {
  /** Whether destroying the stack leaves the resource. */
  retainOnDelete: boolean;
  /** Inputs that keep their deployed value. */
  ignoreChanges: string[];
  /** The id of an existing resource to take over; empty: none. */
  importId: string;
}

/** The part of a registerResource request that names the resource. */
export interface NamingRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getAliasesList(): AliasMessage[];
  getRetainondelete(): boolean | undefined;
  getIgnorechangesList(): string[];
  getImportid(): string;
}

/** pulumi/alias.proto */
interface AliasMessage {
  getUrn(): string;
  getSpec(): AliasSpec | undefined;
}

interface AliasSpec {
  getType(): string;
  getName(): string;
  getParenturn(): string;
  getNoparent(): boolean;
}

const STACK_TYPE = "pulumi:pulumi:Stack";

export function urnOf(type: string, name: string, parent: TypesAndName): TypesAndName {
  return parent === "" ? `${type}::${name}` : `${typesOf(parent)}$${type}::${name}`;
}

function typesOf(urn: TypesAndName): string {
  return urn.slice(0, urn.lastIndexOf("::"));
}

function nameOf(urn: TypesAndName): string {
  return urn.slice(urn.lastIndexOf("::") + "::".length);
}

function typeOf(urn: TypesAndName): string {
  return typesOf(urn).split("$").pop() ?? "";
}

/** `urn:pulumi:STACK::PROJECT::TYPES::NAME` without what is before the types. */
function withoutProject(fullUrn: string): TypesAndName {
  return fullUrn.split("::").slice(2).join("::");
}

/** Names resources as the engine does. */
export interface UrnRecorder {
  /** The names of a requested resource; its parents have to be `add`ed before. */
  named(request: NamingRequest): Named;
  /** Notes the mock monitor's URN of a resource, by which its children name it. */
  add(mockUrn: string, urn: TypesAndName): void;
}

export function urnRecorder(): UrnRecorder {
  const urns = new Map<string, TypesAndName>();
  const engineUrn = (fullUrn: string) => {
    const urn = urns.get(fullUrn) ?? withoutProject(fullUrn);
    return typeOf(urn) === STACK_TYPE ? "" : urn;
  };
  return {
    named(request) {
      const type = request.getType();
      const name = request.getName();
      const parent = engineUrn(request.getParent());
      const aliases = request.getAliasesList().map((message) => aliasOf(message, engineUrn));
      const options = {
        retainOnDelete: request.getRetainondelete() ?? false,
        ignoreChanges: request.getIgnorechangesList(),
        importId: request.getImportid(),
      };
      return { type, name, urn: urnOf(type, name, parent), parent, aliases, options };
    },
    add(mockUrn, urn) {
      urns.set(mockUrn, urn);
    },
  };
}

function aliasOf(message: AliasMessage, engineUrn: (fullUrn: string) => TypesAndName): Alias {
  const spec = message.getSpec();
  if (!spec) {
    const urn = withoutProject(message.getUrn());
    const parentTypes = typesOf(urn).split("$").slice(0, -1).join("$");
    return {
      type: typeOf(urn),
      name: nameOf(urn),
      parent: parentTypes === "" ? "" : `${parentTypes}::`,
    };
  }
  return {
    type: spec.getType() || undefined,
    name: spec.getName() || undefined,
    parent: spec.getNoparent() ? "" : engineUrn(spec.getParenturn()),
  };
}

/** A resource of an upgraded stack. */
export interface UpgradedResource {
  urn: TypesAndName;
  /** The other URNs by which the engine looks for the resource's state. */
  aliases: TypesAndName[];
  /** The deployed URN whose state the resource takes over; absent: the engine creates it. */
  takesOver?: TypesAndName;
}

/**
 * Finds the deployed resource of each registered one, as the engine's step generator does
 * (`generateAliases`): by its URN, by its own aliases, then by those that it inherits from a parent
 * that was itself found by an alias.
 *
 * @param resources parents before their children
 */
export function upgrade(
  resources: readonly Named[],
  deployed: ReadonlySet<TypesAndName>,
): UpgradedResource[] {
  /** The deployed URN of each resource that was found by an alias. */
  const former = new Map<TypesAndName, TypesAndName>();
  return resources.map((resource) => {
    const aliases = aliasUrns(resource, former);
    const takesOver = [resource.urn, ...aliases].find((urn) => deployed.has(urn));
    if (takesOver !== undefined && takesOver !== resource.urn) {
      former.set(resource.urn, takesOver);
    }
    return { urn: resource.urn, aliases, takesOver };
  });
}

function aliasUrns(
  resource: Named,
  former: ReadonlyMap<TypesAndName, TypesAndName>,
): TypesAndName[] {
  const own = resource.aliases.map(({ type, name, parent }) =>
    urnOf(type ?? resource.type, name ?? resource.name, former.get(parent) ?? parent),
  );
  const formerParent = former.get(resource.parent);
  if (formerParent === undefined) {
    return [...new Set(own)];
  }
  const inherited = [resource.urn, ...own].map((urn) =>
    inheritedAlias(urn, nameOf(resource.parent), formerParent),
  );
  return [...new Set([...own, ...inherited])];
}

/** A child's name that begins with its parent's is taken to have changed together with it. */
function inheritedAlias(
  urn: TypesAndName,
  parentName: string,
  formerParent: TypesAndName,
): TypesAndName {
  const name = nameOf(urn);
  const formerName = name.startsWith(parentName)
    ? nameOf(formerParent) + name.slice(parentName.length)
    : name;
  return urnOf(typeOf(urn), formerName, formerParent);
}
