"""wheretaken: finds where a photo was taken, and shows why.

Importing this package is cheap on purpose: nothing but this file is loaded until a part is used.
"""

__version__ = "0.1.0"
