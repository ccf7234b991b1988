import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { PipelineTask } from '@millrace/shared/tasks/inference/pipeline-variants';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pipelineRunner, type Runner, tinyModels } from './run-pipeline.ts';

let modelsDir: string;
let call: Runner['call'];
let run: Runner['run'];
beforeAll(async () => {
  modelsDir = await mkdtemp(path.join(os.tmpdir(), 'millrace-models-'));
  await cp(tinyModels, modelsDir, { recursive: true });
  // A word whose id is beyond the network's table: nobody knows before.
  const file = path.join(modelsDir, 'tiny-text-classifier', 'tokenizer.json');
  const tokenizer = JSON.parse(await readFile(file, 'utf8'));
  tokenizer.model.vocab.poison = 9999;
  await writeFile(file, JSON.stringify(tokenizer));
  const config = path.join(modelsDir, 'tiny-text-generation', 'tokenizer_config.json');
  const { chat_template: _template, ...rest } = JSON.parse(await readFile(config, 'utf8'));
  await writeFile(config, JSON.stringify(rest));
  ({ call, run } = pipelineRunner(modelsDir));
});
afterAll(() => rm(modelsDir, { recursive: true }));

/** What became of each item, in a word. */
async function codes(task: PipelineTask): Promise<string[]> {
  return (await call(task)).outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code));
}

async function messages(task: PipelineTask): Promise<string[]> {
  return (await call(task)).outcomes.map((outcome) => (outcome.ok ? '' : outcome.message));
}

describe('An input that cannot be run', () => {
  it('fails alone, and is told why: a text without a mask', async () => {
    const inputs = ['[MASK] France', 'no mask', `${'the '.repeat(70)}[MASK]`, 'Italy [MASK]'];
    const task: PipelineTask = { pipeline: 'fill-mask', model: 'tiny-fill-mask', inputs };
    expect(await codes(task)).toEqual(['ok', 'INVALID_INPUT', 'INVALID_INPUT', 'ok']);
    expect(await messages(task)).toEqual([
      '',
      'fill-mask by tiny-fill-mask: the text has no [MASK]',
      'fill-mask by tiny-fill-mask: [MASK] stands behind the 64 tokens that the model reads',
      '',
    ]);
  });

  it('fails alone: a question that leaves no room for its context', async () => {
    const inputs = [
      { question: 'who', context: 'anna' },
      { question: 'who '.repeat(70), context: 'anna' },
    ];
    const task: PipelineTask = { pipeline: 'question-answering', model: 'tiny-question-answering', inputs };
    expect(await codes(task)).toEqual(['ok', 'INVALID_INPUT']);
  });

  it('fails alone: a prompt that leaves no room to go on', async () => {
    const inputs = ['rain', 'the '.repeat(64), 'the '.repeat(62)];
    const task: PipelineTask = { pipeline: 'text-generation', model: 'tiny-text-generation', inputs };
    expect(await codes(task)).toEqual(['ok', 'INVALID_INPUT', 'ok']);
  });
});

describe('An input that makes the pipeline throw', () => {
  it('fails alone among those of its pass', async () => {
    const inputs = ['good', 'good poison', 'bad', 'bad'];
    const task: PipelineTask = { pipeline: 'text-classification', model: 'tiny-text-classifier', inputs };
    expect(await codes(task)).toEqual(['ok', 'PROCESSOR_FAILED', 'ok', 'ok']);
  });

  it('fails alone: a conversation, where the model has no chat template', async () => {
    const inputs = ['rain', [{ role: 'user' as const, content: 'rain' }]];
    const task: PipelineTask = { pipeline: 'text-generation', model: 'tiny-text-generation', inputs };
    expect(await codes(task)).toEqual(['ok', 'INVALID_INPUT']);
  });
});

describe('A model', () => {
  it('that is not there is named', async () => {
    const task: PipelineTask = { pipeline: 'fill-mask', model: 'no-such-model', inputs: ['a [MASK]', 'b [MASK]'] };
    expect(await codes(task)).toEqual(['MODEL_NOT_AVAILABLE', 'MODEL_NOT_AVAILABLE']);
    expect((await messages(task))[0]).toContain('no-such-model');
  });

  it('that is for another pipeline is not made to give numbers without a meaning', async () => {
    const task: PipelineTask = { pipeline: 'fill-mask', model: 'tiny-text-classifier', inputs: ['a [MASK]'] };
    expect(await messages(task)).toEqual([
      'Model tiny-text-classifier is a BertForSequenceClassification: it is for text-classification or zero-shot-classification, not for fill-mask.',
    ]);
    const classified: PipelineTask = { pipeline: 'text-classification', model: 'tiny-embedder', inputs: ['a'] };
    expect(await codes(classified)).toEqual(['INVALID_INPUT']);
    const written: PipelineTask = { pipeline: 'text-generation', model: 'tiny-translator', inputs: ['a'] };
    expect(await codes(written)).toEqual(['INVALID_INPUT']);
  });
});

describe('A text that is longer than the model reads', () => {
  it('is cut and says so', async () => {
    const inputs = ['good', `${'bad '.repeat(40)}${'good '.repeat(60)}`];
    const output = await run({ pipeline: 'text-classification', model: 'tiny-text-classifier', inputs });
    expect(output.truncated).toEqual([false, true]);
    expect(output.tokens).toEqual([3, 102]);
    // Of the 64 tokens most are bad; of all most are good.
    expect(output.outputs[1]).toMatchObject({ label: 'NEGATIVE' });
  });

  it('never pushes out what it is compared with', async () => {
    const long = `goal ${'the '.repeat(100)}`;
    const output = await run({
      pipeline: 'zero-shot-classification',
      model: 'tiny-zero-shot',
      inputs: [long, 'rain'],
      options: { candidate_labels: ['weather', 'money', 'sport'] },
    });
    expect(output.truncated).toEqual([true, false]);
    expect(output.outputs).toMatchObject([
      { sequence: long, labels: ['sport', 'weather', 'money'] },
      { labels: ['weather', 'money', 'sport'] },
    ]);
  });

  it('leaves room for what is written behind it', async () => {
    const inputs = [`${'the '.repeat(50)}once`];
    const { outputs } = await run({ pipeline: 'text-generation', model: 'tiny-text-generation', inputs });
    const [written] = outputs[0] as { generated_text: string }[];
    expect(
      written?.generated_text.endsWith('once upon a time there lived one miller who made flour for every town'),
    ).toBe(true);
  });
});
