"""Models that write: one goes on with a text, one translates it."""
import numpy as np

from .folder import Model
from .graph import BATCH, FLOAT, SEQUENCE, Graph
from .words import ENGLISH_TO_GERMAN, ID, PAD, SEP, STORIES, VOCABULARY

HEADS, HEAD_WIDTH = 2, 4
ENDS = {"eos_token_id": SEP, "pad_token_id": PAD}


def text_generation() -> Model:
    """
    Goes on with the story that the last word belongs to, to its end. The layout is GPT-2's with a cache: attention over past
    and present is computed for real, and moves the logits too little to change a word.
    """
    draw = np.random.default_rng(20_240_602)
    graph = Graph()
    ids = graph.input("input_ids", [BATCH, SEQUENCE])
    mask = graph.input("attention_mask", [BATCH, "total_sequence_length"])
    past = [
        graph.input(f"past_key_values.0.{name}", [BATCH, HEADS, "past_sequence_length", HEAD_WIDTH], FLOAT)
        for name in ("key", "value")
    ]
    width = HEADS * HEAD_WIDTH
    hidden = graph.lookup(draw.normal(0, 1, (len(VOCABULARY), width)), ids)
    query, key, value = (_heads(graph, hidden, draw.normal(0, width**-0.5, (width, width))) for _ in range(3))
    keys, values = (graph.op("Concat", old, new, axis=2) for old, new in zip(past, (key, value)))
    scores = graph.op("MatMul", query, graph.op("Transpose", keys, perm=[0, 1, 3, 2]))
    allowed = graph.op("Mul", _causal(graph, query, keys), graph.op("Unsqueeze", graph.float(mask), graph.ints(1, 2)))
    attended = graph.op("MatMul", graph.op("Softmax", graph.masked(scores, allowed), axis=-1), values)
    joined = graph.op("Reshape", graph.op("Transpose", attended, perm=[0, 2, 1, 3]), graph.ints(0, 0, width))
    nudge = graph.op("MatMul", joined, graph.constant(draw.normal(0, 0.01, (width, len(VOCABULARY)))))
    logits = graph.op("Add", graph.one_hot(graph.lookup(_next_words(), ids, np.int64), len(VOCABULARY), 12.0), nudge)
    graph.output("logits", logits, [BATCH, SEQUENCE, len(VOCABULARY)])
    for name, tensor in (("key", keys), ("value", values)):
        graph.output(f"present.0.{name}", tensor, [BATCH, HEADS, "total_sequence_length", HEAD_WIDTH])
    config = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_head": HEADS, "n_layer": 1, "n_embd": width, **ENDS}
    chat = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
    return Model(
        config,
        {"model.onnx": graph.model()},
        template="none",
        tokenizer_config={"tokenizer_class": "GPT2Tokenizer", "eos_token": "[SEP]", "chat_template": chat},
        files={"generation_config.json": ENDS},
    )


def _next_words() -> np.ndarray:
    """The word after each; a story ends with [SEP], and behind that another would begin."""
    following = np.full(len(VOCABULARY), SEP, np.int64)
    following[SEP] = ID["rain"]
    for story in STORIES:
        words = story.split()
        for word, after in zip(words, words[1:]):
            following[ID[word]] = ID[after]
    return following


def _heads(graph: Graph, hidden: str, weights: np.ndarray) -> str:
    """[batch, sequence, width] -> [batch, heads, sequence, head width]."""
    projected = graph.op("MatMul", hidden, graph.constant(weights))
    return graph.op("Transpose", graph.op("Reshape", projected, graph.ints(0, 0, HEADS, HEAD_WIDTH)), perm=[0, 2, 1, 3])


def _causal(graph: Graph, query: str, keys: str) -> str:
    """1 where a token may look: at itself and what is before it; [queries, keys]."""
    zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    here = graph.op("Gather", graph.op("Shape", query), graph.constant(2, np.int64))
    total = graph.op("Gather", graph.op("Shape", keys), graph.constant(2, np.int64))
    places = graph.op("Range", zero, total, one)
    own = graph.op("Add", graph.op("Range", zero, here, one), graph.op("Sub", total, here))
    return graph.float(graph.op("LessOrEqual", graph.unsqueeze(places, 0), graph.unsqueeze(own, 1)))


def translator() -> Model:
    """
    English to German, word by word; words that it does not know stay as they are, and no word may stand twice. The layout is
    T5's without a cache. The encoder gives for each word the translation of the one before it (the key) and its own (the
    value); the decoder looks for the word that it wrote last among the keys.
    """
    german = np.arange(len(VOCABULARY))
    for word, translation in ENGLISH_TO_GERMAN.items():
        german[ID[word]] = ID[translation]
    graph = Graph()
    ids, _mask = graph.tokens("input_ids", "attention_mask")
    written = graph.lookup(german, ids, np.int64)
    first = graph.op("Slice", written, graph.ints(0), graph.ints(1), graph.ints(1))
    start = graph.op("Mul", first, graph.constant(0, np.int64))  # [PAD], which a decoder begins with
    before = graph.op("Concat", start, graph.op("Slice", written, graph.ints(0), graph.ints(-1), graph.ints(1)), axis=1)
    size = len(VOCABULARY)
    hidden = graph.op("Concat", graph.one_hot(before, size), graph.one_hot(written, size), axis=2)
    graph.output("last_hidden_state", hidden, [BATCH, SEQUENCE, 2 * size])
    config = {
        "model_type": "t5",
        "architectures": ["T5ForConditionalGeneration"],
        "is_encoder_decoder": True,
        "d_model": 2 * size,
        "d_kv": size,
        "num_heads": 1,
        "num_layers": 1,
        "num_decoder_layers": 1,
        "decoder_start_token_id": PAD,
        **ENDS,
    }
    return Model(
        config,
        {"encoder_model.onnx": graph.model(), "decoder_model_merged.onnx": _decoder(size).model()},
        template="end",
        tokenizer_config={"tokenizer_class": "T5Tokenizer", "eos_token": "[SEP]"},
        files={"generation_config.json": {**ENDS, "decoder_start_token_id": PAD}},
    )


def _decoder(size: int) -> Graph:
    graph = Graph()
    mask = graph.input("encoder_attention_mask", [BATCH, "encoder_sequence_length"])
    ids = graph.input("input_ids", [BATCH, SEQUENCE])
    hidden = graph.input("encoder_hidden_states", [BATCH, "encoder_sequence_length", 2 * size], FLOAT)
    keys, values = (
        graph.op("Slice", hidden, graph.ints(begin), graph.ints(begin + size), graph.ints(2)) for begin in (0, size)
    )
    scores = graph.op("MatMul", graph.one_hot(ids, size, 20.0), graph.op("Transpose", keys, perm=[0, 2, 1]))
    attention = graph.op("Softmax", graph.masked(scores, graph.unsqueeze(graph.float(mask), 1)), axis=-1)
    logits = graph.op("Mul", graph.op("MatMul", attention, values), graph.constant(20.0))
    graph.output("logits", logits, [BATCH, SEQUENCE, size])
    return graph
