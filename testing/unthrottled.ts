/** Settings for more requests than the default throttle lets pass, where it is not under test. */
export const UNTHROTTLED = { requestsPerSecond: "10000", burst: "5000" };
