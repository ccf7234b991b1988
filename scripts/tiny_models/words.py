"""The vocabulary that all tiny models share, and what its words mean to them."""
import string

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

POSITIVE = "good great excellent wonderful happy love lovely".split()
NEGATIVE = "bad terrible awful poor sad hate broken".split()
QUESTION = "who where what when why how".split()
URGENT = "urgent now immediately soon".split()

FIRST_NAMES = "anna bruno clara david".split()
FAMILY_NAMES = "smith miller baker".split()
PLACES = "paris rome berlin vienna london".split()
COUNTRIES = "france italy germany austria england".split()  # each the country of the place above it
THINGS = "flour bread corn wheel stone river bridge".split()

TOPICS = {
    "sport": "football team goal match striker player".split(),
    "money": "bank price market grain tax coin".split(),
    "weather": "rain snow storm wind sun cold".split(),
}

ENGLISH_TO_GERMAN = {
    "the": "die",
    "mill": "muehle",
    "turns": "dreht",
    "and": "und",
    "water": "wasser",
    "runs": "laeuft",
    "bread": "brot",
    "is": "ist",
    "good": "gut",
    "old": "alt",
}

# A sentence each; a word is followed by the same word wherever it stands, so no word may stand in two places.
STORIES = [
    "once upon a time there lived one miller who made flour for every town .",
    "the mill turns while water runs",
    "rain falls",
]

# Words that mean nothing by themselves: no document is found by them.
SMALL = "a an the is are was of in on at to it and this that example about by with from for as one".split()
PLAIN = "capital works lives not new york".split()


def _vocabulary() -> list[str]:
    letters = string.ascii_lowercase + string.digits
    pieces = [*letters, *(f"##{letter}" for letter in letters), *string.punctuation]
    groups = [POSITIVE, NEGATIVE, QUESTION, URGENT, FIRST_NAMES, FAMILY_NAMES, PLACES, COUNTRIES, THINGS, SMALL, PLAIN]
    groups += [[topic, *words] for topic, words in TOPICS.items()]
    groups += [list(ENGLISH_TO_GERMAN), list(ENGLISH_TO_GERMAN.values()), *(story.split() for story in STORIES)]
    return list(dict.fromkeys([*SPECIAL, *pieces, *(word for group in groups for word in group)]))


VOCABULARY = _vocabulary()
ID = {word: index for index, word in enumerate(VOCABULARY)}
