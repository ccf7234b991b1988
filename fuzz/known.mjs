/** @typedef {'task' | 'file' | 'batch' | 'collection' | 'schedule' | 'point' | 'family' | 'code' | 'model' | 'cursor'} Kind */

/** Of each kind so many are remembered, the newest. */
const remembered = 200;

/** What exists in the mill by now, so that requests meet it. */
export class Known {
  /** @type {Map<Kind, string[]>} */
  #names = new Map([
    ['family', ['text', 'vector', 'inference']],
    ['collection', ['fuzz']],
    ['schedule', ['fuzz']],
    ['point', ['1']],
    ['code', ['QUEUE_FULL', 'INTERNAL']],
    ['model', ['bge-small-en-v1.5']],
  ]);

  /**
   * @param {string} path of the operation, or of a field that names something
   * @param {string} parameter
   * @param {number} dice
   */
  pick(path, parameter, dice) {
    const names = this.#names.get(kindOf(path, parameter)) ?? ['fuzz'];
    return names[dice % names.length] ?? 'fuzz';
  }

  /**
   * Remembers what an answer tells of.
   *
   * @param {string} path of the operation
   * @param {unknown} answer
   */
  learn(path, answer) {
    const { id, name, items, nextCursor } = /** @type {Record<string, unknown>} */ (answer ?? {});
    for (const item of Array.isArray(items) ? items : []) if (typeof item?.id === 'string') this.#add('task', item.id);
    if (typeof id === 'string') this.#add(kindOf(path, 'id'), id);
    if (typeof name === 'string') this.#add(kindOf(path, 'name'), name);
    if (typeof nextCursor === 'string') this.#add('cursor', nextCursor);
  }

  /**
   * @param {Kind} kind
   * @param {string} name
   */
  #add(kind, name) {
    const names = this.#names.get(kind) ?? [];
    if (!names.includes(name)) this.#names.set(kind, [...names, name].slice(-remembered));
  }
}

/**
 * @param {string} path
 * @param {string} parameter
 * @returns {Kind}
 */
function kindOf(path, parameter) {
  if (parameter === 'cursor') return 'cursor';
  if (parameter === 'input_file_id' || path.startsWith('/v1/files')) return 'file';
  if (parameter === 'family') return 'family';
  if (path.startsWith('/v1/batches')) return 'batch';
  if (path.startsWith('/v1/schedules')) return 'schedule';
  if (path.startsWith('/v1/models')) return 'model';
  if (path.startsWith('/errors')) return 'code';
  if (parameter === 'collection') return 'collection';
  if (path.startsWith('/v1/collections') && parameter === 'name') return 'collection';
  return path.endsWith('/points/{id}') ? 'point' : 'task';
}
