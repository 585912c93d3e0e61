"""A Qwen3-VL of half a million parameters, made here: a real model for tests of serving and training.

```
world ─► the places of the toy world, their photos and maps, and the conversations that locate them
build ─► config, tokenizer, processor, template, random weights; dense or a mixture of experts; no download
warm  ─► teacher forcing, until the model calls the map tool and answers as in those conversations
serve ─► `transformers serve` with it, in a process of its own
```
`trained()` returns the directory of a warmed model, which is made once for this version of the code and kept
in the cache. It needs torch, torchvision, transformers and trl (for the chat template): the dependency group
`toy-model`.
"""

from wheretaken.testing.toy_model.warm import trained
from wheretaken.testing.toy_model.world import PLACES, ToyMaps, photo

__all__ = ["PLACES", "ToyMaps", "photo", "trained"]
