import { contentHash } from '../content-hash.ts';
import type { TaskLimits } from '../define-task-type.ts';
import type { ChildTask, PreparationFacts } from '../preparation.ts';

/** Of the limit of bytes so much is for the texts; the rest for what else stands in the input. */
const textShare = 0.9;
/** Of a hash so many characters tell the parts of one task apart. */
const hashCharacters = 12;

/** What is done with some texts: the same for each of them. */
interface TextWork {
  /** Tells its parts from those of other work of the same task. */
  readonly name: string;
  readonly type: string;
  readonly texts: readonly string[];
  /** What else stands in the input of each part; undefined is left out. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * The outputs of children that work on some texts together, in order, or the children that are missing: as many as the limits
 * of their type ask for. Each is named by what is in it, so that nothing is ever taken for what another text gave.
 */
export function outputsOfParts(
  { name, type, texts, options }: TextWork,
  { limitsOf, outputOf }: PreparationFacts,
): { readonly outputs: readonly Record<string, unknown>[]; readonly missing: readonly ChildTask[] } {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const children = partsOf(texts, limitsOf(type)).map((part, index): ChildTask => {
    const input = { ...given, texts: part };
    return { name: `${name}-${index}-${contentHash(input).slice(0, hashCharacters)}`, type, input };
  });
  const outputs = children.map((child) => outputOf(child.name));
  return {
    outputs: outputs.filter((output) => output !== undefined),
    missing: children.filter((_, index) => outputs[index] === undefined),
  };
}

function partsOf(texts: readonly string[], limits: TaskLimits): string[][] {
  const most = limits.bytes * textShare;
  const parts: string[][] = [];
  let bytes = 0;
  for (const text of texts) {
    const textBytes = Buffer.byteLength(JSON.stringify(text)) + 1;
    const part = parts.at(-1);
    if (part === undefined || part.length >= limits.items || bytes + textBytes > most) {
      parts.push([text]);
      bytes = textBytes;
    } else {
      part.push(text);
      bytes += textBytes;
    }
  }
  return parts;
}
