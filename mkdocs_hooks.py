"""Shows the notebooks of docs/ as pages of the documentation, with the output that they hold."""

import json
from collections.abc import Iterator
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds a page for each notebook, beside the notebook itself."""
    for file in [each for each in files if each.src_uri.endswith(".ipynb")]:
        text = "\n\n".join(_parts(json.loads(file.content_string)))
        name = file.src_uri.removesuffix(".ipynb") + ".md"
        files.append(File.generated(config, name, content=text))
    return files


def _parts(notebook: Any) -> Iterator[str]:
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        yield text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"
        printed = ""
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            printed += "".join(output.get("text", ()))
            if "image/png" in data:
                yield f"![the figure](data:image/png;base64,{''.join(data['image/png']).strip()})"
            elif output["output_type"] == "execute_result":
                printed += "".join(data["text/plain"]) + "\n"
        if printed:
            yield f"```text\n{printed}```"
