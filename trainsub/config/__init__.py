"""Configuration: layers, precedence, the origin of each value, clusters and prices. Pure.

Must not touch disk, network, clock or processes; ``trainsub.places`` reads the files and hands over their text.
"""

from trainsub.config.builtin import built_in_layer
from trainsub.config.fabric import Fabric
from trainsub.config.layers import Layer, env_layer, parse_toml
from trainsub.config.model import EMBEDDED, Cluster, Config, MiniSlurm, Price
from trainsub.config.resolve import Settings, resolve
from trainsub.config.select import select_cluster

__all__ = [
    "EMBEDDED",
    "Cluster",
    "Config",
    "Fabric",
    "Layer",
    "MiniSlurm",
    "Price",
    "Settings",
    "built_in_layer",
    "env_layer",
    "parse_toml",
    "resolve",
    "select_cluster",
]
