/** Endings of common media types, by IANA's registrations; the first one is the usual one. */
export const EXTENSIONS: Record<string, string[]> = {
  "application/gzip": [".gz", ".tgz"],
  "application/json": [".json"],
  "application/msword": [".doc"],
  "application/pdf": [".pdf"],
  "application/vnd.ms-excel": [".xls"],
  "application/vnd.oasis.opendocument.text": [".odt"],
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": [".pptx"],
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": [".xlsx"],
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": [".docx"],
  "application/xml": [".xml"],
  "application/zip": [".zip"],
  "audio/flac": [".flac"],
  "audio/mp4": [".m4a"],
  "audio/mpeg": [".mp3"],
  "audio/ogg": [".ogg", ".opus"],
  "audio/wav": [".wav"],
  "image/avif": [".avif"],
  "image/bmp": [".bmp"],
  "image/gif": [".gif"],
  "image/heic": [".heic"],
  "image/jpeg": [".jpg", ".jpeg"],
  "image/png": [".png"],
  "image/svg+xml": [".svg"],
  "image/tiff": [".tif", ".tiff"],
  "image/webp": [".webp"],
  "text/calendar": [".ics"],
  "text/css": [".css"],
  "text/csv": [".csv"],
  "text/html": [".html", ".htm"],
  "text/javascript": [".js", ".mjs"],
  "text/markdown": [".md"],
  "text/plain": [".txt", ".log"],
  "video/mp4": [".mp4"],
  "video/quicktime": [".mov"],
  "video/webm": [".webm"],
};

/** The media type that a file name's ending stands for; undefined: it is not a common one. */
export function typeByEnding(fileName: string | undefined): string | undefined {
  const ending = /\.[^.]*$/.exec(fileName ?? "")?.[0].toLowerCase() ?? "";
  return Object.keys(EXTENSIONS).find((type) => EXTENSIONS[type]?.includes(ending));
}
