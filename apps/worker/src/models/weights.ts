/** The kinds of ONNX file that a model may have, the ones that are taken first in front; the names are transformers.js's. */
export const dtypes = ['q8', 'int8', 'uint8', 'fp32', 'fp16', 'q4', 'q4f16', 'bnb4'] as const;
export type Dtype = (typeof dtypes)[number];

/** What a file's name has behind the name of its network. */
const suffixes: Readonly<Record<Dtype, string>> = {
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  fp32: '',
  fp16: '_fp16',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
};

/** The networks that models are made of: one, or an encoder and a decoder. */
const networks = ['model', 'encoder_model', 'decoder_model_merged'];

/** The ONNX files of a model that are loaded. */
export interface Weights {
  readonly dtype: Dtype;
  /** Paths in the folder: networks, and beside each the files that hold its weights if it does not itself. */
  readonly files: readonly string[];
}

/**
 * Chooses among the paths of a model's folder, of the kind that is wanted or of the first that every network has; undefined
 * when there is none.
 */
export function chooseWeights(paths: readonly string[], wanted?: Dtype): Weights | undefined {
  const there = networks.filter((network) => dtypes.some((dtype) => paths.includes(fileOf(network, dtype))));
  const choice = wanted === undefined ? dtypes : [wanted];
  const dtype = choice.find(
    (kind) => there.length > 0 && there.every((network) => paths.includes(fileOf(network, kind))),
  );
  if (dtype === undefined) return undefined;
  const files = there.map((network) => fileOf(network, dtype));
  // External data: model.onnx_data, model.onnx_data_1, model.onnx.data.
  return { dtype, files: paths.filter((path) => files.some((file) => path === file || isDataOf(path, file))).sort() };
}

/** Whether a file is a network, rather than weights beside one. */
export function isNetwork(path: string): boolean {
  return path.endsWith('.onnx');
}

function fileOf(network: string, dtype: Dtype): string {
  return `onnx/${network}${suffixes[dtype]}.onnx`;
}

function isDataOf(path: string, file: string): boolean {
  return path.startsWith(`${file}_data`) || path.startsWith(`${file}.data`);
}
