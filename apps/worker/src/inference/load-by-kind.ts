import { toMillraceError } from '@millrace/shared/errors';
import { failed, type ItemOutcome } from '@millrace/shared/tasks/processor';
import type { Models } from './models.ts';
import type { Embedder, SequenceClassifier } from './runtime.ts';

/** A model as what it is; `unable`: what each item gets because it does not load. */
type LoadedByKind =
  | { readonly kind: 'embedder'; readonly embedder: Embedder }
  | { readonly kind: 'classifier'; readonly classifier: SequenceClassifier }
  | { readonly kind: 'unable'; readonly outcome: ItemOutcome<never> };

/** Loads a model as an embedding model or a sequence classifier, whichever it is. */
export async function loadByKind(models: Models, model: string): Promise<LoadedByKind> {
  try {
    const kind = await models.kindOf(model);
    return kind === 'classifier'
      ? { kind, classifier: await models.classifier(model) }
      : { kind, embedder: await models.embedder(model) };
  } catch (error) {
    const { code, message } = toMillraceError(error);
    return { kind: 'unable', outcome: failed(code, message) };
  }
}
