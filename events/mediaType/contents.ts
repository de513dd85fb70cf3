/**
 * What files of a type may be besides: the formats that are built on a container. The left side is a
 * type as `canonicalMediaType` names it, the right side matches such names.
 *
 * Sources: the formats' own specifications; for the names, see names.ts.
 */
export const CONTENTS: Record<string, RegExp> = {
  // Tools name all of these by the archive's or the compression's own type, too.
  "application/gzip":
    /^(application\/(x-tar|x-compressed-tar|x-gtar-compressed|x-tgz|x-tar-gz|x-tar\+gzip|x-gnumeric|x-abiword|x-dia-diagram|x-blender|x-gnucash|.*\+gzip)|image\/svg\+xml(-compressed)?|image\/x-compressed-xcf|image\/x-.*-gz)$/,
  "application/x-bzip2": /^application\/(x-tar|x-bzip2?-compressed-tar|x-tbz2?)$/,
  "application/x-xz": /^application\/(x-tar|x-xz-compressed-tar|x-txz)$/,
  "application/zstd": /^application\/(x-tar|x-zstd-compressed-tar|x-tzst|.*\+zstd)$/,
  "application/lzip": /^application\/(x-tar|x-lzip-compressed-tar)$/,
  "application/x-compress": /^application\/(x-tar|x-tarz|x-compressed-tar)$/,
  "application/x-tar":
    /^application\/(x-cbt|vnd\.comicbook\+tar|ovf|x-virtualbox-ova|x-gem|.*\+tar)$/,
  "application/vnd.rar": /^application\/(x-cbr|vnd\.comicbook-rar)$/,
  "application/x-7z-compressed": /^application\/(x-cb7|vnd\.comicbook\+7z)$/,
  "application/x-archive": /^application\/(vnd\.debian\.binary-package|x-object|x-sharedlib)$/,
  // Office Open XML, OpenDocument, e-books, programs, maps, comics, drawings.
  "application/zip":
    /^(application\/(vnd\.(?!(rar|sqlite3|tcpdump\.pcap|debian\.binary-package|ms-(excel|powerpoint|outlook|cab-compressed|htmlhelp|fontobject|asf)|microsoft\.portable-executable|adobe\.flash\.movie|rn-realmedia|iccprofile)$).*|java-archive|epub|x-cb[7rtz]|x-xpinstall|x-ipa|x-itunes-ipa|x-apk|x-krita|x-sketch|x-nupkg|x-wheel|x-maff|x-msix|msix.*|appx.*|oxps|widget|x-widget|x-webarchive|x-fictionbook.*|x-kra|x-iwork.*|.*\+zip)|model\/(3mf|vnd\.usdz\+zip)|image\/openraster)$/,
  "application/java-archive":
    /^application\/(vnd\.android\.package-archive|x-xpinstall|x-java-.*|epub\+zip|vnd\..*\+zip)$/,
  "application/vnd.apple.pages": /^application\/vnd\.apple\.(keynote|numbers)$/,
  // Of an Office file that lists its content late, only the application is known.
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document":
    /^application\/vnd\.(openxmlformats-officedocument\.wordprocessingml\.|ms-word\..*12$)/,
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
    /^application\/vnd\.(openxmlformats-officedocument\.spreadsheetml\.|ms-excel\..*12$)/,
  "application/vnd.openxmlformats-officedocument.presentationml.presentation":
    /^application\/vnd\.(openxmlformats-officedocument\.presentationml\.|ms-powerpoint\..*12$)/,
  "application/vnd.visio": /^application\/vnd\.ms-visio\./,
  // Microsoft's Compound File Binary format; also of Office Open XML behind a password.
  "application/x-cfb":
    /^(application\/(msword.*|vnd\.(ms-.*|openxmlformats-.*|visio|stardivision\..*|haansoft-.*|hancom\..*|microsoft\.portable-executable|lotus-.*|autodesk\..*|solidworks.*)|x-ole-storage|x-msi|x-ms-installer|x-ms-.*|x-mspublisher|mspublisher|x-hwp.*|hwp|msproject|x-project|sldworks|x-msg|x-thumbs.*)|image\/(vnd\.fpx|vnd\.mix|x-mix))$/,
  "application/vnd.ms-outlook": /^application\/(vnd\.ms-outlook-pst|x-outlook-pst)$/,
  "application/vnd.sqlite3":
    /^application\/(geopackage.*|x-mbtiles|vnd\.mapbox.*|x-gnucash|x-kexi.*|.*\+(vnd\.)?sqlite3)$/,
  "application/vnd.microsoft.portable-executable":
    /^application\/(x-ms-ne-executable|x-sharedlib|x-font-fon|vnd\.microsoft\..*)$/,
  "application/x-elf":
    /^application\/(x-executable|x-sharedlib|x-object|x-pie-executable|x-core|x-coredump|vnd\.appimage|x-iso9660-appimage)$/,
  "application/x-mach-binary": /^application\/(x-executable|x-sharedlib|x-object)$/,
  "application/x-iso9660-image": /^application\/(x-.*-rom|x-raw-disk-image|vnd\.efi\.img|x-iso)$/,
  "application/x-mobipocket-ebook": /^application\/(vnd\.amazon\..*|vnd\.palm|x-palm-database)$/,
  "application/x-apple-diskimage": /^application\/(zlib|x-zlib|x-dmg)$/,
  "application/postscript":
    /^(application\/illustrator|image\/eps|application\/vnd\.adobe\.illustrator)$/,
  "application/pgp-encrypted": /^application\/pgp-(keys|signature)$/,
  "application/pdf": /^application\/(illustrator|vnd\.adobe\.illustrator)$/,
  "application/vnd.ms-asf": /^(audio\/x-ms-wma|video\/x-ms-wmv|audio\/wma|video\/wmv)$/,
  "application/vnd.rn-realmedia":
    /^(audio|video)\/(x-)?(vnd\.|pn-)?(rn-|m-)?real(audio|video|media).*$/,
  "application/ogg": /^(audio|video)\/(ogg|annodex)$/,
  // A name of one stands for files of the other, too: .ogg has sound or pictures.
  "audio/ogg": /^(video\/ogg|audio\/annodex)$/,
  "video/ogg": /^(audio\/ogg|video\/annodex)$/,
  "application/mp4": /^(audio|video)\/(mp4|x-m4v)$/,
  "video/mp4":
    /^((audio|video)\/(mp4|3gpp2?|aac|quicktime|x-m4v|x-f4v|f4v|vnd\.audible.*|iso\.segment)|application\/(mp4|mp21)|image\/(mj2|heic|heif|avif|hej2k|avci|x-canon-cr3).*)$/,
  "audio/mp4": /^audio\/(aac|alac|vnd\.audible.*|x-pn-audibleaudio)$/,
  "video/x-m4v": /^(video|audio)\/mp4$/,
  "video/quicktime": /^((audio|video)\/(mp4|x-m4v)|image\/(qtif|x-quicktime))$/,
  "video/3gpp": /^((audio|video)\/(3gpp2?|mp4)|audio\/amr)$/,
  "video/3gpp2": /^(audio|video)\/(3gpp2?|mp4)$/,
  "audio/amr": /^audio\/amr-wb\+?$/,
  "audio/ac3": /^audio\/eac3$/,
  "audio/aiff": /^(audio\/(x-aifc|x-8svx|8svx)|image\/(x-ilbm|ilbm|x-iff))$/,
  "audio/x-mod": /^audio\/(x-xm|x-it|x-s3m)$/,
  "video/matroska": /^(audio|video)\/(x-)?matroska(-3d)?$/,
  "video/webm": /^audio\/webm$/,
  "video/mpeg": /^video\/(mpv|mp2t|x-ms-vob|dvd)$/,
  "font/ttf": /^(font|application)\/(otf|sfnt|font-sfnt)$/,
  "font/otf": /^(font|application)\/(sfnt|font-sfnt)$/,
  "image/heif": /^image\/(heic|heif|avif|hej2k|avci)(-sequence|s)?$/,
  "image/heic": /^image\/(heic|heif)(-sequence)?$/,
  "image/heif-sequence": /^image\/(heic|heif|avif)(-sequence)?$/,
  "image/heic-sequence": /^image\/(heic|heif)(-sequence)?$/,
  "image/avif": /^image\/(avif-sequence|heif)$/,
  "image/png": /^image\/apng$/,
  "image/jpeg": /^image\/(x-)?(jps|mpo)$/,
  "image/jpx": /^image\/jp2$/,
  "image/x-portable-anymap": /^image\/x-portable-(bit|gray|pix|arbitrary)map$/,
  "image/vnd.microsoft.icon": /^image\/(x-win-bitmap|x-cursor|vnd\.microsoft\.cursor)$/,
  // Cameras' raw images, maps, microscopes' images.
  "image/tiff":
    /^image\/(geotiff|ome-tiff|vnd\.stonehenge.*|x-(adobe-dng|canon-(cr2|tif)|nikon-(nef|nrw)|sony-(arw|sr2|srf)|panasonic-rw2|olympus-orf|pentax-pef|samsung-srw|epson-erf|hasselblad-3fr|kodak-(dcr|kdc|k25)|minolta-mrw|leaf-mos|dcraw))$/,
  "image/x-dcraw":
    /^image\/x-(adobe|canon|nikon|sony|panasonic|olympus|pentax|fujifilm|samsung|epson|kodak)/,
  "image/x-sony-arw": /^image\/x-sony-(sr2|srf)$/,
};
