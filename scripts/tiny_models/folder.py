"""Writes one model folder: config, tokenizer and ONNX files, as transformers.js looks for them."""
import json
import pathlib
from dataclasses import dataclass, field

import onnx

from .words import CLS, ID, MASK, PAD, SEP, SPECIAL, UNK

# Tokens that every tiny model reads of a text.
TOKEN_LIMIT = 64


@dataclass
class Model:
    """What a folder is made of; `files` maps a path in it to its JSON."""

    config: dict
    graphs: dict[str, onnx.ModelProto]
    template: str = "pair"
    tokenizer_config: dict = field(default_factory=dict)
    files: dict[str, dict] = field(default_factory=dict)


def write_model(folder: pathlib.Path, model: Model) -> int:
    """Writes the folder; gives its size in bytes."""
    (folder / "onnx").mkdir(parents=True)
    documents = {
        "config.json": {"vocab_size": len(ID), "pad_token_id": PAD, "max_position_embeddings": TOKEN_LIMIT, **model.config},
        "tokenizer.json": _tokenizer(model.template),
        "tokenizer_config.json": {**_tokenizer_config(), **model.tokenizer_config},
        **model.files,
    }
    for name, document in documents.items():
        indent = None if name == "tokenizer.json" else 2
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(document, indent=indent) + "\n")
    for name, graph in model.graphs.items():
        onnx.checker.check_model(graph)
        (folder / "onnx" / name).write_bytes(graph.SerializeToString(deterministic=True))
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def labels(*names: str) -> dict:
    """The part of a config that names the labels."""
    return {
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
    }


def _tokenizer_config() -> dict:
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": TOKEN_LIMIT,
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }


def _special(token: str, type_id: int) -> dict:
    return {"SpecialToken": {"id": token, "type_id": type_id}}


def _sequence(name: str, type_id: int) -> dict:
    return {"Sequence": {"id": name, "type_id": type_id}}


def _post_processor(template: str) -> dict | None:
    """`pair`: BERT's [CLS] A [SEP] B [SEP]; `end`: A [SEP], as translators have it; `none`: the text alone."""
    if template == "none":
        return None
    start = [_special("[CLS]", 0)] if template == "pair" else []
    single = [*start, _sequence("A", 0), _special("[SEP]", 0)]
    used = ["[CLS]", "[SEP]"] if template == "pair" else ["[SEP]"]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, _sequence("B", 1), _special("[SEP]", 1)],
        "special_tokens": {token: {"id": token, "ids": [ID[token]], "tokens": [token]} for token in used},
    }


def _tokenizer(template: str) -> dict:
    added = [
        {"id": index, "special": True, "content": SPECIAL[index], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        for index in (PAD, UNK, CLS, SEP, MASK)
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": _post_processor(template),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ID},
    }
