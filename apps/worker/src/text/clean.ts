import { defineProcessor, failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import { type CleanItem, clean } from '@millrace/shared/tasks/text/clean';
import { compile, type HtmlToTextOptions } from 'html-to-text';
import { marked } from 'marked';

/** Makes plain text of HTML, Markdown or untidy text, by html-to-text and marked. */
export const cleanProcessor = defineProcessor(clean, {
  process: async (items) => items.map(cleanOne),
});

function cleanOne(item: CleanItem): ItemOutcome<string> {
  try {
    return succeeded(tidy(toPlain(item), item));
  } catch (error) {
    return failed('PROCESSOR_FAILED', `The text cannot be read as ${item.format}: ${(error as Error).message}`);
  }
}

const htmlOptions = (keepLinks: boolean): HtmlToTextOptions => ({
  wordwrap: false,
  preserveNewlines: false,
  selectors: [
    { selector: 'a', options: { ignoreHref: !keepLinks, hideLinkHrefIfSameAsText: true } },
    { selector: 'img', format: 'skip' },
    { selector: 'script', format: 'skip' },
    { selector: 'style', format: 'skip' },
    { selector: 'noscript', format: 'skip' },
    { selector: 'template', format: 'skip' },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: 'table', format: 'dataTable', options: { uppercaseHeaderCells: false } },
  ],
});

const htmlToText = { withLinks: compile(htmlOptions(true)), withoutLinks: compile(htmlOptions(false)) };

function toPlain({ text, format, keepLinks }: CleanItem): string {
  const convert = keepLinks ? htmlToText.withLinks : htmlToText.withoutLinks;
  switch (format) {
    case 'plain':
      return text;
    case 'html':
      return convert(text);
    case 'markdown':
      return convert(marked.parse(text, { async: false }));
  }
}

/** Characters that nobody sees: controls but tab and line feed, zero-width ones, soft hyphens, byte order marks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed here
const invisible = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u200B\u2060\uFEFF]/g;

function tidy(text: string, { unicode, collapseWhitespace }: CleanItem): string {
  // A lone surrogate is no text: it becomes the replacement character.
  const lines = text
    .toWellFormed()
    .replaceAll(/\r\n?|\u2028|\u2029/g, '\n')
    .replaceAll(invisible, '');
  const normal = unicode === 'none' ? lines : lines.normalize(unicode);
  if (!collapseWhitespace) return normal;
  return normal
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/ ?\n ?/g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}
