import { z } from 'zod';

/** A model is a folder below MODELS_DIR, never a path out of it. */
export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)?$/, {
    error: 'a model name such as all-MiniLM-L6-v2 or org/name',
  })
  .max(128);

/** Which models of the hub a worker may load: `*` all, `org/*` those of an organisation, else a model's name. */
export type RemoteModels = readonly string[];

/** Whether a model may be loaded from the hub. */
export function allowsRemote(allowed: RemoteModels, model: string): boolean {
  return allowed.some((entry) => entry === '*' || entry === model || (entry.endsWith('/*') && isOf(entry, model)));
}

function isOf(organisation: string, model: string): boolean {
  return model.startsWith(organisation.slice(0, -1));
}
