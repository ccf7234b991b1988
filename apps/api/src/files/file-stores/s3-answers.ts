const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The text of the first element of a name in an answer of S3; empty when there is none. */
export function xmlValue(xml: string, name: string): string {
  const [, value = ''] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml) ?? [];
  return value.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (all, hex?: string, decimal?: string, word?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities[word ?? ''] ?? all;
  });
}

/** The elements of a name, each as its inner XML. Enough for S3's lists, which nest no element in one of its own name. */
export function readXmlEntries(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map(([, inner = '']) => inner);
}

/** The uploads of a bucket that have begun and not ended. */
export function readUploads(xml: string): { key: string; uploadId: string; begunAt: number }[] {
  return readXmlEntries(xml, 'Upload').map((entry) => ({
    key: xmlValue(entry, 'Key'),
    uploadId: xmlValue(entry, 'UploadId'),
    begunAt: Date.parse(xmlValue(entry, 'Initiated')),
  }));
}
