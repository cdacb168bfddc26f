import json

from compare import recipes
from digits import params
from tests.conftest import edit_params


def test_each_recipe_of_the_comparison_is_written_in_full(project):
    edit_params(project, ("recipes: [fast_cnn,", "recipes: [fast_cnn, tiny]\n  # ["))
    recipes.main()
    parameters = params.load()
    assert sorted(path.stem for path in recipes.FULL.iterdir()) == ["fast_cnn", "tiny"]
    for name in ("fast_cnn", "tiny"):
        written = json.loads((recipes.FULL / f"{name}.json").read_text())
        assert written == parameters.recipes[name].model_dump()
        assert written["schedule"], "what stands in the base only"
