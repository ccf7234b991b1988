import { hash } from 'node:crypto';

/**
 * A hash of an item and all that it says (sha-256, base64url: 43 characters): items with the same fields have the same. What is
 * undefined does not count, nor does the order of its fields.
 */
export function contentHash(item: object): string {
  const fields = Object.entries(item).filter(([, value]) => value !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify(fields), 'base64url');
}
