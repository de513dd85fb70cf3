import pulumi from "@pulumi/eslint-plugin";
import importSort from "eslint-plugin-simple-import-sort";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", ".local/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { "@pulumi": pulumi, "import-sort": importSort },
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@pulumi/no-output-in-template-literal": "error",
      "@pulumi/no-output-instance-in-template-literal": "error",
      // Numbers are safe to interpolate; the rule is kept for everything else.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // A component is built for what it registers with the engine, not for its reference.
      "no-new": "off",
      curly: "error",
      "import-sort/imports": ["error", { groups: [["^node:", "^@?\\w", "^\\.\\.", "^\\."]] }],
      "import-sort/exports": "error",
      "@typescript-eslint/no-unused-expressions": "error",
    },
  },
);
