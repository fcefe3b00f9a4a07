"""What ganvas stylizes: every photograph like every painting, and one pair at five strengths.

All are scored: strength must lead evenly from the photograph to the painting.
`python benchmarks/style_gallery.py DATA`, with DATA/photos and DATA/paintings. Images are kept in
.scratch/ as they come; interrupted, it goes on where it was, and `--fresh` starts again.
"""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw
from record import GALLERY, SCRATCH, record
from stored import BENCHMARKS, Table
from style_score import Score, StyleScorer

from ganvas.style.files import stylize_file
from ganvas.style.images import open_image
from ganvas.style.scene import resize, sides_of
from ganvas.style.settings import StyleSettings
from ganvas.style.work import Work

SETTINGS = StyleSettings(size=384)
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
STRONG_PAIR = ("scarlet_macaw", "van_gogh_night_cafe")
CELL, GAP, TITLE = 384, 6, 18
KEPT = SCRATCH / "gallery"


def stylized(photo: Path, painting: Path, settings: StyleSettings, fresh: bool) -> Path:
    """The image of a pair, now or from before."""
    name = f"{photo.stem}_{painting.stem}_{settings.size}_{settings.strength:g}.png"
    out = KEPT / name
    if fresh or not out.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        for _ in stylize_file(Work(photo, (painting,), out, settings)):
            pass
        print(out.name, flush=True)
    return out


def scored(photo: Path, painting: Path, result: Path) -> Score:
    """What an image is worth."""
    photograph = open_image(photo).colours
    scorer = StyleScorer(resize(photograph, sides_of(photograph, CELL)), open_image(painting))
    return scorer.score(open_image(result).colours)


def cells(score: Score) -> list[str]:
    """A score in a table."""
    values = (score.style, score.content, score.checkerboard, score.border)
    return [f"{value:.3f}" for value in values]


def thumbnail(path: Path) -> Image.Image:
    """An image, at most as large as a cell."""
    image = Image.open(path).convert("RGB")
    image.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
    return image


def sheet(rows: list[list[Image.Image | None]], target: Path) -> None:
    """Images in rows, each row as high as its highest; a place may be empty."""
    heights = [max(p.height for p in row if p) + GAP for row in rows]
    canvas = Image.new("RGB", (len(rows[0]) * (CELL + GAP) + GAP, sum(heights) + GAP), "white")
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            if image:
                left = GAP + x * (CELL + GAP) + (CELL - image.width) // 2
                canvas.paste(image, (left, GAP + sum(heights[:y])))
    target.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(target, quality=85)


def titled(image: Image.Image, title: str) -> Image.Image:
    """An image under its title."""
    whole = Image.new("RGB", (image.width, image.height + TITLE), "white")
    whole.paste(image, (0, TITLE))
    ImageDraw.Draw(whole).text((2, 2), title, fill="black")
    return whole


def main() -> None:
    """Stylize what is missing, and lay it out."""
    options = ArgumentParser(description="The gallery of style transfer.")
    options.add_argument("data", type=Path, help="folder with photos and paintings")
    options.add_argument("--fresh", action="store_true", help="stylize again what is there")
    options.add_argument("--results", type=Path, default=BENCHMARKS, help="folder to record into")
    given = options.parse_args()
    photos = sorted((given.data / "photos").glob("*.jpg"))
    paintings = sorted((given.data / "paintings").glob("*.jpg"))
    columns = ["style ↓", "content ↑", "checkerboard", "border"]
    photo, painting = STRONG_PAIR
    pair = given.data / f"photos/{photo}.jpg", given.data / f"paintings/{painting}.jpg"
    by_strength = {
        s: stylized(*pair, replace(SETTINGS, strength=s), given.fresh) for s in STRENGTHS
    }
    titles = [titled(thumbnail(path), f"--strength {s:g}") for s, path in by_strength.items()]
    sheet([[*titles]], GALLERY / "style_strengths.jpg")
    strengths = [[f"{s:g}", *cells(scored(*pair, path))] for s, path in by_strength.items()]
    rows: list[list[Image.Image | None]] = [[None, *(thumbnail(p) for p in paintings)]]
    scores = []
    for path in photos:
        results = [stylized(path, other, SETTINGS, given.fresh) for other in paintings]
        rows.append([thumbnail(path), *(thumbnail(result) for result in results)])
        scores += [
            [path.stem, other.stem, *cells(scored(path, other, result))]
            for other, result in zip(paintings, results, strict=True)
        ]
    sheet(rows, GALLERY / "style_pairs.jpg")
    tables = [
        Table(["strength", *columns], strengths, f"{photo}, {painting}, {CELL} px:"),
        Table(["photograph", "painting", *columns], scores, "Every pair at strength 0.5:"),
    ]
    record(given.results, "style_gallery", tables)


if __name__ == "__main__":
    main()
