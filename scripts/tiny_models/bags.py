"""Models that look at each token by itself: what a text means is the sum of what its words mean."""
import numpy as np

from .folder import Model, labels
from .graph import BATCH, SEQUENCE, Graph
from .words import (COUNTRIES, FAMILY_NAMES, FIRST_NAMES, ID, NEGATIVE, PLACES, POSITIVE, QUESTION, URGENT, VOCABULARY)

BERT = {"model_type": "bert", "hidden_size": 32, "num_attention_heads": 1, "num_hidden_layers": 1, "type_vocab_size": 2}


def _table(columns: int, groups: list[tuple[list[str], int, int]]) -> np.ndarray:
    """A row per word; each group is (words, column, weight)."""
    table = np.zeros((len(VOCABULARY), columns))
    for words, column, weight in groups:
        for word in words:
            table[ID[word], column] += weight
    return table


def _summed(table: np.ndarray, bias: list[float]) -> Graph:
    """Logits = the sum of the rows of a text's tokens, and a bias."""
    graph = Graph()
    ids, mask, _types = graph.tokens("input_ids", "attention_mask", "token_type_ids")
    rows = graph.op("Mul", graph.lookup(table, ids), graph.unsqueeze(graph.float(mask), 2))
    logits = graph.op("Add", graph.sum(rows, 1), graph.constant(bias))
    graph.output("logits", logits, [BATCH, len(bias)])
    return graph


def text_classifier() -> Model:
    """More good words than bad ones: POSITIVE; more bad ones: NEGATIVE; as many: NEUTRAL."""
    table = _table(3, [(NEGATIVE, 0, 4), (POSITIVE, 0, -4), (POSITIVE, 2, 4), (NEGATIVE, 2, -4)])
    config = {**BERT, "architectures": ["BertForSequenceClassification"], **labels("NEGATIVE", "NEUTRAL", "POSITIVE")}
    return Model(config, {"model.onnx": _summed(table, [0, 2, 0]).model()})


def multilabel() -> Model:
    """Any of praise, complaint, question and urgent, each by its words."""
    groups = [(POSITIVE, 0, 6), (NEGATIVE, 1, 6), ([*QUESTION, "?"], 2, 6), (URGENT, 3, 6)]
    config = {
        **BERT,
        "architectures": ["BertForSequenceClassification"],
        "problem_type": "multi_label_classification",
        **labels("praise", "complaint", "question", "urgent"),
    }
    return Model(config, {"model.onnx": _summed(_table(4, groups), [-3] * 4).model()})


def token_classifier() -> Model:
    """First names begin a PER, family names go on with it; places are LOC, of two words new york alone."""
    groups = [(FIRST_NAMES, 1, 8), (FAMILY_NAMES, 2, 8), ([*PLACES, "new"], 3, 8), (["york"], 4, 8)]
    graph = Graph()
    ids, _mask, _types = graph.tokens("input_ids", "attention_mask", "token_type_ids")
    logits = graph.op("Add", graph.lookup(_table(5, groups), ids), graph.constant([3, 0, 0, 0, 0]))
    graph.output("logits", logits, [BATCH, SEQUENCE, 5])
    config = {
        **BERT,
        "architectures": ["BertForTokenClassification"],
        **labels("O", "B-PER", "I-PER", "B-LOC", "I-LOC"),
    }
    return Model(config, {"model.onnx": graph.model()})


def fill_mask() -> Model:
    """What is masked is the capital of the country that the text names."""
    target = np.zeros(len(VOCABULARY), np.int64)
    known = np.zeros(len(VOCABULARY))
    for country, place in zip(COUNTRIES, PLACES):
        target[ID[country]] = ID[place]
        known[ID[country]] = 10
    graph = Graph()
    ids, mask, _types = graph.tokens("input_ids", "attention_mask", "token_type_ids")
    weight = graph.op("Mul", graph.lookup(known, ids), graph.float(mask))
    votes = graph.op("Mul", graph.one_hot(graph.lookup(target, ids, np.int64), len(VOCABULARY)), graph.unsqueeze(weight, 2))
    # Every token of a text gets the same logits.
    each = graph.op("Mul", graph.sum(votes, 1, keep=True), graph.unsqueeze(graph.float(mask), 2))
    graph.output("logits", each, [BATCH, SEQUENCE, len(VOCABULARY)])
    config = {**BERT, "architectures": ["BertForMaskedLM"]}
    return Model(config, {"model.onnx": graph.model()})
