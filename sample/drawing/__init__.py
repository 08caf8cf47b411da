"""Garments drawn as product pictures: outlines in centimetres, cloth as a height field, light on top."""
