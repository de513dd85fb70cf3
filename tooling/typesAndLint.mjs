// Checks types, and lints by the types that were found: `tsc` and `eslint .`, which would each find them
// for itself, in one process. Prints what they would print; exits with 1 if either finds something.
import { ESLint } from "eslint";
import ts from "typescript";

/** The program of a tsconfig.json. */
function openProgram(file) {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: refuse };
  const { fileNames, options, errors } = ts.getParsedCommandLineOfConfigFile(file, {}, host);
  errors.forEach(refuse);
  return ts.createProgram({ rootNames: fileNames, options });
}

function refuse(diagnostic) {
  throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
}

/** The errors of the program, as `tsc` prints them. */
function typeErrors(program) {
  return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => process.cwd(),
    getNewLine: () => "\n",
  });
}

/** What `eslint .` prints. */
async function lintErrors(programs) {
  const languageOptions = { parserOptions: { projectService: false, programs } };
  const eslint = new ESLint({ overrideConfig: [{ files: ["**/*.{ts,tsx}"], languageOptions }] });
  const results = await eslint.lintFiles(["."]);
  return (await eslint.loadFormatter("stylish")).format(results);
}

// Pages run in browsers, all else under Node.
const programs = ["tsconfig.json", "console/tsconfig.json"].map(openProgram);
const found = programs.map(typeErrors).join("") + (await lintErrors(programs));
process.stdout.write(found);
process.exitCode = found === "" ? 0 : 1;
