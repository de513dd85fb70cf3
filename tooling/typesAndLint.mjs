// Checks types, and lints by the types that were found: `tsc` and `eslint .`, which would each find them
// for itself, in one process. Prints what they would print; exits with 1 if either finds something.
import { ESLint } from "eslint";
import ts from "typescript";

/** The program of tsconfig.json. */
function openProgram() {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: refuse };
  const { fileNames, options, errors } = ts.getParsedCommandLineOfConfigFile(
    "tsconfig.json",
    {},
    host,
  );
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
async function lintErrors(program) {
  const languageOptions = { parserOptions: { projectService: false, programs: [program] } };
  const eslint = new ESLint({ overrideConfig: [{ files: ["**/*.ts"], languageOptions }] });
  const results = await eslint.lintFiles(["."]);
  return (await eslint.loadFormatter("stylish")).format(results);
}

const program = openProgram();
const found = typeErrors(program) + (await lintErrors(program));
process.stdout.write(found);
process.exitCode = found === "" ? 0 : 1;
