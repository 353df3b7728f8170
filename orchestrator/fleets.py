"""A site's fleets as the master control wants them: who may join, what a vehicle must be able to do."""

from __future__ import annotations

from orchestrator.layout import LoadedSite
from orchestrator.vda5050.control.joining import Declared, Rule
from orchestrator.vda5050.quirks import quirks_of


def rules_of(loaded: LoadedSite) -> list[Rule]:
    """Who may join, by the site file."""
    names = [fleet.id for fleet in loaded.site.fleets]
    return [
        Rule(
            row.manufacturer,
            row.serial,
            names.index(row.fleet),
            row.protocol,
            quirks_of(row.quirks),
            row.interface,
        )
        for row in loaded.spec.vehicles
    ]


def declared_of(loaded: LoadedSite) -> list[Declared]:
    """What the site says of its fleets."""
    found = []
    for fleet in loaded.site.fleets:
        spec = loaded.spec.fleets[fleet.id]
        xs, ys = zip(*spec.footprint_m, strict=True)
        handles = ("pick", "drop") if spec.carries else ()
        found.append(
            Declared(
                fleet.id,
                spec.speed_mps,
                spec.acceleration_mps2,
                max(xs) - min(xs),
                max(ys) - min(ys),
                (*handles, "startCharging", "stopCharging"),
                spec.load_kg,
                spec.places,
            )
        )
    return found
