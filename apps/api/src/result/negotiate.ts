interface Range {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
}

/**
 * The media type among `offered` (the server's favourite first) that an Accept header likes best; undefined when it takes none.
 * As RFC 9110 has it: the most specific range that fits gives a type its quality, 0 refuses it, no header takes all.
 */
export function negotiate(accept: string | undefined, offered: readonly string[]): string | undefined {
  const ranges = parseAccept(accept || '*/*');
  const rated = offered.map((media) => ({ media, quality: qualityOf(media, ranges) }));
  const best = Math.max(...rated.map(({ quality }) => quality));
  return best > 0 ? rated.find(({ quality }) => quality === best)?.media : undefined;
}

function parseAccept(accept: string): Range[] {
  return accept.split(',').flatMap((part): Range[] => {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const [type = '', subtype = ''] = range.split('/');
    if (type === '' || subtype === '') return [];
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return [{ type, subtype, quality: quality === undefined ? 1 : Number(quality) || 0 }];
  });
}

function qualityOf(media: string, ranges: readonly Range[]): number {
  const [type, subtype] = media.split('/');
  const fits = [
    ranges.find((range) => range.type === type && range.subtype === subtype),
    ranges.find((range) => range.type === type && range.subtype === '*'),
    ranges.find((range) => range.type === '*' && range.subtype === '*'),
  ];
  return fits.find((range) => range !== undefined)?.quality ?? 0;
}
