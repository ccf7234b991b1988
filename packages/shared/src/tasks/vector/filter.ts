import { z } from 'zod';

/** Conditions in one filter, and levels of and/or/not. */
const mostConditions = 256;
const deepest = 8;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const ordered = z.union([z.string(), z.number()]);

const operators = z
  .strictObject({
    $eq: scalar.optional(),
    $ne: scalar.optional(),
    $in: z.array(scalar).max(1000).optional(),
    $nin: z.array(scalar).max(1000).optional(),
    $gt: ordered.optional(),
    $gte: ordered.optional(),
    $lt: ordered.optional(),
    $lte: ordered.optional(),
    $exists: z.boolean().optional(),
    $not: z.unknown().optional(),
  })
  .refine((given) => Object.keys(given).length > 0, { error: 'at least one operator such as $eq or $in' });

type Scalar = z.infer<typeof scalar>;
type Operators = z.infer<typeof operators>;

/**
 * A filter on metadata in MongoDB's syntax: `{lang: 'en', year: {$gte: 2020}, $or: [{…}, {…}]}`. Fields of inner objects by
 * dots (`author.name`); a field that holds a list matches when one of its entries does.
 */
export interface Filter {
  readonly $and?: readonly Filter[];
  readonly $or?: readonly Filter[];
  readonly $nor?: readonly Filter[];
  readonly [field: string]: Scalar | Operators | readonly Filter[] | undefined;
}

const groups = new Set(['$and', '$or', '$nor']);
const known = 'fields, $and, $or and $nor; operators $eq $ne $in $nin $gt $gte $lt $lte $exists $not';

/** The schema of filters: nothing in it is code, and its size is bounded. */
export const filterSchema = z
  .custom<Filter>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: 'a filter: an object such as {"lang": "en"}',
  })
  .superRefine((value, context) => {
    const report: Walk['report'] = (path, message) => {
      context.addIssue({ code: 'custom', path: [...path], message });
    };
    check(value, { path: [], depth: deepest, budget: { left: mostConditions }, report });
  })
  .meta({
    description: `On metadata, in MongoDB's syntax: ${known}.`,
    type: 'object',
    additionalProperties: true,
  });

interface Walk {
  readonly path: readonly (string | number)[];
  readonly depth: number;
  readonly budget: { left: number };
  report(path: readonly (string | number)[], message: string): void;
}

function check(filter: unknown, walk: Walk): void {
  const { path, depth, budget, report } = walk;
  if (budget.left < 0) return;
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) report(path, 'a filter (an object)');
  else if (depth === 0) report(path, `at most ${deepest} levels`);
  else {
    const conditions = Object.entries(filter);
    // An empty filter costs its place in a list, too.
    budget.left -= Math.max(1, conditions.length);
    if (budget.left < 0) report(path, `at most ${mostConditions} conditions`);
    else for (const [name, value] of conditions) checkCondition(name, value, { ...walk, path: [...path, name] });
  }
}

function checkCondition(name: string, value: unknown, walk: Walk): void {
  if (groups.has(name)) checkGroup(value, { ...walk, depth: walk.depth - 1 });
  else if (name.startsWith('$')) walk.report(walk.path, `a filter of ${known}`);
  else if (name.split('.').includes('__proto__')) walk.report(walk.path, 'the name of a field');
  else if (!scalar.safeParse(value).success) checkOperators(value, walk);
}

function checkGroup(value: unknown, walk: Walk): void {
  if (!Array.isArray(value) || value.length === 0) walk.report(walk.path, 'a list of filters');
  else for (const [index, entry] of value.entries()) check(entry, { ...walk, path: [...walk.path, index] });
}

function checkOperators(value: unknown, walk: Walk): void {
  const { path, depth, report } = walk;
  if (depth === 0) {
    report(path, `at most ${deepest} levels`);
    return;
  }
  const parsed = operators.safeParse(value);
  const issue = parsed.error?.issues[0];
  if (issue !== undefined) report([...path, ...pathOf(issue)], `a value, or operators: ${known}`);
  const { $not } = parsed.data ?? {};
  if ($not !== undefined) checkOperators($not, { ...walk, path: [...path, '$not'], depth: depth - 1 });
}

/** Where in the operators: an unknown one has no path of its own. */
function pathOf(issue: z.core.$ZodIssue): (string | number)[] {
  const keys = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  return [...issue.path, ...keys].map((part) => (typeof part === 'number' ? part : String(part)));
}
