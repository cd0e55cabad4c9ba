"""campaign.yaml as typed, strict, frozen settings; one module per section of the file."""

from nameplate.campaign.campaign import (
    MIXED,
    ORIGINAL,
    SKULL,
    Campaign,
    load_campaign,
    parse_campaign,
)

__all__ = ["MIXED", "ORIGINAL", "SKULL", "Campaign", "load_campaign", "parse_campaign"]
