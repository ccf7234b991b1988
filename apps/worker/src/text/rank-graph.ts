/** A weighted graph in compressed rows: the edges of node i are at rowStart[i] up to rowStart[i + 1]. Every edge is there both ways. */
export interface Graph {
  readonly size: number;
  readonly rowStart: Int32Array;
  readonly columns: Int32Array;
  readonly weights: Float32Array;
}

/** As in Brin & Page 1998, and in TextRank. */
const damping = 0.85;
const mostRounds = 100;
/** Share of the mean score that a node may still move by when it is enough. */
const tolerance = 1e-4;

/**
 * How central each node is: PageRank over weighted edges, as TextRank (Mihalcea & Tarau 2004)
 * have it. The mean score is 1. The same graph gives the same scores, to the last bit.
 */
export function rankNodes({ size, rowStart, columns, weights }: Graph): Float64Array {
  const strength = new Float64Array(size);
  for (let node = 0; node < size; node += 1) {
    let sum = 0;
    for (let edge = at(rowStart, node); edge < at(rowStart, node + 1); edge += 1) sum += at(weights, edge);
    strength[node] = sum;
  }
  let scores = new Float64Array(size).fill(1);
  for (let round = 0; round < mostRounds; round += 1) {
    const next = new Float64Array(size);
    let moved = 0;
    for (let node = 0; node < size; node += 1) {
      let sum = 0;
      for (let edge = at(rowStart, node); edge < at(rowStart, node + 1); edge += 1) {
        const other = at(columns, edge);
        sum += (at(weights, edge) / at(strength, other)) * at(scores, other);
      }
      const score = 1 - damping + damping * sum;
      next[node] = score;
      moved = Math.max(moved, Math.abs(score - at(scores, node)));
    }
    scores = next;
    if (moved < tolerance) break;
  }
  return scores;
}

/** An element that is there. */
function at(numbers: Int32Array | Float32Array | Float64Array, index: number): number {
  return numbers[index] as number;
}

/** The graph of edges that are there one way each, by `from * size + to`, in the order they were put in. */
export function graphOf(size: number, edges: ReadonlyMap<number, number>): Graph {
  const rowStart = new Int32Array(size + 1);
  for (const key of edges.keys()) {
    for (const node of [Math.floor(key / size), key % size]) rowStart[node + 1] = at(rowStart, node + 1) + 1;
  }
  for (let node = 0; node < size; node += 1) rowStart[node + 1] = at(rowStart, node + 1) + at(rowStart, node);
  const filled = rowStart.slice(0, size);
  const columns = new Int32Array(edges.size * 2);
  const weights = new Float32Array(edges.size * 2);
  const put = (node: number, other: number, weight: number) => {
    const place = at(filled, node);
    columns[place] = other;
    weights[place] = weight;
    filled[node] = place + 1;
  };
  for (const [key, weight] of edges) {
    const [from, to] = [Math.floor(key / size), key % size];
    put(from, to, weight);
    put(to, from, weight);
  }
  return { size, rowStart, columns, weights };
}
