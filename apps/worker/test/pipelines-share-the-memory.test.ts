import { describe, expect, it } from 'vitest';
import { Models } from '../src/inference/models.ts';
import { transformersRuntime } from '../src/inference/runtimes/transformers.ts';
import { tinyModels } from './run-pipeline.ts';

describe('Pipelines that do not fit the memory together', () => {
  it('take turns, and each that is loaded again gives what it gave', async () => {
    const runtime = transformersRuntime({ modelsDir: tinyModels, threads: 1 });
    // One tiny model is put at 32 MiB and a little more, for what a session keeps while it computes.
    const models = new Models({ runtime, modelsDir: tinyModels, memoryLimit: 48 * 2 ** 20, now: Date.now });
    const classify = async () => {
      const pipeline = await models.pipeline('text-classification', 'tiny-text-classifier');
      const outputs = await pipeline.run(['good', 'bad'], {});
      await models.endCall();
      return outputs;
    };
    const translate = async () => {
      const pipeline = await models.pipeline('translation', 'tiny-translator');
      const outputs = await pipeline.run(['the mill'], {});
      await models.endCall();
      return outputs;
    };
    const first = await classify();
    expect(await translate()).toEqual([{ translation_text: 'die muehle' }]);
    expect(models.loaded.map(({ name }) => name)).toEqual(['tiny-translator']);
    expect(await classify()).toEqual(first);
    expect(models.loaded.map(({ name }) => name)).toEqual(['tiny-text-classifier']);
  });
});
