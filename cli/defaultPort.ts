/** The default port of `npm start`, for the command line too. */
export const DEFAULT_PORT = 4510;
