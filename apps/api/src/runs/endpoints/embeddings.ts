import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import {
  dimensionsOf,
  type EmbeddedText,
  embeddedTexts,
  embeddingAnswer,
  tokensOf,
} from '../../embeddings/embedding-answer.ts';
import { checkDimensions, type EmbeddingRequest, parseEmbeddingRequest } from '../../embeddings/embedding-request.ts';
import { splitTexts, type TaskSize } from '../../embeddings/split-texts.ts';
import type { RunLine } from '../run-line.ts';
import type { CutUnits, LineOutcome, RunOneTask, Unit } from '../unit.ts';

/** A line, and what it asks for or why it does not. */
type EmbedLine = RunLine & { readonly request: EmbeddingRequest | MillraceError };

/** What became of a text; undefined while its task has not ended, or when it never will. */
type TextOutcome = EmbeddedText | MillraceError | 'undone';

/** Lines of a unit, whatever is in them: bad ones have no texts. */
const mostLines = 64;

/** Failures that are no single text's fault: no use in trying each line by itself. */
const wholesale = new Set(['MODEL_NOT_AVAILABLE', 'MODEL_DAMAGED', 'CANCELLED', 'EXPIRED', 'RESULT_EXPIRED']);

/** A run over /v1/embeddings: consecutive lines for the same model share tasks, for a task of many texts costs little more than one. */
export function cutEmbedUnits(size: TaskSize): CutUnits {
  return async function* (batches) {
    let gathered: EmbedLine[] = [];
    const room = new UnitRoom(size);
    for await (const lines of batches) {
      for (const line of lines) {
        const next = { ...line, request: requestOf(line) };
        if (!room.fits(next)) {
          yield embedUnit(gathered, size);
          gathered = [];
          room.clear();
        }
        gathered.push(next);
        room.add(next);
      }
    }
    if (gathered.length > 0) yield embedUnit(gathered, size);
  };
}

/** How full the unit is that is being gathered. */
class UnitRoom {
  private readonly size: TaskSize;
  private lines = 0;
  private texts = 0;
  private characters = 0;
  private model: string | undefined;

  constructor(size: TaskSize) {
    this.size = size;
  }

  fits({ request, bytes }: EmbedLine): boolean {
    if (this.lines === mostLines) return false;
    if (request instanceof MillraceError || this.texts === 0) return true;
    if (request.model !== this.model || this.characters + bytes > this.size.characters) return false;
    return this.texts + request.texts.length <= this.size.texts;
  }

  add({ request, bytes }: EmbedLine): void {
    this.lines += 1;
    if (request instanceof MillraceError) return;
    this.texts += request.texts.length;
    this.characters += bytes;
    this.model = request.model;
  }

  clear(): void {
    this.lines = 0;
    this.texts = 0;
    this.characters = 0;
    this.model = undefined;
  }
}

function requestOf(line: RunLine): EmbeddingRequest | MillraceError {
  try {
    return parseEmbeddingRequest(line.body);
  } catch (error) {
    return toMillraceError(error);
  }
}

function embedUnit(lines: readonly EmbedLine[], size: TaskSize): Unit {
  const texts = lines.reduce((sum, line) => sum + textsOf(line).length, 0);
  return {
    lines,
    end: lines.at(-1)?.end ?? { line: 0, byte: 0 },
    items: texts,
    bytes: lines.reduce((sum, { bytes }) => sum + bytes, 0),
    work: (runTask) => workOn(lines, size, runTask),
  };
}

async function workOn(lines: readonly EmbedLine[], size: TaskSize, runTask: RunOneTask): Promise<LineOutcome[]> {
  const all = await embedLines(lines, 'unit', { size, runTask });
  const asking = lines.filter((line) => textsOf(line).length > 0).length;
  let taken = 0;
  const ofLines = lines.map((line) => {
    const from = taken;
    taken += textsOf(line).length;
    return { line, outcomes: all.slice(from, taken) };
  });
  return await Promise.all(
    ofLines.map(async ({ line, outcomes }): Promise<LineOutcome> => {
      const { request } = line;
      if (request instanceof MillraceError) return { kind: 'failed', error: request };
      const failure = outcomes.find((outcome) => outcome instanceof MillraceError);
      if (failure === undefined || asking === 1 || wholesale.has(failure.code))
        return await outcomeOf(request, outcomes);
      // One bad text fails its task: each line for itself shows whose it was.
      return await outcomeOf(request, await embedLines([line], 'line', { size, runTask }));
    }),
  );
}

/** Embeds the texts of some lines for one model; an outcome for each text, in order. */
async function embedLines(
  lines: readonly EmbedLine[],
  part: string,
  { size, runTask }: { size: TaskSize; runTask: RunOneTask },
): Promise<TextOutcome[]> {
  const [first] = lines.filter((line) => textsOf(line).length > 0);
  if (first === undefined || first.request instanceof MillraceError) return [];
  const { model } = first.request;
  const tasks = splitTexts(lines.flatMap(textsOf), size).map(async (texts, index): Promise<TextOutcome[]> => {
    const submitted = { type: 'inference.embed', input: { texts, model } };
    const outcome = await runTask({ submitted, line: first.number, part: `${part}-${index}` });
    if (outcome.kind === 'succeeded') return embeddedTexts(outcome.result);
    return texts.map(() => (outcome.kind === 'failed' ? outcome.error : 'undone'));
  });
  return (await Promise.all(tasks)).flat();
}

async function outcomeOf(request: EmbeddingRequest, outcomes: readonly TextOutcome[]): Promise<LineOutcome> {
  const failure = outcomes.find((outcome) => outcome instanceof MillraceError);
  if (failure !== undefined) return { kind: 'failed', error: failure };
  const texts = outcomes.filter(
    (outcome): outcome is EmbeddedText => typeof outcome !== 'string' && 'vector' in outcome,
  );
  const [text] = texts;
  if (text === undefined || texts.length < outcomes.length) return { kind: 'undone' };
  try {
    checkDimensions(request, dimensionsOf(text));
  } catch (error) {
    return { kind: 'failed', error: toMillraceError(error) };
  }
  return { kind: 'succeeded', body: await embeddingAnswer(request, texts), tokens: tokensOf(texts) };
}

function textsOf({ request }: EmbedLine): readonly string[] {
  return request instanceof MillraceError ? [] : request.texts;
}
