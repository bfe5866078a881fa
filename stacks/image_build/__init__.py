"""A container image built on AWS: the machine that deploys needs no container engine."""

from stacks.image_build.construct import BuiltImage

__all__ = ["BuiltImage"]
