import { dot, normalized } from './unit-vectors.ts';

/**
 * Cosines beside labels lie close together: one of 0.035 more makes a label e times as likely. The figures of this file were
 * chosen with the bundled model on the dev parts of the sets in quality/data, which has what was tried.
 */
const temperature = 0.035;
/** From which cosine on a label applies of which only the name is known. */
const namesThreshold = 0.17;
/** And with examples: how far from what texts of other labels have to what its own examples have. */
const examplesThreshold = 0.6;
/** A name that tells all examples right counts as so many of them. */
const nameWeight = 3;

/** A label by its vectors, each of length 1. */
export interface LabelVectors {
  readonly name: string;
  /** Of the name, in several sentences. */
  readonly nameVector: Float64Array;
  readonly examples: readonly ArrayLike<number>[];
}

/** What decides how near a text is to each label. */
export interface LabelHead {
  readonly method: 'names' | 'examples';
  readonly names: readonly string[];
  /** Of length 1, in the order of the names. */
  readonly vectors: readonly Float64Array[];
  /** By label: brings cosines beside names to the scale of those beside examples, where there are both. */
  readonly scales: readonly Scale[];
  /** From which likeness on a label applies. */
  readonly threshold: number;
}

interface Scale {
  readonly factor: number;
  readonly offset: number;
}

/** Cosines that are usual: of a text with its own label, and with others. */
interface Usual {
  readonly own: number;
  readonly other: number;
}

const unscaled: Scale = { factor: 1, offset: 0 };

/** One logit for each label: for softmax, or for a sigmoid by itself, whose 0 is the threshold. */
export function labelLogits({ vectors, scales, threshold }: LabelHead, text: ArrayLike<number>): number[] {
  return vectors.map((vector, index) => {
    const { factor, offset } = scales[index] ?? unscaled;
    return (factor * dot(vector, text) + offset - threshold) / temperature;
  });
}

/**
 * Makes the head of some labels. By names alone a label is where its name is. With examples it is in the middle of them, and of
 * its name as far as names mean anything here: the better they alone tell the examples apart, the more they count. Where only some labels have examples, cosines beside a lone
 * name, which are smaller, are brought to the scale of the others.
 */
export function createLabelHead(labels: readonly LabelVectors[]): LabelHead {
  const names = labels.map(({ name }) => name);
  const nameVectors = labels.map(({ nameVector }) => nameVector);
  const examples = labels.flatMap(({ examples: own }, label) => own.map((vector) => ({ label, vector })));
  if (examples.length === 0) {
    const scales = labels.map(() => unscaled);
    return { method: 'names', names, vectors: nameVectors, scales, threshold: namesThreshold };
  }
  const weight = nameWeight * trustInNames(nameVectors, examples);
  const sums = labels.map(({ nameVector, examples: own }) => weightedSum(nameVector, own.length > 0 ? weight : 1, own));
  const vectors = sums.map((sum) => normalized(sum));
  const withExamples = labels.map(({ examples: own }) => own.length > 0);
  const usualOfNames = usualWithNames(nameVectors, examples);
  const usual = usualWithExamples({ sums, vectors, withExamples, examples, otherByNames: usualOfNames.other });
  const scale = usual === undefined ? unscaled : scaleOf(usualOfNames, usual);
  return {
    method: 'examples',
    names,
    vectors,
    scales: withExamples.map((has) => (has ? unscaled : scale)),
    threshold:
      usual === undefined ? namesThreshold : usual.other + examplesThreshold * Math.max(0, usual.own - usual.other),
  };
}

interface Example {
  readonly label: number;
  readonly vector: ArrayLike<number>;
}

/** From 0 (names tell no more than chance) to 1 (they tell every example right). */
function trustInNames(names: readonly Float64Array[], examples: readonly Example[]): number {
  const right = examples.filter(({ label, vector }) => nearest(names, vector) === label).length;
  const chance = 1 / names.length;
  return Math.max(0, (right / examples.length - chance) / (1 - chance));
}

function nearest(vectors: readonly Float64Array[], to: ArrayLike<number>): number {
  const cosines = vectors.map((vector) => dot(vector, to));
  return cosines.indexOf(Math.max(...cosines));
}

interface HeadParts extends Pick<LabelHead, 'vectors'> {
  readonly sums: readonly Float64Array[];
  readonly withExamples: readonly boolean[];
  readonly examples: readonly Example[];
  readonly otherByNames: number;
}

/**
 * Of examples with the middle of the others of their label, and with the middles of other labels; where only one label has
 * examples, with the names of the others instead. Undefined when no label has two examples, nor a name to stand in.
 */
function usualWithExamples(parts: HeadParts): Usual | undefined {
  const { sums, vectors, withExamples, examples, otherByNames } = parts;
  const own = examples.flatMap(({ label, vector }) => {
    const rest = (sums[label] as Float64Array).map((value, index) => value - (vector[index] ?? 0));
    return dot(rest, rest) < 1e-12 ? [] : [dot(normalized(rest), vector)];
  });
  const other = examples.flatMap(({ label, vector }) =>
    vectors.flatMap((candidate, index) => (withExamples[index] && index !== label ? [dot(candidate, vector)] : [])),
  );
  return own.length === 0 ? undefined : { own: mean(own), other: other.length === 0 ? otherByNames : mean(other) };
}

function usualWithNames(names: readonly Float64Array[], examples: readonly Example[]): Usual {
  const own = examples.map(({ label, vector }) => dot(names[label] as Float64Array, vector));
  const other = examples.flatMap(({ label, vector }) =>
    names.flatMap((name, index) => (index === label ? [] : [dot(name, vector)])),
  );
  return { own: mean(own), other: mean(other) };
}

/** Takes cosines that are usual with `from` to those that are usual with `to`. */
function scaleOf(from: Usual, to: Usual): Scale {
  // Names that tell nothing have no scale; the bounds keep a few examples from deciding too much.
  const factor = Math.min(2, Math.max(0.5, (to.own - to.other) / Math.max(1e-6, from.own - from.other)));
  return { factor, offset: to.other - factor * from.other };
}

function weightedSum(name: Float64Array, weight: number, examples: readonly ArrayLike<number>[]): Float64Array {
  return name.map((value, index) => examples.reduce((sum, example) => sum + (example[index] ?? 0), weight * value));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
