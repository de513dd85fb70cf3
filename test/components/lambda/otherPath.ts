// The same name as in serialize.test.ts, of another module.
import * as posixPath from "node:path/win32";

export const usesOtherPath = () => () => posixPath.sep;
