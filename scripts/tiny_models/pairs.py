"""Models that read two texts, A and B, and compare them word by word."""
import string

import numpy as np

from .bags import BERT
from .folder import Model, labels
from .graph import BATCH, SEQUENCE, Graph
from .words import FIRST_NAMES, ID, PLACES, SMALL, SPECIAL, THINGS, TOPICS, VOCABULARY


def _words_that_count() -> np.ndarray:
    """1 for words that can match, 0 for special tokens, punctuation and small words."""
    counts = np.ones(len(VOCABULARY))
    for word in [*SPECIAL, *SMALL, *string.punctuation]:
        counts[ID[word]] = 0
    return counts


def _sides(graph: Graph, counts: np.ndarray) -> tuple[str, str, str]:
    """The ids, and for A and for B the weight of each token (0 when it belongs to the other, to padding, or counts nothing)."""
    ids, mask, types = graph.tokens("input_ids", "attention_mask", "token_type_ids")
    weight = graph.op("Mul", graph.lookup(counts, ids), graph.float(mask))
    in_b = graph.float(types)
    in_a = graph.op("Sub", graph.constant(1.0), in_b)
    return ids, graph.op("Mul", weight, in_a), graph.op("Mul", weight, in_b)


def _found(graph: Graph, meanings: str, wanted: str, there: str) -> tuple[str, str]:
    """How many of the `wanted` tokens have their meaning among those that are `there`, and how many there are of them; [batch]."""
    same = graph.float(graph.op("Equal", graph.unsqueeze(meanings, 2), graph.unsqueeze(meanings, 1)))
    hits = graph.op("ReduceMax", graph.op("Mul", same, graph.unsqueeze(there, 1)), axes=[2], keepdims=0)
    return graph.sum(graph.op("Mul", hits, wanted), 1, keep=True), graph.sum(wanted, 1, keep=True)


def cross_encoder() -> Model:
    """One logit: 4 when every word of the query (A) is in the document (B), -4 when none is."""
    graph = Graph()
    ids, query, document = _sides(graph, _words_that_count())
    found, wanted = _found(graph, ids, query, document)
    share = graph.op("Div", found, graph.op("Max", wanted, graph.constant(1.0)))
    logits = graph.op("Sub", graph.op("Mul", share, graph.constant(8.0)), graph.constant(4.0))
    graph.output("logits", logits, [BATCH, 1])
    config = {**BERT, "architectures": ["BertForSequenceClassification"], **labels("LABEL_0")}
    return Model(config, {"model.onnx": graph.model()})


def zero_shot() -> Model:
    """A entails B when it has a word of the topic that B names (football: sport); otherwise it contradicts it."""
    meaning = np.arange(len(VOCABULARY))
    for topic, words in TOPICS.items():
        for word in words:
            meaning[ID[word]] = ID[topic]
    graph = Graph()
    ids, premise, hypothesis = _sides(graph, _words_that_count())
    found, wanted = _found(graph, graph.lookup(meaning, ids, np.int64), hypothesis, premise)
    missed = graph.op("Sub", wanted, found)
    score = graph.op("Mul", graph.op("Sub", found, missed), graph.constant(3.0))
    neutral = graph.op("Mul", score, graph.constant(0.0))
    graph.output("logits", graph.op("Concat", graph.op("Neg", score), neutral, score, axis=1), [BATCH, 3])
    config = {
        **BERT,
        "architectures": ["BertForSequenceClassification"],
        **labels("contradiction", "neutral", "entailment"),
    }
    return Model(config, {"model.onnx": graph.model()})


def question_answering() -> Model:
    """The question (A) says what is asked for: who, where or what; the answer is the first such name, place or thing of B."""
    kinds = {"who": FIRST_NAMES, "where": [*PLACES, "new"], "what": THINGS}
    asks, begins, ends = (np.zeros((len(VOCABULARY), len(kinds))) for _ in range(3))
    for column, (question, words) in enumerate(kinds.items()):
        asks[ID[question], column] = 12
        for word in words:
            begins[ID[word], column] = ends[ID[word], column] = 1
    # A place of two words ends with its second.
    ends[ID["new"], 1], ends[ID["york"], 1] = 0, 1
    graph = Graph()
    ids, question, context = _sides(graph, np.ones(len(VOCABULARY)))
    asked = graph.sum(graph.op("Mul", graph.lookup(asks, ids), graph.unsqueeze(question, 2)), 1, keep=True)
    for name, table in (("start_logits", begins), ("end_logits", ends)):
        matches = graph.sum(graph.op("Mul", graph.lookup(table, ids), asked), 2)
        graph.output(name, graph.op("Mul", matches, context), [BATCH, SEQUENCE])
    config = {**BERT, "architectures": ["BertForQuestionAnswering"]}
    return Model(config, {"model.onnx": graph.model()})
