export const place = "near";
