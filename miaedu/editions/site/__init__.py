"""The course as a web site: `build` makes it, `lesson` turns a notebook into a page, `twin` an
explorer into one, and `theme` says what they look like."""
