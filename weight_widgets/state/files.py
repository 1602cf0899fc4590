"""Which of the model files under a folder are to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from traitlets import HasTraits, Instance, Tuple, Unicode

from ..reading.folders import FoundFile, FoundFiles, model_files

__all__ = ["FilesState", "FoundFile"]


class FilesState(HasTraits):
    """What is offered and what is picked of it.

    Attributes
    ----------
    found : FoundFiles
    query : str
        Words that the names of the files offered have in them, in upper or lower case.
    picked : tuple of FoundFile
        In the order in which they were picked: the first becomes Model A.
    problem : str
        Why the files that were picked last could not be opened; ``""`` if nothing is wrong.
    """

    found = Instance(FoundFiles)
    query = Unicode()
    picked = Tuple()
    problem = Unicode()

    def __init__(self, folder: Path) -> None:
        super().__init__(found=model_files(folder))

    @property
    def offered(self) -> Sequence[FoundFile]:
        """The files that the query leaves."""
        words = self.query.casefold().split()
        return [file for file in self.found.files if all(word in file.name.casefold() for word in words)]

    def pick(self, file: FoundFile, wanted: bool) -> None:
        """Add a file to those that are picked, or take it out."""
        others = tuple(one for one in self.picked if one != file)
        self.picked = (*others, file) if wanted else others

    def search(self) -> None:
        """Look through the folder again; what is picked stays picked as far as it is there."""
        found = model_files(self.found.folder)
        places = {file.path: file for file in found.files}
        self.picked = tuple(places[file.path] for file in self.picked if file.path in places)
        self.found = found
