"""Packaging; also what Beam ships to remote workers with `--setup_file ./setup.py`."""

import os
from pathlib import Path

from setuptools import Extension, find_packages, setup

HERE = Path(__file__).parent
# One source of the version, read without importing Beam.
VERSION: dict[str, str] = {}
exec((HERE / "transforms" / "version.py").read_text(encoding="utf-8"), VERSION)

# For a run history in PostgreSQL; one in SQLite needs no more than what is always there.
SQL = ["psycopg[binary]>=3.2,<4"]
# For `greeks report`.
REPORT = ["altair>=5.5", "jinja2>=3.1", "vl-convert-python>=1.7"]
# For files and run histories in S3 and what speaks its protocol.
S3 = ["botocore>=1.36,<2"]
# For gs:// paths.
GS = ["google-cloud-storage>=3,<4"]

# For `greeks query`, and to read and draw the files.
NOTEBOOK = [
    "duckdb>=1.2",
    "fsspec>=2024.2",
    "ipykernel>=6.29",
    "matplotlib>=3.8",
    "pandas>=2.2",
    "polars>=1.20",
]

# For the pages of docs/.
DOCS = ["mkdocs-material>=9.7,<10"]

# Of C's mathematics, where it is a library of its own.
LIBRARIES = [] if os.name == "nt" else ["m"]

setup(
    name="theta-greeks-pipeline",
    version=VERSION["__version__"],
    description="Bulk download of historical option Greeks from ThetaData, on Apache Beam",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.10",
    packages=find_packages(include=["pipeline", "pipeline.*", "transforms", "transforms.*"]),
    package_data={
        "pipeline": ["py.typed", "reports/page.html"],
        "transforms": ["py.typed"],
        "transforms.native": ["_text.pyi"],
    },
    # Without a C compiler Arrow does their work: transforms/native/compiled.py.
    ext_modules=[
        Extension(
            "transforms.native._text",
            ["transforms/native/_text.c"],
            libraries=LIBRARIES,
            optional=True,
        )
    ],
    install_requires=[
        "SQLAlchemy>=2.0.30,<2.2",
        "apache-beam>=2.72,<2.78",
        "numpy>=1.26",
        "packaging>=23",
        "psutil>=5.9",
        "pyarrow>=20,<26",
        "requests>=2.32,<3",
        "rich>=13.9,<16",
        "scipy>=1.11",
        "shtab>=1.13,<2",
        "tomli>=2; python_version < '3.11'",
        "urllib3>=1.26,<3",
        "xxhash>=3.5,<4",
    ],
    extras_require={
        "sql": SQL,
        "report": REPORT,
        "s3": S3,
        "gs": GS,
        # For --runner DataflowRunner; it has what gs has.
        "gcp": ["apache-beam[gcp]>=2.72,<2.78"],
        "notebook": NOTEBOOK,
        "docs": DOCS,
        "test": [
            "coverage[toml]>=7.10",
            "QuantLib>=1.36",
            "altair>=5.5",
            # The exchange's holidays and early closes, kept by others.
            "exchange_calendars>=4.5",
            # For Dataflow's dry run, which needs no more of the extra gcp.
            "google-cloud-dataflow-client>=0.8",
            "hypothesis>=6.100",
            "import-linter>=2.15,<3",
            "moto[server]>=5.1",
            "mypy>=1.15",
            "nbclient>=0.10",
            "pre-commit>=4",
            "pytest>=8.3",
            "pytest-cov>=6",
            "pytest-xdist>=3.6",
            "ruff>=0.12",
            "selenium>=4.20",
            "tomli>=2",
            "types-psutil",
            "types-requests",
            *DOCS,
            *REPORT,
            *GS,
            *NOTEBOOK,
            *S3,
            *SQL,
        ],
    },
    entry_points={"console_scripts": ["greeks = pipeline.__main__:run"]},
)
