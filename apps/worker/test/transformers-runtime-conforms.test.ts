import { describeModelRuntime } from '../../../test/conformance/model-runtime.ts';
import { transformersRuntime } from '../src/inference/runtimes/transformers.ts';

describeModelRuntime('transformers.js', transformersRuntime);
