import type { DetectedLanguage } from '@millrace/shared/tasks/text/languages';
import type { eld } from 'eld/small';
import { findPlainEntities, withoutAddresses } from './plain-entities.ts';

type Detector = typeof eld;

/** eld reads no more of a text. UTF-16 units. */
const windowUnits = 1000;
const mostWindows = 8;

let loading: Promise<Detector> | undefined;

/** The database takes 46 MB and 0.3 s: it is loaded with the first text. */
function load(): Promise<Detector> {
  loading ??= import('eld/small').then((module) => module.eld);
  return loading;
}

/** The language as the task gives it, or else as it is detected. */
export async function languageOf(text: string, given: string | undefined): Promise<DetectedLanguage> {
  return given === undefined ? detectLanguage(text) : { code: given, confidence: 1, reliable: true };
}

/**
 * The language of a text, by its n-grams (eld, 60 languages). A text longer than 1,000 units is read in up to eight windows that
 * are spread over it, and the language with the highest sum of scores wins. Addresses, mentions and hashtags are not looked at.
 */
export async function detectLanguage(text: string): Promise<DetectedLanguage> {
  const detector = await load();
  const results = windowsOf(text).map((window) => detector.detect(withoutAddresses(window, findPlainEntities(window))));
  const sums = new Map<string, number>();
  for (const result of results) {
    for (const [code, score] of Object.entries(result.getScores())) sums.set(code, (sums.get(code) ?? 0) + score);
  }
  const [best] = [...sums].sort(([codeA, a], [codeB, b]) => b - a || (codeA < codeB ? -1 : 1));
  if (best === undefined) return { code: null, confidence: 0, reliable: false };
  const [code, sum] = best;
  const read = results.filter(({ language }) => language !== '');
  const agreeing = read.filter((result) => result.language === code && result.isReliable());
  return { code, confidence: round(sum / read.length), reliable: agreeing.length * 2 > read.length };
}

function windowsOf(text: string): string[] {
  const count = Math.min(mostWindows, Math.ceil(text.length / windowUnits));
  if (count <= 1) return [text];
  const step = (text.length - windowUnits) / (count - 1);
  return Array.from({ length: count }, (_, index) => {
    const start = Math.round(index * step);
    return text.slice(start, start + windowUnits);
  });
}

function round(score: number): number {
  return Math.round(score * 1000) / 1000;
}
