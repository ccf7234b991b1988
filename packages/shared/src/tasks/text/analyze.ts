import { z } from 'zod';
import { contentHash } from '../content-hash.ts';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import { detectedLanguage, givenLanguage } from './languages.ts';
import { span } from './spans.ts';

/** What can be asked of a text. The language is always told. */
export const analyzeFeatures = ['sentences', 'tokens', 'keywords', 'entities', 'sentiment'] as const;
export type AnalyzeFeature = (typeof analyzeFeatures)[number];

/** Kinds that are found in texts of every language. */
export const plainEntityKinds = ['email', 'url', 'hashtag', 'mention', 'emoji', 'emoticon'] as const;
/** Kinds that are found in English texts alone. */
export const englishEntityKinds = ['date', 'time', 'duration', 'money', 'percent', 'ordinal', 'cardinal'] as const;
export const entityKinds = [...plainEntityKinds, ...englishEntityKinds] as const;

/** Keywords of a text unless the task says otherwise. */
const defaultKeywords = 10;

const analyzeInput = z.strictObject({
  texts: z.array(z.string()).min(1).meta({
    description:
      'The texts, each analyzed by itself; any of them may be empty. A text with more than 200,000 sentences and entities fails: send it in parts.',
  }),
  features: z
    .array(z.enum(analyzeFeatures))
    .refine((features) => new Set(features).size === features.length, { error: 'each feature once' })
    .optional()
    .meta({
      description:
        'What to find out beside the language; default all. Keywords, entities and sentiment of English texts take most of the time. An empty list: the language alone.',
    }),
  language: givenLanguage.optional().meta({
    description:
      'The language of all the texts, where it is known: short texts are then not mistaken for another language. Default: each is detected.',
  }),
  maxKeywords: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: `Most keywords of a text; default ${defaultKeywords}.` }),
});
type AnalyzeInput = z.infer<typeof analyzeInput>;

const keyword = z.object({
  text: z.string().meta({ description: 'As it stands in the text, most often.' }),
  score: z.number().meta({ description: 'Beside the best keyword of the text, which has 1.' }),
  count: z.int().meta({ description: 'How often it occurs.' }),
});
export type Keyword = z.infer<typeof keyword>;

const entity = span.extend({ kind: z.enum(entityKinds) });
export type Entity = z.infer<typeof entity>;

const analysis = z.object({
  language: detectedLanguage,
  sentences: z
    .array(span)
    .optional()
    .meta({ description: 'In order; white space between them and lines of marks alone belong to none.' }),
  tokens: z.int().optional().meta({ description: 'Words and numbers; punctuation does not count.' }),
  keywords: z.array(keyword).optional().meta({
    description:
      'Best first, by TextRank: of English texts nouns, names and their adjectives, otherwise all but function words.',
  }),
  entities: z
    .array(entity)
    .optional()
    .meta({
      description: `In order. Of every language ${plainEntityKinds.join(', ')}; of English also ${englishEntityKinds.join(', ')}. Names of people, places and organizations are not among them: inference.pipeline with a token-classification model finds those.`,
    }),
  sentiment: z
    .number()
    .nullable()
    .optional()
    .meta({ description: 'From -1 (bad) to 1 (good), the mean of the sentences; null unless the text is English.' }),
});
export type Analysis = z.infer<typeof analysis>;

/** One text on its way through the text lane. */
export interface AnalyzeItem {
  readonly text: string;
  readonly features: readonly AnalyzeFeature[];
  /** Undefined: to be detected. */
  readonly language: string | undefined;
  readonly maxKeywords: number;
}

/** JSON of a result, in bytes: of each text; of a keyword; of spans, beside each byte of the input that they repeat. */
const bytesPerText = 120;
const bytesPerKeyword = 60;
const bytesOfSentences = 1.6;
const bytesOfEntities = 0.6;

export const analyze = defineTaskType({
  type: 'text.analyze',
  family: 'text',
  description: 'Language, sentences, number of words, keywords, entities and sentiment of texts.',
  input: analyzeInput,
  output: z.object({ analyses: z.array(analysis).meta({ description: 'One entry per text, in their order.' }) }),
  limits: { items: 256, bytes: 4 * 2 ** 20 },
  example: { texts: ['The old mill opens at 9 am on Sunday. Its miller, Dr. Reed, is a wonderful guide!'] },
  items: ({ texts, features, language, maxKeywords = defaultKeywords }: AnalyzeInput): AnalyzeItem[] =>
    texts.map((text) => ({ text, features: features ?? analyzeFeatures, language, maxKeywords })),
  join: (values: readonly Analysis[]) => ({ analyses: [...values] }),
  identity: (item) => contentHash(item),
  cost: ({ text }) => text.length,
  resultBytes: ({ texts, features, maxKeywords = defaultKeywords }, inputBytes) => {
    const wants = (feature: AnalyzeFeature) => features === undefined || features.includes(feature);
    const keywords = wants('keywords') ? maxKeywords * bytesPerKeyword : 0;
    const sentences = wants('sentences') ? bytesOfSentences : 0;
    const entities = wants('entities') ? bytesOfEntities : 0;
    const bytes = texts.length * (bytesPerText + keywords) + inputBytes * (sentences + entities);
    return Math.ceil(bytes) + endedTaskBytes;
  },
});
