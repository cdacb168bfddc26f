from tools import plots_page


def test_the_page_has_its_scripts_inside_and_a_place_for_the_plots():
    page = plots_page.page()
    assert "{plot_divs}" in page
    assert "window.vegaEmbed=" in page
    assert page.count("</script>") == 1
    assert "src=" not in page.split("<script>")[0]
