import { z } from 'zod';

/** Bytes of a point's metadata as JSON: it lies in the memory of every worker. */
const metadataBytes = 16_384;
/** Levels of objects and lists in metadata. */
const metadataDepth = 8;

/** Names that would mean something else to a filter, or to JavaScript. */
const forbiddenName = /^\$|\.|^__proto__$/;

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** What is known of a point beside its vector. */
export interface Metadata {
  readonly [name: string]: Json;
}

/**
 * The schema of metadata. Its own check, since zod's of JSON calls itself: that follows input of any depth, and a document of
 * OpenAPI cannot show it.
 */
export const metadataSchema = z
  .custom<Metadata>()
  .superRefine((value, context) => {
    const flaw = isObject(value) ? flawOf(value, []) : { path: [], expected: 'an object of JSON' };
    if (flaw !== undefined) {
      context.addIssue({ code: 'custom', path: [...flaw.path], message: flaw.expected });
    } else if (Buffer.byteLength(JSON.stringify(value)) > metadataBytes) {
      context.addIssue({ code: 'custom', message: `metadata of at most ${metadataBytes} bytes of JSON` });
    }
  })
  .meta({
    description: 'JSON that filters look at, at most 16 KiB and 8 levels; no name begins with $ or has a dot.',
    type: 'object',
    additionalProperties: true,
  });

interface Flaw {
  readonly path: readonly (string | number)[];
  readonly expected: string;
}

/** The first thing that is wrong, at whatever depth. */
function flawOf(value: unknown, path: readonly (string | number)[]): Flaw | undefined {
  if (typeof value !== 'object' || value === null) {
    return isScalar(value) ? undefined : { path, expected: 'JSON: text, a finite number, true, false, null' };
  }
  if (path.length === metadataDepth) return { path, expected: `metadata of at most ${metadataDepth} levels` };
  if (Array.isArray(value)) return firstFlaw(value.entries(), path);
  if (!isObject(value)) return { path, expected: 'JSON: a plain object' };
  const bad = Object.keys(value).find((name) => forbiddenName.test(name));
  if (bad === undefined) return firstFlaw(Object.entries(value), path);
  return { path: [...path, bad], expected: 'a name that does not begin with $ and has no dot' };
}

function firstFlaw(entries: Iterable<[string | number, unknown]>, path: Flaw['path']): Flaw | undefined {
  for (const [name, inner] of entries) {
    const flaw = flawOf(inner, [...path, name]);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

/** Objects as JSON has them; a Map or a Date would become something else on its way. */
function isObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
