"""Configuration: layers, precedence, the origin of each value, clusters and prices. Pure.

Must not touch disk, network, clock or processes; ``trainsub.places`` reads the files and hands over their text.
"""

from trainsub.config.layers import Layer, env_layer, parse_toml
from trainsub.config.model import Cluster, Config, Price
from trainsub.config.resolve import Settings, resolve
from trainsub.config.select import select_cluster

__all__ = ["Cluster", "Config", "Layer", "Price", "Settings", "env_layer", "parse_toml", "resolve", "select_cluster"]
