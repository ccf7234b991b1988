import { z } from 'zod';
import { defineTaskType } from '../define-task-type.ts';

const cleanInput = z.strictObject({
  texts: z.array(z.string()).min(1).meta({ description: 'The texts to clean, each by itself.' }),
  format: z
    .enum(['html', 'markdown', 'plain'])
    .meta({ description: 'What the texts are written in; html and markdown become their plain text.' }),
  unicode: z
    .enum(['NFC', 'NFKC', 'none'])
    .optional()
    .meta({ description: 'Unicode normalization; default NFC. NFKC also folds ligatures and full-width forms.' }),
  collapseWhitespace: z
    .boolean()
    .optional()
    .meta({ description: 'Runs of spaces become one, more than one empty line becomes one; default true.' }),
  keepLinks: z
    .boolean()
    .optional()
    .meta({ description: 'Write the address behind the text of a link; default false.' }),
});
type CleanInput = z.infer<typeof cleanInput>;

/** One text on its way through the text lane. */
export interface CleanItem {
  readonly text: string;
  readonly format: CleanInput['format'];
  readonly unicode: NonNullable<CleanInput['unicode']>;
  readonly collapseWhitespace: boolean;
  readonly keepLinks: boolean;
}

export const clean = defineTaskType({
  type: 'text.clean',
  family: 'text',
  description: 'Plain text out of HTML, Markdown or untidy text: no markup, control characters or stray white space.',
  input: cleanInput,
  output: z.object({ texts: z.array(z.string()) }),
  limits: { items: 256, bytes: 16 * 2 ** 20 },
  example: { texts: ['<h1>The mill</h1><p>It turns&nbsp;&amp; turns.</p>'], format: 'html' as const },
  items: ({ texts, format, unicode = 'NFC', collapseWhitespace = true, keepLinks = false }: CleanInput): CleanItem[] =>
    texts.map((text) => ({ text, format, unicode, collapseWhitespace, keepLinks })),
  join: (values: readonly string[]) => ({ texts: [...values] }),
  cost: ({ text }) => text.length,
});
