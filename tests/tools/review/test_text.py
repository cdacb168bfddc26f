import re

from tools.review import text
from tools.review.figures import GOOD, compared
from tools.review.pictures import pictures


def sides(make_side):
    base = make_side("main", mistakes=range(12), params={"recipes.tiny.epochs": 2, "gone": 1})
    return base, make_side("<this>", mistakes=range(2), params={"recipes.tiny.epochs": 3})


def test_the_comment_begins_with_the_test_accuracy_and_names_what_changed(make_side):
    base, this = sides(make_side)
    lines = text.markdown(base, this, compared(base, this)).splitlines()
    assert lines[0] == "### main → <this>"
    assert lines[4].startswith(
        "| test accuracy | 88.00% (80.19% to 93.00%) | 98.00% (93.00% to 99.45%) | +10.00 points"
    )
    assert "| ▲ better | 10 images gained, 0 lost" in lines[4]
    assert "| recipes.tiny.epochs | 2 | 3 |" in lines
    assert "| gone | 1 | — |" in lines
    assert not any("seed" in line for line in lines), "what is equal is not shown"


def test_equal_parameters_are_one_sentence(make_side):
    base = make_side("main")
    assert "No parameter of the active recipe differs." in text.markdown(base, base, compared(base, base))


def test_the_page_is_one_file_with_its_pictures_inside_and_names_are_escaped(make_side):
    base, this = sides(make_side)
    page = text.page(base, this, compared(base, this), pictures(base, this, None))
    assert "main → &lt;this&gt;" in page
    assert "<this>" not in page
    assert len(re.findall(r'<img alt="\w+" src="data:image/png;base64,', page)) == 3
    assert not re.search(r"(src|href)=.https?:", page)


def test_figures_in_words(make_side):
    assert text.number("accuracy", None) == "—"
    assert text.number("loss", 0.01234) == "0.0123"
    assert text.number("weights", 116186) == "116,186"
    assert text.number("int8_bytes", 136368) == "136 kB"
    assert text.number("ece", 0.00161) == "0.16%"


def test_every_headline_figure_has_a_label():
    assert text.LABELS.keys() == GOOD.keys()
