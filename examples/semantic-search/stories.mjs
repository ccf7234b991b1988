import { readFileSync } from 'node:fs';

/**
 * The stories of examples/data/book.txt, each a document.
 *
 * @returns {{ id: string, text: string, metadata: { title: string } }[]}
 */
export function readStories() {
  const book = readFileSync(new URL('../data/book.txt', import.meta.url), 'utf8');
  const parts = book.split(/^(?:ADVENTURE [IVX]+|[IVX]+)\. ((?:THE |A )[A-Z' -]+)$/m).slice(1);
  return Array.from({ length: parts.length / 2 }, (_, index) => {
    const title = parts[2 * index] ?? '';
    return { id: `story-${index + 1}`, text: (parts[2 * index + 1] ?? '').trim(), metadata: { title } };
  });
}
