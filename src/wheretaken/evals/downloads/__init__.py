"""Published data sets, downloaded by name: `download(entry("mapbench-v2"), Path("data"))`.

`catalogue` says what there is and where, `listing` asks a hub for the files, `transfer` gets one file and
resumes it, `archives` unpacks, `folder` says what may be written and what is complete, `web` is the client
that knows about hosts, the token and patience; `fetching` puts them together.
"""

from wheretaken.evals.downloads.catalogue import CATALOGUE, CatalogueEntry, HubName, entry
from wheretaken.evals.downloads.fetching import download
from wheretaken.evals.downloads.folder import DownloadRecord
from wheretaken.evals.downloads.transfer import Meter
from wheretaken.evals.downloads.web import Patience, Settings

__all__ = [
    "CATALOGUE",
    "CatalogueEntry",
    "DownloadRecord",
    "HubName",
    "Meter",
    "Patience",
    "Settings",
    "download",
    "entry",
]
