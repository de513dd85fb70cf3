import { type Node, parse } from "acorn";

/** A node with whatever any kind of node has. */
export type AnyNode = Node & Record<string, unknown>;

/** @throws SyntaxError */
export function syntaxTree(text: string): AnyNode {
  return parse(text, { ecmaVersion: "latest" }) as unknown as AnyNode;
}

export function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((value): value is AnyNode => typeof (value as AnyNode | null)?.type === "string");
}

/** The node, and all below it. */
export function nodesIn(node: AnyNode): AnyNode[] {
  return [node, ...childrenOf(node).flatMap(nodesIn)];
}
