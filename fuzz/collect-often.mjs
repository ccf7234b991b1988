import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const everyMs = 1500;

/** Collects garbage again and again in this process, so that its memory is what lives, and not what V8 lets lie. */
export function collectOften() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  setInterval(() => collect(), everyMs).unref();
}
