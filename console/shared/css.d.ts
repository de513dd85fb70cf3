/** A page's style sheet: esbuild gathers it (components/lambda/pages.ts). */
declare module "*.css";
