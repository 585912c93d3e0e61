"""Offline map pictures: what is drawn, how mapnik is told, and `Renderer`, which draws it."""
