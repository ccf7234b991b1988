#!/usr/bin/env python3
"""Writes the tiny ONNX models of the tests into test/models/, in the layout of transformers.js.

Each answers by rules that a test can state ("good" is POSITIVE), so its weights are small whole numbers; where a model
needs weights without a meaning they are drawn with a fixed seed. Two runs give identical bytes.

Needs: pip install onnx==1.23.2 numpy==2.4.6     (made with Python 3.11.7, protobuf 7.36.2)
Use:   python3 scripts/make-tiny-models.py [FOLDER]          (default test/models; models that are there are replaced)
"""
import pathlib
import shutil
import sys

sys.dont_write_bytecode = True  # the folder of the script stays as it is

from tiny_models import bags, embedder, generators, pairs
from tiny_models.folder import write_model

MODELS = {
    "tiny-text-classifier": bags.text_classifier,
    "tiny-multilabel": bags.multilabel,
    "tiny-token-classifier": bags.token_classifier,
    "tiny-fill-mask": bags.fill_mask,
    "tiny-cross-encoder": pairs.cross_encoder,
    "tiny-question-answering": pairs.question_answering,
    "tiny-zero-shot": pairs.zero_shot,
    "tiny-embedder": embedder.cls_embedder,
    "tiny-text-generation": generators.text_generation,
    "tiny-translator": generators.translator,
}


def main() -> None:
    repository = pathlib.Path(__file__).resolve().parent.parent
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else repository / "test" / "models"
    for name, make in MODELS.items():
        folder = target / name
        shutil.rmtree(folder, ignore_errors=True)
        size = write_model(folder, make())
        print(f"{size:8} bytes  {folder}")


if __name__ == "__main__":
    main()
