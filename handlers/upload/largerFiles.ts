/** Of answers to a file that is too large; API Gateway gives one of its own. */
export const LARGER_FILES =
  "Larger files, up to 5 GiB, go through POST /uploads of the manager (the output managerUrl).";
