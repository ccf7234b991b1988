"""A sentence embedder whose vector is that of the [CLS] token, and that takes no token_type_ids."""
import numpy as np

from .folder import TOKEN_LIMIT, Model
from .graph import BATCH, SEQUENCE, Graph
from .words import VOCABULARY

DIMENSIONS = 32


def attention(graph: Graph, hidden: str, allowed: str, draw: np.random.Generator) -> str:
    """One head of self-attention with weights without a meaning; `allowed` is [batch, 1, sequence]."""
    width = DIMENSIONS
    query, key, value = (
        graph.op("MatMul", hidden, graph.constant(draw.normal(0, width**-0.5, (width, width)))) for _ in range(3)
    )
    scores = graph.op("MatMul", query, graph.op("Transpose", key, perm=[0, 2, 1]))
    scaled = graph.op("Mul", scores, graph.constant(width**-0.5))
    return graph.op("MatMul", graph.op("Softmax", graph.masked(scaled, allowed), axis=-1), value)


def cls_embedder() -> Model:
    """Texts that share words have vectors that point the same way."""
    draw = np.random.default_rng(20_240_601)
    graph = Graph()
    ids, mask = graph.tokens("input_ids", "attention_mask")
    words = graph.lookup(draw.normal(0, 1, (len(VOCABULARY), DIMENSIONS)), ids)
    length = graph.op("Slice", graph.op("Shape", ids), graph.ints(1), graph.ints(2))
    places = graph.constant(draw.normal(0, 0.1, (TOKEN_LIMIT, DIMENSIONS)))
    hidden = graph.op("Add", words, graph.op("Slice", places, graph.ints(0), length, graph.ints(0)))
    attended = attention(graph, hidden, graph.unsqueeze(graph.float(mask), 1), draw)
    # What a token attends to counts for more than the token itself: [CLS] is the same in every text.
    mixed = graph.op("Add", graph.op("Mul", hidden, graph.constant(0.1)), attended)
    scale, shift = graph.constant(np.ones(DIMENSIONS)), graph.constant(np.zeros(DIMENSIONS))
    normal = graph.op("LayerNormalization", mixed, scale, shift, axis=-1, epsilon=1e-12)
    graph.output("last_hidden_state", normal, [BATCH, SEQUENCE, DIMENSIONS])
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": DIMENSIONS,
        "num_attention_heads": 1,
        "num_hidden_layers": 1,
        "type_vocab_size": 2,
    }
    pooling = {"word_embedding_dimension": DIMENSIONS, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    return Model(config, {"model.onnx": graph.model()}, files={"1_Pooling/config.json": pooling})
