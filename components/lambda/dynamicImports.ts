import { type AnyNode, childrenOf } from "./syntaxTree";

/** A module that a text imports by `import("…")`, and the place of that. */
interface DynamicImport {
  specifier: string;
  /** The exports that are taken; undefined: the module is used as a whole. */
  names: string[] | undefined;
  start: number;
  end: number;
}

function nameOf({ key, property = key, computed }: AnyNode): string | undefined {
  const { type, name } = property as AnyNode;
  return type === "Identifier" && computed === false ? (name as string) : undefined;
}

/**
 * Of `(await import("…")).name` and `const { name } = await import("…")`.
 *
 * @param parents of the import, the innermost first
 */
function takenNames([awaited, user]: AnyNode[]): string[] | undefined {
  if (awaited?.type !== "AwaitExpression" || !user) {
    return undefined;
  }
  const pattern = user.id as AnyNode | undefined;
  const takers =
    user.type === "MemberExpression"
      ? [user]
      : user.type === "VariableDeclarator" && pattern?.type === "ObjectPattern"
        ? (pattern.properties as AnyNode[])
        : [];
  // Of `...others`, there is no name.
  const names = takers.map((taker) => (taker.type === "RestElement" ? undefined : nameOf(taker)));
  return names.length > 0 && names.every((name) => name !== undefined) ? names : undefined;
}

/**
 * @param text that the tree is of
 * @throws where a module's name is no literal
 */
export function dynamicImports(tree: AnyNode, text: string): DynamicImport[] {
  const found: DynamicImport[] = [];
  const visit = (node: AnyNode, parents: AnyNode[]) => {
    if (node.type === "ImportExpression") {
      const { start, end, source, options } = node;
      const { value: specifier } = source as AnyNode;
      if (typeof specifier !== "string" || options) {
        const place = text.slice(start, end);
        throw new Error(`it has ${place}, which cannot be bundled: write import("./module.ts").`);
      }
      found.push({ specifier, names: takenNames(parents), start, end });
      return;
    }
    for (const child of childrenOf(node)) {
      visit(child, [node, ...parents]);
    }
  };
  visit(tree, []);
  return found.sort((one, other) => one.start - other.start);
}
