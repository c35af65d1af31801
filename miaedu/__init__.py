"""miaedu: membership inference attacks, taught with real attacks that run while you drag a slider.

The public names are listed in ``__init__.pyi``; each is imported when it is first used, so that
``import miaedu`` is quick and needs neither matplotlib nor ipywidgets.
"""

import lazy_loader

__version__ = "0.2.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
