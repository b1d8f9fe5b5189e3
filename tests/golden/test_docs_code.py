"""The Python code of the documents: all of it compiles, and what cannot be run here names what exists.

tests/local/docs/test_docs_code.py runs the rest.
"""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import NOT_RUN, PAGES, ROOT, Block, blocks
from seaway.kfp import catalog
from seaway.kfp.compile import compiled

CODE = [block for page in PAGES for block in blocks(page, "python")]
COMPONENTS = {entry.name: entry for entry in catalog.components()}
CONTRACTS = ROOT / "docs" / "design" / "main-job.md"


def test_every_block_of_python_compiles() -> None:
    for block in CODE:
        compile(block.text, str(block), "exec")


def test_code_that_is_not_run_names_what_exists_and_gives_it_what_it_takes(tmp_path: Path) -> None:
    files = {f"block_{number}.py": block for number, block in enumerate(CODE) if block.text.startswith(NOT_RUN)}
    assert files
    for name, block in files.items():
        (tmp_path / name).write_text(block.text)
    checked = [sys.executable, "-m", "mypy", *(str(tmp_path / name) for name in files)]
    done = subprocess.run(checked, cwd=ROOT, capture_output=True, text=True, check=False)
    told = re.sub(r"\S*(block_\d+\.py):(\d+)", lambda found: _place(files[found[1]], int(found[2])), done.stdout)
    assert done.returncode == 0, told


def _place(block: Block, line: int) -> str:
    return f"{block.page.relative_to(ROOT)}:{block.line + line - 1}"


@pytest.mark.parametrize("name", COMPONENTS)
def test_the_example_of_a_component_gives_it_what_it_takes(name: str) -> None:
    """Its first lines may call other components; every call has the required inputs and no others."""
    for call in _calls("\n".join(block.text for block in blocks(COMPONENTS[name].folder / "README.md", "python"))):
        inputs = COMPONENTS[call.func.id].load().component_spec.inputs or {}
        given = {keyword.arg for keyword in call.keywords}
        required = {name for name, spec in inputs.items() if not spec.optional}
        assert required <= given <= set(inputs), ast.unparse(call)


def _calls(program: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in COMPONENTS:
            yield node


def test_the_search_of_the_guide_fits_into_the_pipeline_of_the_guide() -> None:
    """Put where the guide says: in the place of the training, its imports beside the others."""
    (pipeline,) = blocks(ROOT / "docs" / "how-to" / "write-a-pipeline.md", "python")
    (search,) = blocks(ROOT / "docs" / "how-to" / "tune.md", "python")
    old = re.search(r"^    params = .*?^    package = [^\n]*\n", pipeline.text, re.DOTALL | re.MULTILINE)
    program = pipeline.text.replace(old[0], re.sub(r"^(?=.)", "    ", search.text, flags=re.MULTILINE))
    program = program.replace("package=package", 'package=packed.outputs["package"]')
    names: dict[str, object] = {}
    exec("from seaway_components.tuning.tune_model.component import tune_model\n" + program, names)  # noqa: S102
    assert "comp-tune-model" in compiled(names["late"]).text


def test_the_contracts_of_the_main_job_name_what_exists() -> None:
    listing = next(block.text for block in blocks(CONTRACTS, "") if "# seaway.data" in block.text)
    module: object = None
    for line in listing.splitlines():
        if line.startswith("# "):
            module = importlib.import_module(line[2:])
            continue
        for name in re.findall(r"(?:^|[;,] )([A-Za-z]\w*(?:\.[a-z_]\w*)?)\(", line.split("  #")[0]):
            found = module
            for part in name.split("."):
                found = getattr(found, part)
