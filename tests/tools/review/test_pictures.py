import numpy as np

from digits.splits.split import Split
from tools.review import pictures


def test_curves_confusion_and_the_images_that_one_alone_reads(make_side):
    base, this = make_side("base", mistakes=range(10)), make_side("this", mistakes=range(5, 30))
    test = Split(np.zeros((100, 4, 4, 1), np.uint8), np.zeros(100, np.int64))
    drawn = pictures.pictures(base, this, test)
    assert list(drawn) == ["curves", "confusion_base", "confusion_this", "gained", "lost"]
    assert drawn["gained"].get_suptitle() == "5 read rightly by this alone"
    assert drawn["lost"].get_suptitle() == "16 of 20 read rightly by base alone"
    assert drawn["gained"].axes[0].texts[0].get_text() == "a: b → a"


def test_what_is_not_at_hand_is_left_out(make_side):
    bare = make_side("base", predictions=None, history=None)
    assert list(pictures.pictures(bare, make_side("this"), None)) == ["confusion_this"]


def test_the_confusion_counts_every_prediction(make_side):
    matrix = pictures.confusion(make_side("base", mistakes=[0, 2, 3]).predictions, ["a", "b"])
    assert matrix.tolist() == [[48, 2], [1, 49]]
