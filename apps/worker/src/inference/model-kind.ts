import path from 'node:path';
import { z } from 'zod';
import { JsonFolder } from '../models/json-folder.ts';
import { openModel } from '../models/model-folder.ts';

/** What a model is for: vectors of texts, or labels and scores of a text or a pair. */
export type ModelKind = 'embedder' | 'classifier';

const configSchema = z.looseObject({ architectures: z.array(z.string()).nullish() });

/**
 * Tells by the architecture that config.json names; what is no sequence classifier is taken for an embedding model. Reads that
 * one file, unless it is not there yet.
 * @throws MillraceError MODEL_NOT_AVAILABLE.
 */
export async function readModelKind(place: Parameters<typeof openModel>[0]): Promise<ModelKind> {
  const folder = new JsonFolder(place.model, path.join(place.modelsDir, place.model));
  const config =
    (await folder.read('config.json', configSchema)) ?? configSchema.parse((await openModel(place)).config);
  const isClassifier = config.architectures?.some((name) => name.endsWith('ForSequenceClassification')) ?? false;
  return isClassifier ? 'classifier' : 'embedder';
}
