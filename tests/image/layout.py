"""An image as it lies in a folder: its manifest, its configuration, and its files laid out."""

import hashlib
import json
import pathlib
import tarfile


class Layout:
    """One OCI layout with one image. What does not have the digest it is called by is an error."""

    def __init__(self, folder):
        self._blobs = pathlib.Path(folder) / "blobs" / "sha256"
        index = json.loads((pathlib.Path(folder) / "index.json").read_text())
        (described,) = index["manifests"]
        self.manifest = json.loads(self._blob(described["digest"]))
        self.configuration = json.loads(self._blob(self.manifest["config"]["digest"]))

    def unpack(self, folder):
        """Lays the files of all layers into a folder; gives what the layers say of each."""
        members = {}
        for layer in self.manifest["layers"]:
            self._blob(layer["digest"])
            with tarfile.open(self._path(layer["digest"])) as packed:
                for member in packed:
                    members[member.name.strip("/")] = member
                packed.extractall(folder, filter="tar")
        return members

    def _path(self, digest):
        kind, _, name = digest.partition(":")
        if kind != "sha256":
            raise ValueError(f"{digest} is of another kind than the tests know")
        return self._blobs / name

    def _blob(self, digest):
        blob = self._path(digest).read_bytes()
        if f"sha256:{hashlib.sha256(blob).hexdigest()}" != digest:
            raise ValueError(f"{digest} is not what it is called")
        return blob
