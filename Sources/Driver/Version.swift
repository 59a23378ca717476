/// Which Martlet this is. Part of every cache key and of an artifact's metadata.
public let martletVersion = "0.1.0"
