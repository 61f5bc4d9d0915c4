"""What things are called, whatever a model calls them; here alone, so that the page needs no numpy for it."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a zone can be asked about; a model's own labels are mapped to these by its card."""

    VEHICLE = "vehicle"
    PERSON = "person"
    BICYCLE = "bicycle"
    """Motorcycles and e-bikes, too, where a model does not tell them apart."""
    EBIKE = "ebike"
    WHEELCHAIR = "wheelchair"
    PRAM = "pram"
    PLATE = "plate"
    OTHER = "other"
