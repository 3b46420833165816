"""The page's icons: 20x20 line drawings of our own, coloured by the text around them."""

_PATHS = {
    "move": "M4 3l5.2 12.6 1.9-5.2 5.2-1.9z",
    "all": "M3 3h5.5v5.5H3zM11.5 5.75a2.75 2.75 0 105.5 0 2.75 2.75 0 00-5.5 0zM6 11.5l3 5.5H3zM12 12h5v5h-5z",
    "box": "M3 7V4a1 1 0 011-1h3M13 3h3a1 1 0 011 1v3M17 13v3a1 1 0 01-1 1h-3M7 17H4a1 1 0 01-1-1v-3",
    "lasso": ("M10 3c4 0 7 2 7 4.7S14 12.5 10 12.5 3 10.4 3 7.7 6 3 10 3zM6.5 12c-1.8.8-2.2 2.3-.9 3.2s3 .3 2.7 1.8"),
    "brush": (
        "M16.5 3.5c-3 1.5-6 4.5-7.5 7l1.5 1.5c2.5-1.5 5.5-4.5 7-7.5z"
        "M8 11.5c-2 0-2.5 1.5-2.6 2.8-.1 1.2-.8 1.9-1.9 2.2 2.7.6 6-.4 6-3.5"
    ),
    "eraser": "M8 16.5H16.5M4 12l7.5-8L17 9l-6.8 7.5H7.5L4 13.2z",
    "depth": "M3 16.5h14M3 13c2.5 0 2.5-7 5.5-7s2.5 5 4.5 5 1.5-2 4-2M14.5 2.5v4M12.800 4.800l1.700 1.700 1.700-1.700",
    "invent": "M4 16L12.5 7.5M11 6l3 3M14.5 2.5v3M13 4h3M16.500 9.500v2.400M15.300 10.700h2.400M5.500 3.500v3M4 5h3",
    "ruler": "M3 13.5L13.5 3 17 6.5 6.5 17zM6 10.5l1.700 1.700M8.5 8l1.700 1.700M11 5.5l1.700 1.700",
    "pan": ("M10 3v14M3 10h14M10 3L8 5M10 3l2 2M10 17l-2-2M10 17l2-2M3 10l2-2M3 10l2 2M17 10l-2-2M17 10l-2 2"),
    "fit": "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4M7 7h6v6H7z",
    "undo": "M7 4L3.5 7.5 7 11M4 7.5h8a4.5 4.5 0 010 9H8",
    "redo": "M13 4l3.5 3.5L13 11M16 7.5H8a4.5 4.5 0 000 9h4",
    "compare": "M10 3v14M4 5h4v10H4zM12 5h4v10h-4z",
    "export": "M10 12.5V3M6.5 6.2L10 2.8l3.5 3.4M4 11v5.5h12V11",
    "open": "M3 15.5V5h5l1.5 2H17v8.5z",
    "keys": "M7.5 7.5a2.5 2.5 0 115 .3c0 1.7-2.5 1.9-2.5 3.7M10 14.3v.4",
    "eye": (
        "M2.5 10S5.2 5.2 10 5.2 17.5 10 17.5 10 14.8 14.8 10 14.8 2.5 10 2.5 10z"
        "M10 12.2a2.2 2.2 0 100-4.4 2.2 2.2 0 000 4.4z"
    ),
    "eye-off": (
        "M3.5 3.5l13 13M8 5.5A8 8 0 0110 5.2c4.8 0 7.5 4.8 7.5 4.8a12 12 0 01-2.3 2.8"
        "M5.3 6.8A12 12 0 002.5 10s2.7 4.8 7.5 4.8a7 7 0 003-.6"
    ),
    "copy": "M7 7h9v9H7zM4 13V4h9",
    "remove": "M5 5l10 10M15 5L5 15",
    "back": "M4 10h9a3 3 0 010 6h-2M4 10l3.5-3.5M4 10l3.5 3.5",
    "caret": "M6 8l4 4 4-4",
    "photo": "M3 4.5h14v11H3zM3 13l4-4 3.5 3.5L13 10l4 3.5M12.5 7.5h.4",
}


def icon(name: str) -> str:
    """Inline SVG. Raises KeyError for an unknown name."""
    return (
        '<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false" fill="none" '
        'stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">'
        f'<path d="{_PATHS[name]}"/></svg>'
    )
