/** About how many characters of a value the board is shown. */
const budgetOfValue = 2048;
const longestText = 300;
const mostEntries = 20;
const deepest = 5;

/**
 * A small likeness of a value: long texts, long lists and what lies deep are cut and say so. It looks at no more than it
 * keeps, so a payload of any size costs the same.
 */
export function clip(value: unknown): unknown {
  const budget = { left: budgetOfValue };
  return clipPart(value, budget, 0);
}

/** A text cut to `longest` characters, saying how long it was. */
export function clipText(text: string, longest = longestText): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`;
}

function clipPart(value: unknown, budget: { left: number }, depth: number): unknown {
  if (typeof value === 'string') {
    const text = clipText(value, Math.max(0, Math.min(longestText, budget.left)));
    budget.left -= text.length;
    return text;
  }
  if (typeof value !== 'object' || value === null) {
    budget.left -= 8;
    return value;
  }
  if (depth === deepest || budget.left <= 0) return Array.isArray(value) ? `… (${value.length} entries)` : '…';
  return Array.isArray(value) ? clipList(value, budget, depth) : clipRecord(value, budget, depth);
}

function clipList(list: readonly unknown[], budget: { left: number }, depth: number): unknown[] {
  const kept: unknown[] = [];
  for (const entry of list.slice(0, mostEntries)) {
    if (budget.left <= 0) break;
    kept.push(clipPart(entry, budget, depth + 1));
  }
  return kept.length === list.length ? kept : [...kept, `… (${list.length} entries)`];
}

function clipRecord(record: object, budget: { left: number }, depth: number): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  // for-in stops early; Object.entries would first list a million keys.
  for (const key in record) {
    if (kept.length === mostEntries || budget.left <= 0) {
      kept.push(['…', 'more fields']);
      break;
    }
    budget.left -= key.length;
    kept.push([clipText(key, 80), clipPart((record as Record<string, unknown>)[key], budget, depth + 1)]);
  }
  return Object.fromEntries(kept);
}
