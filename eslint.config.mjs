import pulumi from "@pulumi/eslint-plugin";
import importSort from "eslint-plugin-simple-import-sort";
import tseslint from "typescript-eslint";
import { noDeprecatedInputs } from "./tooling/noDeprecatedInputs.mjs";

const NAME_OF_REQUIRE =
  "Name it: const requireModule = createRequire(…). By this name .dependency-cruiser.cjs finds imports.";

/** A created require may be called by one name only; `createRequire(…).resolve` loads nothing. */
const createdRequires = [
  "CallExpression[callee.name='createRequire']" +
    ":not(VariableDeclarator[id.name='requireModule'] > CallExpression)" +
    ":not(MemberExpression[property.name='resolve'] > CallExpression)",
  "CallExpression[callee.property.name='createRequire']",
  "ImportSpecifier[imported.name='createRequire'][local.name!='createRequire']",
  "VariableDeclarator[init.name='requireModule']",
].map((selector) => ({ selector, message: NAME_OF_REQUIRE }));

export default tseslint.config(
  // What clients/generated/typescript imports is generated: `npm run clients:generated` checks its types.
  { ignores: ["node_modules/", ".local/", "clients/generated/typescript/"] },
  {
    files: ["**/*.{ts,tsx,js,cjs,mjs}"],
    rules: { "no-restricted-syntax": ["error", ...createdRequires] },
  },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: {
      "@pulumi": pulumi,
      "import-sort": importSort,
      local: { rules: { "no-deprecated-inputs": noDeprecatedInputs } },
    },
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "local/no-deprecated-inputs": "error",
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
