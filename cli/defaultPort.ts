/** Where `npm start` listens, and where the command line looks for it. */
export const DEFAULT_PORT = 4510;
