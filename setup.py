"""Shim: the metadata is in pyproject.toml.

setuptools never clears build/, so a module deleted since the last build would still get into the next wheel.
Building in a fresh folder keeps wheels true and the checkout clean.
"""

from tempfile import TemporaryDirectory

from setuptools import setup

with TemporaryDirectory() as folder:
    setup(options={"build": {"build_base": folder}})
