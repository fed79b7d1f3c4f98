"""Checks README.md's table of families against the tree: each recipe of models/recipes stands in one
row, each row names a recipe, and the goldens named are those of tests/data/golden.

Takes the root of the source tree.
"""
import pathlib
import re
import sys

NOT_RECIPES = {"common"}
NOT_MODELS = {"linear_w8a8"}  # goldens of one product


def rows(root):
    for line in (root / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and re.fullmatch(r"`\w+`", cells[2]):
            yield cells[2].strip("`"), re.findall(r"`(\w+)`", cells[3])


def difference(what, named, there):
    for name in sorted(named - there):
        yield f"README.md names {what} '{name}', which is not in the tree"
    for name in sorted(there - named):
        yield f"README.md does not name {what} '{name}'"


def main():
    root = pathlib.Path(sys.argv[1])
    table = list(rows(root))
    recipes = {path.stem for path in (root / "models/recipes").glob("*.cpp")} - NOT_RECIPES
    goldens = {path.name for path in (root / "tests/data/golden").iterdir() if path.is_dir()} - NOT_MODELS
    wrong = list(difference("the recipe", {recipe for recipe, _ in table}, recipes))
    wrong += difference("the golden", {name for _, names in table for name in names}, goldens)
    print("\n".join(wrong) or f"{len(table)} families, {len(goldens)} goldens")
    return 1 if wrong else 0


sys.exit(main())
