export const place = "far";
