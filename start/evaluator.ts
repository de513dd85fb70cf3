/** Evaluates the program for `npm start -- --watch`, in a process of its own. */
import * as path from "node:path";
import { serveEvaluations } from "local-aws";
import { setBundleCache } from "../components/lambda/bundleCache";
import { PROGRAM_DIR } from "./programDir";
import { watchedBundles } from "./watchBundles";

const bundles = watchedBundles(path.join(PROGRAM_DIR, "index.ts"));
setBundleCache(bundles);
serveEvaluations({ sourceMapOf: (code) => bundles.sourceMapOf(code) });
