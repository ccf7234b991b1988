import type { Detector, Span } from './detector.ts';

/** How long the part between `//` and the path may be, in characters. */
const longestAuthority = 512;
const endOfAuthority = /[\s/?#"'<>`\\|]/;
const commonUsers = new Set(['git', 'hg', 'svn']);

/** User and password of a URL (RFC 3986, userinfo): what is between `//` and the last @ before the path. */
export const credentialsDetector: Detector = {
  kind: 'credentials',
  find(text) {
    const found: Span[] = [];
    for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at + 3)) {
      if (!/[A-Za-z0-9]/.test(text[at - 1] ?? '')) continue;
      const start = at + 3;
      const rest = text.slice(start, start + longestAuthority);
      const length = rest.search(endOfAuthority);
      const authority = length === -1 ? rest : rest.slice(0, length);
      const end = authority.lastIndexOf('@');
      const user = authority.slice(0, Math.max(0, end));
      const host = authority[end + 1];
      if (host === undefined || !/[\p{L}\p{N}[]/u.test(host) || isNobody(user)) continue;
      found.push({ start, end: start + end });
    }
    return found;
  },
};

/** Names that tell nothing: none at all, those that everybody has, stars, what a template is filled in for, and what was removed. */
function isNobody(user: string): boolean {
  return /^[*:]*$/.test(user) || commonUsers.has(user) || /^\$|[{}]|%[sd]|^\[.*\]$/.test(user);
}
