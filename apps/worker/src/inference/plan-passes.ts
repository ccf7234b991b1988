/** What a forward pass costs besides its tokens, in tokens: measured about 2 ms where a token takes 0.09 ms. */
const passOverhead = 20;

/**
 * Cuts texts into forward passes so that the padded tokens, and the fixed cost of each pass, add up to the least: the batcher
 * puts like lengths together by estimate, here the lengths are exact. `lengths` in tokens; gives indices, shortest texts
 * first. Dynamic programming over the sorted lengths; `budget` bounds the padded tokens of one pass (one text may exceed it).
 */
export function planPasses(lengths: readonly number[], budget: number): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0));
  // best[n]: the least cost of the n shortest texts; cut[n]: where the last of their passes begins.
  const best = [0];
  const cut = [0];
  for (let end = 1; end <= order.length; end += 1) {
    const longest = lengths[order[end - 1] ?? 0] ?? 0;
    let least = Number.POSITIVE_INFINITY;
    let from = end - 1;
    for (let start = end - 1; start >= 0; start -= 1) {
      const padded = longest * (end - start);
      if (padded > budget && start < end - 1) break;
      const total = (best[start] ?? 0) + padded + passOverhead;
      if (total < least) {
        least = total;
        from = start;
      }
    }
    best.push(least);
    cut.push(from);
  }
  const passes: number[][] = [];
  for (let end = order.length; end > 0; end = cut[end] ?? 0) passes.push(order.slice(cut[end] ?? 0, end));
  return passes.reverse();
}
