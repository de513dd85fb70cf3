/**
 * Lint rule: no deprecated property in an object literal whose expected type is a union, such as
 * Pulumi's `Input<T>`. `@typescript-eslint/no-deprecated` looks at other types only.
 */
export const noDeprecatedInputs = {
  meta: {
    type: "problem",
    schema: [],
    messages: { deprecated: "`{{name}}` is deprecated. {{reason}}" },
  },
  create(context) {
    const { program, esTreeNodeToTSNodeMap } = context.sourceCode.parserServices;
    const checker = program.getTypeChecker();
    return {
      "ObjectExpression > Property"(node) {
        const name = node.key.name ?? node.key.value;
        const expected = checker.getContextualType(esTreeNodeToTSNodeMap.get(node.parent));
        if (node.computed || !expected?.isUnion()) {
          return;
        }
        const [tag] = expected.types
          .flatMap((type) => type.getProperty(name)?.getJsDocTags(checker) ?? [])
          .filter((tag) => tag.name === "deprecated");
        if (tag) {
          const reason = tag.text?.map(({ text }) => text).join("") ?? "";
          context.report({ node, messageId: "deprecated", data: { name, reason } });
        }
      },
    };
  },
};
