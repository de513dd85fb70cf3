import { type AnyNode, nodesIn } from "./syntaxTree";

/**
 * How Pulumi writes an object that is more than its properties, such as a Map, a Date or a
 * Uint8Array: as an empty object, or as only the method that is used, and without a warning.
 */
const LOSSY_CAPTURES = [
  /^var _*(\w+) = Object\.create\(global\.(\w+)\.prototype\);$/,
  /^Object\.defineProperty\(_*(\w+), .*\bvalue: global\.(?!(?:Array|Function|Object|RegExp)\b)(\w+)\.prototype\./,
];

/** @throws for an object in Pulumi's text that is less than what was captured; the message names it */
export function refuseLossyCaptures(text: string): void {
  for (const line of text.split("\n")) {
    for (const capture of LOSSY_CAPTURES) {
      const [, variable, type] = capture.exec(line) ?? [];
      if (variable !== undefined && type !== undefined) {
        throw new Error(`it captures "${variable}": a ${type} cannot be serialized.`);
      }
    }
  }
}

/** The variables that a pattern, or the target of an assignment, names. */
function variablesIn(pattern: unknown): string[] {
  const node = pattern as AnyNode | null | undefined;
  switch (node?.type) {
    case "Identifier":
      return [node.name as string];
    case "AssignmentPattern":
      return variablesIn(node.left);
    case "RestElement":
      return variablesIn(node.argument);
    case "Property":
      return variablesIn(node.value);
    case "ArrayPattern":
      return (node.elements as unknown[]).flatMap(variablesIn);
    case "ObjectPattern":
      return (node.properties as unknown[]).flatMap(variablesIn);
    default:
      return [];
  }
}

function assignedBy({ type, left, argument }: AnyNode): string[] {
  switch (type) {
    case "AssignmentExpression":
    case "ForInStatement":
    case "ForOfStatement":
      return variablesIn(left);
    case "UpdateExpression":
      return variablesIn(argument);
    default:
      return [];
  }
}

function declaredBy({ type, id, params = [], param }: AnyNode): string[] {
  const isNamed = type === "VariableDeclarator" || /^(?:Function|Class)/.test(type);
  return [...(params as unknown[]), isNamed ? id : undefined, param].flatMap(variablesIn);
}

/**
 * Pulumi writes what a function captures into a `with` block, which each call opens anew.
 *
 * @throws for a captured variable that a function assigns to; the message names it
 */
export function refuseLostAssignments(tree: AnyNode): void {
  for (const { type, object, body } of nodesIn(tree)) {
    if (type !== "WithStatement") {
      continue;
    }
    const captured = ((object as AnyNode).properties as { key: { name: string } }[]).map(
      ({ key }) => key.name,
    );
    const nodes = nodesIn(body as AnyNode);
    const declared = new Set(nodes.flatMap(declaredBy));
    const lost = nodes
      .flatMap(assignedBy)
      .find((name) => captured.includes(name) && !declared.has(name));
    if (lost !== undefined) {
      throw new Error(`it assigns to "${lost}", which it captures: each call has a copy.`);
    }
  }
}
