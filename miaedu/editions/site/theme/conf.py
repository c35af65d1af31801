"""How Sphinx makes the web site."""

from miaedu import __version__

project, author, version = "miaedu", "the authors of miaedu", __version__
copyright = "the authors of miaedu; texts and pictures CC BY 4.0, code MIT"
language = "en"
extensions = ["myst_nb", "sphinx.ext.githubpages"]

# notebooks come executed; a static page shows what needs no widget
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [
    ("html", "text/html", 0),
    ("html", "application/vnd.jupyter.widget-view+json", None),
]
myst_heading_anchors = 6
myst_heading_slug_func = "miaedu.editions.site.lesson.slug"

html_theme = "sphinx_book_theme"
html_title = "miaedu"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "static/favicon.svg"
html_copy_source = False
html_use_index = False
html_show_sourcelink = False
html_theme_options = {
    "home_page_in_toc": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the search has its place at the side
}
pygments_style = "default"


def setup(app):
    """Give each section the anchor that it has in JupyterLab, before contents are listed."""
    app.connect("doctree-read", name_sections, priority=100)


def name_sections(app, doctree):
    """Put the slug of each section before its other ids."""
    from docutils import nodes

    for section in doctree.findall(nodes.section):
        if slug := section.get("slug"):
            section["ids"] = [slug, *(name for name in section["ids"] if name != slug)]
