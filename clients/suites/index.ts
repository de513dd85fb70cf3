import type { Suite } from "../suite";
import { awsCli } from "./awsCli";
import { curl } from "./curl";
import { javascript } from "./javascript";
import { go, java, python, pythonPackages } from "./programs";
import { rclone } from "./rclone";
import { s3cmd } from "./s3cmd";
import { uppy } from "./uppy";

/** In the order in which they run. */
export const SUITES: Suite[] = [
  curl,
  javascript,
  uppy,
  awsCli,
  python,
  rclone,
  s3cmd,
  go,
  java,
  pythonPackages,
];
