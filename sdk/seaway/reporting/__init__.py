"""Charts and the self-contained HTML page, shared by every capability that has something to show."""

from seaway.reporting.page import Badge, Code, Figure, Figures, Fold, Page, Table, Text, Tile, Tiles

__all__ = ["Badge", "Code", "Figure", "Figures", "Fold", "Page", "Table", "Text", "Tile", "Tiles"]
